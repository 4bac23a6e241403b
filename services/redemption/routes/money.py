"""The money audit's view of redemption, from its own tables only; for operators of the platform."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.redemption.domain.certificates import CertificateState
from services.redemption.store import money
from shared.auth import Caller, require_operator
from shared.http import Db

router = APIRouter(prefix="/admin/money")


class InFlight(BaseModel):
    """Something begun and not yet ended here; `since` is real time."""

    what: str
    id: UUID
    amount_fen: int
    since: datetime


class Misfit(BaseModel):
    """Something that can never be right."""

    what: str
    id: UUID
    detail: str


class MoneyView(BaseModel):
    """`terms`: how many certificates and uses are in each state, and what the unused ones are worth."""

    service: str = "redemption"
    terms: dict[str, int]
    in_flight: list[InFlight]
    misfits: list[Misfit]


class UnitView(BaseModel):
    state: CertificateState
    uses: int


class OrderMoneyView(BaseModel):
    order_id: UUID
    changed_at: datetime
    units: dict[UUID, UnitView]


class OrdersMoneyView(BaseModel):
    items: list[OrderMoneyView]
    next_cursor: UUID | None


@router.get("")
async def money_of_redemption(operator: Caller, db: Db) -> MoneyView:
    """Totals, what is under way, and what does not fit."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, operator)
        return MoneyView(
            terms=await money.terms(tx),
            in_flight=[InFlight(**row) for row in await money.in_flight(tx)],
            misfits=[Misfit(**row) for row in await money.misfits(tx)],
        )


class Units(BaseModel):
    unit_ids: Annotated[list[UUID], Field(max_length=500)]


@router.post("/units")
async def units_by_id(body: Units, operator: Caller, db: Db) -> dict[UUID, UnitView]:
    """Certificates with their states and numbers of uses; units that are no certificates are left out."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, operator)
        rows = await money.units(tx, body.unit_ids)
    return {row["unit_id"]: UnitView(state=row["state"], uses=row["uses"]) for row in rows}


@router.get("/orders")
async def money_by_order(
    operator: Caller, db: Db, after: UUID | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> OrdersMoneyView:
    """Every order's certificates with their states and numbers of uses, by order id."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, operator)
        items = [OrderMoneyView(**row) for row in await money.orders(tx, after, limit)]
    return OrdersMoneyView(items=items, next_cursor=items[-1].order_id if len(items) == limit else None)
