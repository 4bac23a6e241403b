"""The cashier: the page on which a buyer pays, or does not, whichever way led to it."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from services.sandbox.domain.money import format_yuan
from services.sandbox.domain.refusals import AlipayRefusal, SandboxRefusal
from services.sandbox.domain.scenarios import Scenario
from services.sandbox.domain.times import wire_time
from services.sandbox.domain.trade import Trade, TradeState
from services.sandbox.routes.pages import error_page, page
from services.sandbox.routes.parsing import form_params
from services.sandbox.use_cases import alipay_buyer
from services.sandbox.world import World

_BUTTONS = (
    (Scenario.FAIL, "支付失败", "余额不足，可再试"),
    (Scenario.CANCEL, "取消支付", "回到商家页面"),
    (Scenario.LATE, "延迟30秒通知", "钱已付，通知晚到"),
    (Scenario.DUPLICATED, "重复通知×3", "同一通知送三次"),
    (Scenario.AMOUNT_MISMATCH, "金额不符", "通知里少一分钱"),
    (Scenario.NO_NOTIFY, "仅回跳无通知", "商家须自己查询"),
)


def build_router(world: World) -> APIRouter:
    router = APIRouter(prefix="/alipay/cashier", include_in_schema=False)

    @router.get("/{token}")
    async def show_cashier(token: str) -> Response:
        try:
            with world.db.transaction() as tx:
                trade = alipay_buyer.open_cashier(tx, world.terms, token, world.instant())
        except (AlipayRefusal, SandboxRefusal) as refusal:
            return _refused(refusal)
        return _cashier_page(world, token, trade)

    @router.post("/{token}")
    async def press_button(token: str, request: Request) -> Response:
        params = await form_params(request)
        try:
            scenario = Scenario(params.get("scenario", ""))
        except ValueError:
            return error_page("没有这个按钮", "scenario_unknown", 422)
        try:
            with world.db.transaction() as tx:
                at = world.instant()
                trade = alipay_buyer.open_cashier(tx, world.terms, token, at)
                trade = alipay_buyer.finish(tx, world.terms, trade, scenario, None, at)
        except (AlipayRefusal, SandboxRefusal) as refusal:
            return _refused(refusal)
        if scenario is Scenario.FAIL:
            return _cashier_page(world, token, trade, failed=True)
        return _back_to_shop(world, token, trade)

    return router


def _cashier_page(world: World, token: str, trade: Trade, failed: bool = False) -> Response:
    facts = {
        "token": token,
        "trade": trade,
        "amount": format_yuan(trade.total_fen),
        "expires_at": wire_time(trade.expires_at),
        "waiting": trade.state is TradeState.WAIT_BUYER_PAY,
        "paid": trade.paid_at is not None,
        "failed": failed,
        "buttons": _BUTTONS,
        "back": _way_back(world, trade),
    }
    return page("cashier.html", facts, form_targets=f"{trade.return_url} {trade.quit_url}")


def _back_to_shop(world: World, token: str, trade: Trade) -> Response:
    return RedirectResponse(_way_back(world, trade) or f"/alipay/cashier/{token}", status_code=303)


def _way_back(world: World, trade: Trade) -> str:
    """With Alipay's signature after a payment, plain for a buyer who gives up; empty if the shop named no address."""
    if trade.paid_at is None:
        return trade.quit_url or trade.return_url
    with world.db.reading() as tx:
        method = alipay_buyer.pay_method(tx, trade)
    return alipay_buyer.return_link(world.terms, trade, method, world.keys.alipay_private, world.instant())


def _refused(refusal: AlipayRefusal | SandboxRefusal) -> Response:
    if isinstance(refusal, SandboxRefusal):
        return error_page(refusal.zh, refusal.code, refusal.status)
    return error_page(refusal.sub_msg, refusal.sub_code, 409)
