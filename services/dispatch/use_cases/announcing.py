"""The moves of a parcel that others must hear of: each changes the row, says so, and notes it in the timeline."""

from uuid import UUID

from services.dispatch.domain.parcels import ParcelState, Policy, Stop
from services.dispatch.domain.timeline import What
from services.dispatch.store import attempts, disputes, fences, happenings, parcel_changes
from services.dispatch.store.attempts import Attempt
from services.dispatch.store.fences import Fence
from services.dispatch.store.parcels import Parcel
from services.dispatch.use_cases import clockwork, deadlines
from shared.contracts.dispatch import (
    GoodsRefundFenced,
    GoodsRefundRefused,
    ParcelAccepted,
    ParcelDelivered,
    ParcelFailed,
    ParcelFailure,
    ParcelHandedOver,
    ParcelReceived,
)
from shared.database import Transaction
from shared.messaging import outbox, timers


async def accepted(tx: Transaction, parcel: Parcel) -> Parcel | None:
    """The merchant takes the order on: from here a carrier is looked for and the hand-over is due."""
    after = await parcel_changes.accept(tx, parcel.parcel_id)
    if after is None:
        return None
    await timers.cancel(tx, clockwork.ACCEPT_DEADLINE, after.parcel_id)
    await timers.schedule(tx, clockwork.HAND_OVER_DEADLINE, after.parcel_id, after.hand_over_by)
    await timers.schedule(tx, clockwork.DISPATCH_PARCEL, after.parcel_id, tx.now)
    await happenings.note(tx, after.parcel_id, What.ACCEPTED)
    await outbox.emit(
        tx,
        ParcelAccepted(
            occurred_at=tx.now,
            version=after.version,
            parcel_id=after.parcel_id,
            order_id=after.order_id,
            unit_ids=after.unit_ids,
        ),
    )
    return after


async def handed_over(tx: Transaction, parcel: Parcel, attempt: Attempt, carrier: str) -> Parcel | None:
    """The goods left the merchant. What waited for the carrier's answer is the caller's to answer now."""
    after = await parcel_changes.hand_over(tx, parcel.parcel_id, attempt.carried_as)
    if after is None:
        return None
    await clockwork.stop_parcel_timers(tx, after.parcel_id)
    await happenings.note(tx, after.parcel_id, What.HANDED_OVER, attempt.attempt_id)
    await outbox.emit(
        tx,
        ParcelHandedOver(
            occurred_at=tx.now,
            version=after.version,
            parcel_id=after.parcel_id,
            order_id=after.order_id,
            unit_ids=after.unit_ids,
            mode=attempt.carried_as,
            carrier=carrier,
            waybill=attempt.waybill,
        ),
    )
    return after


async def delivered(tx: Transaction, parcel: Parcel, attempt: Attempt, policy: Policy) -> Parcel | None:
    """The goods are at the door: the buyer's time to object begins, or, if they have objected on the way, goes on when
    the review is over. Goods whose money is back have only arrived."""
    receive_by = tx.now + policy.to_object(attempt.carried_as)
    after = await parcel_changes.deliver(tx, parcel.parcel_id, receive_by)
    if after is None:
        return None
    await happenings.note(tx, after.parcel_id, What.DELIVERED, attempt.attempt_id)
    await outbox.emit(
        tx,
        ParcelDelivered(
            occurred_at=tx.now,
            version=after.version,
            parcel_id=after.parcel_id,
            order_id=after.order_id,
            unit_ids=after.unit_ids,
            delivered_at=tx.now,
            received_by=receive_by,
        ),
    )
    if await is_refunded_whole(tx, after):
        await end_paid_back(tx, after)
    elif not await disputes.hold_reviewed(tx, after.parcel_id):
        await timers.schedule(tx, clockwork.RECEIVE_DEADLINE, after.parcel_id, receive_by)
    return after


async def is_refunded_whole(tx: Transaction, parcel: Parcel) -> bool:
    """Whether the money of every unit went back."""
    return await fences.refunded_units(tx, parcel.order_id) >= set(parcel.unit_ids)


async def end_paid_back(tx: Transaction, parcel: Parcel) -> None:
    """The journey of goods is over whose money went back: they are at the door, with the merchant again, or lost."""
    await timers.cancel(tx, clockwork.RECEIVE_DEADLINE, parcel.parcel_id)
    await disputes.hold(tx, parcel.parcel_id)
    await refunded(tx, parcel, parcel.refund_id or await fences.last_closed(tx, parcel.order_id))
    await attempts.forget_riders(tx, parcel.parcel_id)


async def received(tx: Transaction, parcel: Parcel, *, automatic: bool) -> None:
    """Receipt is confirmed (the row says so already): the units count as redeemed."""
    await timers.cancel(tx, clockwork.RECEIVE_DEADLINE, parcel.parcel_id)
    await attempts.forget_riders(tx, parcel.parcel_id)
    await happenings.note(tx, parcel.parcel_id, What.RECEIVED_AUTOMATICALLY if automatic else What.RECEIVED)
    await outbox.emit(
        tx,
        ParcelReceived(
            occurred_at=tx.now,
            version=parcel.version,
            parcel_id=parcel.parcel_id,
            order_id=parcel.order_id,
            merchant_id=parcel.merchant_id,
            store_id=parcel.store_id,
            unit_ids=parcel.unit_ids,
            received_at=tx.now,
            automatic=automatic,
        ),
    )


async def failed(tx: Transaction, parcel: Parcel, failure: ParcelFailure) -> None:
    """The goods will not arrive (the row says so already): checkout refunds them."""
    await clockwork.stop_parcel_timers(tx, parcel.parcel_id)
    await happenings.note(tx, parcel.parcel_id, What[failure.value])
    await outbox.emit(
        tx,
        ParcelFailed(
            occurred_at=tx.now,
            version=parcel.version,
            parcel_id=parcel.parcel_id,
            order_id=parcel.order_id,
            unit_ids=parcel.unit_ids,
            failure=failure,
        ),
    )


async def came_to_grief(tx: Transaction, parcel: Parcel, state: ParcelState) -> None:
    """The goods are back with the merchant, or gone. Checkout ends what of them is reviewed: nobody needs to agree
    any more."""
    after = await parcel_changes.come_to_grief(tx, parcel.parcel_id, state)
    if after is None:
        return
    await failed(tx, after, ParcelFailure(state.value))
    if await is_refunded_whole(tx, after):
        await end_paid_back(tx, after)


async def stopped(tx: Transaction, parcel: Parcel, stop: Stop) -> None:
    """The parcel is stopped for good, and no carrier has anything to do with it any more."""
    if stop is Stop.REFUNDED:
        assert parcel.refund_id is not None, "this stop names the refund that caused it"
        await refunded(tx, parcel, parcel.refund_id)
        return
    after = await parcel_changes.fail(tx, parcel.parcel_id, stop.value)
    if after is not None:
        await failed(tx, after, ParcelFailure(stop.value))


async def refunded(tx: Transaction, parcel: Parcel, refund_id: UUID) -> None:
    """The money is back with the buyer."""
    if await parcel_changes.refund(tx, parcel.parcel_id, refund_id) is not None:
        await clockwork.stop_parcel_timers(tx, parcel.parcel_id)
        await happenings.note(tx, parcel.parcel_id, What.REFUNDED)


async def fenced(tx: Transaction, parcel: Parcel, fence: Fence) -> None:
    """Nobody will hand these goods over: the refund may go ahead."""
    if await fences.answer(tx, fence.refund_id, "FENCED"):
        await happenings.note(tx, parcel.parcel_id, What.REFUND_FENCED)
        await outbox.emit(
            tx,
            GoodsRefundFenced(
                occurred_at=tx.now, refund_id=fence.refund_id, order_id=fence.order_id, unit_ids=fence.unit_ids
            ),
        )


async def refund_refused(tx: Transaction, parcel: Parcel, fence: Fence, code: str) -> None:
    """The goods could not be stopped."""
    if await fences.answer(tx, fence.refund_id, "REFUSED", code):
        await happenings.note(tx, parcel.parcel_id, What.REFUND_REFUSED)
        await outbox.emit(
            tx,
            GoodsRefundRefused(occurred_at=tx.now, refund_id=fence.refund_id, order_id=fence.order_id, code=code),
        )


async def lifted(tx: Transaction, parcel: Parcel, refund_id: UUID, policy: Policy) -> None:
    """The refund was given up: the merchant gets time again for what was due."""
    after = await parcel_changes.lift(
        tx,
        parcel.parcel_id,
        refund_id,
        accept_by=await deadlines.accept_by(tx, policy, parcel.store_id, parcel.mode),
        hand_over_by=tx.now + policy.to_hand_over(parcel.mode),
    )
    if after is None:
        return
    await happenings.note(tx, after.parcel_id, What.REFUND_LIFTED)
    if after.state is ParcelState.PLACED:
        await timers.schedule(tx, clockwork.ACCEPT_DEADLINE, after.parcel_id, after.accept_by)
    else:
        await timers.schedule(tx, clockwork.HAND_OVER_DEADLINE, after.parcel_id, after.hand_over_by)
        await timers.schedule(tx, clockwork.DISPATCH_PARCEL, after.parcel_id, tx.now)
