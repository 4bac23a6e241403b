"""Moments in: deadlines that act in the database, and the calls to carriers, each between two transactions."""

from datetime import timedelta
from uuid import UUID

from services.dispatch.domain.parcels import ask_again_after
from services.dispatch.gateways.port import CancelReason
from services.dispatch.store import scorecards, webhooks
from services.dispatch.use_cases import (
    asking,
    cancelling,
    clockwork,
    dispatching,
    finishing,
    hearing,
    learning_fees,
    polling,
    returning,
    riderless,
    submitting,
    subscribing,
    sweeping,
)
from services.dispatch.world import DispatchWorld
from shared.database import Database, Transaction
from shared.messaging import timers as due_timers
from shared.messaging.timers import Due, Timers

timers = Timers()

_PURGE_BATCH = 2000
_PURGE_EVERY = timedelta(hours=6)
_SWEEP_EVERY = timedelta(minutes=1)


@timers.acts_inside(clockwork.ACCEPT_DEADLINE)
async def give_up_unaccepted(tx: Transaction, due: list[Due]) -> None:
    """The merchant did not accept in time."""
    await finishing.give_up_unaccepted(tx, [UUID(one.key) for one in due])


@timers.acts_inside(clockwork.HAND_OVER_DEADLINE)
async def give_up_not_handed_over(tx: Transaction, due: list[Due]) -> None:
    """The goods did not leave in time."""
    await finishing.give_up_not_handed_over(tx, [UUID(one.key) for one in due])


@timers.acts_inside(clockwork.RECEIVE_DEADLINE)
async def receive_silently(tx: Transaction, due: list[Due]) -> None:
    """The buyer said nothing for as long as they could."""
    await finishing.receive_silently(tx, [UUID(one.key) for one in due])


@timers.acts_inside(clockwork.PURGE_WEBHOOKS)
async def purge_webhooks(tx: Transaction, due: list[Due]) -> None:
    """Webhooks are kept for thirty days."""
    purged = await webhooks.purge(tx, _PURGE_BATCH)
    again = tx.now if purged == _PURGE_BATCH else tx.now + _PURGE_EVERY
    for one in due:
        await due_timers.schedule(tx, one.kind, one.key, again)


@timers.acts_inside(clockwork.SWEEP)
async def sweep(tx: Transaction, due: list[Due]) -> None:
    """What nobody remembers is adopted, and what nobody reads any more is forgotten."""
    await sweeping.sweep_up(tx)
    await scorecards.forget_old(tx, _PURGE_BATCH)
    for one in due:
        await due_timers.schedule(tx, one.kind, one.key, tx.now + _SWEEP_EVERY)


@timers.acts_outside(clockwork.DISPATCH_PARCEL)
async def dispatch_parcel(due: Due, db: Database, world: DispatchWorld) -> None:
    """Ask for prices, choose a carrier and open an attempt."""
    async with db.transaction() as tx:
        search = await dispatching.prepare(tx, world, UUID(due.key))
    if search is None:
        return
    quotes = await search.quotes(world.policy.quote_within)
    async with db.transaction() as tx:
        await dispatching.decide(tx, world, search, quotes)


@timers.acts_outside(clockwork.SUBMIT_ATTEMPT)
async def submit_attempt(due: Due, db: Database, world: DispatchWorld) -> None:
    """Order the delivery."""
    async with db.transaction() as tx:
        submission = await submitting.begin(tx, world, UUID(due.key))
    if submission is None:
        return
    result = await submission.send()
    async with db.transaction() as tx:
        await submitting.record(tx, world, submission.attempt_id, result)


@timers.acts_outside(clockwork.ASK_ATTEMPT)
async def ask_attempt(due: Due, db: Database, world: DispatchWorld) -> None:
    """Find out what became of an order; one that never arrived is fenced by our own number before another is made."""
    attempt_id = UUID(due.key)
    async with db.transaction() as tx:
        question = await asking.prepare(tx, world, attempt_id)
    if question is None:
        return
    if question.repetition is not None:
        result = await question.repetition.send()
        async with db.transaction() as tx:
            await submitting.record(tx, world, attempt_id, result)
        return
    answer = await question.carrier.query(question.ref)
    async with db.transaction() as tx:
        to_fence = await asking.record(tx, world, attempt_id, answer)
    if to_fence:
        fenced = await question.carrier.cancel(question.ref, CancelReason.FENCE)
        async with db.transaction() as tx:
            await asking.record_fence(tx, world, attempt_id, fenced)


@timers.acts_outside(clockwork.CANCEL_ATTEMPT)
async def cancel_attempt(due: Due, db: Database, world: DispatchWorld) -> None:
    """Take an order back."""
    attempt_id = UUID(due.key)
    async with db.transaction() as tx:
        cancellation = await cancelling.prepare(tx, world, attempt_id)
    if cancellation is None:
        return
    answer = await cancellation.send()
    async with db.transaction() as tx:
        done = await cancelling.record(tx, world, attempt_id, cancellation, answer)
    if not done:
        seen = await cancellation.ask()
        async with db.transaction() as tx:
            await cancelling.record_query(tx, world, attempt_id, seen, int(due.payload.get("asked", 0)))


@timers.acts_outside(clockwork.LAY_ZOMBIE)
async def lay_zombie(due: Due, db: Database, world: DispatchWorld) -> None:
    """Take back, again, an order that we count as over."""
    attempt_id = UUID(due.key)
    async with db.transaction() as tx:
        cancellation = await cancelling.prepare_zombie(tx, world, attempt_id)
    if cancellation is None:
        return
    answer = await cancellation.send()
    seen = await cancellation.ask()
    async with db.transaction() as tx:
        await cancelling.record_zombie(tx, attempt_id, cancellation, answer, seen)


@timers.acts_outside(clockwork.POLL_ATTEMPT)
async def poll_attempt(due: Due, db: Database, world: DispatchWorld) -> None:
    """Ask about an attempt that has been silent."""
    attempt_id = UUID(due.key)
    async with db.transaction() as tx:
        poll = await polling.prepare(tx, world, attempt_id)
    if poll is None:
        return
    answer, where = await poll.ask(), await poll.where()
    async with db.transaction() as tx:
        await polling.record(tx, world, attempt_id, poll, answer, where)


@timers.acts_outside(clockwork.CONFIRM_RETURN)
async def confirm_return(due: Due, db: Database, world: DispatchWorld) -> None:
    """Tell the carrier that the goods are back."""
    attempt_id = UUID(due.key)
    async with db.transaction() as tx:
        confirmation = await returning.prepare(tx, world, attempt_id)
    if confirmation is None:
        return
    answer = await confirmation.send()
    async with db.transaction() as tx:
        await returning.record(tx, attempt_id, answer, int(due.payload.get("told", 0)))


@timers.acts_outside(clockwork.LEARN_FEE)
async def learn_fee(due: Due, db: Database, world: DispatchWorld) -> None:
    """Ask what a cancelled order cost."""
    attempt_id = UUID(due.key)
    async with db.transaction() as tx:
        question = await learning_fees.prepare(tx, world, attempt_id)
    if question is None:
        return
    answer = await question.ask()
    async with db.transaction() as tx:
        await learning_fees.record(tx, world, attempt_id, question, answer)


@timers.acts_outside(clockwork.NO_RIDER)
async def do_without_rider(due: Due, db: Database, world: DispatchWorld) -> None:
    """Nobody took the order: a tip first, then the order is taken back."""
    attempt_id = UUID(due.key)
    async with db.transaction() as tx:
        step = await riderless.prepare(tx, world, attempt_id)
    if step is None:
        return
    answer = await step.call()
    async with db.transaction() as tx:
        await riderless.record(tx, world, attempt_id, step, answer)


@timers.acts_outside(clockwork.SUBSCRIBE_TRACK)
async def subscribe_track(due: Due, db: Database, world: DispatchWorld) -> None:
    """Have a track pushed."""
    attempt_id = UUID(due.key)
    async with db.transaction() as tx:
        subscription = await subscribing.prepare(tx, world, attempt_id)
    if subscription is None:
        return
    answer = await subscription.send()
    async with db.transaction() as tx:
        await subscribing.record(tx, attempt_id, answer, int(due.payload.get("tries", 0)))


@timers.acts_outside(clockwork.APPLY_WEBHOOK)
async def apply_webhook(due: Due, db: Database, world: DispatchWorld) -> None:
    """Believe a webhook as far as its sender is proven."""
    webhook_id = UUID(due.key)
    async with db.transaction() as tx:
        heard = await hearing.read_webhook(tx, world, webhook_id)
        if heard is not None and not heard.must_ask:
            await hearing.apply_webhook(tx, world, webhook_id, heard)
            return
    if heard is None:
        return
    answer = await heard.ask()
    asked = int(due.payload.get("asked", 0))
    async with db.transaction() as tx:
        if not await hearing.apply_answer(tx, world, webhook_id, heard, answer):
            await due_timers.schedule(tx, due.kind, due.key, tx.now + ask_again_after(asked), {"asked": asked + 1})


async def start_housekeeping(db: Database) -> None:
    """The first purge and the first sweep; each one sets the next."""
    async with db.transaction() as tx:
        await due_timers.schedule(tx, clockwork.SWEEP, "all", tx.now)
        await due_timers.schedule(tx, clockwork.PURGE_WEBHOOKS, "webhooks", tx.now)
