"""What the merchant does with a parcel: accept, refuse, hand over to their own rider, deliver with the buyer's code."""

from uuid import UUID

from services.dispatch.domain.attempts import AttemptState, Rider, Snapshot
from services.dispatch.domain.parcels import ARRIVED, DispatchState, ParcelState, Stop
from services.dispatch.domain.receive_codes import matches
from services.dispatch.domain.refusals import (
    CarrierInvolved,
    NotAccepted,
    NotHandedOver,
    ParcelClosed,
    ParcelHandedOver,
    ParcelRefunding,
    ReceiveCodeLocked,
    RiderTaken,
    WrongReceiveCode,
)
from services.dispatch.domain.timeline import What
from services.dispatch.store import attempts, copies, happenings, parcel_changes, riders
from services.dispatch.store.attempts import Attempt
from services.dispatch.store.parcels import Parcel
from services.dispatch.use_cases import announcing, dispatching, stopping
from services.dispatch.use_cases.following import MERCHANT, take_report
from services.dispatch.use_cases.permissions import CARRIES, HANDLES_ORDERS, held_for_staff
from services.dispatch.world import DispatchWorld
from shared.contracts.catalog import DeliveryMode
from shared.database import Transaction
from shared.errors import DomainError

_OPEN = frozenset({ParcelState.PLACED, ParcelState.ACCEPTED, ParcelState.HANDED_OVER})


def _refuse_closed(parcel: Parcel) -> None:
    if parcel.state is ParcelState.REFUNDING:
        raise ParcelRefunding
    if parcel.state not in _OPEN | ARRIVED:
        raise ParcelClosed


async def accept_parcel(tx: Transaction, caller: str, parcel_id: UUID) -> None:
    """The merchant takes the order on. Accepting what is accepted changes nothing."""
    parcel = await held_for_staff(tx, caller, parcel_id, HANDLES_ORDERS)
    _refuse_closed(parcel)
    if parcel.state is ParcelState.PLACED:
        await announcing.accepted(tx, parcel)


async def refuse_parcel(tx: Transaction, caller: str, parcel_id: UUID, reason: str) -> None:
    """The merchant will not deliver. A carrier that was called is called off first."""
    parcel = await held_for_staff(tx, caller, parcel_id, HANDLES_ORDERS)
    if parcel.state is ParcelState.FAILED or parcel.stopping_for is Stop.REFUSED_BY_MERCHANT:
        return
    _refuse_closed(parcel)
    if parcel.state not in (ParcelState.PLACED, ParcelState.ACCEPTED):
        raise ParcelHandedOver
    await happenings.note(tx, parcel_id, What.REFUSAL_GIVEN, reason=reason)
    await stopping.begin_stop(tx, parcel, Stop.REFUSED_BY_MERCHANT)


async def hand_over_parcel(tx: Transaction, world: DispatchWorld, caller: str, parcel_id: UUID, rider: str) -> None:
    """The goods leave with the merchant's own rider: as the buyer asked, or because no carrier would take them."""
    parcel = await held_for_staff(tx, caller, parcel_id, CARRIES)
    _refuse_closed(parcel)
    if parcel.state is ParcelState.PLACED:
        raise NotAccepted
    live = await attempts.live_attempt(tx, parcel_id)
    if _carries_already(parcel, live):
        return
    attempt = live or await _own_attempt(tx, world, parcel)
    if attempt.carried_as is not DeliveryMode.SELF:
        raise CarrierInvolved
    await _refuse_others(tx, caller, parcel, attempt)
    if parcel.state is ParcelState.HANDED_OVER:
        await parcel_changes.carry_as(tx, parcel_id, DeliveryMode.SELF)
    named = Rider(rider, "") if rider or attempt.rider_subject is None else None
    snapshot = Snapshot("handed_over", AttemptState.IN_TRANSIT, picked_up=True, rider=named)
    await take_report(tx, world, attempt.attempt_id, snapshot, MERCHANT, asked=True)


def _carries_already(parcel: Parcel, live: Attempt | None) -> bool:
    if parcel.state in ARRIVED:
        return True
    own = live is not None and live.carried_as is DeliveryMode.SELF
    return own and parcel.state is ParcelState.HANDED_OVER


async def _refuse_others(tx: Transaction, caller: str, parcel: Parcel, attempt: Attempt) -> None:
    """What one rider took another does not leave with; the store itself may send whom it likes."""
    if attempt.rider_subject in (None, caller):
        return
    if not await copies.works_at(tx, caller, parcel.merchant_id, parcel.store_id, HANDLES_ORDERS):
        raise RiderTaken


async def _own_attempt(tx: Transaction, world: DispatchWorld, parcel: Parcel) -> Attempt:
    if parcel.mode is not DeliveryMode.SELF and parcel.dispatch_state is not DispatchState.MANUAL:
        raise CarrierInvolved
    return await dispatching.open_own_attempt(tx, world, parcel)


async def deliver_parcel(
    tx: Transaction, world: DispatchWorld, caller: str, parcel_id: UUID, code: str
) -> DomainError | None:
    """The buyer took the goods and told their code. Returns the refusal of a wrong code, which counts: the caller
    commits, then raises it."""
    parcel = await held_for_staff(tx, caller, parcel_id, CARRIES)
    if parcel.delivered_at is not None:
        # Delivered before: the repetition of a done thing needs no proof, and its code is no guess.
        return None
    _refuse_closed(parcel)
    if parcel.state in (ParcelState.PLACED, ParcelState.ACCEPTED):
        raise NotHandedOver
    live = await attempts.live_attempt(tx, parcel_id)
    if live is None or live.carried_as is not DeliveryMode.SELF:
        raise CarrierInvolved
    if parcel.code_locked_until is not None and tx.now < parcel.code_locked_until:
        raise ReceiveCodeLocked
    if not matches(world.seals.open(parcel.sealed_receive_code), code):
        return await _count_wrong(tx, world, parcel)
    await riders.keep_proof(tx, live.attempt_id, parcel_id, "CODE", None, None)
    snapshot = Snapshot("receive_code", AttemptState.DELIVERED, picked_up=True)
    await take_report(tx, world, live.attempt_id, snapshot, MERCHANT, asked=True)
    return None


async def _count_wrong(tx: Transaction, world: DispatchWorld, parcel: Parcel) -> DomainError:
    policy = world.policy
    left = await parcel_changes.count_wrong_code(tx, parcel.parcel_id, policy.code_tries, tx.now + policy.code_lock)
    return WrongReceiveCode(left=left) if left else ReceiveCodeLocked()
