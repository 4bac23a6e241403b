"""Codes of third parties: which texts are codes, which two are the same, and what an issuer is asked."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.redemption.domain.codes import CODE_DIGITS

LONGEST = 64
MOST_CODES = 10_000
SHOWN_DUPLICATES = 100
_LAST_OF_CODE128 = 127


@dataclass(frozen=True, slots=True)
class ThirdPartyCode:
    """A code as its issuer wrote it (that is what the buyer sees), and as it is compared."""

    text: str
    same_as: str

    @property
    def looks_like_ours(self) -> bool:
        """Whether one of our own codes could be the same."""
        return len(self.same_as) == CODE_DIGITS and self.same_as.isascii() and self.same_as.isdigit()


@dataclass(frozen=True, slots=True)
class Issuer:
    """Where a merchant's codes are asked for."""

    merchant_id: UUID
    url: str
    sealed_secret: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """What an issuer is asked for: one code per unit of an order."""

    merchant_id: UUID
    order_id: UUID
    deal_id: UUID
    title: str
    unit_ids: tuple[UUID, ...]
    due_at: datetime


def read_code(text: str) -> ThirdPartyCode | None:
    """The code in a text, or None if it is none: 1 to 64 printable characters.

    Two codes are the same when a person at a counter could not tell them apart: full-width letters are narrow ones,
    spaces and hyphens do not count, nor does the case. Whoever's codes differ in nothing else is told so at import."""
    shown = text.strip()
    if not 0 < len(shown) <= LONGEST or not unicodedata.normalize("NFKC", shown).isprintable():
        return None
    compared = "".join(unicodedata.normalize("NFKC", shown).replace("-", " ").split()).casefold()
    return ThirdPartyCode(shown, compared) if compared else None


def repeated(codes: Sequence[ThirdPartyCode]) -> list[str]:
    """The codes that stand more than once in a list, as they were written first."""
    counted = Counter(code.same_as for code in codes)
    first = {code.same_as: code.text for code in reversed(codes)}
    return [first[same_as] for same_as, count in counted.items() if count > 1]


def fits_code128(code: str) -> bool:
    """Whether a Code128 barcode can hold it: nothing but ASCII."""
    return all(ord(character) <= _LAST_OF_CODE128 for character in code)
