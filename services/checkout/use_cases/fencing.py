"""A refund begins: its units are fenced here, and whoever fulfils them is asked to fence them too."""

from collections.abc import Sequence
from uuid import UUID

from services.checkout.domain.orders import Order, OrderUnit
from services.checkout.domain.refunds import Refund, RefundState
from services.checkout.domain.reviews import asked_fen
from services.checkout.domain.timeline import What
from services.checkout.store import orders, payments, refunds
from services.checkout.use_cases import schedule
from shared.contracts.checkout import RefundCause, RefundRequested
from shared.database import Transaction
from shared.errors import IdTaken
from shared.messaging import outbox


async def fence(
    tx: Transaction, refund_id: UUID, order: Order, units: Sequence[OrderUnit], cause: RefundCause, reason: str,
    by: str | None,
) -> Refund:  # fmt: skip
    """Open a refund of these units, which the caller has seen to be free while it holds the order."""
    attempt = await payments.paid_attempt(tx, order.order_id)
    assert attempt is not None, "a paid order has the attempt that paid it"
    refund = Refund(
        refund_id=refund_id,
        order_id=order.order_id,
        attempt_id=attempt.attempt_id,
        cause=cause.value,
        state=RefundState.FENCING,
        amount_fen=sum(asked_fen(unit, cause) for unit in units),
        reason=reason,
        requested_by=by,
        requested_at=tx.now,
        succeeded_at=None,
        refused_code=None,
        tries=0,
        units={unit.unit_id: asked_fen(unit, cause) for unit in units},
    )
    if not await refunds.add_refund(tx, refund):
        raise IdTaken
    states = {unit.state for unit in units}
    fenced = await refunds.fence_units(tx, order.order_id, list(refund.units), states)
    assert fenced == len(units), "the order is held, so its units are what they were"
    await orders.add_entry(tx, order.order_id, What.REFUND_REQUESTED, tx.now, refund_id)
    await schedule.flag_unfenced(tx, refund_id)
    await outbox.emit(
        tx,
        RefundRequested(
            occurred_at=tx.now,
            refund_id=refund_id,
            order_id=order.order_id,
            kind=order.kind,
            unit_ids=tuple(refund.units),
            cause=cause,
        ),
    )
    return refund
