"""Livestreams and the lists of deals they show; reading is public."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from services.catalog import use_cases
from services.catalog.domain.attribution import Attributions, Placement
from services.catalog.domain.livestreams import DEALS_AT_MOST, Livestream, LivestreamContent, LivestreamState
from services.catalog.domain.text import ShortLine
from services.catalog.routes.badges import BadgeView, CommentBody, ContentCardView, Tokens, badge_view, comment_bodies
from services.catalog.routes.common import Seen, etag
from services.catalog.routes.videos import RegisterVideo
from shared.auth import Caller
from shared.http import Db
from shared.paging import Cursor, Limit, page_of, read_cursor

router = APIRouter(tags=["livestreams"])

_PLACEMENTS = (Placement.LIVE_LIST,)


class RegisterLivestream(RegisterVideo):
    """What the host platform says of a livestream. Once ENDED it stays so."""

    state: LivestreamState


class ListDeals(BaseModel):
    """In the order in which viewers see them."""

    deal_ids: Annotated[tuple[UUID, ...], Field(max_length=DEALS_AT_MOST)]


class LivestreamCardView(ContentCardView):
    """`badges` are the first of the `deal_count` deals in the livestream's list; one alone shows all of them."""

    livestream_id: UUID
    state: LivestreamState
    started_at: datetime
    deal_count: int
    badges: list[BadgeView]


class LivestreamView(LivestreamCardView):
    comments: list[CommentBody]


class LivestreamList(BaseModel):
    items: list[LivestreamCardView]
    next_cursor: str | None


def _card(live: Livestream, tokens: Attributions) -> LivestreamCardView:
    plain = LivestreamCardView.model_fields.keys() - {"badges"}
    badges = [badge_view(badge, live.livestream_id, _PLACEMENTS, tokens) for badge in live.badges]
    return LivestreamCardView(**{name: getattr(live, name) for name in plain}, badges=badges)


@router.put("/livestreams/{livestream_id}", status_code=201)
async def register_livestream(
    livestream_id: UUID, body: RegisterLivestream, caller: Caller, db: Db, tokens: Tokens
) -> LivestreamCardView:
    """Register a livestream of the host platform; repeating it imports state, likes and comments anew."""
    async with db.transaction() as tx:
        live = await use_cases.register_livestream(tx, livestream_id, caller, LivestreamContent(**body.imported()))
    return _card(live, tokens)


@router.put("/livestreams/{livestream_id}/deals")
async def list_deals(
    livestream_id: UUID, body: ListDeals, caller: Caller, db: Db, tokens: Tokens, seen: Seen, response: Response
) -> LivestreamCardView:
    """Replace the list of deals of a livestream on air; `If-Match` quotes the livestream's version."""
    async with db.transaction() as tx:
        live = await use_cases.list_deals(tx, livestream_id, caller, body.deal_ids, seen)
    response.headers.update(etag(live.version))
    return _card(live, tokens)


@router.get("/livestreams")
async def livestreams_on_air(
    db: Db,
    tokens: Tokens,
    city: Annotated[ShortLine | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 10,
) -> LivestreamList:
    """Livestreams on air, of one city or all, newest first; public."""
    after = read_cursor(cursor, datetime, UUID)
    async with db.transaction(read_only=True) as tx:
        found = await use_cases.livestreams_on_air(tx, city, after, limit + 1)
    page = page_of(found, limit, lambda live: (live.started_at, live.livestream_id))
    return LivestreamList(items=[_card(live, tokens) for live in page.items], next_cursor=page.next_cursor)


@router.get("/livestreams/{livestream_id}")
async def show_livestream(livestream_id: UUID, db: Db, tokens: Tokens, response: Response) -> LivestreamView:
    """One livestream with its whole list of deals and its comments; public. The ETag is the version, for `If-Match` of
    the list."""
    async with db.transaction(read_only=True) as tx:
        live, comments = await use_cases.livestream(tx, livestream_id)
    response.headers.update(etag(live.version))
    return LivestreamView(**dict(_card(live, tokens)), comments=comment_bodies(comments))
