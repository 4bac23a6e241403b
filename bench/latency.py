"""From commit to committed effect, against a bare publish and the callback that receives it."""

import asyncio
import statistics
import time

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from bench.relay import event
from shared.contracts.settlement import PayoutFailed
from shared.database import Database
from shared.messaging import consuming, inbox, outbox
from shared.messaging.handlers import Handlers, Shell
from shared.messaging.outbox import OutboxSender

SAMPLES = 300
PAUSE_S = 0.005


async def commit_to_effect(writer: Database, reader: Database, writer_url: str, reader_url: str) -> list[float]:
    """Milliseconds from the writer's commit to the reader's committed effect, one sample each."""
    arrived: dict[object, asyncio.Future[float]] = {}
    handles = Handlers("catalog")

    @handles(PayoutFailed)
    async def reopen_payout_account(event: PayoutFailed, db: Database) -> None:
        async with db.transaction() as tx:
            if await inbox.is_duplicate(tx, event, "catalog.reopen_payout_account"):
                return
            await tx.execute("insert into effects values ($1, 1)", str(event.instruction_id))
        if event.event_id in arrived:
            arrived[event.event_id].set_result(time.perf_counter())

    sender = OutboxSender(writer, writer_url, "settlement")
    await sender.connect()
    sending = asyncio.create_task(sender.run())
    broker = consuming.make_broker(reader_url, "catalog")
    consuming.subscribe(broker, handles, Shell(handles, reader, at_once=4))
    await broker.start()
    try:
        took = []
        for _ in range(SAMPLES):
            said = event()
            arrived[said.event_id] = asyncio.get_running_loop().create_future()
            async with writer.transaction() as tx:
                await outbox.emit(tx, said)
            committed = time.perf_counter()
            took.append((await arrived[said.event_id] - committed) * 1000)
            await asyncio.sleep(PAUSE_S)
        return took
    finally:
        await broker.stop()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await sender.close()


async def publish_to_callback(writer_url: str, reader_url: str) -> list[float]:
    """Milliseconds of a bare confirmed publish until the consumer's callback runs, one sample each."""
    arrived: dict[str, asyncio.Future[float]] = {}

    async def receive(message: AbstractIncomingMessage) -> None:
        if str(message.message_id) in arrived:
            arrived[str(message.message_id)].set_result(time.perf_counter())
        await message.ack()

    writing, reading = await aio_pika.connect(writer_url), await aio_pika.connect(reader_url)
    async with writing, reading:
        exchange = await (await writing.channel()).get_exchange("events", ensure=False)
        queue = await (await reading.channel()).get_queue("catalog.reopen_payout_account", ensure=False)
        await queue.consume(receive)
        took = []
        for _ in range(SAMPLES):
            said = event()
            key = str(said.event_id)
            arrived[key] = asyncio.get_running_loop().create_future()
            message = aio_pika.Message(said.model_dump_json().encode(), delivery_mode=2, message_id=key)
            started = time.perf_counter()
            await exchange.publish(message, PayoutFailed.topic)
            took.append((await arrived[key] - started) * 1000)
            await asyncio.sleep(PAUSE_S)
        return took


def percentile(values: list[float], percent: int) -> float:
    """The value below which this many percent lie."""
    return statistics.quantiles(values, n=100)[percent - 1]
