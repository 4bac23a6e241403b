"""Adopts what a dead worker, or a bug, left behind: parcels and attempts that live and that no timer remembers."""

from services.dispatch.domain.attempts import AttemptState
from services.dispatch.store import sweep
from services.dispatch.use_cases import clockwork
from shared.database import Transaction
from shared.messaging import timers
from shared.observability import log

_BATCH = 200
_KIND = {
    # An order that was being sent is unknown: the submission's own timer makes it so before anything is repeated.
    AttemptState.CREATED: clockwork.SUBMIT_ATTEMPT,
    AttemptState.SUBMITTING: clockwork.SUBMIT_ATTEMPT,
    AttemptState.UNKNOWN: clockwork.ASK_ATTEMPT,
}


async def sweep_up(tx: Transaction) -> int:
    """Set a timer again for everything that has none. Returns how much that was: always nothing, if all is well."""
    orphans = await sweep.orphaned_attempts(tx, _BATCH)
    for orphan in orphans:
        kind = _KIND.get(orphan.state, clockwork.POLL_ATTEMPT)
        log.error("attempt_adopted", attempt_id=str(orphan.attempt_id), state=orphan.state.value)
        await timers.schedule(tx, kind, orphan.attempt_id, tx.now)
        if orphan.cancel_wanted:
            await timers.schedule(tx, clockwork.CANCEL_ATTEMPT, orphan.attempt_id, tx.now)
    waiting = await sweep.orphaned_parcels(tx, _BATCH)
    for parcel_id in waiting:
        log.error("parcel_adopted", parcel_id=str(parcel_id))
        await timers.schedule(tx, clockwork.DISPATCH_PARCEL, parcel_id, tx.now)
    unpriced = await sweep.orphaned_fees(tx, _BATCH)
    for attempt_id in unpriced:
        await timers.schedule(tx, clockwork.LEARN_FEE, attempt_id, tx.now)
    return len(orphans) + len(waiting) + len(unpriced)
