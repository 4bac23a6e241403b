"""Takes a carrier's report into an attempt, and lets its parcel follow."""

import json
from datetime import datetime, timedelta
from uuid import UUID

from services.dispatch.domain.attempts import (
    LIVE,
    PICKED_UP,
    TERMINAL,
    UNCONFIRMED,
    AttemptState,
    Progress,
    Rider,
    Snapshot,
    Verdict,
    weigh,
)
from services.dispatch.domain.parcels import DispatchState, ParcelState, Policy, Step, steps
from services.dispatch.domain.penalties import ask_fee_again_after, borne_by, whose_doing
from services.dispatch.domain.routing import GeoPoint
from services.dispatch.domain.timeline import What
from services.dispatch.store import (
    attempts,
    happenings,
    parcel_changes,
    parcels,
    reports,
    riders,
    scorecards,
    searches,
    zombies,
)
from services.dispatch.store.attempts import Attempt, News
from services.dispatch.store.parcels import Parcel
from services.dispatch.use_cases import announcing, clockwork, stopping
from services.dispatch.world import OWNER, DispatchWorld
from shared.contracts.catalog import DeliveryMode
from shared.database import Transaction
from shared.messaging import timers
from shared.observability import log

CREATE, QUERY, WEBHOOK, MERCHANT = "CREATE", "QUERY", "WEBHOOK", "MERCHANT"

_NOTES = {
    AttemptState.SEARCHING: What.CARRIER_CONFIRMED,
    AttemptState.ASSIGNED: What.RIDER_ASSIGNED,
    AttemptState.AT_PICKUP: What.RIDER_AT_STORE,
    AttemptState.OUT_FOR_DELIVERY: What.OUT_FOR_DELIVERY,
    AttemptState.EXCEPTION: What.EXCEPTION,
    AttemptState.RETURNING: What.RETURNING,
    AttemptState.CANCELLED: What.CARRIER_CANCELLED,
    AttemptState.FENCED: What.CARRIER_CANCELLED,
    AttemptState.REJECTED: What.CARRIER_REFUSED,
}


async def hold(tx: Transaction, attempt_id: UUID) -> tuple[Parcel, Attempt] | None:
    """Lock an attempt with its parcel, parcel first; None if there is no such attempt."""
    found = await attempts.find_attempt(tx, attempt_id)
    if found is None:
        return None
    parcel = await parcels.lock_parcel(tx, found.parcel_id)
    attempt = await attempts.lock_attempt(tx, attempt_id)
    return (parcel, attempt) if parcel and attempt else None


async def take_report(
    tx: Transaction, world: DispatchWorld, attempt_id: UUID, snapshot: Snapshot, source: str, *, asked: bool = False
) -> Progress | None:
    """Weigh a report and act on it. Returns where the attempt is then; None if there is no such attempt."""
    held = await hold(tx, attempt_id)
    if held is None:
        return None
    parcel, attempt = held
    after, verdict = weigh(attempt.progress, snapshot, asked=asked)
    await reports.keep(tx, attempt_id, source, snapshot, verdict.value)
    if snapshot.state is None:
        log.info("carrier_status_without_state", provider=attempt.provider, raw_status=snapshot.raw_status)
    if verdict is Verdict.ZOMBIE:
        await zombies.learn_ids(tx, attempt_id, snapshot.provider_id, snapshot.waybill)
        await _raise_alarm(tx, attempt)
        return after
    current = verdict is Verdict.MOVED or snapshot.state is after.state
    has_arrived = parcel.state in (ParcelState.RECEIVED, ParcelState.DISPUTED)
    doing = whose_doing(snapshot.cancelled_by, attempt.cancel_reason)
    news = News(
        current=current,
        estimate=source == CREATE,
        rider=None if has_arrived else _sealed(world, snapshot.rider),
        position=sealed_place(world, snapshot.position),
        cancelled_by=doing,
        borne_by=borne_by(doing, attempt.cancel_reason),
        cancel_words=snapshot.cancel_words,
        code=world.seals.seal(OWNER, snapshot.receive_code) if snapshot.receive_code else None,
    )
    await attempts.record(tx, attempt_id, after, snapshot, news)
    if after.state is not attempt.state:
        await _note(tx, attempt, after.state)
        await _count_end(tx, attempt, after.state)
        await _keep_proof(tx, attempt, after.state, snapshot)
    await _watch_fee(tx, attempt, after, snapshot)
    await _watch(tx, world, attempt, after, ask_now=verdict is Verdict.ASK)
    # A waybill that came with the answer to the order has its track pushed already; a later one has not.
    caps = world.carriers.of(attempt.provider, attempt.account).caps
    came_late = source != CREATE and attempt.waybill is None and snapshot.waybill is not None
    if came_late and after.state not in TERMINAL and caps.subscribes:
        await timers.schedule(tx, clockwork.SUBSCRIBE_TRACK, attempt.attempt_id, tx.now)
    await _watch_for_rider(tx, world, parcel, attempt, after)
    await follow(tx, world, parcel, attempt, after)
    return after


async def follow(tx: Transaction, world: DispatchWorld, parcel: Parcel, before: Attempt, after: Progress) -> None:
    """Do to the parcel what its attempt's progress means."""
    if before.state in UNCONFIRMED and after.state in LIVE - UNCONFIRMED:
        await parcel_changes.set_dispatch_state(tx, parcel.parcel_id, DispatchState.ACTIVE)
    attempt = await attempts.find_attempt(tx, before.attempt_id) or before
    for step in steps(parcel.state, after.state, picked_up=after.picked_up, was_live=before.state in LIVE):
        await _take_step(tx, world, step, parcel, attempt)


async def _take_step(tx: Transaction, world: DispatchWorld, step: Step, parcel: Parcel, attempt: Attempt) -> None:
    if step is Step.HAND_OVER:
        carrier = world.carriers.of(attempt.provider, attempt.account).label()
        left = await announcing.handed_over(tx, parcel, attempt, carrier)
        if left is not None:
            await stopping.answer_what_waited(tx, left)
    elif step is Step.DELIVER:
        await announcing.delivered(tx, parcel, attempt, world.policy)
    elif step is Step.RETURN:
        await announcing.came_to_grief(tx, parcel, ParcelState.RETURNED)
    elif step is Step.LOSE:
        await announcing.came_to_grief(tx, parcel, ParcelState.LOST)
    elif step is Step.ASK_MERCHANT:
        await ask_merchant(tx, parcel)
    elif not await stopping.settle(tx, parcel):
        await timers.schedule(tx, clockwork.DISPATCH_PARCEL, parcel.parcel_id, tx.now)


async def ask_merchant(tx: Transaction, parcel: Parcel) -> None:
    """No carrier will do it: the merchant delivers the goods themselves, or refuses."""
    await parcel_changes.set_dispatch_state(tx, parcel.parcel_id, DispatchState.MANUAL)
    await happenings.note(tx, parcel.parcel_id, What.MANUAL)


async def end_attempt(
    tx: Transaction, world: DispatchWorld, parcel: Parcel, attempt: Attempt, state: AttemptState
) -> bool:
    """Our own end of an attempt without goods (both rows are held); False if it is elsewhere by now."""
    if not await attempts.move(tx, attempt.attempt_id, before=attempt.state, after=state):
        return False
    await clockwork.stop_attempt_timers(tx, attempt.attempt_id)
    await _note(tx, attempt, state)
    await _count_end(tx, attempt, state)
    await follow(tx, world, parcel, attempt, Progress(state, attempt.watermark, attempt.picked_up))
    return True


async def _note(tx: Transaction, attempt: Attempt, state: AttemptState) -> None:
    what = _NOTES.get(state)
    if state is AttemptState.SEARCHING and attempt.state not in UNCONFIRMED:
        what = What.RIDER_LOST
    if what is not None:
        await happenings.note(tx, attempt.parcel_id, what, attempt.attempt_id)


async def _watch(tx: Transaction, world: DispatchWorld, attempt: Attempt, after: Progress, *, ask_now: bool) -> None:
    """Ask again when a live attempt has been silent for too long; stop when it is over."""
    if after.state in TERMINAL:
        await clockwork.stop_attempt_timers(tx, attempt.attempt_id)
        return
    if after.state in UNCONFIRMED:
        return
    await timers.cancel(tx, clockwork.SUBMIT_ATTEMPT, attempt.attempt_id)
    await timers.cancel(tx, clockwork.ASK_ATTEMPT, attempt.attempt_id)
    silence = world.carriers.of(attempt.provider, attempt.account).caps.silence
    await timers.schedule(tx, clockwork.POLL_ATTEMPT, attempt.attempt_id, tx.now if ask_now else tx.now + silence)
    if attempt.cancel_reason and attempt.state in UNCONFIRMED and after.state not in PICKED_UP:
        await timers.schedule(tx, clockwork.CANCEL_ATTEMPT, attempt.attempt_id, tx.now)


async def _watch_fee(tx: Transaction, before: Attempt, after: Progress, snapshot: Snapshot) -> None:
    """What a cancelled order costs may be told later, or only when asked; the scorecard learns of it then."""
    if before.cancel_fee_fen is not None or after.state is not AttemptState.CANCELLED:
        return
    if snapshot.cancel_fee_fen is None:
        pause = ask_fee_again_after(0)
        if before.state is not AttemptState.CANCELLED and pause is not None:
            await timers.schedule(tx, clockwork.LEARN_FEE, before.attempt_id, tx.now + pause)
        return
    await timers.cancel(tx, clockwork.LEARN_FEE, before.attempt_id)
    if before.state is AttemptState.CANCELLED:
        await scorecards.add_penalty(tx, before, snapshot.cancel_fee_fen)


async def _watch_for_rider(
    tx: Transaction, world: DispatchWorld, parcel: Parcel, attempt: Attempt, after: Progress
) -> None:
    """From when a rider is looked for, or again looked for, there is a time after which something is done about it."""
    if attempt.carried_as is not DeliveryMode.INSTANT or after.state is attempt.state:
        return
    if after.state is AttemptState.SEARCHING:
        since = await searches.begin(tx, parcel.parcel_id)
        patience = world.policy.without_rider(slack_of(world.policy, parcel, since, tx.now))
        await timers.schedule(tx, clockwork.NO_RIDER, attempt.attempt_id, tx.now + patience)
    else:
        await timers.cancel(tx, clockwork.NO_RIDER, attempt.attempt_id)


def slack_of(policy: Policy, parcel: Parcel, since: datetime, now: datetime) -> timedelta:
    """How long a carrier can still be looked for: until the goods must have left, and by rider only for a while."""
    until = parcel.hand_over_by
    if parcel.mode is DeliveryMode.INSTANT:
        until = min(until, since + policy.search_within)
    return until - now


async def _count_end(tx: Transaction, before: Attempt, state: AttemptState) -> None:
    """One line more on the provider's scorecard."""
    if state not in TERMINAL or before.carried_as is DeliveryMode.SELF:
        return
    ended = await attempts.find_attempt(tx, before.attempt_id)
    if ended is not None:
        await scorecards.count(tx, ended, scorecards.ending_of(ended))


async def _keep_proof(tx: Transaction, before: Attempt, state: AttemptState, snapshot: Snapshot) -> None:
    """What a carrier's delivery is proven with: the code that its rider had to ask for, or a courier's signature. What
    merchants' own riders prove it with is kept when they do."""
    if state is not AttemptState.DELIVERED or before.carried_as is DeliveryMode.SELF:
        return
    if before.sealed_code is not None or snapshot.receive_code is not None:
        await riders.keep_proof(tx, before.attempt_id, before.parcel_id, "CODE", None, None)
    elif before.carried_as is DeliveryMode.COURIER:
        await riders.keep_proof(tx, before.attempt_id, before.parcel_id, "SIGNED", None, None)


async def _raise_alarm(tx: Transaction, attempt: Attempt) -> None:
    """An attempt that is over lives: cancel it at the carrier, again and again, and let a person know."""
    if await zombies.mark(tx, attempt.attempt_id):
        log.error("zombie_attempt_seen", attempt_id=str(attempt.attempt_id), provider=attempt.provider)
        await happenings.note(tx, attempt.parcel_id, What.ZOMBIE, attempt.attempt_id)
        await timers.schedule(tx, clockwork.LAY_ZOMBIE, attempt.attempt_id, tx.now)


def sealed_place(world: DispatchWorld, place: GeoPoint | None) -> str | None:
    """Where somebody is, sealed; None if that is not known."""
    if place is None:
        return None
    return world.seals.seal(OWNER, json.dumps({"latitude": place.latitude, "longitude": place.longitude}))


def _sealed(world: DispatchWorld, rider: Rider | None) -> str | None:
    if rider is None:
        return None
    return world.seals.seal(OWNER, json.dumps({"name": rider.name, "phone": rider.phone}, ensure_ascii=False))
