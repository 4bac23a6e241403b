"""Machine controls of Alipay: pay as the buyer, look at trades, read the book."""

from datetime import datetime
from sqlite3 import Connection
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from services.sandbox.domain.refusals import SandboxRefusal
from services.sandbox.domain.requests import TradeKey
from services.sandbox.domain.scenarios import Scenario
from services.sandbox.domain.times import Instant
from services.sandbox.domain.trade import Trade
from services.sandbox.routes.parsing import urlencoded
from services.sandbox.store import book, outgoing
from services.sandbox.use_cases import alipay_buyer, alipay_gateway, alipay_trades
from services.sandbox.world import World

OutNo = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,64}$")]


class Pay(BaseModel):
    """Act as the buyer of a trade, named by its number or by the whole signed address of a wap or page payment."""

    model_config = ConfigDict(extra="forbid")

    out_trade_no: OutNo | None = None
    pay_url: str | None = Field(default=None, max_length=16_384)
    scenario: Scenario = Scenario.SUCCESS
    delay_s: float | None = Field(default=None, ge=0, le=86_400, description="Real seconds until the first notify.")


class OpenApp(BaseModel):
    """Act as the buyer whose Alipay app was handed this order string."""

    model_config = ConfigDict(extra="forbid")

    order_string: str = Field(max_length=16_384)
    scenario: Scenario = Scenario.SUCCESS
    delay_s: float | None = Field(default=None, ge=0, le=86_400, description="Real seconds until the first notify.")


class ExternalRefund(BaseModel):
    """A refund that somebody made in Alipay's merchant backend: the shop learns of it from the bill."""

    model_config = ConfigDict(extra="forbid")

    out_trade_no: OutNo
    amount_fen: int = Field(gt=0, le=10**11)
    out_request_no: str = Field(default="", pattern=r"^[A-Za-z0-9_\-]{0,64}$")
    announce: bool = Field(default=False, description="Also send the notify that Alipay sends for API refunds.")


class Withdrawal(BaseModel):
    """A sub-merchant moves its settled money to its bank; later refunds may find its balance empty."""

    model_config = ConfigDict(extra="forbid")

    amount_fen: int = Field(gt=0, le=10**11)


class NotifyView(BaseModel):
    notify_id: str
    part: int
    state: str
    attempts: int
    due_at: datetime
    last_answer: str


class TradeView(BaseModel):
    """A trade in fen; `held_fen` is what Alipay still keeps of it."""

    out_trade_no: str
    trade_no: str
    trade_status: str
    subject: str
    total_fen: int
    refunded_fen: int
    confirmed_fen: int
    held_fen: int
    smid: str | None
    expires_at: datetime
    paid_at: datetime | None
    return_url: str
    notifies: list[NotifyView]


class EntryView(BaseModel):
    seq: int
    kind: str
    trade_no: str
    out_trade_no: str
    out_request_no: str
    amount_fen: int
    fee_fen: int
    smid: str | None
    at: datetime


class BookView(BaseModel):
    """received + clawed_back = refunded + settled + fee + held; `next_since` continues the entries."""

    received_fen: int
    refunded_fen: int
    clawed_back_fen: int
    settled_fen: int
    fee_fen: int
    held_fen: int
    pending_notifies: int
    entries: list[EntryView]
    next_since: int | None


def build_router(world: World) -> APIRouter:
    router = APIRouter(prefix="/_sim/alipay", tags=["alipay"])

    @router.post("/pay")
    async def pay(body: Pay) -> TradeView:
        at = world.instant()
        with world.db.transaction() as tx:
            if body.pay_url is not None:
                trade = _open(world, tx, urlsplit(body.pay_url).query, alipay_gateway.PAGE_METHODS, at)
            elif body.out_trade_no is not None:
                trade = alipay_buyer.open_by_number(tx, world.terms, body.out_trade_no, at)
            else:
                raise SandboxRefusal(
                    422, "trade_not_named", "需要 out_trade_no 或 pay_url", "Give out_trade_no or pay_url."
                )
            trade = alipay_buyer.finish(tx, world.terms, trade, body.scenario, body.delay_s, at)
            return _view(world, tx, trade)

    @router.post("/app")
    async def open_app(body: OpenApp) -> TradeView:
        at = world.instant()
        with world.db.transaction() as tx:
            trade = _open(world, tx, body.order_string, alipay_gateway.APP_METHODS, at)
            trade = alipay_buyer.finish(tx, world.terms, trade, body.scenario, body.delay_s, at)
            return _view(world, tx, trade)

    @router.get("/trades/{out_trade_no}")
    async def show_trade(out_trade_no: str) -> TradeView:
        with world.db.transaction() as tx:
            trade = alipay_trades.find(tx, world.terms, TradeKey("", out_trade_no), world.instant())
            return _view(world, tx, trade)

    @router.post("/external-refund")
    async def refund_outside(body: ExternalRefund) -> TradeView:
        at = world.instant()
        with world.db.transaction() as tx:
            number = body.out_request_no or f"EXT{at.real:%Y%m%d%H%M%S%f}"
            key = TradeKey("", body.out_trade_no)
            trade, _ = alipay_trades.refund(tx, world.terms, key, body.amount_fen, number, at, body.announce)
            return _view(world, tx, trade)

    @router.post("/merchants/{smid}/withdraw")
    async def withdraw(smid: str, body: Withdrawal) -> dict[str, int]:
        with world.db.transaction() as tx:
            balance_fen = book.merchant_balance(tx, smid)
            if body.amount_fen > balance_fen:
                raise SandboxRefusal(409, "balance_too_small", "余额不足", "The sub-merchant's balance is too small.")
            book.add_entry(tx, "withdrawal", amount_fen=body.amount_fen, smid=smid, now=world.instant().now)
        return {"balance_fen": balance_fen - body.amount_fen}

    @router.get("/book")
    async def read_book(
        since: Annotated[int, Query(ge=0)] = 0, limit: Annotated[int, Query(ge=0, le=1000)] = 200
    ) -> BookView:
        with world.db.transaction() as tx:
            sums = book.sums(tx)
            entries = book.entries_after(tx, since, limit)
            pending = outgoing.count_pending(tx)
        return BookView(
            received_fen=sums.received_fen,
            refunded_fen=sums.refunded_fen,
            clawed_back_fen=sums.clawed_back_fen,
            settled_fen=sums.settled_fen,
            fee_fen=sums.fee_fen,
            held_fen=sums.held_fen,
            pending_notifies=pending,
            entries=[EntryView.model_validate(entry, from_attributes=True) for entry in entries],
            next_since=entries[-1].seq if entries and len(entries) == limit else None,
        )

    return router


def _open(world: World, tx: Connection, signed: str, methods: frozenset[str], at: Instant) -> Trade:
    """The trade that the shop's signed parameters ask for; only what these methods open may be opened this way."""
    params = urlencoded(signed)
    alipay_gateway.check_request(params, world.terms, world.keys.app_public)
    if params["method"] not in methods:
        raise SandboxRefusal(422, "method_wrong", "该参数不是这种支付方式", "These parameters open something else.")
    token = alipay_buyer.keep_pay_link(tx, world.terms, params, at)
    return alipay_buyer.open_cashier(tx, world.terms, token, at)


def _view(world: World, tx: Connection, trade: Trade) -> TradeView:
    notifies = [
        NotifyView(
            notify_id=sent.id,
            part=sent.part,
            state=sent.state,
            attempts=sent.attempts,
            due_at=sent.due_at,
            last_answer=sent.last_answer,
        )
        for sent in outgoing.of_ref(tx, trade.out_trade_no)
    ]
    method = alipay_buyer.pay_method(tx, trade)
    return TradeView(
        out_trade_no=trade.out_trade_no,
        trade_no=trade.trade_no,
        trade_status=trade.state.value,
        subject=trade.subject,
        total_fen=trade.total_fen,
        refunded_fen=trade.refunded_fen,
        confirmed_fen=trade.confirmed_fen,
        held_fen=trade.held_fen,
        smid=trade.smid,
        expires_at=trade.expires_at,
        paid_at=trade.paid_at,
        return_url=alipay_buyer.return_link(world.terms, trade, method, world.keys.alipay_private, world.instant()),
        notifies=notifies,
    )
