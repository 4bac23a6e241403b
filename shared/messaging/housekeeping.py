"""Keeps what grows within its limit: inbox and history are purged by age, in batches that nobody waits for."""

import asyncio

from shared.database import Database, is_outage
from shared.messaging import parking
from shared.observability import PARKED, log

KEEP_DAYS = 30
BATCH = 5000
EVERY_S = 15.0
PURGE_EVERY = 240

_PURGES = (
    f"""delete from inbox where (consumer, event_id) in (
          select consumer, event_id from inbox where at < now() - interval '{KEEP_DAYS} days' limit $1)""",
    f"""delete from history where event_id in (
          select event_id from history where created_at < now() - interval '{KEEP_DAYS} days' limit $1)""",
)


async def run(db: Database) -> None:
    """Count what is parked every few seconds and purge every hour, for ever."""
    rounds = 0
    while True:
        try:
            await _count(db)
            if rounds % PURGE_EVERY == 0:
                await _purge(db)
            rounds += 1
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning("housekeeping_waited", reason=repr(error)[:200])
        await asyncio.sleep(EVERY_S)


async def _count(db: Database) -> None:
    async with db.transaction(read_only=True) as tx:
        waiting, dead = await parking.count_parked(tx)
    PARKED.labels("waiting").set(waiting)
    PARKED.labels("dead").set(dead)


async def _purge(db: Database) -> None:
    for statement in _PURGES:
        purged = BATCH
        while purged == BATCH:
            async with db.transaction() as tx:
                purged = await tx.execute(statement, BATCH)
