"""Finds out what became of an order whose outcome is unknown, before anything else is done for its parcel."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from services.dispatch.domain.attempts import UNCONFIRMED, AttemptState, Snapshot
from services.dispatch.domain.parcels import ask_again_after
from services.dispatch.gateways.port import Cancelled, Carrier, Outcome, ProviderRef, Reason, Result
from services.dispatch.store import attempts
from services.dispatch.store.attempts import Attempt
from services.dispatch.use_cases import clockwork, submitting
from services.dispatch.use_cases.accounts import leave_out_by
from services.dispatch.use_cases.following import QUERY, end_attempt, hold, take_report
from services.dispatch.use_cases.shipments import reference
from services.dispatch.use_cases.submitting import Submission
from services.dispatch.world import DispatchWorld
from shared.database import Transaction
from shared.messaging import timers


@dataclass(frozen=True, slots=True)
class Question:
    """How to find out: by asking, or (`repetition`) by sending the same order again where that is merged."""

    carrier: Carrier
    ref: ProviderRef
    repetition: Submission | None = None


async def prepare(tx: Transaction, world: DispatchWorld, attempt_id: UUID) -> Question | None:
    """What to ask about an unknown attempt; None if it is known by now, or can never be."""
    held = await hold(tx, attempt_id)
    if held is None or held[1].state is not AttemptState.UNKNOWN:
        await timers.cancel(tx, clockwork.ASK_ATTEMPT, attempt_id)
        return None
    parcel, attempt = held
    carrier = world.carriers.of(attempt.provider, attempt.account)
    if carrier.caps.query_by_our_key:
        return Question(carrier, reference(world, parcel, attempt))
    if _may_repeat(tx, attempt, carrier.caps.merges_repeats_for):
        repetition = await submitting.begin_sending(tx, world, parcel, attempt)
        if repetition is None:
            # Something else would be sent than the first time. Unless it was fenced, its carrier still may tell.
            await _ask_again(tx, attempt)
            return None
        # If this process dies now, the submission's own timer finds out; the question itself is put.
        await timers.cancel(tx, clockwork.ASK_ATTEMPT, attempt_id)
        await timers.schedule(tx, clockwork.SUBMIT_ATTEMPT, attempt_id, tx.now + timedelta(seconds=30))
        return Question(carrier, reference(world, parcel, attempt), repetition)
    # Nothing was heard for as long as repeating was safe, and now it would be a second order.
    await end_attempt(tx, world, parcel, attempt, AttemptState.FENCED)
    return None


def _may_repeat(tx: Transaction, attempt: Attempt, merged_for: timedelta | None) -> bool:
    if merged_for is None or attempt.first_submitted_at is None:
        return False
    return tx.now - attempt.first_submitted_at < merged_for


async def record(tx: Transaction, world: DispatchWorld, attempt_id: UUID, answer: Result[Snapshot]) -> bool:
    """What the carrier said. True: it has no such order and had time to get it, so the attempt is to be fenced."""
    held = await hold(tx, attempt_id)
    if held is None or held[1].state is not AttemptState.UNKNOWN:
        await timers.cancel(tx, clockwork.ASK_ATTEMPT, attempt_id)
        return False
    attempt = held[1]
    await leave_out_by(tx, world.carriers.of(attempt.provider, attempt.account), attempt_id, answer)
    if answer.value is not None:
        after = await take_report(tx, world, attempt_id, answer.value, QUERY, asked=True)
        if after is not None and after.state not in UNCONFIRMED:
            await timers.cancel(tx, clockwork.ASK_ATTEMPT, attempt_id)
            return False
    sent_at = attempt.last_submitted_at or tx.now
    if _is_not_there(answer) and tx.now - sent_at >= world.policy.not_found_grace:
        return True
    await _ask_again(tx, attempt)
    return False


async def record_fence(tx: Transaction, world: DispatchWorld, attempt_id: UUID, answer: Result[Cancelled]) -> None:
    """What the carrier said to a cancellation by our own number of an order that it does not know."""
    held = await hold(tx, attempt_id)
    await timers.cancel(tx, clockwork.ASK_ATTEMPT, attempt_id)
    if held is None or held[1].state is not AttemptState.UNKNOWN:
        return
    parcel, attempt = held
    if answer.value is not None:
        snapshot = Snapshot("cancelled", AttemptState.CANCELLED, cancel_fee_fen=answer.value.fee_fen)
        await take_report(tx, world, attempt_id, snapshot, QUERY, asked=True)
    elif answer.outcome is Outcome.REJECTED and answer.reason is Reason.NOT_FOUND:
        await end_attempt(tx, world, parcel, attempt, AttemptState.FENCED)
    else:
        await _ask_again(tx, attempt)


def _is_not_there(answer: Result[Snapshot]) -> bool:
    return answer.outcome is Outcome.REJECTED and answer.reason is Reason.NOT_FOUND


async def _ask_again(tx: Transaction, attempt: Attempt) -> None:
    await attempts.count_asked(tx, attempt.attempt_id)
    await timers.schedule(tx, clockwork.ASK_ATTEMPT, attempt.attempt_id, tx.now + ask_again_after(attempt.asked))
