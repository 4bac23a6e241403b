"""The ledger's months are made ahead, so that no line ever waits for its table."""

from datetime import timedelta

from services.settlement.store import ledger
from shared.clock import business_day
from shared.database import Transaction
from shared.messaging import timers
from shared.observability import log

LEDGER_MONTHS = "ledger_months"
_THE_MONTHS = "ahead"
_AHEAD = timedelta(days=400)
_LOOKED_AT_EVERY = timedelta(days=7)


async def make_ahead(tx: Transaction) -> None:
    """Make the months from now to over a year ahead that are not there yet, and look again next week."""
    today = business_day(tx.now)
    made = await ledger.make_months(tx, today, today + _AHEAD)
    if made:
        log.info("ledger_months_made", months=made)
    await timers.schedule(tx, LEDGER_MONTHS, _THE_MONTHS, tx.now + _LOOKED_AT_EVERY)
