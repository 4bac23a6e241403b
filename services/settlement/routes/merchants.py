"""Statements, payouts and the preview of the next one, for a merchant's owner, manager and finance staff."""

from datetime import date, datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.settlement.domain.payouts import InstructionState, next_run_day, payout_state
from services.settlement.domain.uses import UseState
from services.settlement.gateways import World as SettlementWorld
from services.settlement.store import copies, instructions, runs, statements
from services.settlement.store.statements import PayoutLine, Totals
from services.settlement.use_cases import previews
from shared.auth import Caller, is_operator, require_staff
from shared.contracts.catalog import StaffRole
from shared.database import Row, Transaction
from shared.http import Db
from shared.paging import Cursor, Limit, page_of, read_cursor
from shared.service import World

router = APIRouter()

_STORES = 500


class StatementItem(BaseModel):
    """One use of one unit. Fee and net are what a run would charge until one has charged it."""

    order_id: UUID
    unit_id: UUID
    use_no: int
    title: str
    store_id: UUID | None
    used_at: datetime
    gross_fen: int
    fee_fen: int
    net_fen: int
    state: UseState
    due_on: date
    payout_id: UUID | None
    held: str | None = Field(description="Why no run pays it now: `disputed` while its refund is reviewed")


class StatementTotals(BaseModel):
    """The whole day, without what went back to buyers."""

    uses: int
    gross_fen: int
    fee_fen: int
    net_fen: int


class Statement(BaseModel):
    day: date
    items: list[StatementItem]
    totals: StatementTotals
    owed_fen: int = Field(description="Now: what refunds after earlier transfers left to be taken from the next ones")
    next_cursor: str | None


class StoreTotals(StatementTotals):
    store_id: UUID | None


class StoreStatements(BaseModel):
    day: date
    items: list[StoreTotals]


class Payout(BaseModel):
    payout_id: UUID
    run_date: date
    sequence: int
    state: InstructionState
    gross_fen: int
    fee_fen: int
    offset_fen: int = Field(description="What paid off the merchant's debt of refunds after earlier payouts")
    net_fen: int
    uses: int
    paid_at: datetime | None


class Payouts(BaseModel):
    items: list[Payout]
    next_cursor: str | None


class Preview(BaseModel):
    """What the next run pays if nothing else happens, net of fee and of what pays off a debt; `held_back` names what
    stops all of it. What is disputed comes on top, paid by no run until its review ends."""

    due_on: date
    uses: int
    gross_fen: int
    fee_fen: int
    offset_fen: int = Field(description="What of it pays off the debt of refunds after earlier transfers")
    net_fen: int
    owed_fen: int = Field(description="That debt now; transfers that have not left yet pay off their part first")
    held_back: str | None
    disputed_uses: int
    disputed_fen: int


@router.get("/merchants/{merchant_id}/statement")
async def statement(
    merchant_id: UUID,
    day: date,
    caller: Caller,
    db: Db,
    world: World,
    store_id: UUID | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Statement:
    """The uses of one business day (of one store, if named), down to each certificate, with the day's totals."""
    settlement: SettlementWorld = world
    fee_bp = settlement.terms.fee_bp
    after = read_cursor(cursor, datetime, UUID, int)
    async with db.transaction(read_only=True) as tx:
        await require_reader(tx, caller, merchant_id)
        rows = await statements.uses_of_day(tx, merchant_id, fee_bp, day, store_id, after, limit + 1)
        totals = await statements.totals_of_day(tx, merchant_id, fee_bp, day, store_id)
        owed_fen = await instructions.debt(tx, merchant_id)
    page = page_of(rows, limit, lambda row: (row["used_at"], row["unit_id"], row["use_no"]))
    return Statement(
        day=day,
        items=[_item(row) for row in page.items],
        totals=StatementTotals(**_amounts(totals)),
        owed_fen=owed_fen,
        next_cursor=page.next_cursor,
    )


@router.get("/merchants/{merchant_id}/statement/stores")
async def statement_by_store(merchant_id: UUID, day: date, caller: Caller, db: Db, world: World) -> StoreStatements:
    """The totals of one business day store by store, of the 500 largest."""
    settlement: SettlementWorld = world
    async with db.transaction(read_only=True) as tx:
        await require_reader(tx, caller, merchant_id)
        rows = await statements.stores_of_day(tx, merchant_id, settlement.terms.fee_bp, day, _STORES)
    items = [StoreTotals(**row, net_fen=row["gross_fen"] - row["fee_fen"]) for row in rows]
    return StoreStatements(day=day, items=items)


@router.get("/merchants/{merchant_id}/payouts")
async def list_payouts(merchant_id: UUID, caller: Caller, db: Db, cursor: Cursor = None, limit: Limit = 50) -> Payouts:
    """A merchant's payouts, newest first."""
    before = read_cursor(cursor, date, int)
    async with db.transaction(read_only=True) as tx:
        await require_reader(tx, caller, merchant_id)
        lines = await statements.payouts(tx, merchant_id, before, limit + 1)
    page = page_of(lines, limit, lambda line: (line.run_date, line.sequence))
    return Payouts(items=[_payout(line) for line in page.items], next_cursor=page.next_cursor)


@router.get("/merchants/{merchant_id}/preview")
async def preview(merchant_id: UUID, caller: Caller, db: Db, world: World) -> Preview:
    """What the next run will pay."""
    settlement: SettlementWorld = world
    async with db.transaction(read_only=True) as tx:
        await require_reader(tx, caller, merchant_id)
        day = next_run_day(await runs.last_run(tx), tx.now, settlement.terms.run_at)
        totals = await statements.preview(tx, merchant_id, settlement.terms.fee_bp, day, settlement.reach)
        held_back = await copies.why_not_paid(tx, merchant_id)
        owed_fen = await instructions.debt(tx, merchant_id)
        offset_fen = await previews.offset(tx, merchant_id, day, settlement, owed_fen) if owed_fen else 0
        disputed = await statements.disputed(tx, merchant_id)
    return Preview(
        due_on=day,
        owed_fen=owed_fen,
        held_back=held_back,
        disputed_uses=disputed.uses,
        disputed_fen=disputed.gross_fen,
        uses=totals.uses,
        gross_fen=totals.gross_fen,
        fee_fen=totals.fee_fen,
        offset_fen=offset_fen,
        net_fen=totals.gross_fen - totals.fee_fen - offset_fen,
    )


async def require_reader(tx: Transaction, caller: str, merchant_id: UUID) -> None:
    """Raise Forbidden unless the caller may see this merchant's money."""
    if not await is_operator(tx, caller):
        await require_staff(tx, caller, merchant_id, StaffRole.OWNER, StaffRole.MANAGER, StaffRole.FINANCE)


def _amounts(totals: Totals) -> dict[str, int]:
    return {
        "uses": totals.uses,
        "gross_fen": totals.gross_fen,
        "fee_fen": totals.fee_fen,
        "net_fen": totals.gross_fen - totals.fee_fen,
    }


def _payout(line: PayoutLine) -> Payout:
    state = payout_state(line.states)
    return Payout(
        payout_id=line.payout_id,
        run_date=line.run_date,
        sequence=line.sequence,
        state=state,
        gross_fen=line.gross_fen,
        fee_fen=line.fee_fen,
        offset_fen=line.offset_fen,
        net_fen=line.gross_fen - line.fee_fen - line.offset_fen,
        uses=line.uses,
        paid_at=line.paid_at if state is InstructionState.PAID else None,
    )


def _item(row: Row) -> StatementItem:
    return StatementItem(
        order_id=row["order_id"],
        unit_id=row["unit_id"],
        use_no=row["use_no"],
        title=row["title"],
        store_id=row["store_id"],
        used_at=row["used_at"],
        gross_fen=row["gross_fen"],
        fee_fen=row["charged_fen"],
        net_fen=row["gross_fen"] - row["charged_fen"],
        state=UseState(row["state"]),
        due_on=row["due_on"],
        payout_id=row["payout_id"],
        held="disputed" if row["disputed"] else None,
    )
