"""Videos, livestreams and shared links as everybody sees them, with the deals that hang on them."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from services.web.gateways.catalog.deals import Form, SaleState
from services.web.gateways.service import View


class Badge(View):
    """The deal that hangs on a video: 团购 icon, name, price. `tokens` say, per placement, where a buyer came from."""

    deal_id: UUID
    title: str
    price_fen: int
    original_price_fen: int
    sold: int = 0
    available: int = 0
    state: SaleState = "ON_SALE"
    form: Form = "SET"
    tokens: dict[str, str] = Field(default_factory=dict)


class Content(View):
    """What came from the host platform; `url` is where it stands there."""

    url: str | None = None

    @property
    def original(self) -> str | None:
        """The original's address, unless it is no safe one to link."""
        return self.url if self.url and self.url.startswith("https://") else None


class VideoCard(Content):
    video_id: UUID
    merchant_id: UUID
    author: str
    verified: bool = False
    caption: str = ""
    cover: str = ""
    city: str = ""
    likes: int = 0
    comment_count: int = 0
    badge: Badge | None = None


class Comment(View):
    author: str
    text: str
    place: str = ""
    at: datetime


class Video(VideoCard):
    comments: tuple[Comment, ...] = ()


class Feed(View):
    items: list[VideoCard]
    next_cursor: str | None = None


class LiveCard(Content):
    livestream_id: UUID
    merchant_id: UUID | None = None
    author: str
    caption: str = ""
    cover: str = ""
    city: str = ""
    state: str = "LIVE"
    likes: int = 0
    deal_count: int = 0


class Livestream(LiveCard):
    """A livestream with the badges of its list, in the order in which the host speaks of them."""

    badges: tuple[Badge, ...] = ()


class Lives(View):
    items: list[LiveCard]
    next_cursor: str | None = None


class ShareLink(View):
    """What a visitor got to share: a path on these pages, and the token that tells of a purchase by it."""

    code: str
    path: str
    token: str = ""


class OpenGraph(View):
    title: str = ""
    description: str = ""
    image: str = ""
    price_fen: int | None = None
    state: str | None = None


class Share(View):
    """What a shared link leads to."""

    deal_id: UUID
    token: str
    open_graph: OpenGraph
