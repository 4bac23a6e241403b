"""Queues of the shared environment, as a service that starts in a test wants to find them."""

import aio_pika

from shared.messaging import topology
from tests.support.environment import Environment


async def empty(environment: Environment, service: str) -> None:
    """Throw away what earlier tests published for a service that was not running: hundreds of messages about orders
    that nobody asks for, ahead of the few that a test waits for."""
    names = [queue["name"] for queue in topology.topology()["queues"] if queue["name"].startswith(f"{service}.")]
    connection = await aio_pika.connect(environment.local.amqp_urls[service])
    async with connection:
        channel = await connection.channel()
        for name in names:
            await (await channel.get_queue(name)).purge()
