"""The main job, end to end, on real processes, a real broker and a real database."""

import asyncio
from typing import Any

import pytest

from services.console import lifecycles
from services.console.people import Refused
from tests.chaos.interference import Interference
from tests.journeys import scenario
from tests.journeys.conftest import Running

pytestmark = [pytest.mark.infrastructure, pytest.mark.timeout(300)]


async def test_vouchers_and_goods_go_from_the_video_to_the_payout(running: Running) -> None:
    town = await scenario.open_town(running.world)
    await scenario.check_books(town, await scenario.everything(town))


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
    town = await scenario.open_town(running.world)
    interference = Interference(running.administrator_url, seed=1, duplicate=1.0, delay=0.0)
    meddling = asyncio.create_task(interference.run())
    try:
        outcomes = await scenario.everything(town, times=3)
    finally:
        meddling.cancel()
    assert interference.duplicated > 20
    await scenario.check_books(town, outcomes)


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
