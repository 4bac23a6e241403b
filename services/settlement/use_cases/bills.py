"""The channel's bills: downloaded once, kept line by line, and what a comparison with our books found."""

from collections.abc import Sequence
from datetime import date, timedelta

from services.settlement.domain.bills import BillKind, due_at, last_due, read_account_bill, read_trade_bill
from services.settlement.domain.incidents import Incident
from services.settlement.gateways import BillNotReady, Bills
from services.settlement.store import bill_days as days
from services.settlement.store import bills as store
from services.settlement.store import incidents
from shared.clock import business_day
from shared.database import Database, Row, Transaction
from shared.errors import Conflict, NotFound
from shared.observability import log

_ASKED_AGAIN_AFTER = timedelta(minutes=10)
_ASKED_AGAIN_FOR = timedelta(days=7)


class BillUnknown(NotFound):
    code = "bill_unknown"
    zh = "该日账单尚未下载"
    en = "The bill of that day has not been downloaded"


class BillOfToday(Conflict):
    code = "bill_of_today"
    zh = "只能下载已结束日期的账单"
    en = "Only a day that is over has a bill"


async def download(db: Database, bills: Bills, day: date, downloaded_by: str) -> None:
    """Fetch both bills of a day and keep their lines. A day that is here already is not fetched again.

    Raises BillOfToday, BillNotReady, ChannelAway or BillUnreadable.
    """
    if day >= business_day(db.clock.now()):
        raise BillOfToday
    async with db.transaction(read_only=True) as tx:
        if await store.find(tx, day) is not None:
            return
    try:
        trades = read_trade_bill(await bills.download(day, BillKind.TRADE))
        movements = read_account_bill(await bills.download(day, BillKind.ACCOUNT))
    except BillNotReady:
        async with db.transaction() as tx:
            if tx.now >= due_at(day):
                await days.note_gap(tx, day)
        raise
    async with db.transaction() as tx:
        await store.add(tx, day, [*trades, *movements], downloaded_by)


async def download_what_is_out(db: Database, bills: Bills, downloaded_by: str, at_once: int = 31) -> bool:
    """Fetch the bill of every day since the books began that is due and not here; whether none is left to ask for. A
    day without movements never has one: it is asked for again for a week, every ten minutes at most.

    Raises ChannelAway or BillUnreadable.
    """
    now = db.clock.now()
    last = last_due(now)
    async with db.transaction(read_only=True) as tx:
        due = await days.to_ask_for(tx, last, now - _ASKED_AGAIN_AFTER, last - _ASKED_AGAIN_FOR, at_once)
    for day in due:
        try:
            await download(db, bills, day, downloaded_by)
        except BillNotReady as missing:
            log.info("bill_missing", day=day.isoformat(), answer=str(missing))
    return len(due) < at_once


async def read(tx: Transaction, day: date) -> Row:
    """Raises BillUnknown."""
    found = await store.find(tx, day)
    if found is None:
        raise BillUnknown
    return found


async def note_differences(
    tx: Transaction, day: date, matched: int, found: Sequence[Incident], unfiled: int, found_by: str
) -> None:
    """Keep what a comparison found, each difference once; what an earlier one had found and this one does not is
    resolved, unless this one found more than it files: then nobody knows what is gone. Raises BillUnknown."""
    if not await store.note_comparison(tx, day, matched, unfiled):
        raise BillUnknown
    await incidents.open_incidents(tx, found)
    if unfiled:
        log.warning("differences_unfiled", day=day.isoformat(), unfiled=unfiled)
        return
    await incidents.resolve_what_is_gone(tx, day, [one.incident_id for one in found], found_by)
