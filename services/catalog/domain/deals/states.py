"""Which states a deal's draft and its sale have, and what the badge shows of them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.catalog.domain.deals.content import DealContent
from services.catalog.domain.deals.reviews import Rejection


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
    rejection: Rejection | None
    version: int
    deal_version: int
    sale_state: SaleState | None
    total_quota: int
    store_ids: tuple[UUID, ...]
    open_store_ids: tuple[UUID, ...]

    @property
    def published(self) -> bool:
        """Whether a version was ever approved."""
        return self.deal_version > 0

    @property
    def online(self) -> bool:
        """Whether an approved version is on sale, whatever happens to the draft."""
        return self.sale_state is SaleState.ONLINE and bool(self.open_store_ids)

    def in_force(self, content: DealContent) -> DealContent:
        """This content as a draft of this deal.

        Once a deal is published, quota and stores are the sale's: they change at once, beside the draft. Whatever a
        draft says of them is what its editor saw when the form was opened. Taking it would revert a change made since;
        refusing it would make every edit lose against the one who keeps the stock. So the deal's own are put in their
        place, and the answer shows them.
        """
        if not self.published:
            return content
        in_force: dict[str, Any] = {"total_quota": self.total_quota, "store_ids": self.store_ids}
        return content.model_copy(update=in_force)


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
