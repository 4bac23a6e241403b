"""Connections cut, broker killed, database killed, all under load: nothing lost, nothing doubled.

The two mutants run under the same faults and must go wrong: a fault test that never failed proves nothing.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest

from shared.contracts import Event
from shared.contracts.catalog import MerchantChanged, MerchantState
from shared.contracts.settlement import PayoutPaid
from shared.database import Database, is_outage
from shared.ids import new_id
from shared.messaging import inbox, outbox
from shared.messaging.handlers import Handlers
from shared.messaging.outbox import OutboxSender
from tests.integration.shared.conftest import Bare
from tests.support.waiting import eventually

pytestmark = [pytest.mark.infrastructure, pytest.mark.timeout(240)]


MOST_CUTS = 60


class ForgetfulSender(OutboxSender):
    """The mutant that deletes outbox rows before the broker has them."""

    async def send_once(self) -> int:
        async with self._db.transaction() as tx:
            rows = await tx.fetch(outbox._CLAIM, outbox.BATCH)
        if rows:
            async with self._db.transaction() as tx:
                await self._send(tx, rows)
        return len(rows)


def applying(service: str, event_type: type[Event], *, with_inbox: bool) -> Handlers:
    """A handler that counts every application; without the inbox it is the other mutant."""
    handles = Handlers(service)
    queue = next(reader for reader in event_type.readers if reader.startswith(f"{service}."))

    async def handle(event: Event, db: Database) -> None:
        async with db.transaction() as tx:
            if with_inbox and await inbox.is_duplicate(tx, event, queue):
                return
            await tx.execute("insert into effects values ($1, 1)", event.aggregate_id)

    handle.__name__ = queue.partition(".")[2]
    handles(event_type)(handle)
    return handles


async def say_patiently(db: Database, event: Event) -> None:
    """What a client does: the same id again until it is known to be there."""
    while True:
        try:
            async with db.transaction() as tx:
                await outbox.emit(tx, event)
            return
        except asyncpg.UniqueViolationError:
            return
        except Exception as error:
            if not is_outage(error):
                raise
            await asyncio.sleep(0.1)


def merchant(key: UUID) -> Event:
    return MerchantChanged(
        occurred_at=datetime.now(UTC), merchant_id=key, name="m", phone="1", state=MerchantState.VERIFIED
    )


def payout(key: UUID) -> Event:
    return PayoutPaid(
        occurred_at=datetime.now(UTC), instruction_id=key, payout_id=key, merchant_id=key, order_id=key,
        gross_fen=1, fee_fen=0, net_fen=1, paid_at=datetime.now(UTC), uses=(),
    )  # fmt: skip


async def outcome(db: Database, keys: list[UUID]) -> tuple[int, int]:
    """How many of the keys were lost, and how many took effect more than once."""
    async with db.transaction() as tx:
        rows = await tx.fetch("select key, sum(times) as times from effects group by key")
    times = {row["key"]: row["times"] for row in rows}
    return sum(str(key) not in times for key in keys), sum(times.get(str(key), 0) > 1 for key in keys)


@asynccontextmanager
async def load(db: Database, make: object, keys: list[UUID]) -> AsyncIterator[None]:
    """Say one event after another until the block ends."""
    stopping = asyncio.Event()

    async def say() -> None:
        while not stopping.is_set():
            key = new_id()
            await say_patiently(db, make(key))  # type: ignore[operator]  # merchant or payout
            keys.append(key)
            await asyncio.sleep(0.01)  # paced: the faults decide, not the backlog

    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(say())
        yield
        stopping.set()


async def _cut(bare: Bare) -> None:
    await asyncio.sleep(0.35)
    await asyncio.to_thread(bare.environment.servers.management.close_all_connections, bare.environment.vhost)


async def faults(bare: Bare) -> None:
    """The schedule that all pipelines live through."""
    servers = bare.environment.servers
    for _ in range(12):
        await _cut(bare)
    servers.kill_postgres()
    await asyncio.to_thread(servers.start_postgres)
    await asyncio.sleep(1)
    servers.kill_rabbit()
    await asyncio.to_thread(servers.start_rabbit)
    await asyncio.sleep(1)


async def test_nothing_is_lost_or_doubled_and_both_mutants_are_caught(bare: Bare) -> None:
    merchants: list[UUID] = []
    payouts: list[UUID] = []
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        sound = await enter(bare.consuming(applying("checkout", MerchantChanged, with_inbox=True)))
        no_inbox = await enter(bare.consuming(applying("dispatch", MerchantChanged, with_inbox=False)))
        reader = await enter(bare.consuming(applying("redemption", PayoutPaid, with_inbox=True)))
        catalog, _ = await enter(bare.sending("catalog"))
        settlement, _ = await enter(bare.sending("settlement", ForgetfulSender))
        async with load(catalog, merchant, merchants), load(settlement, payout, payouts):
            await faults(bare)
            # Whether a cut falls between an effect and its acknowledgement is chance: cut until one has.
            for _ in range(MOST_CUTS):
                if (await outcome(no_inbox, merchants))[1]:
                    break
                await _cut(bare)

        async def drained() -> bool:
            return (await outcome(sound, merchants))[0] == 0 and (await outcome(no_inbox, merchants))[0] == 0

        await eventually(drained, within_s=60, what="every event has taken effect")
        assert len(merchants) > 300, "too little load to prove anything"
        assert await outcome(sound, merchants) == (0, 0)
        assert (await outcome(no_inbox, merchants))[1] > 0, "without the inbox something must be doubled"
        assert (await outcome(reader, payouts))[0] > 0, "rows deleted before the confirm must get lost"
