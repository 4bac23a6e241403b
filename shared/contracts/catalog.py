"""What catalog says: merchants, their stores, staff and payout accounts, and the deals on sale."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.contracts.base import Contract, Count, Event, Fen, Sealed, Version
from shared.contracts.hours import Hours
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
    readers = (
        "checkout.keep_merchant",
        "dispatch.keep_merchant",
        "redemption.keep_merchant",
        "settlement.keep_merchant",
    )

    merchant_id: UUID
    name: str
    phone: str
    state: MerchantState


class MerchantSuspended(Event):
    """An operator suspended a merchant: sales stop, payouts freeze, and what was sold and not used goes back.

    Whole, with the version of the `MerchantChanged` that says the same state to those who keep copies."""

    topic = "catalog.merchant_suspended.v1"
    aggregate = "merchant_id"
    readers = ("redemption.recall_of_suspended_merchant",)

    merchant_id: UUID
    name: str
    phone: str
    state: MerchantState
    reason: str


class StoreChanged(Event):
    """A store, whole. Coordinates are GCJ-02; `merchant_id` is who holds it, or held it last."""

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
    hours: Hours = ()


class StoreClosure(StrEnum):
    """Why a store is lost to the merchant that sold for it: closed, given back, or awarded to another claimant."""

    CLOSED = "CLOSED"
    RELEASED = "RELEASED"
    TRANSFERRED = "TRANSFERRED"


class StoreClosed(Event):
    """A store no longer serves what `merchant_id` sold for it; certificates with no open store left go back.

    Whole, with the version of the `StoreChanged` that says the same state to those who keep copies."""

    topic = "catalog.store_closed.v1"
    aggregate = "store_id"
    readers = ("redemption.recall_at_closed_store",)

    store_id: UUID
    merchant_id: UUID
    name: str
    city: str
    closure: StoreClosure
    reason: str


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
    """Where a merchant's money goes. The account itself and who holds it are sealed for settlement; the holder is null
    where the account was submitted before this was said."""

    topic = "catalog.payout_account_changed.v1"
    aggregate = "merchant_id"
    readers = ("checkout.keep_payout_account", "settlement.keep_payout_account")

    merchant_id: UUID
    state: PayoutAccountState
    rail: Rail
    sub_merchant_id: str | None
    sealed_account: Sealed
    sealed_holder: Sealed | None = None


class DealKind(StrEnum):
    """The two fulfilment kinds: 到店核销 and 物流配送."""

    VOUCHER = "VOUCHER"
    GOODS = "GOODS"


class DealForm(StrEnum):
    """What is sold: 套餐, 代金券, 次卡, 实物, 三方码. GOODS are delivered, all others redeemed in store."""

    SET = "SET"
    CASH_VOUCHER = "CASH_VOUCHER"
    TIMES_CARD = "TIMES_CARD"
    GOODS = "GOODS"
    THIRD_PARTY_CODE = "THIRD_PARTY_CODE"

    @property
    def kind(self) -> "DealKind":
        """How it is fulfilled."""
        return DealKind.GOODS if self is DealForm.GOODS else DealKind.VOUCHER


class CashVoucherTerms(Contract):
    """What a cash voucher is worth, and from which bill on (0: any). How many stack is `UseRules.max_count`."""

    face_value_fen: Annotated[int, Field(strict=True, ge=1, le=100_000_000)]
    threshold_fen: Annotated[int, Field(strict=True, ge=0, le=100_000_000)] = 0


class CodeSource(StrEnum):
    """Where the codes of a third-party deal come from: an imported pool, or the merchant's own system when asked."""

    POOL = "POOL"
    CALLBACK = "CALLBACK"


class RefundPolicy(StrEnum):
    """随时退·过期自动退; or no refund on request before the expiry, which always refunds."""

    ANY_TIME = "ANY_TIME"
    ON_EXPIRY = "ON_EXPIRY"


class DeliveryMode(StrEnum):
    """商家自配送, 跑腿, 快递."""

    SELF = "SELF"
    INSTANT = "INSTANT"
    COURIER = "COURIER"


class ModeFee(Contract):
    """What one mode costs the buyer where it is not the common fee."""

    mode: DeliveryMode
    fee_fen: Annotated[int, Field(strict=True, ge=0, le=1_000_000)]


class DeliveryTerms(Contract):
    """How the goods of a deal may travel, and what that costs: `fee_fen`, another fee for some modes, or nothing from
    `free_from_fen` of goods on."""

    modes: Annotated[tuple[DeliveryMode, ...], Field(min_length=1, max_length=3)]
    fee_fen: Fen
    weight_g: Annotated[int, Field(strict=True, ge=1, le=100_000)]
    category: str
    hot_food: bool = False
    mode_fees: Annotated[tuple[ModeFee, ...], Field(max_length=3)] = ()
    free_from_fen: Annotated[int, Field(strict=True, ge=1, le=100_000_000)] | None = None


def delivery_fee(terms: DeliveryTerms, mode: DeliveryMode, goods_fen: int) -> int:
    """What the buyer pays for having goods worth `goods_fen` brought by `mode`."""
    if terms.free_from_fen is not None and goods_fen >= terms.free_from_fen:
        return 0
    own = [one.fee_fen for one in terms.mode_fees if one.mode is mode]
    return own[0] if own else terms.fee_fen


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
    form: DealForm | None = Field(
        default=None, description="Absent in what was said before forms existed: SET or GOODS"
    )
    uses_per_unit: Annotated[int, Field(strict=True, ge=1, le=100)] = 1
    cash: CashVoucherTerms | None = None
    code_source: CodeSource | None = None
    refund_policy: RefundPolicy = RefundPolicy.ANY_TIME


class DealChanged(Event):
    """What may change while a deal sells, whole: on or off sale, which version, how many, where.

    `store_ids` are those that are open and the merchant's; with none left the deal is offline."""

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
    MerchantSuspended,
    StoreChanged,
    StoreClosed,
    StaffChanged,
    PayoutAccountChanged,
    DealVersionPublished,
    DealChanged,
)
