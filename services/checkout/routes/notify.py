"""Alipay's notify: believed only by its signature, and answered `success` only after the commit."""

from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse

from services.checkout.domain.payments import TradeState
from services.checkout.gateways import read_trade
from services.checkout.store import payments as store
from services.checkout.use_cases import payments
from services.checkout.world import CheckoutWorld
from shared.alipay import AlipaySettings
from shared.http import Db
from shared.observability import log
from shared.service import World

router = APIRouter(tags=["payments"])

_BODY_MAX = 64 * 1024
_FIELDS_MAX = 100


@router.post("/alipay/notify")
async def take_notify(request: Request, db: Db, world: World) -> PlainTextResponse:
    """Any answer but `success` makes Alipay send it again."""
    checkout: CheckoutWorld = world
    body = await request.body()
    fields = _fields(body)
    if fields is None or not checkout.alipay.verify_notify(fields):
        return _fail("signature does not hold")
    attempt_id = _attempt_id(fields, checkout.alipay.settings)
    trade = read_trade(fields, paid_at_field="gmt_payment")
    if attempt_id is None or trade.state is TradeState.UNKNOWN:
        return _fail("not about a payment of ours")
    async with db.transaction() as tx:
        if await store.find_attempt(tx, attempt_id) is None:
            return _fail("unknown number")
        await payments.hear(tx, checkout.seals, attempt_id, trade, evidence=body.decode("ascii"))
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
    return fields if len(fields) == len(pairs) else None


def _attempt_id(fields: dict[str, str], ours: AlipaySettings) -> UUID | None:
    if (fields.get("app_id"), fields.get("seller_id")) != (ours.app_id, ours.seller_id):
        return None
    try:
        return UUID(hex=fields.get("out_trade_no", ""))
    except ValueError:
        return None


def _fail(reason: str) -> PlainTextResponse:
    log.warning("notify_refused", reason=reason)
    return PlainTextResponse("fail", status_code=400)
