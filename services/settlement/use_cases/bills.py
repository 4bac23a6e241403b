"""The channel's bills: downloaded once, kept line by line, and what a comparison with our books found."""

from collections.abc import Sequence
from datetime import date

from services.settlement.domain.bills import BillKind, read_account_bill, read_trade_bill
from services.settlement.domain.incidents import Incident
from services.settlement.gateways import Bills
from services.settlement.store import bills as store
from services.settlement.store import incidents
from shared.clock import business_day
from shared.database import Database, Row, Transaction
from shared.errors import Conflict, NotFound


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
    trades = read_trade_bill(await bills.download(day, BillKind.TRADE))
    movements = read_account_bill(await bills.download(day, BillKind.ACCOUNT))
    async with db.transaction() as tx:
        await store.add(tx, day, [*trades, *movements], downloaded_by)


async def read(tx: Transaction, day: date) -> Row:
    """Raises BillUnknown."""
    found = await store.find(tx, day)
    if found is None:
        raise BillUnknown
    return found


async def note_differences(tx: Transaction, day: date, matched: int, found: Sequence[Incident], found_by: str) -> None:
    """Keep what a comparison found, each difference once; what an earlier one had found and this one does not is
    resolved. Raises BillUnknown."""
    if not await store.note_comparison(tx, day, matched):
        raise BillUnknown
    await incidents.open_incidents(tx, found)
    await incidents.resolve_what_is_gone(tx, day, [one.incident_id for one in found], found_by)
