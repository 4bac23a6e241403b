"""Links by which people share a deal: short codes that cannot be guessed, and what a chat shows of them."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from services.catalog.domain.deals import BadgeState, DealContent
from shared.money import yuan

CODE_LENGTH = 10
LINKS_AT_MOST = 1000
LINKS_PERIOD = timedelta(days=1)

# Base58: no 0, O, I or l, which people confuse.
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DESCRIPTION = 150


@dataclass(frozen=True, slots=True)
class Share:
    """One person's link to a deal, seen in a video or not."""

    share_id: UUID
    sharer: str
    deal_id: UUID
    video_id: UUID | None
    code: str

    @property
    def path(self) -> str:
        """The address of the link, below the address of the pages."""
        return f"/s/{self.code}"


@dataclass(frozen=True, slots=True)
class OpenGraph:
    """What a chat shows of a link. `url` is a path; `image` is the name of a drawn cover, or a URL."""

    title: str
    description: str
    image: str
    url: str
    price_fen: int
    original_price_fen: int
    state: BadgeState


def new_code() -> str:
    """A code that nobody guesses: 58 bits from the system's generator."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(CODE_LENGTH))


def open_graph(share: Share, content: DealContent, state: BadgeState) -> OpenGraph:
    """The preview of a shared deal: its name and price, and in one line what the buyer gets."""
    price = yuan(content.price_fen).removesuffix(".00")
    says = content.description if content.description.strip() else "、".join(item.name for item in content.items)
    return OpenGraph(
        title=f"{content.title} ¥{price}",
        description=" ".join(says.split())[:_DESCRIPTION],
        image=content.cover,
        url=share.path,
        price_fen=content.price_fen,
        original_price_fen=content.original_price_fen,
        state=state,
    )
