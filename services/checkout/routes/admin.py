"""What operators ask and decide: the money of this service, stuck refunds, payment incidents."""

from datetime import datetime
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.checkout.domain.orders import OrderState, UnitState
from services.checkout.domain.payments import IncidentKind
from services.checkout.routes.views import RefundView
from services.checkout.store import audit
from services.checkout.store import payments as payment_store
from services.checkout.store import refunds as refund_store
from services.checkout.use_cases import payments, refunds
from shared.auth import Caller, require_operator
from shared.http import Db

router = APIRouter(prefix="/admin", tags=["admin"])

V = TypeVar("V", bound=BaseModel)
_LIMIT = 50


class Reason(BaseModel):
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class InFlightView(BaseModel):
    what: str
    id: UUID
    amount_fen: int
    since: datetime = Field(description="Real time")


class MisfitView(BaseModel):
    what: str
    id: str
    detail: str


class MoneyView(BaseModel):
    service: str
    terms: dict[str, int]
    in_flight: list[InFlightView]
    misfits: list[MisfitView]


class OrderMoneyView(BaseModel):
    order_id: UUID
    changed_at: datetime = Field(description="Real time")
    state: OrderState
    received_fen: int
    outside_fen: int = Field(description="The part of what was received that came too late or twice")
    refunded_fen: int
    out_trade_nos: list[str]
    units: dict[UUID, UnitState]
    taken_back: list[UUID] = Field(description="Units that were refunded although they may have been used")


class OrderMoneyPage(BaseModel):
    items: list[OrderMoneyView]


class IncidentView(BaseModel):
    incident_id: UUID
    attempt_id: UUID
    order_id: UUID
    kind: IncidentKind
    amount_fen: int
    claimed_fen: int | None
    trade_no: str
    opened_at: datetime


class Incidents(BaseModel):
    items: list[IncidentView]


class StuckRefunds(BaseModel):
    items: list[RefundView]


@router.get("/money")
async def money(caller: Caller, db: Db) -> MoneyView:
    """This service's part of the money identity, from its own tables only."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        return MoneyView(
            service="checkout",
            terms=await audit.money_terms(tx),
            in_flight=[_plain(InFlightView, one) for one in await audit.in_flight(tx, _LIMIT)],
            misfits=[_plain(MisfitView, one) for one in await audit.misfits(tx, _LIMIT)],
        )


@router.get("/money/orders")
async def money_of_orders(
    caller: Caller, db: Db, after: UUID | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 500
) -> OrderMoneyPage:
    """Every order that a payment was opened for, late and double captures included, in id order."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        rows = await audit.money_of_orders(tx, after, limit)
    return OrderMoneyPage(items=[OrderMoneyView.model_validate(dict(row)) for row in rows])


@router.get("/refunds")
async def stuck_refunds(caller: Caller, db: Db) -> StuckRefunds:
    """Refunds that wait for an operator: never fenced, or refused by the channel."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        return StuckRefunds(items=[RefundView.of(refund) for refund in await refund_store.list_stuck(tx, _LIMIT)])


@router.put("/refunds/{refund_id}/abandonment")
async def abandon_refund(refund_id: UUID, body: Reason, caller: Caller, db: Db) -> RefundView:
    """Give a stuck refund up: its units go back to what they were."""
    async with db.transaction() as tx:
        await require_operator(tx, caller)
        refund = await refunds.abandon(tx, refund_id, caller, body.reason)
    return RefundView.of(refund)


@router.put("/refunds/{refund_id}/retry", status_code=202)
async def retry_refund(refund_id: UUID, body: Reason, caller: Caller, db: Db) -> RefundView:
    """Send a failed refund again, under the same number."""
    async with db.transaction() as tx:
        await require_operator(tx, caller)
        refund = await refunds.retry(tx, refund_id, caller, body.reason)
    return RefundView.of(refund)


@router.get("/incidents")
async def incidents(caller: Caller, db: Db) -> Incidents:
    """Payments that only an operator may decide, oldest first."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        return Incidents(
            items=[_plain(IncidentView, one) for one in await payment_store.list_incidents(tx, _LIMIT)]
        )  # fmt: skip


@router.put("/incidents/{incident_id}/resolution", status_code=204)
async def resolve_incident(incident_id: UUID, body: Reason, caller: Caller, db: Db) -> None:
    """The matter is cleared with the channel; it is asked again and what it says counts."""
    async with db.transaction() as tx:
        await require_operator(tx, caller)
        await payments.resolve_incident(tx, incident_id, caller, body.reason)


def _plain(view: type[V], value: object) -> V:
    return view.model_validate(value, from_attributes=True)
