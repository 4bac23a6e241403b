"""What catalog says: merchants, their stores, staff and payout accounts, and the deals on sale."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.contracts.base import Contract, Count, Event, Fen, Sealed, Version
from shared.contracts.use_rules import UseRules


class MerchantState(StrEnum):
    APPLIED = "APPLIED"
    VERIFIED = "VERIFIED"
    REJECTED = "REJECTED"
    SUSPENDED = "SUSPENDED"


class MerchantChanged(Event):
    """A merchant's public facts and state, whole."""

    topic = "catalog.merchant_changed.v1"
    aggregate = "merchant_id"
    readers = ("checkout.keep_merchant", "dispatch.keep_merchant", "settlement.keep_merchant")

    merchant_id: UUID
    name: str
    phone: str
    state: MerchantState


class StoreChanged(Event):
    """A store, whole. Coordinates are GCJ-02."""

    topic = "catalog.store_changed.v1"
    aggregate = "store_id"
    readers = ("dispatch.keep_store", "redemption.keep_store")

    store_id: UUID
    merchant_id: UUID
    name: str
    city: str
    address: str
    latitude: float
    longitude: float
    phone: str
    open: bool


class StaffRole(StrEnum):
    OWNER = "OWNER"
    MANAGER = "MANAGER"
    CLERK = "CLERK"
    FINANCE = "FINANCE"
    RIDER = "RIDER"
    OPERATOR = "OPERATOR"


class StaffChanged(Event):
    """One person's place at one merchant, or (`merchant_id` null) at the platform, whole. No stores means every one."""

    topic = "catalog.staff_changed.v1"
    aggregate = "staff_id"
    readers = ("checkout.keep_staff", "dispatch.keep_staff", "redemption.keep_staff", "settlement.keep_staff")

    staff_id: UUID
    subject: str
    merchant_id: UUID | None
    role: StaffRole
    store_ids: tuple[UUID, ...] = ()
    active: bool


class PayoutAccountState(StrEnum):
    SUBMITTED = "SUBMITTED"
    VERIFIED = "VERIFIED"
    REJECTED = "REJECTED"


class Rail(StrEnum):
    """How a merchant is paid: 直付通 confirm per trade, or a transfer (self-operated shops only)."""

    ZHIFUTONG = "ZHIFUTONG"
    TRANSFER = "TRANSFER"


class PayoutAccountChanged(Event):
    """Where a merchant's money goes. The account itself is sealed for settlement."""

    topic = "catalog.payout_account_changed.v1"
    aggregate = "merchant_id"
    readers = ("checkout.keep_payout_account", "settlement.keep_payout_account")

    merchant_id: UUID
    state: PayoutAccountState
    rail: Rail
    sub_merchant_id: str | None
    sealed_account: Sealed


class DealKind(StrEnum):
    """The two fulfilment kinds: 到店核销 and 物流配送."""

    VOUCHER = "VOUCHER"
    GOODS = "GOODS"


class DeliveryMode(StrEnum):
    """商家自配送, 跑腿, 快递."""

    SELF = "SELF"
    INSTANT = "INSTANT"
    COURIER = "COURIER"


class DeliveryTerms(Contract):
    """How the goods of a deal may travel."""

    modes: Annotated[tuple[DeliveryMode, ...], Field(min_length=1, max_length=3)]
    fee_fen: Fen
    weight_g: Annotated[int, Field(strict=True, ge=1, le=100_000)]
    category: str
    hot_food: bool = False


class DealVersionPublished(Event):
    """An approved, immutable version of a deal: what an order freezes."""

    topic = "catalog.deal_version_published.v1"
    aggregate = "deal_id"
    readers = ("checkout.keep_deal_version",)

    deal_id: UUID
    deal_version: Version
    merchant_id: UUID
    kind: DealKind
    title: str
    cover: str
    price_fen: Fen
    original_price_fen: Fen
    per_buyer_limit: Count
    sale_from: AwareDatetime
    sale_until: AwareDatetime
    rules: UseRules
    delivery: DeliveryTerms | None = None


class DealChanged(Event):
    """What may change while a deal sells, whole: on or off sale, which version, how many, where."""

    topic = "catalog.deal_changed.v1"
    aggregate = "deal_id"
    readers = ("checkout.keep_deal",)

    deal_id: UUID
    deal_version: Version
    merchant_id: UUID
    online: bool
    total_quota: Count
    store_ids: Annotated[tuple[UUID, ...], Field(max_length=500)]


EVENTS: tuple[type[Event], ...] = (
    MerchantChanged,
    StoreChanged,
    StaffChanged,
    PayoutAccountChanged,
    DealVersionPublished,
    DealChanged,
)
