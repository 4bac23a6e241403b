"""Refunds that were made at the channel itself, and for which only an operator knows the units."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.checkout.routes.views import RefundView
from services.checkout.store import external_refunds as store
from services.checkout.use_cases import external_refunds
from shared.auth import Caller, require_operator
from shared.http import Db

router = APIRouter(prefix="/admin/external-refunds", tags=["admin"])

_LIMIT = 50


class ExternalRefundView(BaseModel):
    refund_id: UUID
    order_id: UUID
    attempt_id: UUID
    channel_refund_no: str
    amount_fen: int
    refunded_at: datetime


class OpenExternalRefunds(BaseModel):
    items: list[ExternalRefundView]


class Allocation(BaseModel):
    """The units must be worth exactly what was refunded: what is left of each, or all that each was paid."""

    unit_ids: Annotated[list[UUID], Field(min_length=1, max_length=10)]
    together_with: Annotated[list[UUID], Field(max_length=10)] = Field(
        default=[], description="Other refunds at the channel for the same units: together they are one"
    )


@router.get("")
async def list_open(caller: Caller, db: Db) -> OpenExternalRefunds:
    """Those that wait for an operator, oldest first. Each is also an incident, under the same id."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        found = await store.list_open(tx, _LIMIT)
    return OpenExternalRefunds(items=[ExternalRefundView.model_validate(one, from_attributes=True) for one in found])


@router.put("/{refund_id}/allocation")
async def allocate(refund_id: UUID, body: Allocation, caller: Caller, db: Db) -> RefundView:
    """Say for which units the money was."""
    async with db.transaction() as tx:
        await require_operator(tx, caller)
        refund = await external_refunds.allocate(tx, refund_id, set(body.unit_ids), body.together_with, caller)
    return RefundView.of(refund)
