"""The day's run: everything that is final, undisputed, due and unpaid is claimed, batch after batch."""

import time
from datetime import date

from services.settlement.domain.payouts import Terms, latest_run_day, next_run_moment
from services.settlement.gateways import World
from services.settlement.store import runs
from services.settlement.store.runs import RunTotals
from shared.clock import business_day
from shared.database import Database, Transaction
from shared.errors import Conflict
from shared.messaging import timers
from shared.observability import log

DAILY_RUN = "daily_run"
_THE_RUN = "payouts"

BATCH_USES = 5_000
"""About a second of work: disputes and other runs wait for no longer, and a killed run loses no more than that."""


class RunInFuture(Conflict):
    code = "run_in_future"
    zh = "该日尚未到来，不能提前结算"
    en = "That day has not come; its run cannot be made early"


async def schedule_next_run(tx: Transaction, terms: Terms) -> None:
    """Set the timer of the next daily run; a run that was missed, or not ended, is due at once."""
    moment = next_run_moment(await runs.last_run(tx), tx.now, terms.run_at)
    await timers.schedule(tx, DAILY_RUN, _THE_RUN, moment)


async def run_today(db: Database, world: World, within_s: float) -> None:
    """The latest daily run that is due, which claims whatever earlier ones missed, for a while; then the timer for what
    is left of it, or for the next."""
    await run(db, latest_run_day(db.clock.now(), world.terms.run_at), world, within_s)
    async with db.transaction() as tx:
        await schedule_next_run(tx, world.terms)


async def run(db: Database, day: date, world: World, within_s: float, batch_uses: int = BATCH_USES) -> bool:
    """Claim everything that is final, due by `day` and unpaid, and order its payment, each batch in a transaction of
    its own, for `within_s` seconds at least. Whether it came to its end: otherwise, as after a crash, the next call
    goes on where this one stopped. Repeating it claims nothing twice; what became final meanwhile joins the next run.
    Raises RunInFuture."""
    if day > business_day(db.clock.now()):
        raise RunInFuture(day=day.isoformat())
    stop_at = time.monotonic() + within_s
    async with db.transaction() as tx:
        await runs.exclude_others(tx)
        pass_no = await runs.open_pass(tx, day)
    while True:
        async with db.transaction() as tx:
            is_over = await _run_batch(tx, day, pass_no, world, batch_uses)
        if is_over or time.monotonic() > stop_at:
            return is_over


async def _run_batch(tx: Transaction, day: date, pass_no: int, world: World, batch_uses: int) -> bool:
    """One batch; True when nothing is left, or another run has ended this pass."""
    await runs.exclude_others(tx)
    at = await runs.find_pass(tx, day, pass_no)
    if at is None:
        return True
    until = await runs.end_of_batch(tx, at, batch_uses)
    if until is None:
        await runs.end_pass(tx, day)
        log.info("payout_run_made", day=day.isoformat(), run=pass_no)
        return True
    claimed = await runs.claim_batch(tx, at, until, world.terms.fee_bp, world.reach)
    await runs.go_on(tx, day, until)
    log.info("payout_batch_made", day=day.isoformat(), uses=claimed)
    return False


async def totals(tx: Transaction, day: date) -> RunTotals:
    """The sums of all runs of that day, and whether the last of them came to its end."""
    return await runs.run_totals(tx, day)
