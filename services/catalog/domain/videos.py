"""Videos of the host platform, the deal each of them shows, and their place in the feed."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.catalog.domain.deals import BadgeState

TENFOLD_LIKES_WORTH = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment as imported from the host platform."""

    author: str
    text: str
    place: str
    at: datetime


@dataclass(frozen=True, slots=True)
class VideoContent:
    """What the host platform says about a video; `platform_id` is its id there."""

    merchant_id: UUID
    platform_id: str
    author: str
    caption: str
    cover: str
    city: str
    likes: int
    comments: tuple[Comment, ...]


@dataclass(frozen=True, slots=True)
class Badge:
    """The deal that stands in a video, above the account name and at the top of the comments."""

    deal_id: UUID
    title: str
    price_fen: int
    original_price_fen: int
    available: int
    sold: int
    state: BadgeState


@dataclass(frozen=True, slots=True)
class VideoCard:
    """A video as the feed shows it. `verified`: the author is a verified merchant."""

    video_id: UUID
    merchant_id: UUID
    author: str
    verified: bool
    caption: str
    cover: str
    city: str
    likes: int
    comment_count: int
    badge: Badge | None
    ranked_at: datetime


def ranked_at(posted_at: datetime, likes: int) -> datetime:
    """The moment by which a video is placed in the feed: newest first, and ten times the likes weigh six hours.

    It does not depend on the time of reading, so a reader's pages neither repeat nor skip anything.
    """
    return posted_at + TENFOLD_LIKES_WORTH * math.log10(1 + likes)
