"""What is on sale, and whether this buyer may order it now."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.checkout.domain.refusals import (
    BuyerLimitReached,
    DealOffline,
    DealSoldOut,
    DealVersionChanged,
    DeliveryModeNotOffered,
    DeliveryNeeded,
    MerchantCannotSell,
    SaleEnded,
    SaleNotStarted,
)
from shared.contracts.catalog import (
    CashVoucherTerms,
    CodeSource,
    DealForm,
    DealKind,
    DeliveryMode,
    DeliveryTerms,
    Rail,
    RefundPolicy,
)
from shared.contracts.use_rules import UseRules


@dataclass(frozen=True, slots=True)
class Payee:
    """Who is paid for an order, and how: frozen on each payment attempt."""

    rail: Rail
    sub_merchant_id: str | None


@dataclass(frozen=True, slots=True)
class Offer:
    """One deal in its current version, as checkout's own copies have it. `payee` is None while the merchant is
    unverified, suspended or without a verified payout account."""

    deal_id: UUID
    deal_version: int
    merchant_id: UUID
    online: bool
    kind: DealKind
    form: DealForm
    title: str
    cover: str
    price_fen: int
    original_price_fen: int
    per_buyer_limit: int
    uses_per_unit: int
    sale_from: datetime
    sale_until: datetime
    rules: UseRules
    delivery: DeliveryTerms | None
    cash: CashVoucherTerms | None
    code_source: CodeSource | None
    refund_policy: RefundPolicy
    store_ids: tuple[UUID, ...]
    available: int
    payee: Payee | None


def form_of(said: str | None, kind: DealKind) -> DealForm:
    """The form of a deal; in what was said before forms existed it follows from the kind."""
    if said is not None:
        return DealForm(said)
    return DealForm.GOODS if kind is DealKind.GOODS else DealForm.SET


def payee(merchant_state: str | None, account_state: str | None, rail: str | None, sub_merchant: str | None) -> (
    Payee | None
):  # fmt: skip
    """Who takes the money, or None while nobody may: 直付通 needs the merchant's own number at Alipay."""
    if merchant_state != "VERIFIED" or account_state != "VERIFIED" or rail is None:
        return None
    if rail == Rail.ZHIFUTONG and not sub_merchant:
        return None
    return Payee(Rail(rail), sub_merchant)


def check_sellable(offer: Offer, deal_version: int, quantity: int, now: datetime) -> None:
    """Raise the reason why `quantity` of the version the buyer saw cannot be ordered at `now`."""
    # Every use has to be worth at least a fen: a refund of nothing is none.
    if not offer.online or not offer.store_ids or offer.price_fen < offer.uses_per_unit:
        raise DealOffline
    if offer.deal_version != deal_version:
        raise DealVersionChanged(deal_version=offer.deal_version, price_fen=offer.price_fen)
    if now < offer.sale_from:
        raise SaleNotStarted
    if now >= offer.sale_until:
        raise SaleEnded
    if offer.payee is None:
        raise MerchantCannotSell
    if offer.available < quantity:
        raise DealSoldOut(available=offer.available)


def check_limit(offer: Offer, counted: int, quantity: int) -> None:
    """Raise if a buyer who has `counted` units of this deal, open and paid, would pass its limit (0: none)."""
    if offer.per_buyer_limit and counted + quantity > offer.per_buyer_limit:
        raise BuyerLimitReached(left=max(0, offer.per_buyer_limit - counted))


def check_delivery(offer: Offer, mode: DeliveryMode | None) -> DeliveryTerms | None:
    """The terms of delivery for goods, None for a voucher; raises when the mode does not fit."""
    if offer.kind is DealKind.VOUCHER:
        if mode is not None:
            raise DeliveryModeNotOffered
        return None
    if mode is None:
        raise DeliveryNeeded
    if offer.delivery is None or mode not in offer.delivery.modes:
        raise DeliveryModeNotOffered
    return offer.delivery
