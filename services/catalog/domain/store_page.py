"""What a store's public page shows beside the place: who runs it, and what can be bought for it now."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from shared.contracts.catalog import CashVoucherTerms, DealForm


class Part(StrEnum):
    """A store's page has its cash vouchers apart from its other deals."""

    VOUCHERS = "vouchers"
    DEALS = "deals"


@dataclass(frozen=True, slots=True)
class DealCard:
    """A deal that can be bought now, as lists show it. `cash`: what a cash voucher is worth, and from which bill on."""

    deal_id: UUID
    title: str
    cover: str
    price_fen: int
    original_price_fen: int
    form: DealForm
    cash: CashVoucherTerms | None
    sold: int
    available: int


@dataclass(frozen=True, slots=True)
class Holder:
    """The merchant behind a store, with the number that buyers may phone."""

    merchant_id: UUID
    name: str
    phone: str
