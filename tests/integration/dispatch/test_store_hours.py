"""Dispatch's copy of a store keeps its opening hours."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from services.dispatch.store import copies
from shared.contracts.catalog import StoreChanged
from shared.contracts.hours import Hours, WeeklyHours
from shared.database import Database
from shared.ids import new_id

WEEKEND = WeeklyHours(weekdays=(6, 7), opens="18:00", closes="02:00")


async def test_the_newest_hours_of_a_store_are_kept_whatever_comes_first(
    service_db: Callable[[str], Awaitable[Database]],
) -> None:
    db, store_id = await service_db("dispatch"), new_id()

    def said(version: int, hours: Hours) -> StoreChanged:
        return StoreChanged(
            occurred_at=datetime.now(UTC),
            version=version,
            store_id=store_id,
            merchant_id=new_id(),
            name="解放碑店",
            city="重庆",
            address="民权路 1 号",
            latitude=29.56,
            longitude=106.57,
            phone="023-63001235",
            open=True,
            hours=hours,
        )

    async with db.transaction() as tx:
        await copies.keep_store(tx, said(1, ()))
        await copies.keep_store(tx, said(3, (WEEKEND,)))
        await copies.keep_store(tx, said(2, ()))
        kept = await copies.find_store(tx, store_id)
    assert kept is not None
    assert kept.hours == (WEEKEND,)
