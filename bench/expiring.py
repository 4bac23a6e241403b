"""What tills wait for while a night's certificates expire beside them, against the same tills before that."""

import asyncio
import os
import time
from dataclasses import dataclass

import aio_pika

from bench.verifying import TILLS, USES, Tills
from services.console.environment import Local
from services.redemption import consumers
from shared.database import Database
from shared.messaging.outbox import OutboxSender
from shared.messaging.timers import TimerLoop

HEARD_BY = "checkout.refund_expired"
CERTIFICATES = int(os.environ.get("GROUPBUY_BENCH_EXPIRING", "50000"))
"""A million takes about half an hour, most of it pauses."""
UNITS = 2
AT_ONCE = 20_000
PACE_S = 0.05
QUIET_S = 10.0

_NIGHT = """
with sold as (
    insert into orders (order_id, order_no, buyer, merchant_id, deal_id, deal_version, title, store_ids, starts_at,
        until, blackout_dates, paid_at, rules)
    select gen_random_uuid(), n::text, 'bench', gen_random_uuid(), gen_random_uuid(), 1, '双人火锅套餐', '{}',
        now() - interval '30 days', $2, '{}', now() - interval '30 days', '{}' from generate_series(1, $1) n
    returning order_id)
insert into certificates (unit_id, order_id, position, state, use_values_fen, uses_left, code_hash, sealed_code)
select gen_random_uuid(), order_id, position, 'VALID', '{12800}', 1, uuid_send(gen_random_uuid()), 'bench'
from sold, generate_series(0, $3 - 1) position
"""


@dataclass(frozen=True, slots=True)
class Night:
    """Milliseconds that uses took before and during it, and how many certificates expired in a second."""

    before_ms: list[float]
    during_ms: list[float]
    per_second: float


async def night(tills: Tills, db: Database, local: Local) -> Night:
    """Sell, measure, expire and measure again. Timers and outbox run in this process, as they do in the service."""
    for sold in range(0, CERTIFICATES // UNITS, AT_ONCE):
        async with db.transaction() as tx:
            await tx.execute(_NIGHT, min(AT_ONCE, CERTIFICATES // UNITS - sold), tx.now, UNITS)
    async with db.transaction() as tx:
        await tx.execute("delete from timers")
        await tx.execute("analyze orders, certificates")
    quiet = asyncio.create_task(asyncio.sleep(QUIET_S))
    before = await _at_tills(tills, quiet)
    sender = OutboxSender(db, local.amqp_urls["redemption"], "redemption")
    loop = TimerLoop(consumers.timers, db, tills.world)
    await sender.connect()
    began = time.perf_counter()
    beside = [asyncio.create_task(work) for work in (sender.run(), loop.run_inside(), _forget(local))]
    expiring = asyncio.create_task(_expired_all(db))
    try:
        during = await _at_tills(tills, expiring)
        took_s = time.perf_counter() - began
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await sender.close()
    return Night(before, during, CERTIFICATES / took_s)


async def _expired_all(db: Database) -> None:
    """Start the expiry and wait until nothing of the night is left."""
    await consumers.watch_time(db)
    left = CERTIFICATES
    while left:
        await asyncio.sleep(1)
        async with db.transaction(read_only=True) as tx:
            left = await tx.value("select count(*) from orders where buyer = 'bench' and not expiry_done")


async def _at_tills(tills: Tills, until: asyncio.Task[None]) -> list[float]:
    """Milliseconds of each use at some tills, one after the other at the pace of busy clerks."""
    taken: list[float] = []

    async def clerk() -> None:
        while not until.done():
            (till,) = await tills.known([await tills.till()])
            for _ in range(USES - 1):
                if until.done():
                    return
                began = time.perf_counter()
                await tills.use(till)
                taken.append((time.perf_counter() - began) * 1_000)
                await asyncio.sleep(PACE_S)

    await asyncio.gather(*(clerk() for _ in range(TILLS)))
    await until
    return taken


async def _forget(local: Local) -> None:
    """Nobody listens here, and a queue takes a limited number: what is told is thrown away."""
    connection = await aio_pika.connect(local.amqp_urls["checkout"])
    async with connection:
        queue = await (await connection.channel()).get_queue(HEARD_BY, ensure=False)
        while True:
            await asyncio.sleep(1)
            await queue.purge()
