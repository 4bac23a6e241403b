"""An errand runner that finds no rider: it is tipped once, then asked what leaving costs, and then called off.

Only the carrier's own word that the order is cancelled opens the way to the next one."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from services.dispatch.domain.attempts import AttemptState
from services.dispatch.domain.timeline import What
from services.dispatch.gateways.port import CancelReason, Carrier, Outcome, ProviderRef, Result
from services.dispatch.store import happenings, preferences, searches, tips
from services.dispatch.use_cases import clockwork, stopping
from services.dispatch.use_cases.accounts import leave_out_by
from services.dispatch.use_cases.following import hold, slack_of
from services.dispatch.use_cases.shipments import reference
from services.dispatch.world import DispatchWorld
from shared.database import Transaction
from shared.messaging import timers


@dataclass(frozen=True, slots=True)
class Step:
    """The next thing to ask of the carrier: to take a tip (`tip_fen`), or what a cancellation would cost."""

    carrier: Carrier
    ref: ProviderRef
    tip_fen: int | None

    async def call(self) -> Result[Any]:
        if self.tip_fen is not None:
            return await self.carrier.tip(self.ref, self.tip_fen)
        return await self.carrier.cancel_terms(self.ref)


async def prepare(tx: Transaction, world: DispatchWorld, attempt_id: UUID) -> Step | None:
    """What to do about an attempt without a rider; None if there is one, or it is being called off anyway."""
    held = await hold(tx, attempt_id)
    if held is None or held[1].state is not AttemptState.SEARCHING or held[1].cancel_reason is not None:
        await timers.cancel(tx, clockwork.NO_RIDER, attempt_id)
        return None
    parcel, attempt = held
    carrier = world.carriers.of(attempt.provider, attempt.account)
    ref = reference(world, parcel, attempt)
    contract = (await preferences.find(tx, parcel.merchant_id)).contract
    since = await searches.begin(tx, parcel.parcel_id)
    in_time = slack_of(world.policy, parcel, since, tx.now) > timedelta(0)
    # Intent first: a process that dies during the call never tips a second time.
    if in_time and carrier.caps.tips and contract.tip_fen and await tips.want(tx, attempt_id, contract.tip_fen):
        return Step(carrier, ref, contract.tip_fen)
    return Step(carrier, ref, None)


async def record(tx: Transaction, world: DispatchWorld, attempt_id: UUID, step: Step, answer: Result[Any]) -> None:
    """After a tip riders get the same time again; after that the order is taken back."""
    held = await hold(tx, attempt_id)
    if held is None or held[1].state is not AttemptState.SEARCHING or held[1].cancel_reason is not None:
        await timers.cancel(tx, clockwork.NO_RIDER, attempt_id)
        return
    parcel, attempt = held
    await leave_out_by(tx, step.carrier, attempt_id, answer)
    if step.tip_fen is not None:
        # A tip without an answer may stand, so riders get their time; what was certainly not taken helps nobody.
        if answer.outcome in (Outcome.OK, Outcome.UNKNOWN):
            if answer.outcome is Outcome.OK:
                await tips.taken(tx, attempt_id, step.tip_fen)
                await happenings.note(tx, parcel.parcel_id, What.TIPPED, attempt_id)
            since = await searches.begin(tx, parcel.parcel_id)
            patience = world.policy.without_rider(slack_of(world.policy, parcel, since, tx.now))
            await timers.schedule(tx, clockwork.NO_RIDER, attempt_id, tx.now + patience)
        else:
            await timers.schedule(tx, clockwork.NO_RIDER, attempt_id, tx.now)
        return
    await tips.learn_terms(tx, attempt_id, answer.value.fee_fen if answer.value is not None else None)
    await timers.cancel(tx, clockwork.NO_RIDER, attempt_id)
    await happenings.note(tx, parcel.parcel_id, What.NO_RIDER, attempt_id)
    await stopping.call_off(tx, attempt, CancelReason.NO_RIDER)
