"""The end of a parcel: receipt by the buyer or by time, deadlines that passed, a loss that an operator declares."""

from collections.abc import Sequence
from uuid import UUID

from services.dispatch.domain.attempts import AttemptState, Snapshot
from services.dispatch.domain.parcels import DispatchState, ParcelState, Stop
from services.dispatch.domain.refusals import NoSuchParcel, NotDelivered, NotHandedOver, ParcelDisputed
from services.dispatch.domain.timeline import What
from services.dispatch.store import attempts, happenings, parcel_changes, parcels
from services.dispatch.use_cases import announcing, stopping
from services.dispatch.use_cases.following import MERCHANT, take_report
from services.dispatch.use_cases.permissions import held_for_buyer
from services.dispatch.world import DispatchWorld
from shared.contracts.dispatch import ParcelFailure
from shared.database import Transaction


async def confirm_receipt(tx: Transaction, caller: str, parcel_id: UUID) -> None:
    """The buyer has the goods. Confirming twice changes nothing."""
    parcel = await held_for_buyer(tx, caller, parcel_id)
    if parcel.state is ParcelState.RECEIVED:
        return
    after = await parcel_changes.receive(tx, parcel_id)
    if after is None:
        raise ParcelDisputed if parcel.state is ParcelState.DISPUTED else NotDelivered
    await announcing.received(tx, after, automatic=False)


async def receive_silently(tx: Transaction, parcel_ids: Sequence[UUID]) -> None:
    """The buyers' time to object is over."""
    for parcel in await parcel_changes.receive_due(tx, parcel_ids):
        await announcing.received(tx, parcel, automatic=True)


async def give_up_unaccepted(tx: Transaction, parcel_ids: Sequence[UUID]) -> None:
    """The merchants' time to accept is over."""
    for parcel in await parcel_changes.fail_unaccepted(tx, parcel_ids):
        await announcing.failed(tx, parcel, ParcelFailure.NOT_ACCEPTED)


async def give_up_not_handed_over(tx: Transaction, parcel_ids: Sequence[UUID]) -> None:
    """The time to hand over is over: a carrier that may still come is called off first."""
    for parcel_id in sorted(parcel_ids):
        parcel = await parcels.lock_parcel(tx, parcel_id)
        if parcel is None or parcel.state is not ParcelState.ACCEPTED or parcel.hand_over_by > tx.now:
            continue
        manual = parcel.dispatch_state is DispatchState.MANUAL
        await stopping.begin_stop(tx, parcel, Stop.NO_CARRIER if manual else Stop.NOT_HANDED_OVER)


async def declare_lost(tx: Transaction, world: DispatchWorld, parcel_id: UUID, reason: str) -> None:
    """An operator says that goods which left the merchant will never arrive."""
    parcel = await parcels.lock_parcel(tx, parcel_id)
    if parcel is None:
        raise NoSuchParcel
    if parcel.state is ParcelState.LOST:
        return
    if parcel.state is not ParcelState.HANDED_OVER:
        raise NotHandedOver
    await happenings.note(tx, parcel_id, What.LOSS_DECLARED, reason=reason)
    live = await attempts.live_attempt(tx, parcel_id)
    if live is None:
        await announcing.came_to_grief(tx, parcel, ParcelState.LOST)
    else:
        lost = Snapshot("declared_lost", AttemptState.LOST, picked_up=True)
        await take_report(tx, world, live.attempt_id, lost, MERCHANT, asked=True)
