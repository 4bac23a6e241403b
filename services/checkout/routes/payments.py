"""Payment attempts: the buyer asks for a link to pay by."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.checkout.domain.payments import Attempt, AttemptState
from services.checkout.domain.refusals import PreviousPaymentOpen
from services.checkout.use_cases import channel, payments
from services.checkout.world import CheckoutWorld
from shared.auth import Caller
from shared.database import Database
from shared.http import Db
from shared.service import World

router = APIRouter(tags=["payments"])


class OpenPayment(BaseModel):
    channel: Literal["ALIPAY_WAP"]


class AttemptView(BaseModel):
    attempt_id: UUID
    state: AttemptState
    pay_url: str | None = Field(description="Where the buyer pays; null once that is over")
    expires_at: datetime


@router.put("/orders/{order_id}/payments/{attempt_id}", status_code=201)
async def put_payment(
    order_id: UUID, attempt_id: UUID, body: OpenPayment, caller: Caller, db: Db, world: World
) -> AttemptView:
    """Open an attempt to pay. An earlier one is closed at the channel first, so that only one can take money."""
    checkout: CheckoutWorld = world
    attempt, pay_url = await _open(db, checkout, attempt_id, order_id, caller, body.channel)
    if attempt.attempt_id != attempt_id:
        await channel.ask(db, checkout.payments, checkout.seals, attempt.attempt_id)
        attempt, pay_url = await _open(db, checkout, attempt_id, order_id, caller, body.channel)
    if attempt.attempt_id != attempt_id:
        raise PreviousPaymentOpen
    return AttemptView(
        attempt_id=attempt.attempt_id, state=attempt.state, pay_url=pay_url, expires_at=attempt.expires_at
    )


async def _open(
    db: Database, world: CheckoutWorld, attempt_id: UUID, order_id: UUID, buyer: str, name: str
) -> tuple[Attempt, str | None]:
    async with db.transaction() as tx:
        attempt, order = await payments.open_attempt(tx, attempt_id, order_id, buyer, name)
    payable = attempt.state is AttemptState.OPEN and attempt.expires_at > tx.now
    return attempt, world.payments.pay_link(attempt, order) if payable else None
