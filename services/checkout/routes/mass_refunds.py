"""Operators call a campaign off: everything of it that is still open goes back."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.checkout.domain.mass_refunds import MassRefund, MassRefundState
from services.checkout.domain.refusals import MassRefundNotFound
from services.checkout.store import mass_refunds as store
from services.checkout.use_cases import mass_refunds
from shared.auth import Caller, require_operator
from shared.database import Transaction
from shared.http import Db
from shared.paging import Cursor, Limit, page_of, read_cursor

router = APIRouter(prefix="/admin/mass-refunds", tags=["admin"])

Line = Annotated[str, Field(min_length=1, max_length=500)]


class StartMassRefund(BaseModel):
    deal_id: UUID
    reason: Line
    units: Literal["OPEN"] = Field(default="OPEN", description="Used ones are never refunded by this")


class Stop(BaseModel):
    reason: Line


class MassRefundView(BaseModel):
    mass_refund_id: UUID
    deal_id: UUID
    reason: str
    requested_by: str
    started_at: datetime = Field(description="It covers the orders placed until then, also those paid later")
    state: MassRefundState
    ended_at: datetime | None
    stopped_by: str | None


class ProgressView(MassRefundView):
    orders_walked: int
    found: int = Field(description="Units that were open")
    opened: int = Field(description="Refunds opened for them: one per certificate, one per parcel")
    under_way: int
    refunded: int
    refused: int = Field(description="Not to be fenced: used, or handed over, in the meantime")
    failed: int = Field(description="Refunds that wait for an operator, or that one has given up")
    unpaid: int = Field(description="Orders it covers that may still be paid, and would go back then")
    done: bool = Field(description="Nothing of it is still to come")


class MassRefundPage(BaseModel):
    items: list[MassRefundView]
    next_cursor: str | None


@router.put("/{mass_refund_id}", status_code=201)
async def put_mass_refund(mass_refund_id: UUID, body: StartMassRefund, caller: Caller, db: Db) -> ProgressView:
    """Refund every open unit of the deal's orders placed until now. It does not stop the sale: catalog does."""
    async with db.transaction() as tx:
        await require_operator(tx, caller)
        return await _view(tx, await mass_refunds.start(tx, mass_refund_id, body.deal_id, body.reason, caller))


@router.put("/{mass_refund_id}/stop")
async def stop_mass_refund(mass_refund_id: UUID, body: Stop, caller: Caller, db: Db) -> ProgressView:
    """Open no more refunds; those that are open go on."""
    async with db.transaction() as tx:
        await require_operator(tx, caller)
        return await _view(tx, await mass_refunds.stop(tx, mass_refund_id, caller, body.reason))


@router.get("/{mass_refund_id}")
async def get_mass_refund(mass_refund_id: UUID, caller: Caller, db: Db) -> ProgressView:
    """How far it is."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        mass = await store.find(tx, mass_refund_id)
        if mass is None:
            raise MassRefundNotFound
        return await _view(tx, mass)


@router.get("")
async def list_mass_refunds(caller: Caller, db: Db, cursor: Cursor = None, limit: Limit = 20) -> MassRefundPage:
    """All mass refunds, newest first."""
    before = read_cursor(cursor, datetime, UUID)
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        found = await store.page(tx, before, limit + 1)
    page = page_of(found, limit, lambda mass: (mass.started_at, mass.mass_refund_id))
    items = [MassRefundView.model_validate(mass, from_attributes=True) for mass in page.items]
    return MassRefundPage(items=items, next_cursor=page.next_cursor)


async def _view(tx: Transaction, mass: MassRefund) -> ProgressView:
    progress = await store.progress(tx, mass)
    plain = MassRefundView.model_validate(mass, from_attributes=True).model_dump()
    counts = {name: getattr(progress, name) for name in ("found", "opened", "refunded", "refused", "failed", "unpaid")}
    ended = mass.state is not MassRefundState.RUNNING
    nothing_comes = mass.state is MassRefundState.STOPPED or not progress.unpaid
    return ProgressView(
        **plain,
        **counts,
        orders_walked=mass.orders_walked,
        under_way=progress.under_way,
        done=ended and nothing_comes and not progress.under_way,
    )
