"""What a deal says, which states its draft and its sale have, and what the badge shows of them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, field_validator

from services.catalog.domain.refusals import (
    DeliveryTermsNeeded,
    DeliveryTermsNotAllowed,
    PriceAboveOriginal,
    SaleWindowEmpty,
    UseEndsBeforeSale,
    UseWindowEmpty,
)
from services.catalog.domain.text import Cover, Paragraph, ShortLine
from shared.contracts.catalog import DealKind, DeliveryTerms
from shared.contracts.use_rules import UseRules

Price = Annotated[int, Field(strict=True, ge=1, le=100_000_000)]


_SHORT_LINE = TypeAdapter[str](ShortLine)


class DealItem(BaseModel):
    """One line of what the buyer gets."""

    model_config = ConfigDict(frozen=True)

    name: ShortLine
    quantity: Annotated[int, Field(strict=True, ge=1, le=10_000)]
    price_fen: Annotated[int, Field(strict=True, ge=0, le=100_000_000)]


class DealContent(BaseModel):
    """All that a deal says: edited as a draft, frozen as a version. `cover` is the name of a drawn cover, or a URL."""

    model_config = ConfigDict(frozen=True)

    kind: DealKind
    title: ShortLine
    cover: Cover
    description: Paragraph = ""
    items: Annotated[tuple[DealItem, ...], Field(min_length=1, max_length=100)]
    price_fen: Price
    original_price_fen: Price
    total_quota: Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
    per_buyer_limit: Annotated[int, Field(strict=True, ge=0, le=1000, description="0: no limit")]
    sale_from: AwareDatetime
    sale_until: AwareDatetime
    rules: UseRules
    store_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=500)]
    delivery: DeliveryTerms | None = None

    @field_validator("delivery")
    @classmethod
    def _category_is_a_line(cls, delivery: DeliveryTerms | None) -> DeliveryTerms | None:
        """The contract leaves the category open; what a merchant writes there is a line like any other."""
        if delivery is not None:
            _SHORT_LINE.validate_python(delivery.category)
        return delivery


def check_content(content: DealContent) -> None:
    """Raise the first reason why no deal could be sold like this."""
    if content.price_fen > content.original_price_fen:
        raise PriceAboveOriginal
    if content.sale_until <= content.sale_from:
        raise SaleWindowEmpty
    rules = content.rules
    if rules.use_until is not None and rules.use_from is not None and rules.use_until <= rules.use_from:
        raise UseWindowEmpty
    # Whoever buys in the last minute must still be able to use what was bought.
    if rules.use_until is not None and rules.use_until < content.sale_until:
        raise UseEndsBeforeSale
    if content.kind is DealKind.GOODS and content.delivery is None:
        raise DeliveryTermsNeeded
    if content.kind is DealKind.VOUCHER and content.delivery is not None:
        raise DeliveryTermsNotAllowed


class DraftState(StrEnum):
    DRAFT = "DRAFT"
    IN_REVIEW = "IN_REVIEW"
    REJECTED = "REJECTED"
    APPROVED = "APPROVED"


class SaleState(StrEnum):
    """Of the approved version: never yet on sale, on sale, taken off."""

    APPROVED = "APPROVED"
    ONLINE = "ONLINE"
    OFFLINE = "OFFLINE"


class DealState(StrEnum):
    """What the merchant sees: the draft's state while it differs from what is approved, else the sale's."""

    DRAFT = "DRAFT"
    IN_REVIEW = "IN_REVIEW"
    REJECTED = "REJECTED"
    APPROVED = "APPROVED"
    ONLINE = "ONLINE"
    OFFLINE = "OFFLINE"
    ENDED = "ENDED"


@dataclass(frozen=True, slots=True)
class Deal:
    """A draft, and the sale of the version that was last approved (`deal_version` 0: none yet).

    `revision` counts edits of the draft, `version` what was said about the deal.
    """

    deal_id: UUID
    merchant_id: UUID
    revision: int
    content: DealContent
    draft_state: DraftState
    reason: str | None
    version: int
    deal_version: int
    sale_state: SaleState | None
    total_quota: int
    store_ids: tuple[UUID, ...]
    open_store_ids: tuple[UUID, ...]

    @property
    def online(self) -> bool:
        """Whether an approved version is on sale, whatever happens to the draft."""
        return self.sale_state is SaleState.ONLINE and bool(self.open_store_ids)


def deal_state(deal: Deal, now: datetime) -> DealState:
    """Where a deal stands on `DRAFT → IN_REVIEW → APPROVED → ONLINE ⇄ OFFLINE → ENDED`."""
    if deal.draft_state is not DraftState.APPROVED or deal.sale_state is None:
        return DealState(deal.draft_state.value)
    if now >= deal.content.sale_until:
        return DealState.ENDED
    return DealState(deal.sale_state.value)


class BadgeState(StrEnum):
    """What a viewer sees of a deal."""

    ON_SALE = "ON_SALE"
    SOLD_OUT = "SOLD_OUT"
    ENDED = "ENDED"
    NOT_YET = "NOT_YET"
    OFFLINE = "OFFLINE"


@dataclass(frozen=True, slots=True)
class Sale:
    """What decides whether a deal can be bought now. `may_sell`: merchant and payout account are verified."""

    online: bool
    may_sell: bool
    sale_from: datetime
    sale_until: datetime
    available: int


def badge_state(sale: Sale, now: datetime) -> BadgeState:
    """Why a deal cannot be bought at `now`, or ON_SALE."""
    if now >= sale.sale_until:
        return BadgeState.ENDED
    if not sale.online or not sale.may_sell:
        return BadgeState.OFFLINE
    if now < sale.sale_from:
        return BadgeState.NOT_YET
    return BadgeState.ON_SALE if sale.available > 0 else BadgeState.SOLD_OUT
