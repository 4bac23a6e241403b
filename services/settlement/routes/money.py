"""The money audit: settlement answers for its own tables."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.settlement.domain.audit import Books, contradictions, terms_of
from services.settlement.store import audit, misfits
from shared.auth import Caller, require_operator
from shared.database import Row
from shared.http import Db

router = APIRouter()


class InFlight(BaseModel):
    what: str
    id: str
    amount_fen: int
    since: datetime


class Misfit(BaseModel):
    what: str
    id: str
    detail: str


class Money(BaseModel):
    """received + owed = refunded + paid_net + fee + held, whenever it is read."""

    service: str
    terms: dict[str, int]
    in_flight: list[InFlight]
    misfits: list[Misfit]
    is_complete: bool = Field(
        description="Whether all of the ledger was looked at: not if there are 50 misfits, or too many pages"
    )


class OrderMoney(BaseModel):
    order_id: UUID
    changed_at: datetime
    received_fen: int
    refunded_fen: int
    paid_net_fen: int
    fee_fen: int
    held_fen: int
    owed_fen: int
    units: dict[UUID, dict[str, str]]


class OrdersMoney(BaseModel):
    items: list[OrderMoney]


@router.get("/admin/money")
async def money(caller: Caller, db: Db) -> Money:
    """Every term of the identity that settlement knows, what is in flight, and what can never be right."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
    async with db.transaction(read_only=True) as tx:
        # Balances change while the walk goes on: it looks at one moment.
        await tx.execute("set transaction isolation level repeatable read")
        row = await audit.balances(tx)
        in_flight = await audit.in_flight(tx)
        walk = await misfits.misfits(tx)
    books = Books(
        accounts=row["fen"],
        uses=walk.uses,
        instructions=walk.instructions,
        offset_fen=walk.offset_fen,
        disputed_fen=row["disputed_fen"],
        is_complete=walk.is_over,
    )
    found = [Misfit(what="books_contradict", id=name, detail=detail) for name, detail in contradictions(books)]
    return Money(
        service="settlement",
        terms=terms_of(books),
        in_flight=[
            InFlight(
                what="payout_instruction",
                id=str(one["instruction_id"]),
                amount_fen=one["gross_fen"],
                since=one["changed_at"],
            )
            for one in in_flight
        ],
        misfits=found + [Misfit(what=one.what, id=one.id, detail=one.detail) for one in walk.found],
        is_complete=walk.is_over,
    )


@router.get("/admin/money/orders")
async def money_by_order(
    caller: Caller, db: Db, after: UUID | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 500
) -> OrdersMoney:
    """The money of each order, sorted by its id, from after a given one."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        rows = await audit.orders(tx, after, limit)
    return OrdersMoney(items=[_order(row) for row in rows])


def _order(row: Row) -> OrderMoney:
    units: dict[UUID, dict[str, str]] = {}
    for unit_id, use_no, state in row["uses"]:
        units.setdefault(UUID(unit_id), {})[str(use_no)] = state
    # An order whose payout paid off the debt of another one owes that much less than nothing.
    owed_fen, paid_net_fen = (
        row["owed_fen"] - row["offset_fen"],
        row["settled_fen"] - row["fee_fen"] - row["offset_fen"],
    )
    held_fen = row["received_fen"] + owed_fen - row["refunded_fen"] - paid_net_fen - row["fee_fen"]
    facts: Mapping[str, Any] = {name: row[name] for name in OrderMoney.model_fields.keys() & row.keys()}
    facts = {**facts, "owed_fen": owed_fen, "paid_net_fen": paid_net_fen}
    return OrderMoney(**facts, held_fen=held_fen, units=units)
