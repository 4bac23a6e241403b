"""The merchant's board: what waits to be accepted, carried, or decided."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from fastapi import APIRouter

from services.dispatch.routes.views import Board, card
from services.dispatch.use_cases import reading
from shared.auth import Caller
from shared.http import Db
from shared.paging import Cursor, Limit, page_of, read_cursor
from shared.service import World

router = APIRouter(tags=["parcels"])

BoardState = Literal[
    "PLACED", "ACCEPTED", "HANDED_OVER", "DELIVERED", "RECEIVED", "DISPUTED", "FAILED", "RETURNED", "LOST",
    "REFUNDING", "REFUNDED", "MANUAL",
]  # fmt: skip


@router.get("/board")
async def show_board(
    merchant_id: UUID, caller: Caller, db: Db, world: World, state: BoardState | None = None,
    cursor: Cursor = None, limit: Limit = 20,
) -> Board:  # fmt: skip
    """Parcels of the stores where the caller works, newest first. `MANUAL`: those that wait for a person."""
    before = read_cursor(cursor or None, datetime, UUID)
    async with db.transaction(read_only=True) as tx:
        found = await reading.see_board(tx, world, caller, merchant_id, state, before, limit + 1)
    page = page_of(found, limit, lambda seen: (seen.parcel.placed_at, seen.parcel.parcel_id))
    return Board(items=[card(seen) for seen in page.items], next_cursor=page.next_cursor)
