"""Takes an order back at its carrier, and asks when the answer leaves a doubt: it may lose to the pickup."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from services.dispatch.domain.attempts import PICKED_UP, TERMINAL, WITH_CARRIER, AttemptState, Snapshot
from services.dispatch.domain.parcels import ask_again_after
from services.dispatch.gateways.port import Cancelled, CancelReason, Carrier, Outcome, ProviderRef, Reason, Result
from services.dispatch.store import attempts, zombies
from services.dispatch.store.attempts import Attempt
from services.dispatch.store.parcels import Parcel
from services.dispatch.use_cases import clockwork, stopping
from services.dispatch.use_cases.accounts import leave_out_by
from services.dispatch.use_cases.following import QUERY, end_attempt, hold, take_report
from services.dispatch.use_cases.shipments import reference
from services.dispatch.world import DispatchWorld
from shared.database import Transaction
from shared.messaging import timers

_UNTIL_KNOWN = timedelta(seconds=2)
_ZOMBIE_PAUSE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Cancellation:
    """All that the calls need."""

    carrier: Carrier
    ref: ProviderRef
    reason: CancelReason

    async def send(self) -> Result[Cancelled]:
        """Take the order back."""
        return await self.carrier.cancel(self.ref, self.reason)

    async def ask(self) -> Result[Snapshot]:
        """Where the order is."""
        return await self.carrier.query(self.ref)


async def prepare(tx: Transaction, world: DispatchWorld, attempt_id: UUID) -> Cancellation | None:
    """What to cancel; None if there is nothing (any more, or not yet) to cancel at the carrier."""
    held = await hold(tx, attempt_id)
    if held is None:
        await timers.cancel(tx, clockwork.CANCEL_ATTEMPT, attempt_id)
        return None
    parcel, attempt = held
    if attempt.state is AttemptState.CREATED:
        await end_attempt(tx, world, parcel, attempt, AttemptState.CANCELLED)
    elif attempt.state in TERMINAL or attempt.picked_up or attempt.cancel_reason is None:
        await timers.cancel(tx, clockwork.CANCEL_ATTEMPT, attempt_id)
    elif await _is_pointless(tx, parcel, attempt):
        await attempts.keep_after_all(tx, attempt_id)
        await timers.cancel(tx, clockwork.CANCEL_ATTEMPT, attempt_id)
    elif attempt.state not in WITH_CARRIER:
        await timers.schedule(tx, clockwork.CANCEL_ATTEMPT, attempt_id, tx.now + _UNTIL_KNOWN)
    else:
        carrier = world.carriers.of(attempt.provider, attempt.account)
        return Cancellation(carrier, reference(world, parcel, attempt), CancelReason(attempt.cancel_reason))
    return None


async def _is_pointless(tx: Transaction, parcel: Parcel, attempt: Attempt) -> bool:
    """Called off for want of a rider, and now there is one."""
    rider_came = attempt.state in (AttemptState.ASSIGNED, AttemptState.AT_PICKUP)
    no_rider = attempt.cancel_reason == CancelReason.NO_RIDER
    return no_rider and rider_came and not await stopping.is_stopping(tx, parcel)


async def record(
    tx: Transaction, world: DispatchWorld, attempt_id: UUID, asked: Cancellation, answer: Result[Cancelled]
) -> bool:
    """What the carrier said to the cancellation. False: only a query can tell what is true."""
    if answer.value is None:
        await leave_out_by(tx, asked.carrier, attempt_id, answer)
        return False
    snapshot = Snapshot("cancelled", AttemptState.CANCELLED, cancel_fee_fen=answer.value.fee_fen)
    await take_report(tx, world, attempt_id, snapshot, QUERY, asked=True)
    await timers.cancel(tx, clockwork.CANCEL_ATTEMPT, attempt_id)
    return True


async def record_query(
    tx: Transaction, world: DispatchWorld, attempt_id: UUID, answer: Result[Snapshot], times_asked: int
) -> None:
    """What the carrier said after it would not confirm the cancellation; without evidence it is tried again."""
    if answer.value is not None:
        after = await take_report(tx, world, attempt_id, answer.value, QUERY, asked=True)
        if after is None or after.state in TERMINAL | PICKED_UP or after.picked_up:
            await timers.cancel(tx, clockwork.CANCEL_ATTEMPT, attempt_id)
            return
    pause = ask_again_after(times_asked)
    await timers.schedule(tx, clockwork.CANCEL_ATTEMPT, attempt_id, tx.now + pause, {"asked": times_asked + 1})


async def prepare_zombie(tx: Transaction, world: DispatchWorld, attempt_id: UUID) -> Cancellation | None:
    """An attempt that is over here and lives at its carrier."""
    held = await hold(tx, attempt_id)
    if held is None or held[1].zombie_since is None:
        await timers.cancel(tx, clockwork.LAY_ZOMBIE, attempt_id)
        return None
    parcel, attempt = held
    carrier = world.carriers.of(attempt.provider, attempt.account)
    return Cancellation(carrier, reference(world, parcel, attempt), CancelReason.FENCE)


async def record_zombie(
    tx: Transaction, attempt_id: UUID, asked: Cancellation, answer: Result[Cancelled], seen: Result[Snapshot]
) -> None:
    """Rest for the zombie once the carrier says that it is over; otherwise again later, and a misfit until then."""
    # "No such order" proves something only where the carrier could have recognised it.
    recognisable = asked.carrier.caps.cancel_by_our_key or asked.ref.provider_id is not None
    unknown_there = answer.outcome is Outcome.REJECTED and answer.reason is Reason.NOT_FOUND
    gone = answer.value is not None or (recognisable and unknown_there)
    ended = seen.value is not None and seen.value.state is AttemptState.CANCELLED
    if gone or ended:
        await zombies.lay(tx, attempt_id)
        await timers.cancel(tx, clockwork.LAY_ZOMBIE, attempt_id)
    else:
        await timers.schedule(tx, clockwork.LAY_ZOMBIE, attempt_id, tx.now + _ZOMBIE_PAUSE)
