"""Videos and the deals they show; reading is public."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.catalog import use_cases
from services.catalog.domain.attribution import Attributions, Placement
from services.catalog.domain.text import Cover, Line, ShortLine, Url
from services.catalog.domain.videos import Comment, VideoCard, VideoContent
from services.catalog.routes.badges import BadgeView, CommentBody, ContentCardView, Tokens, badge_view, comment_bodies
from services.catalog.routes.common import Seen, etag
from shared.auth import Caller
from shared.http import Db
from shared.paging import Cursor, Limit, page_of, read_cursor

router = APIRouter(tags=["videos"])

_PLACEMENTS = (Placement.ABOVE_AUTHOR, Placement.COMMENTS_TOP)


class RegisterVideo(BaseModel):
    """What the host platform says; likes and comments are samples of the moment of the import."""

    merchant_id: UUID
    platform_id: Annotated[str, Field(pattern=r"^[0-9A-Za-z_.:-]{1,64}$")]
    author: ShortLine
    caption: Annotated[Line, Field(max_length=500)]
    cover: Cover
    city: ShortLine
    url: Url | None = None
    likes: Annotated[int, Field(strict=True, ge=0, le=10_000_000_000)]
    comments: Annotated[tuple[CommentBody, ...], Field(max_length=200)] = ()

    def imported(self) -> dict[str, Any]:
        """The fields of the domain's content."""
        return {**dict(self), "comments": tuple(Comment(**dict(one)) for one in self.comments)}


class AttachDeal(BaseModel):
    deal_id: UUID | None


class VideoCardView(ContentCardView):
    video_id: UUID
    badge: BadgeView | None


class VideoView(VideoCardView):
    comments: list[CommentBody]


class VideoList(BaseModel):
    items: list[VideoCardView]
    next_cursor: str | None


def video_card(card: VideoCard, tokens: Attributions) -> VideoCardView:
    """A video with its badge."""
    plain = VideoCardView.model_fields.keys() - {"badge"}
    badge = badge_view(card.badge, card.video_id, _PLACEMENTS, tokens) if card.badge else None
    return VideoCardView(**{name: getattr(card, name) for name in plain}, badge=badge)


@router.put("/videos/{video_id}", status_code=201)
async def register_video(video_id: UUID, body: RegisterVideo, caller: Caller, db: Db, tokens: Tokens) -> VideoCardView:
    """Register a video of the host platform; repeating it imports likes and comments anew."""
    async with db.transaction() as tx:
        card = await use_cases.register_video(tx, video_id, caller, VideoContent(**body.imported()))
    return video_card(card, tokens)


@router.put("/videos/{video_id}/deal")
async def attach_deal(
    video_id: UUID, body: AttachDeal, caller: Caller, db: Db, tokens: Tokens, seen: Seen, response: Response
) -> VideoCardView:
    """Show a deal in the video, or none; `If-Match` quotes the video's version."""
    async with db.transaction() as tx:
        card = await use_cases.attach_deal(tx, video_id, caller, body.deal_id, seen)
    response.headers.update(etag(card.version))
    return video_card(card, tokens)


@router.get("/videos/{video_id}")
async def show_video(video_id: UUID, db: Db, tokens: Tokens, response: Response) -> VideoView:
    """One video with its comments; public. The ETag is the version, for `If-Match` of the deal it shows."""
    async with db.transaction(read_only=True) as tx:
        card, comments = await use_cases.video(tx, video_id)
    response.headers.update(etag(card.version))
    return VideoView(**dict(video_card(card, tokens)), comments=comment_bodies(comments))


@router.get("/merchants/{merchant_id}/videos")
async def list_videos(
    merchant_id: UUID, caller: Caller, db: Db, tokens: Tokens, cursor: Cursor = None, limit: Limit = 20
) -> VideoList:
    """The merchant's videos for its staff, newest first."""
    after = read_cursor(cursor, datetime, UUID)
    async with db.transaction(read_only=True) as tx:
        cards = await use_cases.videos_of(tx, merchant_id, caller, after, limit + 1)
    page = page_of(cards, limit, lambda card: (card.posted_at, card.video_id))
    return VideoList(items=[video_card(card, tokens) for card in page.items], next_cursor=page.next_cursor)
