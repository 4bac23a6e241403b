"""Any two related messages in the wrong order: each topic in turn is held back until everything else has settled."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
import pytest

from shared.contracts import EVENTS, Event
from tests.journeys import scenario
from tests.journeys.conftest import Running

pytestmark = pytest.mark.timeout(300)

# Every event that the main job causes, by its readers: each copy of it is late in turn.
HELD = [
    (event, reader)
    for event in EVENTS
    for reader in event.readers
    if event.topic.split(".")[1]
    in {
        "order_paid", "refund_requested", "refund_succeeded", "certificates_issued", "certificate_used", "use_final",
        "refund_fenced", "parcel_accepted", "parcel_handed_over", "parcel_delivered", "parcel_received", "payout_paid",
    }
]  # fmt: skip


@asynccontextmanager
async def held_back(running: Running, event: type[Event], reader: str) -> AsyncIterator[list[int]]:
    """Keep `reader`'s copies of `event` aside; whenever nothing else moves any more, let them go."""
    connection = await running.broker()
    released = [0]
    async with connection:
        channel = await connection.channel()
        aside = await channel.declare_queue(f"aside.{reader}", auto_delete=True, exclusive=True)
        await aside.bind("events", event.topic)
        queue = await channel.get_queue(reader, ensure=False)
        await queue.unbind("events", event.topic)
        task = asyncio.create_task(_release_when_quiet(running, channel, aside, reader, released))
        try:
            yield released
        finally:
            await queue.bind("events", event.topic)
            await aside.unbind("events", event.topic)
            task.cancel()
            await _release(channel, aside, reader, released)


async def _release_when_quiet(
    running: Running,
    channel: aio_pika.abc.AbstractChannel,
    aside: aio_pika.abc.AbstractQueue,
    reader: str,
    released: list[int],
) -> None:
    management, vhost = running.environment.servers.management, running.environment.vhost
    quiet = 0
    while True:
        depths = await asyncio.to_thread(management.queue_depths, vhost)
        quiet = 0 if sum(depth for name, depth in depths.items() if not name.startswith("aside.")) else quiet + 1
        # The broker counts its queues every few seconds only, so one empty look is not yet quiet.
        if quiet >= 3:
            await _release(channel, aside, reader, released)
        await asyncio.sleep(0.1)


async def _release(
    channel: aio_pika.abc.AbstractChannel, aside: aio_pika.abc.AbstractQueue, reader: str, released: list[int]
) -> None:
    while message := await aside.get(fail=False):
        again = aio_pika.Message(
            message.body, message_id=message.message_id, correlation_id=message.correlation_id, delivery_mode=2
        )
        await channel.default_exchange.publish(again, reader)
        await message.ack()
        released[0] += 1


@pytest.mark.parametrize(("event", "reader"), HELD, ids=[f"{event.__name__}-{reader}" for event, reader in HELD])
async def test_a_message_that_comes_after_its_successors_changes_nothing(
    running: Running, event: type[Event], reader: str
) -> None:
    town = await scenario.open_town(running.world)
    async with held_back(running, event, reader) as released:
        outcomes = await scenario.everything(town)
        await scenario.check_books(town, outcomes)
    assert released[0] > 0, "nothing was held back: the test proved nothing"
