"""Videos of the host platform, and the deal each of them shows."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.catalog.domain.deals import BadgeState
from shared.contracts.catalog import DealForm


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment as imported from the host platform."""

    author: str
    text: str
    place: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoContent:
    """What the host platform says about a video; `platform_id` is its id there, `url` its address."""

    merchant_id: UUID
    platform_id: str
    author: str
    caption: str
    cover: str
    city: str
    url: str | None
    likes: int
    comments: tuple[Comment, ...]


@dataclass(frozen=True, slots=True)
class Badge:
    """The deal that stands in a video, above the account name and at the top of the comments."""

    deal_id: UUID
    title: str
    form: DealForm
    price_fen: int
    original_price_fen: int
    available: int
    sold: int
    state: BadgeState


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentCard:
    """What lists show of a video or livestream. `verified`: the author is a verified merchant. `version` counts the
    changes of the deals it shows, not what the host platform says anew."""

    merchant_id: UUID
    version: int
    author: str
    verified: bool
    caption: str
    cover: str
    city: str
    url: str | None
    likes: int
    comment_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoCard(ContentCard):
    """A video as the feed shows it."""

    video_id: UUID
    badge: Badge | None
    posted_at: datetime
    ranked_at: datetime
