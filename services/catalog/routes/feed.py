"""The recommended feed; public."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.catalog import use_cases
from services.catalog.domain.text import ShortLine
from services.catalog.routes.badges import Tokens
from services.catalog.routes.videos import VideoList, video_card
from shared.http import Db
from shared.paging import Cursor, Limit, cursor_of, page_of, read_cursor

router = APIRouter(tags=["videos"])


@router.get("/feed")
async def feed(
    db: Db,
    tokens: Tokens,
    city: Annotated[ShortLine | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 10,
) -> VideoList:
    """The recommended feed, or one city's; public. A page may be short, even empty, and still have a next one."""
    after = read_cursor(cursor, datetime, UUID)
    async with db.transaction(read_only=True) as tx:
        found = await use_cases.feed(tx, city, after, limit + 1)
    page = page_of(found.cards, limit, lambda card: (card.ranked_at, card.video_id))
    further = cursor_of(*found.seen_to) if found.seen_to else None
    return VideoList(items=[video_card(card, tokens) for card in page.items], next_cursor=page.next_cursor or further)
