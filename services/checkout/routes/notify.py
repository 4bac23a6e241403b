"""Alipay's notify: believed only by its signature, and answered `success` only after the commit."""

from enum import StrEnum
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse

from services.checkout.domain.payments import Attempt, Trade, TradeState
from services.checkout.gateways import read_trade
from services.checkout.store import payments as store
from services.checkout.use_cases import payments
from services.checkout.world import CheckoutWorld
from shared.alipay import AlipayClient
from shared.database import Transaction
from shared.http import Db
from shared.observability import log
from shared.service import World

router = APIRouter(tags=["payments"])

_BODY_MAX = 64 * 1024
_FIELDS_MAX = 100


class Why(StrEnum):
    """Why a notify is not believed, as the log names it."""

    MALFORMED = "malformed"
    SIGN_TYPE = "sign_type"
    CHARSET = "charset"
    SIGNATURE = "signature"
    APP_ID = "app_id"
    SELLER_ID = "seller_id"
    TRADE = "trade"
    NUMBER = "number"
    AMOUNT = "amount"


@router.post("/alipay/notify")
async def take_notify(request: Request, db: Db, world: World) -> PlainTextResponse:
    """Any answer but `success` makes Alipay send it again."""
    checkout: CheckoutWorld = world
    body = await request.body()
    fields = _fields(body)
    if fields is None:
        return _refuse(Why.MALFORMED)
    if why := _why_foreign(fields, checkout.alipay):
        return _refuse(why)
    trade = read_trade(fields, paid_at_field="gmt_payment")
    if trade.state is TradeState.UNKNOWN:
        return _refuse(Why.TRADE)
    async with db.transaction() as tx:
        attempt = await _find_attempt(tx, fields.get("out_trade_no", ""))
        if attempt is None:
            return _refuse(Why.NUMBER)
        if _is_about_another_amount(trade, attempt):
            return _refuse(Why.AMOUNT)
        await payments.hear(tx, checkout.seals, attempt.attempt_id, trade, evidence=body.decode("ascii"))
    return PlainTextResponse("success")


def _fields(body: bytes) -> dict[str, str] | None:
    """The decoded form, or None if it is none: undecodable, too large, or with a name twice."""
    if len(body) > _BODY_MAX:
        return None
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_FIELDS_MAX,
        )
    except ValueError:
        return None
    fields = dict(pairs)
    return fields if pairs and len(fields) == len(pairs) else None


def _why_foreign(fields: dict[str, str], alipay: AlipayClient) -> Why | None:
    """What shows that Alipay did not say this to us, in the order in which its documents check; None if nothing."""
    if fields.get("sign_type", "RSA2") != "RSA2":
        return Why.SIGN_TYPE
    # We ask for UTF-8, and the form was read as that.
    if fields.get("charset", "utf-8").lower() != "utf-8":
        return Why.CHARSET
    if not alipay.verify_notify(fields):
        return Why.SIGNATURE
    if fields.get("app_id") != alipay.settings.app_id:
        return Why.APP_ID
    if fields.get("seller_id") != alipay.settings.seller_id:
        return Why.SELLER_ID
    return None


async def _find_attempt(tx: Transaction, out_trade_no: str) -> Attempt | None:
    try:
        attempt = await store.find_attempt(tx, UUID(hex=out_trade_no))
    except ValueError:
        return None
    return attempt if attempt is not None and attempt.out_trade_no == out_trade_no else None


def _is_about_another_amount(trade: Trade, attempt: Attempt) -> bool:
    """Money of another amount is real and an operator's; any other word about another amount is not about us."""
    return trade.state in (TradeState.WAITING, TradeState.CLOSED) and trade.total_fen != attempt.amount_fen


def _refuse(why: Why) -> PlainTextResponse:
    log.warning("notify_refused", reason=why.value)
    return PlainTextResponse("fail", status_code=400)
