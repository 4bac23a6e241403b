"""A page of the feed, and where the next one begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.catalog.domain.videos import VideoCard

Position = tuple[datetime, UUID]
"""A place in the feed: a video's `ranked_at` and id."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one look into the feed found. `seen_to` is how far it looked; None: to the end."""

    cards: Sequence[VideoCard]
    seen_to: Position | None
