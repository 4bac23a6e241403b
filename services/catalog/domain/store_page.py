"""What a store's public page shows: the place, who runs it, and what can be bought for it now."""

from dataclasses import dataclass
from uuid import UUID

from services.catalog.domain.stores import Store
from shared.contracts.catalog import CashVoucherTerms, DealForm

DEALS_SHOWN = 50


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


@dataclass(frozen=True, slots=True)
class StorePage:
    """A store with its cash vouchers apart from its other deals."""

    store: Store
    holder: Holder | None
    open_now: bool | None
    vouchers: tuple[DealCard, ...]
    deals: tuple[DealCard, ...]
