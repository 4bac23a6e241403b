"""What every deal says: title, picture, price, the sale, the stores."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.web.forms.parts import Block, Field, Reading, Typed
from services.web.forms.values import CHOICE, LINE, MOMENT, PARAGRAPH, STORES, WHOLE, YUAN, plain

PRICE_MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Cover:
    """A drawing of ours, or the address of a picture, which counts if it is given."""

    path: str = "cover"

    def names(self) -> Iterable[str]:
        return (self.path,)

    def read(self, reading: Reading) -> None:
        cover = plain(reading.typed.get("cover_url", [])) or plain(reading.typed.get("cover", []))
        if cover:
            reading.body[self.path] = cover
        else:
            reading.wrong[self.path] = "write.wrong.choose"

    def fill(self, said: Mapping[str, Any], typed: Typed) -> None:
        cover = str(said.get(self.path) or "")
        typed["cover_url" if ":" in cover else "cover"] = [cover]


BASICS = Block(
    "basics", (Field("title", LINE, needed=True, most=60), Cover(), Field("description", PARAGRAPH, most=2000))
)
QUOTA = Field("total_quota", WHOLE, needed=True, least=1, most=1_000_000, half=True)
STORES_FIELD = Field("store_ids", STORES, needed=True)
REFUND = Field("refund_policy", CHOICE, needed=True, options=("ANY_TIME", "ON_EXPIRY"))
_PRICE = Field("price_fen", YUAN, needed=True, most=PRICE_MOST, half=True)
_ORIGINAL = Field("original_price_fen", YUAN, needed=True, most=PRICE_MOST, half=True)
_LIMIT = Field("per_buyer_limit", WHOLE, needed=True, least=0, most=1000, half=True)
_SALE = (Field("sale_from", MOMENT, needed=True), Field("sale_until", MOMENT, needed=True))


def sale(*, has_original: bool, published: bool) -> Block:
    """The price and when it is sold. A published deal's quota is changed elsewhere; a cash voucher's original price is
    its face value."""
    price = (_PRICE, _ORIGINAL) if has_original else (_PRICE,)
    return Block("sale", (*price, *(() if published else (QUOTA,)), _LIMIT, *_SALE))
