"""What the auditor reads: dispatch moves no money, but says where the goods are for which it moved."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.dispatch.store import money
from shared.auth import Caller, require_operator
from shared.http import Db

router = APIRouter(prefix="/admin/money", tags=["admin"])


class InFlight(BaseModel):
    what: str
    id: str
    amount_fen: int
    since: datetime = Field(description="Real time")


class Misfit(BaseModel):
    what: str
    id: str
    detail: str


class Money(BaseModel):
    service: str = "dispatch"
    terms: dict[str, int]
    in_flight: list[InFlight]
    misfits: list[Misfit]


class OrderGoods(BaseModel):
    order_id: UUID
    changed_at: datetime = Field(description="Real time")
    parcel_state: str
    unit_ids: list[UUID]


class OrderIds(BaseModel):
    order_ids: Annotated[list[UUID], Field(max_length=500)]


class ParcelGoods(BaseModel):
    parcel_state: str
    received: bool = Field(description="Ever, whatever came of it later")
    unit_ids: list[UUID]


class Orders(BaseModel):
    items: list[OrderGoods]


@router.get("")
async def show_money(caller: Caller, db: Db) -> Money:
    """Parcels by state, carriers' fees, calls and fences under way, and what can never be right."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        terms, in_flight, misfits = await money.terms(tx), await money.in_flight(tx), await money.misfits(tx)
    found: dict[str, Any] = {"terms": terms, "in_flight": in_flight, "misfits": misfits}
    return Money.model_validate(found)


@router.post("/parcels")
async def find_parcels(body: OrderIds, caller: Caller, db: Db) -> dict[UUID, ParcelGoods]:
    """Parcels by their orders; an order without one is left out."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        rows = await money.parcels_of(tx, body.order_ids)
    return {row["order_id"]: ParcelGoods.model_validate(dict(row)) for row in rows}


@router.get("/orders")
async def show_orders(
    caller: Caller, db: Db, after: UUID | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 500
) -> Orders:
    """Every order that has a parcel, by order id."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        rows = await money.orders_after(tx, after, limit)
    return Orders(items=[OrderGoods.model_validate(dict(row)) for row in rows])
