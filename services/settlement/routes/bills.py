"""Operators fetch the channel's bill of a day and keep what a comparison with our books found."""

from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.settlement.domain.bills import Movement
from services.settlement.domain.incidents import Incident, IncidentKind
from services.settlement.domain.payouts import InstructionState
from services.settlement.store import bills as store
from services.settlement.use_cases import bills
from shared.auth import Caller, require_operator
from shared.clock import start_of_day
from shared.contracts.catalog import Rail
from shared.database import Row
from shared.http import Db
from shared.ids import derived_id
from shared.service import World

router = APIRouter(prefix="/admin/bills")

Page = Annotated[int, Query(ge=1, le=500)]
InstructionNumber = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]


class Bill(BaseModel):
    day: date
    downloaded_at: datetime
    lines: int
    matched: int | None = Field(description="Lines that the last comparison found in our books; null before the first")
    compared_at: datetime | None
    open_differences: int
    unfiled: int = Field(description="Differences of the last comparison beyond the 1000 that are filed a day")


class BillLineView(BaseModel):
    line_no: int
    movement: Movement
    number: str = Field(description="Ours: the out_trade_no of a payment, else the request's own")
    trade_no: str
    out_trade_no: str = Field(description="Of the trade that it moved; empty for a transfer")
    amount_fen: int
    fee_fen: int
    moved_at: datetime


class BillLines(BaseModel):
    items: list[BillLineView]
    next_line: int | None


class PaidInstruction(BaseModel):
    """A payout as our book has it; `gross_fen` is without what paid off a debt, which no channel moved."""

    number: str
    order_id: UUID | None
    rail: Rail
    gross_fen: int
    fee_fen: int
    state: InstructionState
    paid_at: datetime | None
    unit_ids: list[UUID]


class PaidInstructions(BaseModel):
    items: list[PaidInstruction]
    next_after: UUID | None


class Numbers(BaseModel):
    numbers: Annotated[list[InstructionNumber], Field(max_length=500)]


class Difference(BaseModel):
    kind: IncidentKind = Field(description="MISSING_HERE, MISSING_THERE, AMOUNT_DIFFERS or STATE_DIFFERS")
    subject: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
    detail: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
    amount_fen: Annotated[int, Field(strict=True, ge=0)]


class Comparison(BaseModel):
    matched: Annotated[int, Field(strict=True, ge=0)]
    differences: Annotated[list[Difference], Field(max_length=1000)]
    unfiled: Annotated[int, Field(strict=True, ge=0)] = Field(default=0, description="How many more there are")


@router.put("/{day}")
async def download(day: date, caller: Caller, db: Db, world: World) -> Bill:
    """Fetch the bill of a day that is over, unless it is here already."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
    await bills.download(db, world.bills, day, caller)
    async with db.transaction(read_only=True) as tx:
        found = await bills.read(tx, day)
    return Bill(**found)


@router.get("/{day}")
async def get_bill(day: date, caller: Caller, db: Db) -> Bill:
    """When it was fetched, and what its comparison came to."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        found = await bills.read(tx, day)
    return Bill(**found)


@router.get("/{day}/lines")
async def get_lines(
    day: date, caller: Caller, db: Db, after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0, limit: Page = 500
) -> BillLines:
    """The movements of a day as the channel has them."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        await bills.read(tx, day)
        rows = await store.lines(tx, day, after, limit + 1)
    items = [BillLineView(**row) for row in rows[:limit]]
    return BillLines(items=items, next_line=items[-1].line_no if len(rows) > limit else None)


@router.get("/{day}/payouts")
async def get_payouts(
    day: date,
    caller: Caller,
    db: Db,
    days: Annotated[int, Query(ge=1, le=400)] = 1,
    edge_minutes: Annotated[int, Query(ge=0, le=60, description="How far beyond either midnight")] = 0,
    after: UUID | None = None,
    limit: Page = 500,
) -> PaidInstructions:
    """The payouts of a day, or of several after each other, as our book has them."""
    edge = timedelta(minutes=edge_minutes)
    begins, ends = start_of_day(day) - edge, start_of_day(day + timedelta(days=days)) + edge
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        rows = await store.paid_instructions(tx, begins, ends, after, limit + 1)
    return PaidInstructions(
        items=[_instruction(row) for row in rows[:limit]],
        next_after=rows[limit - 1]["instruction_id"] if len(rows) > limit else None,
    )


@router.post("/payouts")
async def find_payouts(body: Numbers, caller: Caller, db: Db) -> PaidInstructions:
    """Payouts by their numbers, whatever became of them and whenever."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        rows = await store.instructions_by_number(tx, body.numbers)
    return PaidInstructions(items=[_instruction(row) for row in rows], next_after=None)


@router.put("/{day}/comparison")
async def put_comparison(day: date, body: Comparison, caller: Caller, db: Db) -> Bill:
    """What a comparison of this bill with the books found: each difference becomes an incident, once."""
    differences = [
        Incident(_difference_id(day, one), one.kind, one.subject, one.detail, one.amount_fen, day)
        for one in body.differences
    ]
    async with db.transaction() as tx:
        await require_operator(tx, caller)
        await bills.note_differences(tx, day, body.matched, differences, body.unfiled, caller)
        found = await bills.read(tx, day)
    return Bill(**found)


def _difference_id(day: date, one: Difference) -> UUID:
    return derived_id(UUID(int=day.toordinal()), f"{one.kind}/{one.subject}")


def _instruction(row: Row) -> PaidInstruction:
    facts = {name: row[name] for name in PaidInstruction.model_fields if name != "number"}
    return PaidInstruction(number=row["instruction_id"].hex, **facts)
