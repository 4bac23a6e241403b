"""闪送's endpoints, and the controls that play its riders."""

from dataclasses import replace
from datetime import timedelta
from sqlite3 import Connection
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from services.sandbox.domain import ishansong as rules
from services.sandbox.domain.ishansong import IshansongOrder, IshansongRefusal, IshansongShop
from services.sandbox.domain.refusals import SandboxRefusal
from services.sandbox.domain.times import Instant
from services.sandbox.routes.carriers import Simulator, walk_step
from services.sandbox.routes.faulty import CarrierDialect, under_fault
from services.sandbox.routes.parsing import form_params
from services.sandbox.store import ishansong as store
from services.sandbox.store import meta, outgoing
from services.sandbox.use_cases import ishansong, ishansong_moves
from services.sandbox.use_cases.ishansong import IshansongTerms
from services.sandbox.world import World

PROVIDER = "ishansong"
# What a rider or the system does → the status it brings. A rider who drops out sends the order back to 20.
_ACTIONS = {
    "accept": rules.ASSIGNED,
    "drop": rules.SEARCHING,
    "fetch": rules.ON_THE_WAY,
    "finish": rules.DONE,
    "cancel": rules.CANCELLED,
}


class Console(BaseModel):
    """What a merchant enters at the provider's console: where the account's callbacks go."""

    model_config = ConfigDict(extra="forbid")

    callback_url: str = Field(max_length=500, pattern=r"^(https?://\S+)?$")


def build_router(world: World) -> APIRouter:
    router = APIRouter()

    @router.post("/ishansong/openapi/merchants/v5/{operation}", include_in_schema=False)
    async def call(operation: str, request: Request) -> Response:
        act = _Call(world, operation, await form_params(request))
        return await under_fault(world, PROVIDER, operation, act.answer, act)

    @router.get("/_sim/ishansong/console", tags=["ishansong"])
    async def show_console() -> Console:
        with world.db.reading() as tx:
            return Console(callback_url=callback_url(world, tx))

    @router.put("/_sim/ishansong/console", tags=["ishansong"])
    async def set_console(body: Console) -> Console:
        """Applies to callbacks from now on."""
        with world.db.transaction() as tx:
            meta.write_text(tx, "ishansong_callback_url", body.callback_url)
        return body

    @router.get("/_sim/ishansong/orders/{number}", tags=["ishansong"])
    async def show_order(number: str) -> dict[str, Any]:
        """By the provider's number or the shop's; `placed` counts the orders placed under the shop's number."""
        with world.db.reading() as tx:
            order = _find(tx, number)
            sent = outgoing.of_ref(tx, order.number)
            placed = len(store.placed_for(tx, order.third_no))
        calls = [{"state": c.state, "attempts": c.attempts, "last_answer": c.last_answer} for c in sent]
        return {**ishansong.status_view(order), "placed": placed, "callbacks": calls}

    @router.post("/_sim/ishansong/orders/{number}/{action}", tags=["ishansong"])
    async def act_as_rider(
        number: str,
        action: str,
        code: Annotated[int, Query(ge=0, le=100_000)] = 777,
        abort_type: Annotated[int | None, Query(ge=0, le=100)] = None,
        abort_reason: Annotated[str, Query(max_length=200)] = "",
        deduct_fen: Annotated[int | None, Query(ge=0, le=1_000_000)] = None,
        ago_s: Annotated[int, Query(ge=0, le=86_400)] = 0,
    ) -> dict[str, Any]:
        """accept, drop, fetch, finish, cancel (by whom: `abort_type`); status only calls back with `code`; bill says
        what a cancelled order cost. `ago_s`: it happened that long ago."""
        at = world.instant()
        at = replace(at, now=at.now - timedelta(seconds=ago_s))
        with world.db.transaction() as tx:
            order, url = _find(tx, number), callback_url(world, tx)
            if action == "status":
                ishansong_moves.tell(tx, order, code, url, at)
            elif action == "bill":
                order = ishansong.bill(tx, order, deduct_fen)
            elif action in _ACTIONS:
                if abort_type is not None:
                    order = replace(order, abort=ishansong.told_abort(abort_type, abort_reason, deduct_fen))
                order = _moved(tx, order, _ACTIONS[action], url, at)
            else:
                raise SandboxRefusal(404, "action_unknown", "没有这个动作", "There is no such action.")
        return ishansong.status_view(order)

    return router


def callback_url(world: World, tx: Connection) -> str:
    """As chosen by the control, else as set."""
    chosen = meta.read_text(tx, "ishansong_callback_url")
    token = world.settings.shop(IshansongShop).callback_token.get_secret_value()
    entered = f"{world.settings.carriers_callback_url}/{PROVIDER}/{token}"
    return entered if chosen is None else chosen


def _find(tx: Connection, number: str) -> IshansongOrder:
    for name in ("issOrderNo", "thirdOrderNo"):
        try:
            return ishansong.find(tx, {name: number})
        except IshansongRefusal:
            continue
    raise SandboxRefusal(404, "order_not_found", "订单不存在", "There is no such order.")


def _moved(tx: Connection, order: IshansongOrder, status: int, url: str, at: Instant) -> IshansongOrder:
    try:
        rules.check_move(order.status, status)
    except IshansongRefusal as refusal:
        raise SandboxRefusal(409, "move_illegal", refusal.msg, "The order cannot make this step.") from None
    return ishansong_moves.move(tx, order, status, url, at)


class _Call(CarrierDialect):
    """One call of 闪送's API, and how it words its failures."""

    def __init__(self, world: World, operation: str, form: dict[str, str]) -> None:
        self._world = world
        self._operation = operation
        self._form = form

    def answer(self) -> Response:
        try:
            with self._world.db.transaction() as tx:
                terms = self._terms(tx)
                data = ishansong.read_call(self._form, terms)
                result = ishansong.perform(tx, self._operation, data, terms, self._world.instant())
        except IshansongRefusal as refusal:
            return _failed(refusal.status, refusal.msg)
        return JSONResponse({"status": rules.OK, "msg": None, "data": result})

    def lost_to_pickup(self) -> Response:
        """The rider takes the goods just before the cancellation arrives."""
        with self._world.db.transaction() as tx:
            terms = self._terms(tx)
            order = ishansong.find(tx, ishansong.read_call(self._form, terms))
            for status in (rules.ASSIGNED, rules.ON_THE_WAY):
                if order.status < status:
                    order = ishansong_moves.move(tx, order, status, terms.callback_url, self._world.instant())
        return self.answer()

    def throttled(self) -> Response:
        return _failed(rules.THROTTLED, "请求过于频繁")

    def unknown(self) -> Response:
        return _failed(rules.SYSTEM_BUSY, "系统繁忙")

    def balance_short(self) -> Response:
        return _failed(rules.BALANCE_SHORT, "账户余额不足")

    def stale_quote(self) -> Response:
        return _failed(rules.QUOTE_STALE, "计费已失效，请重新计费")

    def business_error(self, code: str) -> Response:
        return _failed(int(code) if code.isdecimal() else rules.STATE_WRONG, "按脚本返回的业务错误")

    def _terms(self, tx: Connection) -> IshansongTerms:
        settings = self._world.settings
        return IshansongTerms(
            settings.shop(IshansongShop),
            callback_url(self._world, tx),
            walk_step(tx, settings),
        )


def _failed(status: int, msg: str) -> Response:
    return JSONResponse({"status": status, "msg": msg, "data": None})


SIMULATOR = Simulator(
    offers=(
        ("/ishansong/openapi/merchants/v5/…", "闪送 · instant delivery"),
        ("/_sim/ishansong/console", "闪送控制台的回调地址 · where its callbacks go"),
    ),
    build_router=build_router,
    build_channel=lambda settings: ishansong_moves.IshansongChannel(settings.shop(IshansongShop).callback_intervals_s),
    walk=lambda world, tx, at, step: ishansong_moves.walk(tx, callback_url(world, tx), at, step),
    purge=lambda tx, at: store.purge_quotes(tx, at.now),
)
