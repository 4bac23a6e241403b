"""Livestreams of the host platform, and the list of deals that each of them shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.catalog.domain.refusals import DealListedTwice
from services.catalog.domain.videos import Badge, ContentCard, VideoContent

DEALS_AT_MOST = 100


class LivestreamState(StrEnum):
    """On air, and over for good."""

    LIVE = "LIVE"
    ENDED = "ENDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class LivestreamContent(VideoContent):
    """What the host platform says about a livestream: the same as about a video, and whether it is on air."""

    state: LivestreamState


@dataclass(frozen=True, slots=True, kw_only=True)
class Livestream(ContentCard):
    """A livestream as viewers see it. `deal_count` is the length of its list, of which `badges` may be the head."""

    livestream_id: UUID
    state: LivestreamState
    started_at: datetime
    deal_count: int
    badges: tuple[Badge, ...]


def check_list(deal_ids: Sequence[UUID]) -> None:
    """Raise unless each deal stands in the list once."""
    if len(set(deal_ids)) != len(deal_ids):
        raise DealListedTwice
