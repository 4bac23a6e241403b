"""Livestreams: who is live, and the list of deals that a host shows."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.web.rendering import page
from services.web.routes.feed import Cursor
from services.web.visits import Visitor
from services.web.world import Outside

router = APIRouter(prefix="/live", include_in_schema=False)


@router.get("")
async def lives(
    request: Request,
    visit: Visitor,
    world: Outside,
    city: Annotated[str | None, Query(max_length=40)] = None,
    cursor: Cursor = None,
) -> Response:
    """Who is live."""
    found = await world.services.catalog.lives(visit.asker, city=city, cursor=cursor)
    return page(request, "lives.html", lives=found.items, next_cursor=found.next_cursor, city=city)


@router.get("/{livestream_id}")
async def live(request: Request, livestream_id: UUID, visit: Visitor, world: Outside) -> Response:
    """One livestream, with the deals in the host's order."""
    shown = await world.services.catalog.live(visit.asker, livestream_id)
    return page(request, "live.html", live=shown)
