"""Payment attempts: the buyer asks for a way to pay."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.checkout.domain.payments import AttemptState, Channel, WayToPay
from services.checkout.use_cases import channel
from services.checkout.world import CheckoutWorld
from shared.auth import Caller
from shared.http import Db
from shared.service import World
from shared.symbols import qr_svg

router = APIRouter(tags=["payments"])


class OpenPayment(BaseModel):
    channel: Channel


class AttemptView(BaseModel):
    """Exactly one way to pay is set while the attempt can be paid, the one of its channel."""

    attempt_id: UUID
    state: AttemptState
    pay_url: str | None = Field(description="Where the buyer pays (ALIPAY_WAP, ALIPAY_PAGE); null once that is over")
    app_order: str | None = Field(default=None, description="What the shop's app hands to Alipay's app (ALIPAY_APP)")
    qr_code: str | None = Field(
        default=None,
        description="What the buyer scans (ALIPAY_QR). Null while Alipay has not given it: ask again, same request",
    )
    qr_svg: str | None = Field(default=None, description="`qr_code` drawn")
    expires_at: datetime


@router.put("/orders/{order_id}/payments/{attempt_id}", status_code=201)
async def put_payment(
    order_id: UUID, attempt_id: UUID, body: OpenPayment, caller: Caller, db: Db, world: World
) -> AttemptView:
    """Open an attempt to pay. An earlier one is closed at the channel first, so that only one can take money."""
    checkout: CheckoutWorld = world
    attempt, order = await channel.open_attempt(
        db, checkout.payments, checkout.seals, attempt_id, order_id, caller, body.channel
    )
    payable = attempt.is_payable(db.clock.now())
    way = checkout.payments.way_to_pay(attempt, order.title) if payable else WayToPay()
    return AttemptView(
        attempt_id=attempt.attempt_id,
        state=attempt.state,
        pay_url=way.pay_url,
        app_order=way.app_order,
        qr_code=way.qr_code,
        qr_svg=qr_svg(way.qr_code) if way.qr_code else None,
        expires_at=attempt.expires_at,
    )
