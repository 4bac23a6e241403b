"""The main job, end to end, on real processes, a real broker and a real database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
import pytest
from rich.console import Console

from services.console import lifecycles
from services.console.journey import Journey
from services.console.people import Refused
from tests.journeys import scenario
from tests.journeys.conftest import Running

pytestmark = [pytest.mark.infrastructure, pytest.mark.timeout(300)]


async def test_vouchers_and_goods_go_from_the_video_to_the_payout(running: Running) -> None:
    town = await scenario.open_town(running.world)
    await scenario.check_books(town, await scenario.everything(town))


async def test_the_demo_holds_and_may_be_played_again(running: Running) -> None:
    for _ in range(2):
        proof = await Journey(running.world, Console(quiet=True)).play()
        assert (proof.findings, proof.difference_fen) == ([], 0)


@pytest.mark.parametrize("mode", ["INSTANT", "COURIER"])
async def test_a_carrier_brings_the_goods_by_its_own_protocol(running: Running, mode: str) -> None:
    world = running.world
    town = await scenario.open_town(world)
    bought = await lifecycles.place(world, town.goods, scenario.somebody(), 1, mode=mode)
    await lifecycles.pay(world, bought)
    bring = lifecycles.bring_by_courier if mode == "COURIER" else lifecycles.bring_by_errand_runner
    parcel = await bring(world, bought)
    assert parcel["waybill"] or mode == "INSTANT"
    await lifecycles.receive(world, bought, parcel["parcel_id"])
    await scenario.check_books(town, [scenario.Outcome(bought, 0)])


async def test_the_same_requests_again_change_nothing(running: Running) -> None:
    world = running.world
    town = await scenario.open_town(world)
    bought = await lifecycles.place(world, town.voucher, scenario.somebody(), 1)
    again = await lifecycles.place(world, town.voucher, bought.buyer, 1, order_id=bought.order_id)
    assert again.unit_ids == bought.unit_ids
    with pytest.raises(Refused) as other:
        await lifecycles.place(world, town.voucher, bought.buyer, 2, order_id=bought.order_id)
    assert other.value.code == "id_taken"
    await lifecycles.pay(world, bought, "duplicated")
    [certificate] = await lifecycles.certificates(world, bought)
    await scenario.check_books(town, [])
    assert certificate["state"] == "VALID"


async def test_a_second_copy_of_every_message_changes_nothing(running: Running) -> None:
    async with every_message_twice(running) as copies:
        town = await scenario.open_town(running.world)
        outcomes = await scenario.everything(town, times=3)
        await scenario.check_books(town, outcomes)
    assert len(set(copies)) > 15, "every kind of message was doubled"


@asynccontextmanager
async def every_message_twice(running: Running) -> AsyncIterator[list[str]]:
    """Hears everything that is said and says it once more."""
    topics: list[str] = []
    connection = await running.broker()
    async with connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange("events", ensure=False)
        heard = await channel.declare_queue("heard.by.tests", exclusive=True, auto_delete=True)
        await heard.bind("events", "#")

        async def repeat(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            topic = str(message.routing_key)
            if "copy" not in message.headers:
                topics.append(topic)
                again = aio_pika.Message(
                    message.body, message_id=message.message_id, headers={"copy": 1}, delivery_mode=2
                )
                await exchange.publish(again, topic)
            await message.ack()

        await heard.consume(repeat)
        yield topics


@pytest.mark.parametrize("name", ["catalog", "checkout", "redemption", "dispatch", "settlement", "sandbox"])
async def test_a_process_killed_in_the_middle_of_everything_changes_nothing(running: Running, name: str) -> None:
    town = await scenario.open_town(running.world)

    async def kill() -> None:
        for _ in range(2):
            await asyncio.to_thread(running.kill, name)
            running.launch(name)
            await asyncio.to_thread(running.await_ready)

    outcomes, _ = await asyncio.gather(scenario.everything(town, times=2), kill())
    await scenario.check_books(town, outcomes)


async def _servers_die(running: Running, kill: Any, start: Any) -> None:
    town = await scenario.open_town(running.world)

    async def die() -> None:
        await asyncio.to_thread(kill)
        await asyncio.to_thread(start)
        await asyncio.to_thread(running.await_ready)

    outcomes, _ = await asyncio.gather(scenario.everything(town, times=3), die())
    await scenario.check_books(town, outcomes)


async def test_the_broker_restarted_under_load_changes_nothing(running: Running) -> None:
    servers = running.environment.servers
    await _servers_die(running, servers.kill_rabbit, servers.start_rabbit)


async def test_the_database_restarted_under_load_changes_nothing(running: Running) -> None:
    servers = running.environment.servers
    await _servers_die(running, servers.kill_postgres, servers.start_postgres)
