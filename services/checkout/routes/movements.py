"""What moved at the channel by checkout's own book, for the comparison with the channel's bill."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.checkout.store import movements as store
from shared.auth import Caller, require_operator
from shared.clock import start_of_day
from shared.database import Row
from shared.http import Db

router = APIRouter(prefix="/admin/money/movements", tags=["admin"])


class Movement(StrEnum):
    PAYMENT = "PAYMENT"
    REFUND = "REFUND"


class MovementView(BaseModel):
    """`number` is the one in the channel's book: an out_trade_no, or a refund's own. `moved_at` is null for what has
    not moved by this book."""

    movement: Movement
    number: str
    order_id: UUID
    out_trade_no: str = Field(description="Of the trade that it moved")
    amount_fen: int
    state: str
    moved_at: datetime | None


class Movements(BaseModel):
    items: list[MovementView]
    next_after: UUID | None


class Numbers(BaseModel):
    numbers: Annotated[list[Annotated[str, Field(pattern="^[0-9A-Za-z_-]{1,64}$")]], Field(max_length=500)]


@router.get("")
async def movements_of_day(
    day: date,
    caller: Caller,
    db: Db,
    days: Annotated[int, Query(ge=1, le=400)] = 1,
    edge_minutes: Annotated[int, Query(ge=0, le=60, description="How far beyond either midnight")] = 0,
    after: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 500,
) -> Movements:
    """What was captured, and what is back with its buyer, on one day in Shanghai, or on several after each other."""
    edge = timedelta(minutes=edge_minutes)
    begins, ends = start_of_day(day) - edge, start_of_day(day + timedelta(days=days)) + edge
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        rows = await store.moved_between(tx, begins, ends, after, limit + 1)
    return Movements(
        items=[_view(row) for row in rows[:limit]], next_after=rows[limit - 1]["id"] if len(rows) > limit else None
    )


@router.post("/find")
async def find_movements(body: Numbers, caller: Caller, db: Db) -> Movements:
    """Payments and refunds by the channel's numbers, whatever became of them and whenever."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        rows = await store.by_number(tx, body.numbers)
    return Movements(items=[_view(row) for row in rows], next_after=None)


def _view(row: Row) -> MovementView:
    return MovementView(**{name: row[name] for name in MovementView.model_fields})
