"""Sends an attempt to its carrier: the intent is committed first, the answer in a second transaction."""

import json
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from services.dispatch.domain.attempts import AttemptState, Snapshot
from services.dispatch.domain.parcels import ask_again_after, submit_again_after
from services.dispatch.domain.timeline import What
from services.dispatch.gateways.port import Carrier, Outcome, Quote, Reason, Result, Shipment
from services.dispatch.store import attempts, happenings
from services.dispatch.store.attempts import Attempt
from services.dispatch.store.parcels import Parcel
from services.dispatch.use_cases import clockwork
from services.dispatch.use_cases.accounts import leave_out
from services.dispatch.use_cases.following import CREATE, end_attempt, hold, take_report
from services.dispatch.use_cases.shipments import shipment_of
from services.dispatch.world import OWNER, DispatchWorld
from shared.database import Transaction
from shared.messaging import timers
from shared.observability import log

# A timer is leased for thirty seconds; after that somebody else asks about, or sends, the same order.
_STALE_S = 15.0
_NOT_TAKEN = frozenset({Outcome.NOT_SENT, Outcome.RATE_LIMITED})
REQUEST_CHANGED = "request_changed:"


@dataclass(frozen=True, slots=True)
class Submission:
    """All that the call needs, so that no transaction is open during it."""

    attempt_id: UUID
    carrier: Carrier
    shipment: Shipment
    attempt_key: str
    callback_url: str
    quote: Quote | None
    decided_at: float = field(default_factory=time.monotonic)

    async def send(self) -> Result[Snapshot]:
        """Make the call, unless this process slept so long after deciding that another may have taken over."""
        if time.monotonic() - self.decided_at > _STALE_S:
            return Result(Outcome.NOT_SENT, code="decided_too_long_ago")
        return await self.carrier.create(self.shipment, self.attempt_key, self.callback_url, self.quote)


async def begin(tx: Transaction, world: DispatchWorld, attempt_id: UUID) -> Submission | None:
    """Commit to sending the attempt; None if it must not, or no longer, be sent."""
    held = await hold(tx, attempt_id)
    if held is not None and held[1].state is AttemptState.SUBMITTING:
        # Whoever was sending it died in between: the carrier may have it.
        await _make_unknown(tx, held[1])
    if held is None or held[1].state is not AttemptState.CREATED:
        await timers.cancel(tx, clockwork.SUBMIT_ATTEMPT, attempt_id)
        return None
    expires_at = held[1].quote_expires_at
    # Real time, as the carrier counts it. Once it was sent the offer is the carrier's to judge.
    if not held[1].submissions and expires_at is not None and expires_at <= datetime.now(UTC):
        await attempts.refuse(tx, attempt_id, "quote_expired:")
        await end_attempt(tx, world, *held, AttemptState.REJECTED)
        return None
    return await begin_sending(tx, world, *held)


async def begin_sending(tx: Transaction, world: DispatchWorld, parcel: Parcel, attempt: Attempt) -> Submission | None:
    """→ SUBMITTING, from CREATED or (a repetition that the carrier merges) from UNKNOWN. Of an attempt that was sent
    before nothing else may be sent: then the attempt ends, and whoever comes next has a key of their own."""
    submission = Submission(
        attempt.attempt_id,
        world.carriers.of(attempt.provider, attempt.account),
        await shipment_of(tx, world, parcel),
        attempt.key,
        world.callback_url(attempt.provider, attempt.attempt_id),
        _quote_of(attempt),
    )
    request_hash = _hash_of(world, submission)
    if await attempts.begin_submission(tx, attempt.attempt_id, attempt.state, request_hash):
        return submission
    if attempt.request_hash not in (None, request_hash):
        await _refuse_change(tx, world, parcel, attempt)
    return None


def _hash_of(world: DispatchWorld, submission: Submission) -> bytes:
    """Of everything that an order says. Keyed, because a phone could be found again from a plain hash."""
    quote_token = submission.quote.token if submission.quote else None
    said = (asdict(submission.shipment), submission.attempt_key, submission.callback_url, quote_token)
    return world.seals.lookup(OWNER, f"request:{json.dumps(said, ensure_ascii=False, sort_keys=True)}")


async def _refuse_change(tx: Transaction, world: DispatchWorld, parcel: Parcel, attempt: Attempt) -> None:
    """The store's address or phone changed, say, since the order was sent. What certainly never arrived is given up;
    of what may have arrived the carrier has the time to tell, and then it is fenced: a sign of life is a zombie's."""
    log.error("request_changed", provider=attempt.provider, attempt_id=str(attempt.attempt_id))
    if attempt.state is AttemptState.CREATED:
        await attempts.refuse(tx, attempt.attempt_id, REQUEST_CHANGED)
        await end_attempt(tx, world, parcel, attempt, AttemptState.REJECTED)
        return
    sent_at = attempt.last_submitted_at or tx.now
    if tx.now - sent_at >= world.policy.not_found_grace:
        await attempts.refuse(tx, attempt.attempt_id, REQUEST_CHANGED)
        await end_attempt(tx, world, parcel, attempt, AttemptState.FENCED)


def _quote_of(attempt: Attempt) -> Quote | None:
    if attempt.quote_fee_fen is None:
        return None
    return Quote(attempt.quote_fee_fen, token=attempt.quote_token, expires_at=attempt.quote_expires_at)


async def record(tx: Transaction, world: DispatchWorld, attempt_id: UUID, result: Result[Snapshot]) -> None:
    """What the carrier answered."""
    held = await hold(tx, attempt_id)
    if held is None:
        return
    parcel, attempt = held
    await timers.cancel(tx, clockwork.SUBMIT_ATTEMPT, attempt_id)
    if result.value is not None:
        await take_report(tx, world, attempt_id, result.value, CREATE)
    elif attempt.state is not AttemptState.SUBMITTING:
        # Others found out meanwhile; a late failure of ours says less than what they know.
        return
    elif _is_refusal(world, attempt, result):
        await _refuse(tx, world, parcel, attempt, result)
    elif result.outcome in _NOT_TAKEN and not attempt.asked:
        await _try_later(tx, attempt, result)
    else:
        log.warning("carrier_outcome_unknown", attempt_id=str(attempt_id), code=result.code)
        await _make_unknown(tx, attempt)


def _is_refusal(world: DispatchWorld, attempt: Attempt, result: Result[Snapshot]) -> bool:
    """Whether the carrier certainly has no such order. Of a repetition, only bad input says so of the first as well."""
    most = world.policy.most_unsent if result.outcome is Outcome.NOT_SENT else world.policy.most_submissions
    worn_out = attempt.submissions >= most
    if result.outcome is Outcome.REJECTED:
        return not attempt.asked or result.reason is Reason.BAD_INPUT
    if result.outcome in _NOT_TAKEN:
        return worn_out and not attempt.asked
    # The carrier keeps answering, readably, and never with an order.
    return worn_out and result.reason is Reason.OTHER


async def _refuse(
    tx: Transaction, world: DispatchWorld, parcel: Parcel, attempt: Attempt, result: Result[Snapshot]
) -> None:
    """The same carrier is not asked again with the same parcel; whoever else may carry it is asked next."""
    code = result.reason.value.lower() if result.reason else result.outcome.value.lower()
    log.error("carrier_refused", provider=attempt.provider, reason=code, code=result.code)
    carrier = world.carriers.of(attempt.provider, attempt.account)
    await leave_out(tx, carrier, parcel.parcel_id, result, attempt.attempt_id)
    await attempts.refuse(tx, attempt.attempt_id, f"{code}:{result.code}")
    await end_attempt(tx, world, parcel, attempt, AttemptState.REJECTED)


async def _try_later(tx: Transaction, attempt: Attempt, result: Result[Snapshot]) -> None:
    await attempts.move(tx, attempt.attempt_id, before=AttemptState.SUBMITTING, after=AttemptState.CREATED)
    pause = submit_again_after(attempt.submissions)
    if result.retry_after_s is not None:
        pause = max(pause, type(pause)(seconds=min(result.retry_after_s, 300)))
    if attempt.cancel_reason is None:
        await timers.schedule(tx, clockwork.SUBMIT_ATTEMPT, attempt.attempt_id, tx.now + pause)


async def _make_unknown(tx: Transaction, attempt: Attempt) -> None:
    await attempts.move(tx, attempt.attempt_id, before=AttemptState.SUBMITTING, after=AttemptState.UNKNOWN)
    await attempts.count_asked(tx, attempt.attempt_id)
    if not attempt.asked:
        await happenings.note(tx, attempt.parcel_id, What.OUTCOME_UNKNOWN, attempt.attempt_id)
    await timers.schedule(tx, clockwork.ASK_ATTEMPT, attempt.attempt_id, tx.now + ask_again_after(attempt.asked))
