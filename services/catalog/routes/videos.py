"""Videos and the feed; reading is public."""

import base64
import binascii
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from services.catalog import use_cases
from services.catalog.domain.deals import BadgeState
from services.catalog.domain.refusals import CursorInvalid
from services.catalog.domain.text import Cover, Line, LongLine, ShortLine
from services.catalog.domain.videos import Comment, VideoCard, VideoContent
from shared.auth import Caller
from shared.http import Db

router = APIRouter(tags=["videos"])


class CommentBody(BaseModel):
    author: ShortLine
    text: LongLine
    place: Annotated[Line, Field(max_length=60)] = ""
    at: AwareDatetime


class RegisterVideo(BaseModel):
    merchant_id: UUID
    platform_id: Annotated[str, Field(pattern=r"^[0-9A-Za-z_.:-]{1,64}$")]
    author: ShortLine
    caption: Annotated[Line, Field(max_length=500)]
    cover: Cover
    city: ShortLine
    likes: Annotated[int, Field(strict=True, ge=0, le=10_000_000_000)]
    comments: Annotated[tuple[CommentBody, ...], Field(max_length=200)] = ()


class AttachDeal(BaseModel):
    deal_id: UUID | None


class BadgeView(BaseModel):
    deal_id: UUID
    title: str
    price_fen: int
    original_price_fen: int
    sold: int
    available: int
    state: BadgeState


class VideoCardView(BaseModel):
    video_id: UUID
    merchant_id: UUID
    author: str
    verified: bool
    caption: str
    cover: str
    city: str
    likes: int
    comment_count: int
    badge: BadgeView | None


class VideoView(VideoCardView):
    comments: list[CommentBody]


class Feed(BaseModel):
    items: list[VideoCardView]
    next_cursor: str | None


def _badge(card: VideoCard) -> BadgeView | None:
    badge = card.badge
    return BadgeView(**{name: getattr(badge, name) for name in BadgeView.model_fields}) if badge else None


def _card(card: VideoCard) -> VideoCardView:
    plain = VideoCardView.model_fields.keys() - {"badge"}
    return VideoCardView(**{name: getattr(card, name) for name in plain}, badge=_badge(card))


def _cursor(card: VideoCard) -> str:
    return base64.urlsafe_b64encode(f"{card.ranked_at.isoformat()} {card.video_id}".encode()).decode()


def _position(cursor: str | None) -> tuple[datetime, UUID] | None:
    if cursor is None:
        return None
    try:
        moment, _, video_id = base64.urlsafe_b64decode(cursor).decode().partition(" ")
        position = datetime.fromisoformat(moment), UUID(video_id)
    except (ValueError, binascii.Error) as error:
        raise CursorInvalid from error
    if position[0].tzinfo is None:
        raise CursorInvalid
    return position


@router.put("/videos/{video_id}", status_code=201)
async def register_video(video_id: UUID, body: RegisterVideo, caller: Caller, db: Db) -> VideoCardView:
    """Register a video of the host platform; repeating it imports likes and comments anew."""
    comments = tuple(Comment(**dict(one)) for one in body.comments)
    content = VideoContent(**{**dict(body), "comments": comments})
    async with db.transaction() as tx:
        card = await use_cases.register_video(tx, video_id, caller, content)
    return _card(card)


@router.put("/videos/{video_id}/deal")
async def attach_deal(video_id: UUID, body: AttachDeal, caller: Caller, db: Db) -> VideoCardView:
    """Show a deal in the video, or none."""
    async with db.transaction() as tx:
        card = await use_cases.attach_deal(tx, video_id, caller, body.deal_id)
    return _card(card)


@router.get("/feed")
async def feed(
    db: Db,
    city: Annotated[ShortLine | None, Query()] = None,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> Feed:
    """The recommended feed, or one city's; public."""
    async with db.transaction(read_only=True) as tx:
        cards = await use_cases.feed(tx, city, _position(cursor), limit + 1)
    more = len(cards) > limit
    return Feed(
        items=[_card(card) for card in cards[:limit]],
        next_cursor=_cursor(cards[limit - 1]) if more else None,
    )


@router.get("/videos/{video_id}")
async def show_video(video_id: UUID, db: Db) -> VideoView:
    """One video with its comments; public."""
    async with db.transaction(read_only=True) as tx:
        card, comments = await use_cases.video(tx, video_id)
    shown = [CommentBody(author=one.author, text=one.text, place=one.place, at=one.at) for one in comments]
    return VideoView(**dict(_card(card)), comments=shown)
