"""Operators make runs, retry what failed, and correct fees from the channel's bill."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.settlement.domain.payouts import Instruction, InstructionState
from services.settlement.store import statements
from services.settlement.use_cases import pay, run
from shared.auth import Caller, require_operator
from shared.http import Db
from shared.service import World

router = APIRouter()

_RUN_WITHIN_S = 10.0


class Run(BaseModel):
    """All runs of one day together, so that repeating the request gives the same answer."""

    day: date
    payouts: int
    uses: int
    gross_fen: int
    fee_fen: int
    net_fen: int
    is_over: bool = Field(default=True, description="False: more is due than one request claims; ask again to go on")


class InstructionView(BaseModel):
    instruction_id: UUID
    payout_id: UUID
    merchant_id: UUID
    order_id: UUID
    trade_no: str
    gross_fen: int
    fee_fen: int
    state: InstructionState
    attempts: int


class Attention(InstructionView):
    """What the channel said last, and since when (real time) it is so."""

    answer_code: str | None
    answer_text: str | None
    changed_at: datetime


class AttentionList(BaseModel):
    items: list[Attention]
    next_cursor: UUID | None


class TakenFee(BaseModel):
    taken_fen: Annotated[int, Field(strict=True, ge=0)]


@router.put("/admin/runs/{day}")
async def make_run(day: date, caller: Caller, db: Db, world: World) -> Run:
    """Claim what is due by `day` and order its payment; again and again, to the same effect."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
    await run.run(db, day, world, _RUN_WITHIN_S)
    async with db.transaction(read_only=True) as tx:
        totals = await run.totals(tx, day)
    return Run(
        day=day,
        payouts=totals.payouts,
        uses=totals.uses,
        gross_fen=totals.gross_fen,
        fee_fen=totals.fee_fen,
        net_fen=totals.gross_fen - totals.fee_fen,
        is_over=totals.is_over,
    )


@router.get("/admin/instructions")
async def list_attention(
    caller: Caller, db: Db, cursor: UUID | None = None, limit: Annotated[int, Query(ge=1, le=50)] = 50
) -> AttentionList:
    """Payments that failed, or of which nobody knows whether they were made."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        rows = await statements.instructions_needing_attention(tx, cursor, limit + 1)
    items = [Attention(**{name: row[name] for name in Attention.model_fields}) for row in rows[:limit]]
    return AttentionList(items=items, next_cursor=items[-1].instruction_id if len(rows) > limit else None)


@router.put("/admin/instructions/{instruction_id}/retry")
async def retry(instruction_id: UUID, caller: Caller, db: Db) -> InstructionView:
    """Pay what a failed instruction still has to pay, under a new number."""
    async with db.transaction() as tx:
        await require_operator(tx, caller)
        fresh = await pay.retry(tx, instruction_id)
    return _view(fresh)


@router.put("/admin/instructions/{instruction_id}/fee", status_code=204)
async def correct_fee(instruction_id: UUID, body: TakenFee, caller: Caller, db: Db) -> None:
    """The fee that the channel's bill shows for a paid instruction."""
    async with db.transaction() as tx:
        await require_operator(tx, caller)
        await pay.correct_fee(tx, instruction_id, body.taken_fen)


def _view(instruction: Instruction) -> InstructionView:
    return InstructionView(**{name: getattr(instruction, name) for name in InstructionView.model_fields})
