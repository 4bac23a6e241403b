"""What checkout says: orders paid, refunds asked for and done, what is still for sale."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.contracts.base import Contract, Count, Event, Fen, Sealed, Version
from shared.contracts.catalog import CashVoucherTerms, CodeSource, DealForm, DealKind, DeliveryMode, Rail
from shared.contracts.use_rules import UseRules


class UseValue(Contract):
    """What one use of one unit is worth, frozen at the order. `paid_fen` includes `delivery_fen`."""

    paid_fen: Fen
    delivery_fen: Fen = 0
    merchant_subsidy_fen: Fen = 0
    platform_subsidy_fen: Fen = 0
    commission_fen: Fen = 0
    creator_share_fen: Fen = 0
    agency_share_fen: Fen = 0


class Unit(Contract):
    """One bought unit: a certificate, or a line of a parcel. Its id is theirs."""

    unit_id: UUID
    original_price_fen: Fen
    uses: Annotated[tuple[UseValue, ...], Field(min_length=1, max_length=100)]


class DeliveryRequest(Contract):
    """How the goods shall travel. `sealed_address` opens to shared.contracts.address.Address for dispatch only."""

    mode: DeliveryMode
    fee_fen: Fen
    weight_g: Annotated[int, Field(strict=True, ge=1)]
    category: str
    sealed_address: Sealed


class OrderPaid(Event):
    """The money of an order has arrived: everything that fulfilment and settlement need, once and for all."""

    topic = "checkout.order_paid.v1"
    aggregate = "order_id"
    readers = ("dispatch.open_parcel", "redemption.issue_certificates", "settlement.record_order")

    order_id: UUID
    order_no: str
    buyer: str = Field(description="The buyer's subject")
    merchant_id: UUID
    deal_id: UUID
    deal_version: Version
    kind: DealKind
    title: str
    units: Annotated[tuple[Unit, ...], Field(min_length=1, max_length=10)]
    paid_fen: Fen
    paid_at: AwareDatetime
    rules: UseRules
    store_ids: Annotated[tuple[UUID, ...], Field(max_length=500)]
    rail: Rail
    sub_merchant_id: str | None
    out_trade_no: str
    trade_no: str
    delivery: DeliveryRequest | None = None
    form: DealForm | None = None
    cash: CashVoucherTerms | None = None
    code_source: CodeSource | None = None
    source: str | None = Field(
        default=None, description="Catalog's attribution token: by which placement it was bought"
    )
    phone_lookup: str | None = Field(
        default=None, description="Keyed hash of the phone that the buyer left (shared/phones.py), in hexadecimal"
    )


class RefundCause(StrEnum):
    """Why a refund was opened. AFTER_USE is reviewed and not fenced; EXTERNAL was made at the channel itself."""

    BUYER = "BUYER"
    AFTER_USE = "AFTER_USE"
    CAMPAIGN = "CAMPAIGN"
    EXTERNAL = "EXTERNAL"
    EXPIRED = "EXPIRED"
    ISSUE_FAILED = "ISSUE_FAILED"
    PARCEL_FAILED = "PARCEL_FAILED"
    RECALLED = "RECALLED"


class RefundRequested(Event):
    """Checkout asks whoever fulfils these units to fence them: no use, no hand-over, until the refund is decided."""

    topic = "checkout.refund_requested.v1"
    aggregate = "refund_id"
    readers = ("dispatch.fence_refund", "redemption.fence_refund")

    refund_id: UUID
    order_id: UUID
    kind: DealKind
    unit_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=10)]
    cause: RefundCause


class RefundedUnit(Contract):
    """`use_nos`: the uses that the amount is for, where redemption named them; when absent, the amount says which."""

    unit_id: UUID
    amount_fen: Fen
    use_nos: Annotated[tuple[Annotated[int, Field(strict=True, ge=1)], ...], Field(max_length=100)] | None = None


class RefundSucceeded(Event):
    """The money of these units is back with the buyer."""

    topic = "checkout.refund_succeeded.v1"
    aggregate = "refund_id"
    readers = ("dispatch.close_refund", "redemption.close_refund", "settlement.record_refund")

    refund_id: UUID
    order_id: UUID
    kind: DealKind
    units: Annotated[tuple[RefundedUnit, ...], Field(min_length=1, max_length=10)]
    amount_fen: Fen
    cause: RefundCause
    external: bool = False


class RefundAbandoned(Event):
    """An operator gave this refund up: its units go back to what they were before the fence."""

    topic = "checkout.refund_abandoned.v1"
    aggregate = "refund_id"
    readers = ("dispatch.lift_fence", "redemption.lift_fence")

    refund_id: UUID
    order_id: UUID
    kind: DealKind
    unit_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=10)]


class DisputeClosed(Event):
    """A review ended without money going back: the disputed uses are again what they were."""

    topic = "checkout.dispute_closed.v1"
    aggregate = "refund_id"
    readers = ("dispatch.close_dispute", "redemption.close_dispute", "settlement.close_dispute")

    refund_id: UUID
    order_id: UUID
    merchant_id: UUID
    kind: DealKind
    unit_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=10)]


class AvailabilityChanged(Event):
    """How many are left, at most once a second per deal: for the badge and the feed, never for a decision."""

    topic = "checkout.availability_changed.v1"
    aggregate = "deal_id"
    readers = ("catalog.keep_availability",)

    deal_id: UUID
    available: Count
    sold: Count


EVENTS: tuple[type[Event], ...] = (
    OrderPaid,
    RefundRequested,
    RefundSucceeded,
    RefundAbandoned,
    DisputeClosed,
    AvailabilityChanged,
)
