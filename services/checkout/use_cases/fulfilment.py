"""What happens to bought units elsewhere, as redemption and dispatch report it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.checkout.domain.orders import Order, UnitState
from services.checkout.domain.timeline import What
from services.checkout.store import orders, uses
from services.checkout.use_cases import automatic_refunds, mass_refunds, refunds, reviews
from shared.contracts.dispatch import ParcelFailure
from shared.contracts.redemption import CertificateUsed, RecallReason, UseFinal, UseReversed, version_of_use
from shared.database import Transaction
from shared.errors import NotYet
from shared.observability import log

# The states of a parcel that each new one may follow; events may arrive in any order.
_AFTER = {
    "ACCEPTED": (),
    "HANDED_OVER": ("ACCEPTED",),
    "DELIVERED": ("ACCEPTED", "HANDED_OVER"),
    "RECEIVED": ("ACCEPTED", "HANDED_OVER", "DELIVERED"),
    "FAILED": ("ACCEPTED", "HANDED_OVER", "DELIVERED"),
}


_RECALLED = {
    RecallReason.STORE_CLOSED: What.STORE_CLOSED,
    RecallReason.MERCHANT_SUSPENDED: What.MERCHANT_SUSPENDED,
}


async def _hold(tx: Transaction, order_id: UUID) -> Order:
    order = await orders.lock_order(tx, order_id)
    if order is None:
        raise NotYet(f"order {order_id} is not here yet")
    return order


async def record_issued(tx: Transaction, order_id: UUID, at: datetime) -> None:
    """Every unit has its certificate."""
    await _hold(tx, order_id)
    await orders.mark_fulfilling(tx, order_id)
    await orders.add_entry(tx, order_id, What.ISSUED, at)


async def note_expiring(tx: Transaction, order_id: UUID, days_left: int, at: datetime) -> None:
    """Certificates of the order expire in some days: one line, however many they are."""
    await _hold(tx, order_id)
    await orders.add_entry(tx, order_id, What.EXPIRING, at, days_left)


async def record_use(tx: Transaction, event: CertificateUsed) -> None:
    """A certificate was used; it may still be reversed, or was already."""
    await _hold(tx, event.order_id)
    await _hear(tx, event, version_of_use(event.cycle), event.used_at)
    await orders.mark_fulfilling(tx, event.order_id)
    await orders.add_entry(tx, event.order_id, What.USED, event.used_at, event.use_id)


async def record_reversed_use(tx: Transaction, event: UseReversed) -> None:
    """A use was undone: it counts as never made, unless the same number was used again meanwhile. What happened to the
    certificate while it was used, or what of that was heard first, is made up for."""
    order = await _hold(tx, event.order_id)
    state = await _hear(tx, event, version_of_use(event.cycle, is_reversed=True), None)
    await orders.add_entry(tx, event.order_id, What.USE_REVERSED, event.reversed_at, event.use_id)
    if state is UnitState.OPEN:
        await automatic_refunds.take_up(tx, order, [event.unit_id])
        await mass_refunds.refund_if_called_off(tx, order)


async def record_final_use(tx: Transaction, event: UseFinal) -> None:
    """A use can no longer be reversed. Its own report may still be under way."""
    await _hold(tx, event.order_id)
    await _hear(tx, event, version_of_use(event.cycle), event.used_at)
    await uses.count_final_use(tx, event.unit_id, event.use_no, version_of_use(event.cycle))
    await orders.mark_fulfilling(tx, event.order_id)
    await orders.add_entry(tx, event.order_id, What.USED, event.used_at, event.use_id)
    await refunds.complete(tx, event.order_id)


async def _hear(
    tx: Transaction, event: CertificateUsed | UseReversed | UseFinal, version: int, used_at: datetime | None
) -> UnitState:
    await uses.hear_use(tx, event.order_id, event.unit_id, event.use_no, version, used_at)
    state = await uses.count_uses(tx, event.unit_id, event.use_no)
    if state is None:
        raise NotYet(f"unit {event.unit_id} is not here yet")
    return state


async def record_parcel(tx: Transaction, order_id: UUID, state: str, at: datetime) -> None:
    """The parcel went on: ACCEPTED, HANDED_OVER or DELIVERED."""
    await _hold(tx, order_id)
    await orders.advance_parcel(tx, order_id, state, _AFTER[state])
    await orders.mark_fulfilling(tx, order_id)
    await orders.add_entry(tx, order_id, What(f"PARCEL_{state}"), at)


async def record_received(tx: Transaction, order_id: UUID, unit_ids: Sequence[UUID], received_at: datetime) -> None:
    """The buyer has the goods: their units are final."""
    await record_parcel(tx, order_id, "RECEIVED", received_at)
    await orders.receive_units(tx, order_id, unit_ids, received_at)
    await refunds.complete(tx, order_id)


async def record_failed_parcel(tx: Transaction, order_id: UUID, failure: ParcelFailure, at: datetime) -> None:
    """The goods will not arrive: what the buyer paid goes back."""
    order = await _hold(tx, order_id)
    failed = automatic_refunds.PARCEL_FAILED
    if not await orders.advance_parcel(tx, order_id, failed, _AFTER[failed]):
        log.warning("parcel_failure_ignored", order_id=str(order_id), failure=failure, parcel_state=order.parcel_state)
        return
    await orders.add_entry(tx, order_id, What.PARCEL_FAILED, at)
    await reviews.end_undelivered(tx, order)
    await automatic_refunds.refund_failed_parcel(tx, order)


async def record_recalled(tx: Transaction, order_id: UUID, unit_id: UUID, reason: RecallReason) -> None:
    """No store takes this certificate any more, and redemption has fenced it."""
    await automatic_refunds.refund_unit(tx, await _hold(tx, order_id), unit_id, _RECALLED[reason])


async def record_issue_failed(tx: Transaction, order_id: UUID, unit_id: UUID) -> None:
    """No code came for this unit."""
    await automatic_refunds.refund_unit(tx, await _hold(tx, order_id), unit_id, What.ISSUE_FAILED)


async def record_expired(tx: Transaction, order_id: UUID, unit_id: UUID) -> None:
    """The time to use this certificate is over; under either policy its money goes back."""
    await automatic_refunds.refund_unit(tx, await _hold(tx, order_id), unit_id, What.EXPIRED)
