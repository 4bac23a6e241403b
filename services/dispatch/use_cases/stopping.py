"""Stops a parcel before hand-over: a carrier that may be coming is called off first, and only its answer decides."""

from services.dispatch.domain.attempts import AttemptState
from services.dispatch.domain.parcels import FenceAnswer, Stop, answer_fence
from services.dispatch.domain.timeline import What
from services.dispatch.gateways.port import CancelReason
from services.dispatch.store import attempts, fences, happenings, parcel_changes
from services.dispatch.store.attempts import Attempt
from services.dispatch.store.fences import Fence
from services.dispatch.store.parcels import Parcel
from services.dispatch.use_cases import announcing, clockwork, disputes
from shared.contracts.catalog import DeliveryMode
from shared.database import Transaction
from shared.errors import NotYet
from shared.messaging import timers

_CANCEL_REASONS = {
    Stop.NOT_HANDED_OVER: CancelReason.NO_RIDER,
    Stop.NO_CARRIER: CancelReason.NO_RIDER,
    Stop.REFUSED_BY_MERCHANT: CancelReason.MERCHANT,
    Stop.REFUNDED: CancelReason.BUYER_REFUND,
}


async def begin_stop(tx: Transaction, parcel: Parcel, stop: Stop) -> None:
    """Stop a parcel (whose lock the caller holds) now, or as soon as its carrier has confirmed."""
    if await _is_called_off(tx, parcel, _CANCEL_REASONS[stop]):
        await announcing.stopped(tx, parcel, stop)
    else:
        await parcel_changes.stop_for(tx, parcel.parcel_id, stop, parcel.refund_id)


async def answer_refund(tx: Transaction, parcel: Parcel, fence: Fence) -> None:
    """Answer a request to refund units of a parcel whose lock the caller holds, or have the carrier called off so
    that it can be answered. Raises NotYet while an earlier refund of the same goods is undecided."""
    if fence.after_use:
        await disputes.answer(tx, parcel, fence)
        return
    live = await attempts.live_attempt(tx, parcel.parcel_id)
    whole = set(fence.unit_ids) >= set(parcel.unit_ids)
    answer, code = answer_fence(parcel.state, whole=whole, carrier_involved=live is not None, by_buyer=fence.by_buyer)
    if answer is FenceAnswer.REVIEW:
        await disputes.answer(tx, parcel, fence)
    elif answer is FenceAnswer.REFUSE:
        await announcing.refund_refused(tx, parcel, fence, code)
    elif answer is FenceAnswer.OTHER_REFUND_FIRST:
        raise NotYet("an earlier refund of this parcel is not decided yet")
    elif answer is FenceAnswer.ALREADY_STOPPED:
        await announcing.fenced(tx, parcel, fence)
    elif await _is_called_off(tx, parcel, CancelReason.BUYER_REFUND):
        await _fence(tx, parcel, fence)
    else:
        await happenings.note(tx, parcel.parcel_id, What.REFUND_ASKED)


async def answer_what_waited(tx: Transaction, parcel: Parcel) -> None:
    """The goods have left after all: refunds that waited for the carrier's answer get theirs."""
    for fence in await fences.waiting(tx, parcel.order_id):
        await answer_refund(tx, parcel, fence)


async def settle(tx: Transaction, parcel: Parcel) -> bool:
    """Finish whatever waited for the carrier to be gone; False if nothing did, and the goods need another carrier."""
    for fence in await fences.waiting(tx, parcel.order_id):
        if set(fence.unit_ids) >= set(parcel.unit_ids):
            await _fence(tx, parcel, fence)
            return True
    if parcel.stopping_for is not None:
        await announcing.stopped(tx, parcel, parcel.stopping_for)
        return True
    return False


async def is_stopping(tx: Transaction, parcel: Parcel) -> bool:
    """Whether somebody waits for this parcel to be stopped."""
    return parcel.stopping_for is not None or bool(await fences.waiting(tx, parcel.order_id))


async def _fence(tx: Transaction, parcel: Parcel, fence: Fence) -> None:
    if await parcel_changes.fence(tx, parcel.parcel_id, fence.refund_id) is not None:
        await clockwork.stop_parcel_timers(tx, parcel.parcel_id)
        await announcing.fenced(tx, parcel, fence)


async def _is_called_off(tx: Transaction, parcel: Parcel, reason: CancelReason) -> bool:
    """Whether no carrier has anything to do with the parcel (any more)."""
    live = await attempts.live_attempt(tx, parcel.parcel_id)
    if live is None:
        return True
    return await call_off(tx, live, reason)


async def call_off(tx: Transaction, live: Attempt, reason: CancelReason) -> bool:
    """Take a live attempt back; whether it is over already. If not, the carrier is asked, and its answer decides."""
    await attempts.want_cancelled(tx, live.attempt_id, reason.value)
    if await _ended_here(tx, live):
        return True
    await timers.schedule(tx, clockwork.CANCEL_ATTEMPT, live.attempt_id, tx.now)
    return False


async def _ended_here(tx: Transaction, live: Attempt) -> bool:
    """An order that was never sent, or the merchant's own rider who has not left, needs nobody's consent."""
    if live.carried_as is not DeliveryMode.SELF and live.state is not AttemptState.CREATED:
        return False
    if not await attempts.move(tx, live.attempt_id, before=live.state, after=AttemptState.CANCELLED):
        return False
    await clockwork.stop_attempt_timers(tx, live.attempt_id)
    return True
