"""The recommended feed, one video, its comments, and what is nearby."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.web.rendering import is_fragment, page
from services.web.visits import Visitor
from services.web.world import Outside

router = APIRouter(include_in_schema=False)

Cursor = Annotated[str | None, Query(max_length=200)]
_WIDE = 50


@router.get("/")
async def feed(request: Request, visit: Visitor, world: Outside) -> Response:
    """Videos, one under the other."""
    found = await world.services.catalog.feed(visit.asker)
    first = found.items[0] if found.items else None
    return page(request, "feed.html", first=first, clips=found.items, next_cursor=found.next_cursor)


@router.get("/feed")
async def more_clips(request: Request, visit: Visitor, world: Outside, cursor: Cursor = None) -> Response:
    """The next videos, for the end of the feed."""
    found = await world.services.catalog.feed(visit.asker, cursor=cursor)
    return page(request, "fragments/clips.html", clips=found.items, next_cursor=found.next_cursor)


@router.get("/v/{video_id}")
async def video(request: Request, video_id: UUID, visit: Visitor, world: Outside) -> Response:
    """One video, as it was shared; the feed follows it."""
    first = await world.services.catalog.video(visit.asker, video_id)
    found = await world.services.catalog.feed(visit.asker)
    clips = [first, *(clip for clip in found.items if clip.video_id != video_id)]
    return page(request, "feed.html", first=first, clips=clips, next_cursor=found.next_cursor)


@router.get("/v/{video_id}/comments")
async def comments(request: Request, video_id: UUID, visit: Visitor, world: Outside) -> Response:
    """The comments, under the deal's badge: a sheet over the video, or a page for browsers without scripts."""
    shown = await world.services.catalog.video(visit.asker, video_id)
    template = "fragments/comments.html" if is_fragment(request) else "comments.html"
    return page(request, template, video=shown)


@router.get("/nearby")
async def nearby(
    request: Request, visit: Visitor, world: Outside, city: Annotated[str | None, Query(max_length=40)] = None
) -> Response:
    """Deals as a grid, by city."""
    everywhere = await world.services.catalog.feed(visit.asker, limit=_WIDE)
    shown = await world.services.catalog.feed(visit.asker, city=city, limit=_WIDE) if city else everywhere
    cities = sorted({clip.city for clip in everywhere.items if clip.city} | ({city} if city else set()))
    return page(request, "nearby.html", clips=shown.items, cities=cities, city=city)
