"""For the audit: the bills of all days, and what the channel says of single trades that no bill has yet."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.settlement.domain.bills import BillLine, Movement, due_at, last_due
from services.settlement.gateways.channel_book import ChannelBook, NoAnswer
from services.settlement.store import bill_days as store
from services.settlement.use_cases import bills
from shared.auth import Caller, require_operator
from shared.clock import business_day
from shared.http import Db
from shared.service import World

router = APIRouter(prefix="/admin/bills")

_ASKED_TOGETHER = 8
Question = Callable[[], Awaitable[Sequence[BillLine]]]
Number = Annotated[str, Field(pattern="^[0-9A-Za-z_-]{1,64}$")]


class BillStatus(StrEnum):
    """MISSING: due, asked for, and Alipay has none: right for a day on which no money moved, and only then."""

    HERE = "HERE"
    MISSING = "MISSING"
    DUE = "DUE"
    NOT_DUE = "NOT_DUE"


class BillDay(BaseModel):
    day: date
    status: BillStatus
    due_at: datetime
    missing_since: datetime | None = Field(description="Real time, of the first answer that there is none")


class BillDays(BaseModel):
    items: list[BillDay]
    next_after: date | None


class Fetched(BaseModel):
    is_over: bool = Field(description="False: there are more days to fetch; ask again")


class Trade(BaseModel):
    """`refunds`: the numbers of those of its refunds that are asked about."""

    out_trade_no: Number
    refunds: Annotated[list[Number], Field(max_length=50)] = []


class Asked(BaseModel):
    trades: Annotated[list[Trade], Field(max_length=50)] = []
    transfers: Annotated[list[Number], Field(max_length=50)] = []


class Moved(BaseModel):
    """A movement by the channel's answer. A payout's number is Alipay's own, and its fee the one agreed with Alipay:
    the bill has the fee that it took."""

    movement: Movement
    number: str
    out_trade_no: str
    amount_fen: int
    fee_fen: int
    moved_at: datetime


class Answers(BaseModel):
    items: list[Moved]
    unanswered: list[str]


@router.put("")
async def download_what_is_out(caller: Caller, db: Db, world: World) -> Fetched:
    """Fetch the bill of every day that has one and is not here yet, a month of them at once."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
    return Fetched(is_over=await bills.download_what_is_out(db, world.bills, caller))


@router.get("")
async def list_days(
    caller: Caller, db: Db, after: date | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 500
) -> BillDays:
    """Every day since the first order, up to today, and whether its bill is here."""
    now = db.clock.now()
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        rows = await store.page(tx, business_day(now), after, limit + 1)
    items = [
        BillDay(
            day=row["day"],
            status=_status(row["day"], now, is_here=row["is_billed"], missing_since=row["missing_since"]),
            due_at=due_at(row["day"]),
            missing_since=row["missing_since"],
        )
        for row in rows[:limit]
    ]
    return BillDays(items=items, next_after=items[-1].day if len(rows) > limit else None)


@router.post("/asked")
async def ask_the_channel(body: Asked, caller: Caller, db: Db, world: World) -> Answers:
    """What the channel itself says now of these trades and transfers, one call for each and for each refund."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
    book: ChannelBook = world.channel_book
    questions: dict[str, Question] = {
        **{one.out_trade_no: partial(book.trade, one.out_trade_no, one.refunds) for one in body.trades},
        **{number: partial(book.transfer, number) for number in body.transfers},
    }
    together = asyncio.Semaphore(_ASKED_TOGETHER)

    async def ask(question: Question) -> Sequence[BillLine] | None:
        async with together:
            try:
                return await question()
            except NoAnswer:
                return None

    answers = await asyncio.gather(*map(ask, questions.values()))
    return Answers(
        items=[_moved(line) for lines in answers for line in lines or ()],
        unanswered=[number for number, lines in zip(questions, answers, strict=True) if lines is None],
    )


def _status(day: date, now: datetime, *, is_here: bool, missing_since: datetime | None) -> BillStatus:
    if is_here:
        return BillStatus.HERE
    if day > last_due(now):
        return BillStatus.NOT_DUE
    return BillStatus.DUE if missing_since is None else BillStatus.MISSING


def _moved(line: BillLine) -> Moved:
    return Moved(
        movement=line.movement,
        number=line.number,
        out_trade_no=line.out_trade_no,
        amount_fen=line.amount_fen,
        fee_fen=line.fee_fen,
        moved_at=line.at,
    )
