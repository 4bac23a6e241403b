"""Sends an attempt to its carrier: the intent is committed first, the answer in a second transaction."""

import time
from dataclasses import dataclass, field
from uuid import UUID

from services.dispatch.domain.attempts import AttemptState, Snapshot
from services.dispatch.domain.parcels import ask_again_after, submit_again_after
from services.dispatch.domain.routing import GeoPoint
from services.dispatch.domain.timeline import What
from services.dispatch.gateways.port import Carrier, Outcome, Party, Reason, Result, Shipment
from services.dispatch.store import attempts, copies, happenings, parcels
from services.dispatch.store.attempts import Attempt
from services.dispatch.store.parcels import Parcel
from services.dispatch.use_cases import clockwork
from services.dispatch.use_cases.following import CREATE, ask_merchant, end_attempt, hold, take_report
from services.dispatch.world import DispatchWorld
from shared.database import Transaction
from shared.messaging import timers
from shared.observability import log

# A timer is leased for thirty seconds; after that somebody else asks about, or sends, the same order.
_STALE_S = 15.0
_NOT_TAKEN = frozenset({Outcome.NOT_SENT, Outcome.RATE_LIMITED})


@dataclass(frozen=True, slots=True)
class Submission:
    """All that the call needs, so that no transaction is open during it."""

    attempt_id: UUID
    carrier: Carrier
    shipment: Shipment
    attempt_key: str
    callback_url: str
    decided_at: float = field(default_factory=time.monotonic)

    async def send(self) -> Result[Snapshot]:
        """Make the call, unless this process slept so long after deciding that another may have taken over."""
        if time.monotonic() - self.decided_at > _STALE_S:
            return Result(Outcome.NOT_SENT, code="decided_too_long_ago")
        return await self.carrier.create(self.shipment, self.attempt_key, self.callback_url)


async def begin(tx: Transaction, world: DispatchWorld, attempt_id: UUID) -> Submission | None:
    """Commit to sending the attempt; None if it must not, or no longer, be sent."""
    held = await hold(tx, attempt_id)
    if held is not None and held[1].state is AttemptState.SUBMITTING:
        # Whoever was sending it died in between: the carrier may have it.
        await _make_unknown(tx, held[1])
    if held is None or held[1].state is not AttemptState.CREATED:
        await timers.cancel(tx, clockwork.SUBMIT_ATTEMPT, attempt_id)
        return None
    return await begin_sending(tx, world, *held)


async def begin_sending(tx: Transaction, world: DispatchWorld, parcel: Parcel, attempt: Attempt) -> Submission | None:
    """→ SUBMITTING, from CREATED or (a repetition that the carrier merges) from UNKNOWN."""
    if not await attempts.begin_submission(tx, attempt.attempt_id, attempt.state):
        return None
    return Submission(
        attempt.attempt_id,
        world.carriers.of(attempt.provider, attempt.account),
        await shipment_of(tx, world, parcel),
        attempt.key,
        world.callback_url(attempt.provider, attempt.attempt_id),
    )


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
    worn_out = attempt.submissions >= world.policy.most_submissions
    if result.outcome is Outcome.REJECTED:
        return not attempt.asked or result.reason is Reason.BAD_INPUT
    if result.outcome in _NOT_TAKEN:
        return worn_out and not attempt.asked
    # The carrier keeps answering, readably, and never with an order.
    return worn_out and result.reason is Reason.OTHER


async def _refuse(
    tx: Transaction, world: DispatchWorld, parcel: Parcel, attempt: Attempt, result: Result[Snapshot]
) -> None:
    code = result.reason.value.lower() if result.reason else result.outcome.value.lower()
    log.error("carrier_refused", provider=attempt.provider, reason=code, code=result.code)
    await attempts.refuse(tx, attempt.attempt_id, f"{code}:{result.code}")
    await end_attempt(tx, world, parcel, attempt, AttemptState.REJECTED)
    after = await parcels.find_parcel(tx, parcel.parcel_id)
    if after is not None and after.state is parcel.state:
        # The same carrier would refuse the same order again.
        await timers.cancel(tx, clockwork.DISPATCH_PARCEL, parcel.parcel_id)
        await ask_merchant(tx, parcel)


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


async def shipment_of(tx: Transaction, world: DispatchWorld, parcel: Parcel) -> Shipment:
    """The parcel as a carrier needs it; the only place where its address is opened for one."""
    store = await copies.find_store(tx, parcel.store_id)
    assert store is not None, "a parcel's store was known when the parcel was opened"
    address = world.address(parcel.sealed_address)
    return Shipment(
        pickup=Party(store.name, national(store.phone), store.city, f"{store.city}{store.address}", store.place),
        dropoff=Party(
            address.name,
            national(address.phone),
            address.city,
            f"{address.province}{address.city}{address.district}{address.street}",
            GeoPoint(address.latitude, address.longitude),
        ),
        title=parcel.title,
        units=len(parcel.unit_ids),
        weight_g=parcel.weight_g,
        category=parcel.category,
        value_fen=parcel.value_fen,
        order_no=parcel.order_no,
    )


def national(phone: str) -> str:
    """As it is dialled in the country: +8613800138000 → 13800138000."""
    return phone.removeprefix("+86")
