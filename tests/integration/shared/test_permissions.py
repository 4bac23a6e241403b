"""Each service may touch its own schema, topics and queues, and is refused everything of the others."""

import itertools

import aio_pika
import asyncpg
import pytest
from aiormq.exceptions import ChannelAccessRefused

from shared.contracts import SERVICES, published_by, read_by
from tests.integration.shared.conftest import Bare

PAIRS = list(itertools.permutations(SERVICES, 2))


@pytest.mark.parametrize(("service", "other"), PAIRS)
async def test_a_database_role_is_refused_on_another_schema(bare: Bare, service: str, other: str) -> None:
    connection = await asyncpg.connect(bare.environment.local.database_urls[service])
    try:
        assert await connection.fetchval(f"select count(*) from {service}.outbox") >= 0
        for statement in (
            f"select * from {other}.outbox",
            f"create table {other}.x (i int)",
            "create table public.x ()",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize(("service", "other"), PAIRS)
async def test_a_broker_user_is_refused_on_anothers_topics_and_queues(bare: Bare, service: str, other: str) -> None:
    connection = await aio_pika.connect(bare.environment.local.amqp_urls[service])
    async with connection:
        publishing = await connection.channel()
        exchange = await publishing.get_exchange("events", ensure=False)
        with pytest.raises(ChannelAccessRefused):
            await exchange.publish(aio_pika.Message(b"{}"), published_by(other)[0].topic)
        reading = await connection.channel()
        queue = await reading.get_queue(next(iter(read_by(other))), ensure=False)
        with pytest.raises(ChannelAccessRefused):
            await queue.get(timeout=2)
        declaring = await connection.channel()
        with pytest.raises(ChannelAccessRefused):
            await declaring.declare_queue(f"{other}.mine")


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_may_not_bind_a_queue_to_what_it_does_not_read(bare: Bare, service: str) -> None:
    heard = {event.topic for event in read_by(service).values()}
    foreign = next(event.topic for other in SERVICES for event in published_by(other) if event.topic not in heard)
    connection = await aio_pika.connect(bare.environment.local.amqp_urls[service])
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(f"{service}.clock.test", exclusive=True)
        with pytest.raises(ChannelAccessRefused):
            await queue.bind("events", foreign)


async def test_the_sandbox_may_say_the_time_and_nothing_else(bare: Bare) -> None:
    connection = await aio_pika.connect(bare.environment.local.amqp_urls["sandbox"])
    async with connection:
        channel = await connection.channel()
        clock = await channel.get_exchange("clock", ensure=False)
        await clock.publish(aio_pika.Message(b'{"offset_s": 0}'), "", mandatory=False)
        events = await channel.get_exchange("events", ensure=False)
        with pytest.raises(ChannelAccessRefused):
            await events.publish(aio_pika.Message(b"{}"), "checkout.order_paid.v1")
