"""Orders for one hot deal: together, one transaction each, and the bare INSERT; then over HTTP to a real process."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from services.checkout.store import orders
from services.checkout.store.stock import find_offer
from services.checkout.use_cases.place_order import Wanted, freeze, place_order
from services.checkout.use_cases.placing import Placing
from services.console.environment import seal_keys
from shared.clock import Clock
from shared.database import Database
from shared.group_commit import BATCHES
from shared.ids import new_id
from shared.sealed import Seals
from tests.integration.checkout.catalog_side import CatalogSide, Deal
from tests.integration.checkout.fleet import Crowd, Fleet, Wish, running_fleet
from tests.support.environment import Environment

ORDERS = 3_000
AT_ONCE = 200
POOL = 12
WITHIN = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Shop:
    """Checkout's database, and the keys with which it seals."""

    db: Database
    seals: Seals

    @classmethod
    def of(cls, environment: Environment, db: Database) -> "Shop":
        return cls(db, Seals({"checkout": seal_keys(environment.local.keys)["checkout"]}))

    async def hot_deal(self) -> Deal:
        """A new deal that a hundred thousand may buy."""
        return await CatalogSide(self.db, self.db.clock).sell(Deal(quota=100_000, limit=5))

    async def together(self) -> tuple[float, float]:
        """Orders per second by group commit, and orders per transaction."""
        deal = await self.hot_deal()
        placing = Placing(self.seals, WITHIN, batch_limit=100, offers_kept_s=1.0)

        async def place() -> None:
            await placing.place(self.db, _wanted(deal))

        before = _batches()
        rate = await _rate(place)
        return rate, ORDERS / (_batches() - before)

    async def alone(self) -> float:
        """Orders per second, the plain way: a transaction each, over the pool of a process."""
        deal = await self.hot_deal()

        async def place() -> None:
            async with self.db.transaction() as tx:
                await place_order(tx, self.seals, WITHIN, _wanted(deal))

        return await _rate(place)

    async def inserts(self) -> float:
        """Orders per second that only write an order and its unit, deciding nothing."""
        deal = await self.hot_deal()
        async with self.db.transaction() as tx:
            offer = await find_offer(tx, deal.deal_id)
        assert offer is not None

        async def place() -> None:
            wanted = _wanted(deal)
            async with self.db.transaction() as tx:
                await orders.add_order(tx, *freeze(tx.now, self.seals, WITHIN, wanted, offer, b""))

        return await _rate(place)


async def over_http(environment: Environment, processes: int) -> tuple[float, float]:
    """Orders per second that one crowd gets from so many real processes, tokens and all; and the milliseconds of CPU
    that an order costs these processes, which a busy machine changes less."""
    async with running_fleet(environment, processes) as fleet:
        async with environment.database_of("checkout", Clock()) as db:
            deal = await Shop.of(environment, db).hot_deal()
        crowd = Crowd(fleet)
        wishes = [Wish(new_id(), f"buyer-{number}", deal.deal_id, 1) for number in range(2 * ORDERS)]
        await crowd.ask_all(wishes[:ORDERS], AT_ONCE)
        started, used_s = time.perf_counter(), _cpu_s(fleet)
        await crowd.ask_all(wishes[ORDERS:], AT_ONCE)
        took_s, used_s = time.perf_counter() - started, _cpu_s(fleet) - used_s
    assert {status for status, _ in crowd.answers.values()} == {201}
    return ORDERS / took_s, used_s * 1_000 / ORDERS


def _cpu_s(fleet: Fleet) -> float:
    """What these processes have used so far, by Linux's book."""
    fields = [
        Path(f"/proc/{record.pid}/stat").read_text().rpartition(")")[2].split() for record in fleet.processes.recorded()
    ]
    return sum(int(one[11]) + int(one[12]) for one in fields) / os.sysconf("SC_CLK_TCK")


def _wanted(deal: Deal) -> Wanted:
    return Wanted(new_id(), f"buyer-{new_id().hex[-8:]}", deal.deal_id, 1, 1)


def _batches() -> float:
    (metric,) = BATCHES.collect()
    return sum(sample.value for sample in metric.samples if sample.name.endswith("_count"))


async def _rate(place: Callable[[], Awaitable[None]]) -> float:
    left = iter(range(ORDERS))

    async def one_after_another() -> None:
        for _ in left:
            await place()

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(one_after_another())
    return ORDERS / (time.perf_counter() - started)
