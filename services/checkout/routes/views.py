"""What clients see of orders and refunds."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, Field

from services.checkout.domain.addresses import masked_subject
from services.checkout.domain.orders import Order, OrderState, OrderUnit, UnitState
from services.checkout.domain.refunds import Refund, RefundState, expected_by, money_back_by
from services.checkout.domain.reviews import whose_deadline
from services.checkout.domain.timeline import Entry, What
from services.checkout.store import orders, refunds
from shared.contracts.catalog import CashVoucherTerms, DealForm, DealKind, DeliveryMode, RefundPolicy
from shared.database import Transaction


class UnitView(BaseModel):
    unit_id: UUID
    state: UnitState
    paid_fen: int
    uses: int
    uses_left: int = Field(description="As far as redemption has told of its uses; a refund pays these")


class ReviewView(BaseModel):
    """Null is not answered, or never to be: silence until `due_at` is a yes."""

    opened_at: datetime
    due_at: datetime
    agreed: bool | None
    answer_reason: str | None
    answered_at: datetime | None
    appeal_until: datetime | None
    appeal_text: str | None
    appealed_at: datetime | None
    upheld: bool | None
    arbitration_reason: str | None
    arbitrated_at: datetime | None


class RefundView(BaseModel):
    refund_id: UUID
    order_id: UUID
    state: RefundState
    cause: str
    unit_ids: list[UUID]
    amount_fen: int
    refused_code: str | None
    requested_at: datetime
    succeeded_at: datetime | None
    expected_by: date = Field(
        description="Last of the 1-3 working days after the request, if nothing stands in its way"
    )
    money_back_by: date | None = Field(
        description="Last of the 1-3 working days after it was approved, then after the channel gave the money back; "
        "null while somebody decides, and for what is not refunded"
    )
    reason: str = Field(description="The buyer's")
    deadline: datetime | None = Field(description="Until when merchant or buyer, whoever is to act, has time")
    review: ReviewView | None = Field(
        description="What was said about a refund after the use, or of goods that have left"
    )
    undelivered: bool = Field(description="Its review ended without a word because the goods will not arrive")

    @classmethod
    def of(cls, refund: Refund) -> "RefundView":
        """The refund as its buyer sees it."""
        review = refund.review
        return cls(
            refund_id=refund.refund_id,
            order_id=refund.order_id,
            state=refund.state,
            cause=refund.cause,
            unit_ids=list(refund.units),
            amount_fen=refund.amount_fen,
            refused_code=refund.refused_code,
            requested_at=refund.requested_at,
            succeeded_at=refund.succeeded_at,
            expected_by=expected_by(refund.sent_from),
            money_back_by=money_back_by(refund),
            reason=refund.reason,
            deadline=review and whose_deadline(refund.state, review.due_at, review.appeal_until),
            review=ReviewView.model_validate(review, from_attributes=True) if review else None,
            undelivered=refund.undelivered,
        )


class DeliveryView(BaseModel):
    mode: DeliveryMode
    fee_fen: int
    parcel_state: str | None
    masked_phone: str
    masked_address: str


class EntryView(BaseModel):
    at: datetime
    what: What
    text_zh: str
    text_en: str


class OrderView(BaseModel):
    order_id: UUID
    order_no: str
    state: OrderState
    kind: DealKind
    form: DealForm
    deal_id: UUID
    deal_version: int
    title: str
    cover: str
    merchant_id: UUID
    store_ids: list[UUID]
    cash: CashVoucherTerms | None
    refund_policy: RefundPolicy
    quantity: int
    unit_price_fen: int
    delivery_fee_fen: int
    total_fen: int
    placed_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    closed_at: datetime | None
    refunded_fen: int
    units: list[UnitView]
    refunds: list[RefundView]
    delivery: DeliveryView | None
    timeline: list[EntryView]


class StaffOrderView(OrderView):
    """An order as the merchant's staff and operators list it: nobody's phone, address or account in full."""

    masked_buyer: str


def order_view(
    order: Order, units: Sequence[OrderUnit], order_refunds: Sequence[Refund] = (), noted: Sequence[Entry] = ()
) -> OrderView:
    """An order with everything that hangs on it."""
    return OrderView(
        order_id=order.order_id,
        order_no=order.order_no,
        state=order.state,
        kind=order.kind,
        form=order.form,
        deal_id=order.deal_id,
        deal_version=order.deal_version,
        title=order.title,
        cover=order.cover,
        merchant_id=order.merchant_id,
        store_ids=list(order.store_ids),
        cash=order.cash,
        refund_policy=order.refund_policy,
        quantity=order.quantity,
        unit_price_fen=order.unit_price_fen,
        delivery_fee_fen=order.delivery.fee_fen if order.delivery else 0,
        total_fen=order.total_fen,
        placed_at=order.placed_at,
        expires_at=order.expires_at,
        paid_at=order.paid_at,
        closed_at=order.closed_at,
        refunded_fen=order.refunded_fen,
        units=[_unit(unit) for unit in units],
        refunds=[RefundView.of(refund) for refund in order_refunds],
        delivery=_delivery(order),
        timeline=_timeline(order, noted),
    )


async def order_views(tx: Transaction, found: Sequence[Order]) -> list[OrderView]:
    """Orders with everything that hangs on them, by one question per kind of part."""
    ids = [order.order_id for order in found]
    units = await orders.units_of(tx, ids)
    of_orders = await refunds.refunds_of(tx, ids)
    noted = await orders.entries_of(tx, ids)
    return [
        order_view(order, units[order.order_id], of_orders[order.order_id], noted[order.order_id]) for order in found
    ]


async def staff_order_views(tx: Transaction, found: Sequence[Order]) -> list[StaffOrderView]:
    """The same for staff."""
    views = zip(found, await order_views(tx, found), strict=True)
    return [StaffOrderView(**dict(view), masked_buyer=masked_subject(order.buyer)) for order, view in views]


def _unit(unit: OrderUnit) -> UnitView:
    return UnitView(
        unit_id=unit.unit_id,
        state=unit.state,
        paid_fen=unit.paid_fen,
        uses=len(unit.uses),
        uses_left=unit.uses_left,
    )


def _delivery(order: Order) -> DeliveryView | None:
    if order.delivery is None:
        return None
    return DeliveryView(
        mode=order.delivery.mode,
        fee_fen=order.delivery.fee_fen,
        parcel_state=order.parcel_state,
        masked_phone=order.delivery.masked_phone,
        masked_address=order.delivery.masked_address,
    )


def _timeline(order: Order, noted: Sequence[Entry]) -> list[EntryView]:
    entries = [Entry(order.placed_at, What.PLACED), *noted]
    if order.paid_at:
        entries.append(Entry(order.paid_at, What.PAID))
    if order.closed_at:
        entries.append(Entry(order.closed_at, What.CLOSED))
    return [
        EntryView(at=entry.at, what=entry.what, text_zh=entry.text("zh"), text_en=entry.text("en"))
        for entry in sorted(entries, key=lambda entry: entry.at)
    ]
