"""Competes with the consumers for every message, and hands it back late, twice, or both."""

import asyncio
import contextlib
import functools
import random

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from shared.contracts import SERVICES, read_by

DUPLICATE, DELAY = 0.3, 0.3
LONGEST_DELAY_S = 2.0
_MARK = "groupbuy-meddled"


class Interference:
    """A consumer on every queue: about every other message passes through it, and is never lost by it."""

    def __init__(self, amqp_url: str, seed: int, *, duplicate: float = DUPLICATE, delay: float = DELAY) -> None:
        self._amqp_url = amqp_url
        self._duplicate = duplicate
        self._delay = delay
        self._choices = random.Random(f"{seed}:messages")  # noqa: S311  # seeded on purpose
        self.duplicated = 0
        self.delayed = 0

    async def run(self) -> None:
        """Interfere until cancelled, coming back whenever the broker does."""
        while True:
            with contextlib.suppress(aio_pika.exceptions.AMQPError, OSError, TimeoutError, RuntimeError):
                connection = await aio_pika.connect(self._amqp_url, heartbeat=5, timeout=5)
                async with connection:
                    await self._interfere(connection)
            await asyncio.sleep(0.5)

    async def _interfere(self, connection: aio_pika.abc.AbstractConnection) -> None:
        channel = await connection.channel(publisher_confirms=True)
        await channel.set_qos(prefetch_count=20)

        for service in SERVICES:
            for name in read_by(service):
                queue = await channel.get_queue(name, ensure=False)
                await queue.consume(functools.partial(self._patiently, channel, name))
        closed = asyncio.Event()
        connection.close_callbacks.add(lambda *_: closed.set())
        await closed.wait()

    async def _patiently(
        self, channel: aio_pika.abc.AbstractChannel, queue: str, message: AbstractIncomingMessage
    ) -> None:
        with contextlib.suppress(aio_pika.exceptions.AMQPError, OSError, TimeoutError, RuntimeError):
            await self._meddle(channel, queue, message)

    async def _meddle(
        self, channel: aio_pika.abc.AbstractChannel, queue: str, message: AbstractIncomingMessage
    ) -> None:
        """Publish to the message's own queue again, then acknowledge: a crash between makes a copy, never a loss."""
        copies = 1
        if _MARK not in message.headers:
            if self._choices.random() < self._delay:
                self.delayed += 1
                await asyncio.sleep(self._choices.uniform(0, LONGEST_DELAY_S))
            copies += self._choices.random() < self._duplicate
        self.duplicated += copies - 1
        for _ in range(copies):
            again = aio_pika.Message(
                message.body,
                message_id=message.message_id,
                correlation_id=message.correlation_id,
                type=message.type,
                content_type=message.content_type,
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                headers={_MARK: 1},
            )
            await channel.default_exchange.publish(again, queue, timeout=5)
        await message.ack()
