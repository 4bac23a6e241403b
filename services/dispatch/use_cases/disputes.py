"""Refunds of goods that have left: what arrived stands still until checkout says how each review of it ended; what is
on its way goes on, and stands still when it arrives."""

from uuid import UUID

from services.dispatch.domain.parcels import ParcelState, refusal_to_dispute
from services.dispatch.domain.timeline import What
from services.dispatch.store import disputes, fences, happenings
from services.dispatch.store.fences import Fence
from services.dispatch.store.parcels import Parcel
from services.dispatch.use_cases import announcing, clockwork
from shared.contracts.dispatch import GoodsDisputed
from shared.database import Transaction
from shared.messaging import outbox, timers


async def answer(tx: Transaction, parcel: Parcel, fence: Fence) -> None:
    """Have the merchant review goods that have left (the caller has the parcel's lock), or say why there is nothing to
    review. A parcel may be disputed by several refunds, each about other goods in it."""
    code = refusal_to_dispute(parcel.state)
    if code is not None:
        await announcing.refund_refused(tx, parcel, fence, code)
        return
    if not await fences.answer(tx, fence.refund_id, "DISPUTED"):
        return
    await disputes.hold(tx, parcel.parcel_id)
    await timers.cancel(tx, clockwork.RECEIVE_DEADLINE, parcel.parcel_id)
    await happenings.note(tx, parcel.parcel_id, What.DISPUTED)
    await outbox.emit(
        tx,
        GoodsDisputed(
            occurred_at=tx.now,
            refund_id=fence.refund_id,
            order_id=fence.order_id,
            merchant_id=parcel.merchant_id,
            unit_ids=fence.unit_ids,
        ),
    )


async def end(tx: Transaction, parcel: Parcel, refund_id: UUID, *, refunded_whole: bool) -> None:
    """One dispute of a parcel is over: the parcel ends when all of it is paid back, and is what it was when nothing of
    it is disputed any more. The buyer's time to confirm goes on from where it was."""
    if parcel.state is not ParcelState.DISPUTED:
        return
    if refunded_whole:
        await announcing.refunded(tx, parcel, refund_id)
        return
    after = await disputes.let_go(tx, parcel.parcel_id)
    if after is None:
        return
    await happenings.note(tx, after.parcel_id, What.DISPUTE_OVER)
    if after.state is ParcelState.DELIVERED:
        assert after.receive_by is not None, "delivered goods have their time to be confirmed"
        await timers.schedule(tx, clockwork.RECEIVE_DEADLINE, after.parcel_id, after.receive_by)
