"""The attribution token: by which placement of what a buyer came to a deal, from the badge through to the order."""

import base64
import hmac
import re
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from services.catalog.domain.refusals import AttributionUnknown
from shared.sealed import Seals

_MAC = 13
_OWNER = "catalog"
_TOKEN = re.compile(r"[0-9A-Za-z_-]{40}")


class SourceKind(StrEnum):
    """What a deal was seen in."""

    VIDEO = "VIDEO"
    LIVESTREAM = "LIVESTREAM"
    SHARE = "SHARE"


class Placement(StrEnum):
    """Where in it: above the account name, on top of the comments, in a livestream's list, behind a shared link."""

    ABOVE_AUTHOR = "ABOVE_AUTHOR"
    COMMENTS_TOP = "COMMENTS_TOP"
    LIVE_LIST = "LIVE_LIST"
    SHARED_LINK = "SHARED_LINK"


# Numbers are for ever: orders keep the tokens.
_NUMBERS = {
    Placement.ABOVE_AUTHOR: 1,
    Placement.COMMENTS_TOP: 2,
    Placement.LIVE_LIST: 3,
    Placement.SHARED_LINK: 4,
}
_KINDS = {
    Placement.ABOVE_AUTHOR: SourceKind.VIDEO,
    Placement.COMMENTS_TOP: SourceKind.VIDEO,
    Placement.LIVE_LIST: SourceKind.LIVESTREAM,
    Placement.SHARED_LINK: SourceKind.SHARE,
}
_PLACEMENTS = {number: placement for placement, number in _NUMBERS.items()}


@dataclass(frozen=True, slots=True)
class Source:
    """One placement in one video, livestream or share."""

    placement: Placement
    content_id: UUID

    @property
    def kind(self) -> SourceKind:
        """What the id names; every placement belongs to one kind."""
        return _KINDS[self.placement]


class Attributions:
    """Makes and reads tokens with catalog's own key."""

    def __init__(self, seals: Seals) -> None:
        self._seals = seals

    def token(self, source: Source) -> str:
        """40 characters of base64url: the placement (1 byte), the content's id (16) and a truncated MAC (13)."""
        signed = bytes([_NUMBERS[source.placement]]) + source.content_id.bytes
        return base64.urlsafe_b64encode(signed + self._mac(signed)).decode()

    def source(self, token: str) -> Source:
        """What a token stands for. Raises AttributionUnknown for anything that we did not sign."""
        # 30 bytes fill 40 characters to the last bit, so that no second text says the same.
        if not _TOKEN.fullmatch(token):
            raise AttributionUnknown
        raw = base64.urlsafe_b64decode(token)
        signed, mac = raw[:-_MAC], raw[-_MAC:]
        if not hmac.compare_digest(mac, self._mac(signed)) or signed[0] not in _PLACEMENTS:
            raise AttributionUnknown
        return Source(_PLACEMENTS[signed[0]], UUID(bytes=signed[1:]))

    def _mac(self, signed: bytes) -> bytes:
        return self._seals.lookup(_OWNER, f"attribution:{signed.hex()}")[:_MAC]
