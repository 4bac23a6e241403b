"""What is forgotten after a time."""

from datetime import timedelta

from services.redemption.store import refusals
from shared.database import Transaction
from shared.messaging import timers

PURGE_REFUSALS = "purge_refusals"
EVERY = timedelta(hours=1)
BATCH = 5_000

_ALL = "all"


async def watch_refusals(tx: Transaction) -> None:
    """Set the timer of the purge, which then sets itself again."""
    await timers.schedule(tx, PURGE_REFUSALS, _ALL, tx.now)


async def purge_refusals(tx: Transaction) -> None:
    """Forget a batch of old refusals; a full one is followed by another."""
    purged = await refusals.purge(tx, BATCH)
    await timers.schedule(tx, PURGE_REFUSALS, _ALL, tx.now if purged == BATCH else tx.now + EVERY)
