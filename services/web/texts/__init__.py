"""Every sentence of the pages in Chinese and English. A test proves both complete, and every key used."""

from dataclasses import dataclass

from services.web.formats import Language
from services.web.texts import (
    books,
    campaigns,
    carriers,
    deals,
    deliveries,
    desks,
    errors,
    external_refunds,
    holdings,
    operators,
    orders,
    paying,
    places,
    reviews,
    riders,
    shop,
    staff,
    third_party_codes,
    writing,
)

TEXTS: dict[str, tuple[str, str]] = {
    **shop.TEXTS,
    **deals.TEXTS,
    **places.TEXTS,
    **orders.TEXTS,
    **paying.TEXTS,
    **reviews.TEXTS,
    **staff.TEXTS,
    **riders.TEXTS,
    **deliveries.TEXTS,
    **carriers.TEXTS,
    **desks.TEXTS,
    **holdings.TEXTS,
    **writing.TEXTS,
    **third_party_codes.TEXTS,
    **operators.TEXTS,
    **campaigns.TEXTS,
    **external_refunds.TEXTS,
    **books.TEXTS,
    **errors.TEXTS,
}


@dataclass(frozen=True, slots=True)
class Speech:
    """The texts in one language: `t("deal.sold", n=3)`."""

    language: Language

    def __call__(self, key: str, **facts: object) -> str:
        """The text of a key, with its facts filled in. A missing key is a bug and raises KeyError."""
        return self._filled(TEXTS[key], facts)

    def known(self, key: str) -> str | None:
        """The text of a key that may have none, such as a state that a service was taught before these pages."""
        both = TEXTS.get(key)
        return self._filled(both, {}) if both else None

    def word(self, key: str) -> str:
        """The text of a key that a service named; a neutral word, never its code, for one that these pages lack."""
        return self.known(key) or self("unknown")

    def stores(self, names: list[str]) -> str:
        """Where a certificate may be used, in one line."""
        if not names:
            return ""
        return names[0] if len(names) == 1 else self("ticket.stores", name=names[0], n=len(names))

    def _filled(self, both: tuple[str, str], facts: dict[str, object]) -> str:
        template = both[1] if self.language == "en" else both[0]
        return template.format(**facts) if facts else template
