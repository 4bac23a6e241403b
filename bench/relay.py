"""The outbox sender against bare confirmed publishes of the same bytes to the same queues."""

import asyncio
import time
from datetime import UTC, datetime

import aio_pika

from shared.contracts.settlement import PayoutFailed
from shared.database import Database
from shared.ids import new_id
from shared.messaging import outbox
from shared.messaging.outbox import OutboxSender

EVENTS = 4000
IN_FLIGHT = 100


def event() -> PayoutFailed:
    """An event with one reader, a few hundred bytes long."""
    return PayoutFailed(
        occurred_at=datetime.now(UTC), instruction_id=new_id(), payout_id=new_id(), merchant_id=new_id(), code="x"
    )


async def through_the_outbox(db: Database, amqp_url: str) -> float:
    """Events per second from committed rows to confirmed messages."""
    for start in range(0, EVENTS, 500):
        async with db.transaction() as tx:
            await outbox.emit(tx, *(event() for _ in range(min(500, EVENTS - start))))
    sender = OutboxSender(db, amqp_url, "settlement")
    await sender.connect()
    try:
        started = time.perf_counter()
        while await sender.send_once():
            pass
        return EVENTS / (time.perf_counter() - started)
    finally:
        await sender.close()


async def bare(amqp_url: str) -> float:
    """Confirmed publishes per second by aio-pika, 100 in flight."""
    bodies = [event().model_dump_json().encode() for _ in range(EVENTS)]
    connection = await aio_pika.connect_robust(amqp_url)
    async with connection:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        exchange = await channel.get_exchange("events", ensure=False)
        free = asyncio.Semaphore(IN_FLIGHT)

        async def publish(body: bytes) -> None:
            async with free:
                message = aio_pika.Message(body, delivery_mode=2, message_id=str(new_id()))
                await exchange.publish(message, PayoutFailed.topic, mandatory=True)

        started = time.perf_counter()
        await asyncio.gather(*map(publish, bodies))
        return EVENTS / (time.perf_counter() - started)
