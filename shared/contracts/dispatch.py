"""What dispatch says: where a parcel is, and whether its units can still be refunded."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.contracts.base import Event
from shared.contracts.catalog import DeliveryMode

UnitIds = Annotated[tuple[UUID, ...], Field(min_length=1, max_length=10)]


class ParcelAccepted(Event):
    """The merchant took the order on."""

    topic = "dispatch.parcel_accepted.v1"
    aggregate = "parcel_id"
    readers = ("checkout.record_parcel_accepted",)

    parcel_id: UUID
    order_id: UUID
    unit_ids: UnitIds


class ParcelHandedOver(Event):
    """The goods left the merchant: with a rider, a courier or the merchant's own hand."""

    topic = "dispatch.parcel_handed_over.v1"
    aggregate = "parcel_id"
    readers = ("checkout.record_parcel_handed_over",)

    parcel_id: UUID
    order_id: UUID
    unit_ids: UnitIds
    mode: DeliveryMode
    carrier: str
    waybill: str | None = None


class ParcelDelivered(Event):
    """The goods are at the door; the buyer has until `received_by` to say otherwise."""

    topic = "dispatch.parcel_delivered.v1"
    aggregate = "parcel_id"
    readers = ("checkout.record_parcel_delivered",)

    parcel_id: UUID
    order_id: UUID
    unit_ids: UnitIds
    delivered_at: AwareDatetime
    received_by: AwareDatetime


class ParcelReceived(Event):
    """Receipt confirmed, by the buyer or by time: the units count as redeemed and are due for payout."""

    topic = "dispatch.parcel_received.v1"
    aggregate = "parcel_id"
    readers = ("checkout.record_parcel_received", "settlement.finalise_parcel")

    parcel_id: UUID
    order_id: UUID
    merchant_id: UUID
    store_id: UUID
    unit_ids: UnitIds
    received_at: AwareDatetime
    automatic: bool


class ParcelFailure(StrEnum):
    NOT_ACCEPTED = "NOT_ACCEPTED"
    NOT_HANDED_OVER = "NOT_HANDED_OVER"
    NO_CARRIER = "NO_CARRIER"
    REFUSED_BY_MERCHANT = "REFUSED_BY_MERCHANT"
    RETURNED = "RETURNED"
    LOST = "LOST"


class ParcelFailed(Event):
    """The goods will not arrive: checkout opens a refund for all of them."""

    topic = "dispatch.parcel_failed.v1"
    aggregate = "parcel_id"
    readers = ("checkout.refund_failed_parcel",)

    parcel_id: UUID
    order_id: UUID
    unit_ids: UnitIds
    failure: ParcelFailure


class GoodsRefundFenced(Event):
    """The parcel is stopped: the refund may go ahead."""

    topic = "dispatch.refund_fenced.v1"
    aggregate = "refund_id"
    readers = ("checkout.approve_goods_refund",)

    refund_id: UUID
    order_id: UUID
    unit_ids: UnitIds


class GoodsRefundRefused(Event):
    """The parcel could not be stopped: `code` says why, for instance `parcel_handed_over`. What a buyer asks for too
    late is disputed instead."""

    topic = "dispatch.refund_refused.v1"
    aggregate = "refund_id"
    readers = ("checkout.refuse_goods_refund",)

    refund_id: UUID
    order_id: UUID
    code: str


class GoodsDisputed(Event):
    """These goods have left and their buyer wants the money back: not paid out until the review ends."""

    topic = "dispatch.goods_disputed.v1"
    aggregate = "refund_id"
    readers = ("checkout.review_goods_refund", "settlement.hold_disputed_goods")

    refund_id: UUID
    order_id: UUID
    merchant_id: UUID
    unit_ids: UnitIds


EVENTS: tuple[type[Event], ...] = (
    ParcelAccepted,
    ParcelHandedOver,
    ParcelDelivered,
    ParcelReceived,
    ParcelFailed,
    GoodsRefundFenced,
    GoodsRefundRefused,
    GoodsDisputed,
)
