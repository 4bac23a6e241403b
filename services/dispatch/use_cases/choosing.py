"""What merchants decide when carriers fail: wait on, deliver it themselves, take goods back. A refund is a refusal."""

from uuid import UUID

from services.dispatch.domain.attempts import AttemptState, Snapshot
from services.dispatch.domain.parcels import DispatchState, ParcelState
from services.dispatch.domain.refusals import (
    CarrierInvolved,
    NotAccepted,
    NotHandedOver,
    NotReturning,
    ParcelClosed,
    ParcelHandedOver,
    ParcelRefunding,
)
from services.dispatch.domain.timeline import What
from services.dispatch.store import attempts, happenings, searches
from services.dispatch.store.parcels import Parcel
from services.dispatch.use_cases import announcing, clockwork, dispatching, stopping
from services.dispatch.use_cases.following import MERCHANT, take_report
from services.dispatch.use_cases.permissions import HANDLES_ORDERS, held_for_staff
from services.dispatch.world import DispatchWorld
from shared.contracts.catalog import DeliveryMode
from shared.database import Transaction
from shared.messaging import timers


async def keep_waiting(tx: Transaction, caller: str, parcel_id: UUID) -> None:
    """Look for a carrier once more, as if nothing had been tried. Repeating it while one is looked for changes
    nothing."""
    parcel = await held_for_staff(tx, caller, parcel_id, HANDLES_ORDERS)
    _refuse_unless_open(parcel)
    if parcel.state is ParcelState.HANDED_OVER:
        raise ParcelHandedOver
    if await searches.again(tx, parcel_id) is not None:
        await happenings.note(tx, parcel_id, What.SEARCHED_AGAIN)
        await timers.schedule(tx, clockwork.DISPATCH_PARCEL, parcel_id, tx.now)


async def deliver_ourselves(tx: Transaction, world: DispatchWorld, caller: str, parcel_id: UUID) -> None:
    """The merchant's own riders get the parcel. Raises CarrierInvolved while a carrier has it: switch it first."""
    parcel = await held_for_staff(tx, caller, parcel_id, HANDLES_ORDERS)
    _refuse_unless_open(parcel)
    live = await attempts.live_attempt(tx, parcel_id)
    if live is not None and live.carried_as is DeliveryMode.SELF:
        return
    waits = parcel.mode is DeliveryMode.SELF or parcel.dispatch_state is DispatchState.MANUAL
    if live is not None or not waits or await stopping.is_stopping(tx, parcel):
        raise CarrierInvolved
    await timers.cancel(tx, clockwork.DISPATCH_PARCEL, parcel_id)
    await dispatching.open_own_attempt(tx, world, parcel)


async def confirm_return(tx: Transaction, world: DispatchWorld, caller: str, parcel_id: UUID) -> None:
    """The goods are back in the store, so the order is refunded. A carrier that wants to hear of it is told."""
    parcel = await held_for_staff(tx, caller, parcel_id, HANDLES_ORDERS)
    if parcel.state is ParcelState.RETURNED:
        return
    if parcel.state is not ParcelState.HANDED_OVER:
        raise NotHandedOver
    live = await attempts.live_attempt(tx, parcel_id)
    if live is None:
        if parcel.dispatch_state is not DispatchState.MANUAL:
            raise NotReturning
        await announcing.came_to_grief(tx, parcel, ParcelState.RETURNED)
        return
    own = live.carried_as is DeliveryMode.SELF
    if not own and live.state is not AttemptState.RETURNING:
        raise NotReturning
    returning = Snapshot("returning", AttemptState.RETURNING, picked_up=True)
    await take_report(tx, world, live.attempt_id, returning, MERCHANT, asked=True)
    back = Snapshot("return_confirmed", AttemptState.RETURNED, picked_up=True)
    await take_report(tx, world, live.attempt_id, back, MERCHANT, asked=True)
    if world.carriers.of(live.provider, live.account).caps.confirms_returns:
        await timers.schedule(tx, clockwork.CONFIRM_RETURN, live.attempt_id, tx.now)


def _refuse_unless_open(parcel: Parcel) -> None:
    if parcel.state is ParcelState.REFUNDING:
        raise ParcelRefunding
    if parcel.state is ParcelState.PLACED:
        raise NotAccepted
    if parcel.state not in (ParcelState.ACCEPTED, ParcelState.HANDED_OVER):
        raise ParcelClosed
