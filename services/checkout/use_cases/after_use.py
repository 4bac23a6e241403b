"""The two ends of a refund that is reviewed: whether it may be asked for, and that it ended without money."""

from collections.abc import Sequence
from uuid import UUID

from services.checkout.domain.orders import Order
from services.checkout.domain.refunds import Refund
from services.checkout.domain.refusals import AlreadyReviewed, ReviewPeriodOver
from services.checkout.domain.reviews import ReviewRules
from services.checkout.store import reviews
from shared.contracts.checkout import DisputeClosed, RefundCause
from shared.database import Transaction
from shared.messaging import outbox


async def check(tx: Transaction, rules: ReviewRules, order: Order, unit_ids: Sequence[UUID]) -> None:
    """Raise why the uses of these units can no longer be disputed. The caller holds their order."""
    await check_unreviewed(tx, order, unit_ids, RefundCause.AFTER_USE)
    used_at = await reviews.oldest_use(tx, order.order_id, unit_ids)
    if used_at is not None and tx.now >= used_at + rules.ask_within:
        raise ReviewPeriodOver(until=(used_at + rules.ask_within).isoformat())


async def check_unreviewed(tx: Transaction, order: Order, unit_ids: Sequence[UUID], cause: RefundCause) -> None:
    """Raise when a review of any of these units, asked for by this cause, ended against the buyer. That somebody was
    refused their change of mind on the way says nothing about what they find when the goods arrive."""
    if await reviews.was_refused(tx, order.order_id, unit_ids, cause):
        raise AlreadyReviewed


async def say_closed(tx: Transaction, refund: Refund, order: Order) -> None:
    """No money goes back: whoever held the uses back lets them go."""
    await outbox.emit(
        tx,
        DisputeClosed(
            occurred_at=tx.now,
            refund_id=refund.refund_id,
            order_id=order.order_id,
            merchant_id=order.merchant_id,
            kind=order.kind,
            unit_ids=tuple(refund.units),
        ),
    )
