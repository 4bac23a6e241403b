"""Refunds as checkout asks for, completes or gives them up: who wins, the refund or the hand-over, is decided here."""

from uuid import UUID

from services.dispatch.domain.parcels import BEFORE_HAND_OVER, WILL_NOT_ARRIVE, ParcelState, Policy, Stop
from services.dispatch.domain.timeline import What
from services.dispatch.store import fences, happenings, parcels
from services.dispatch.store.parcels import Parcel
from services.dispatch.use_cases import announcing, disputes, stopping
from shared.contracts.catalog import DealKind
from shared.contracts.checkout import DisputeClosed, RefundAbandoned, RefundCause, RefundRequested, RefundSucceeded
from shared.database import Transaction


async def fence_refund(tx: Transaction, event: RefundRequested) -> None:
    """Answer a request, or leave it as a tombstone for a parcel that has not arrived here yet."""
    if event.kind is not DealKind.GOODS:
        return
    await parcels.hold_order(tx, event.order_id)
    fence = await fences.ask(
        tx, event.refund_id, event.order_id, event.unit_ids,
        after_use=event.cause is RefundCause.AFTER_USE, by_buyer=event.cause is RefundCause.BUYER,
    )  # fmt: skip
    parcel = await parcels.lock_parcel_of_order(tx, event.order_id)
    if fence is not None and parcel is not None:
        await stopping.answer_refund(tx, parcel, fence)


async def close_refund(tx: Transaction, event: RefundSucceeded) -> None:
    """The money is back. Goods that have not left are stopped, also if nobody asked us before (an external refund)."""
    if event.kind is not DealKind.GOODS:
        return
    await parcels.hold_order(tx, event.order_id)
    parcel = await parcels.lock_parcel_of_order(tx, event.order_id)
    unit_ids = tuple(unit.unit_id for unit in event.units)
    await fences.end(tx, event.refund_id, event.order_id, unit_ids, "CLOSED")
    if parcel is not None:
        await _take_refund(tx, parcel, event)


async def _take_refund(tx: Transaction, parcel: Parcel, event: RefundSucceeded) -> None:
    if parcel.state is ParcelState.REFUNDING:
        if event.external and parcel.refund_id != event.refund_id:
            # The goods stand still for another refund, which this one has overtaken.
            if not await announcing.is_refunded_whole(tx, parcel):
                return
            parcel = await _owed_to(tx, parcel, event)
        await announcing.refunded(tx, parcel, event.refund_id)
        return
    whole = await announcing.is_refunded_whole(tx, parcel)
    # An external refund is no end of a review: checkout says apart that it is over, before or after.
    await disputes.end(tx, parcel, event.refund_id, refunded_whole=whole and not event.external)
    if not whole:
        return
    if parcel.state in WILL_NOT_ARRIVE:
        await announcing.refunded(tx, parcel, event.refund_id)
    elif parcel.state is ParcelState.HANDED_OVER:
        # Nobody calls back what is carried already (decision 18): the goods go on, and end where they end.
        await _note_paid_back(tx, parcel, event.refund_id)
    elif parcel.state is ParcelState.DELIVERED:
        await announcing.end_paid_back(tx, await _owed_to(tx, parcel, event))
    elif parcel.state in BEFORE_HAND_OVER:
        await stopping.begin_stop(tx, await _owed_to(tx, parcel, event), Stop.REFUNDED)


async def _owed_to(tx: Transaction, parcel: Parcel, event: RefundSucceeded) -> Parcel:
    """The parcel with the refund that ends it noted on it."""
    return await parcels.note_refund(tx, parcel.parcel_id, event.refund_id) or parcel


async def _note_paid_back(tx: Transaction, parcel: Parcel, refund_id: UUID) -> None:
    if parcel.refund_id != refund_id:
        await parcels.note_refund(tx, parcel.parcel_id, refund_id)
        await happenings.note(tx, parcel.parcel_id, What.REFUNDED_UNDER_WAY)


async def lift_fence(tx: Transaction, policy: Policy, event: RefundAbandoned) -> None:
    """The refund was given up: the parcel goes on from where it was. A carrier that was called off meanwhile is
    replaced when it confirms."""
    if event.kind is not DealKind.GOODS:
        return
    await parcels.hold_order(tx, event.order_id)
    parcel = await parcels.lock_parcel_of_order(tx, event.order_id)
    before = await fences.end(tx, event.refund_id, event.order_id, event.unit_ids, "LIFTED")
    if parcel is not None:
        await announcing.lifted(tx, parcel, event.refund_id, policy)
        # It may have been given up while we sent it to the merchant for review.
        await _end_review(tx, parcel, event.refund_id, before)


async def close_dispute(tx: Transaction, event: DisputeClosed) -> None:
    """A review ended without money. A request that arrives later finds it ended."""
    if event.kind is not DealKind.GOODS:
        return
    await parcels.hold_order(tx, event.order_id)
    parcel = await parcels.lock_parcel_of_order(tx, event.order_id)
    before = await fences.end(tx, event.refund_id, event.order_id, event.unit_ids, "LIFTED")
    if parcel is not None:
        await _end_review(tx, parcel, event.refund_id, before)


async def _end_review(tx: Transaction, parcel: Parcel, refund_id: UUID, before: str | None) -> None:
    if parcel.state is ParcelState.HANDED_OVER and before == "DISPUTED":
        await happenings.note(tx, parcel.parcel_id, What.DISPUTE_OVER)
    await disputes.end(tx, parcel, refund_id, refunded_whole=False)
