"""The merchant's board: what waits to be accepted, carried, or decided."""

import base64
import binascii
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from services.dispatch.routes.views import Board, card
from services.dispatch.use_cases import reading
from shared.auth import Caller
from shared.errors import Invalid
from shared.http import Db
from shared.service import World

router = APIRouter(tags=["parcels"])

BoardState = Literal[
    "PLACED", "ACCEPTED", "HANDED_OVER", "DELIVERED", "RECEIVED", "FAILED", "RETURNED", "LOST", "REFUNDING",
    "REFUNDED", "MANUAL",
]  # fmt: skip


class BadCursor(Invalid):
    code = "cursor_invalid"
    zh = "翻页标记无效"
    en = "This cursor is not one of ours"


@router.get("/board")
async def show_board(
    merchant_id: UUID, caller: Caller, db: Db, world: World, state: BoardState | None = None,
    cursor: Annotated[str | None, Query(max_length=200)] = None, limit: Annotated[int, Query(ge=1, le=50)] = 20,
) -> Board:  # fmt: skip
    """Parcels of the stores where the caller works, newest first. `MANUAL`: those that wait for a person."""
    before = _read_cursor(cursor) if cursor else None
    async with db.transaction(read_only=True) as tx:
        found = await reading.see_board(tx, world, caller, merchant_id, state, before, limit + 1)
    items = [card(seen) for seen in found[:limit]]
    more = len(found) > limit
    return Board(items=items, next_cursor=_cursor(items[-1].placed_at, items[-1].parcel_id) if more else None)


def _cursor(placed_at: datetime, parcel_id: UUID) -> str:
    return base64.urlsafe_b64encode(f"{placed_at.isoformat()}/{parcel_id}".encode()).decode()


def _read_cursor(cursor: str) -> tuple[datetime, UUID]:
    try:
        placed_at, _, parcel_id = base64.urlsafe_b64decode(cursor.encode()).decode().partition("/")
        moment = datetime.fromisoformat(placed_at)
        if moment.tzinfo is None:
            raise BadCursor
        return moment, UUID(parcel_id)
    except (ValueError, binascii.Error) as error:
        raise BadCursor from error
