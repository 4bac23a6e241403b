"""The badge of a deal as videos and livestreams show it, with a token for each place where it stands."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends
from pydantic import AwareDatetime, BaseModel, Field

from services.catalog.domain.attribution import Attributions, Placement, Source
from services.catalog.domain.deals import BadgeState
from services.catalog.domain.text import Line, LongLine, ShortLine
from services.catalog.domain.videos import Badge, Comment
from shared.contracts.catalog import DealForm
from shared.service import World


class CommentBody(BaseModel):
    author: ShortLine
    text: LongLine
    place: Annotated[Line, Field(max_length=60)] = ""
    at: AwareDatetime


class ContentCardView(BaseModel):
    """What lists show of a video or livestream; `version` is that of the deals it shows, for `If-Match`."""

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


class BadgeView(BaseModel):
    """`tokens` holds, for each placement of the badge, what an order that comes from there gives as its `source`."""

    icon: Literal["groupbuy"] = "groupbuy"
    deal_id: UUID
    title: str
    form: DealForm
    price_fen: int
    original_price_fen: int
    sold: int
    available: int
    state: BadgeState
    tokens: dict[Placement, str]


def _attributions(world: World) -> Attributions:
    return Attributions(world.seals)


Tokens = Annotated[Attributions, Depends(_attributions)]
"""Makes and reads attribution tokens."""


def badge_view(badge: Badge, content_id: UUID, placements: tuple[Placement, ...], tokens: Attributions) -> BadgeView:
    """The badge in one video or livestream."""
    told = BadgeView.model_fields.keys() - {"icon", "tokens"}
    return BadgeView(
        **{name: getattr(badge, name) for name in told},
        tokens={placement: tokens.token(Source(placement, content_id)) for placement in placements},
    )


def comment_bodies(comments: tuple[Comment, ...]) -> list[CommentBody]:
    """Imported comments as they were imported."""
    return [CommentBody(author=one.author, text=one.text, place=one.place, at=one.at) for one in comments]
