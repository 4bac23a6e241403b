"""The moved clock reaches the broker: at start, at every change, and again after the broker was away."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator

import aio_pika
import httpx
import pytest

from shared.messaging import topology
from tests.integration.sandbox.stage import StartSandbox
from tests.support.servers import Servers

pytestmark = pytest.mark.infrastructure


@pytest.fixture
def vhost(servers: Servers) -> str:
    """A virtual host in which the sandbox has only the rights that it has in a real system."""
    name = f"clock_{secrets.token_hex(4)}"
    management = servers.management
    management.create_vhost(name)
    management.set_permissions(name, "sandbox", **topology.permissions("sandbox"))
    management.set_permissions(name, management.user, configure=".*", write=".*", read=".*")
    management.import_definitions(name, {"exchanges": [topology.topology()["exchanges"][1]]})
    return name


@pytest.fixture
async def heard(servers: Servers, vhost: str) -> AsyncIterator["asyncio.Queue[float]"]:
    """Every offset that is broadcast."""
    offsets: asyncio.Queue[float] = asyncio.Queue()

    async def hear(message: aio_pika.abc.AbstractIncomingMessage) -> None:
        offsets.put_nowait(json.loads(message.body)["offset_s"])

    url = servers.amqp_url("catalog", vhost)
    management = servers.management
    management.set_permissions(vhost, "catalog", configure="^catalog.*", write="^catalog.*", read=".*")
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("catalog.clock", auto_delete=True)
        await queue.bind(await channel.get_exchange("clock"))
        await queue.consume(hear, no_ack=True)
        yield offsets


async def test_the_offset_is_broadcast_at_start_and_before_a_change_is_answered(
    start_sandbox: StartSandbox, servers: Servers, vhost: str, heard: "asyncio.Queue[float]"
) -> None:
    sandbox = await asyncio.to_thread(start_sandbox, GROUPBUY_AMQP_URL=servers.amqp_url("sandbox", vhost))
    assert await asyncio.wait_for(heard.get(), 20) == 0
    async with httpx.AsyncClient(base_url=sandbox.url, trust_env=False, timeout=30) as http:
        moved = await http.post("/clock/advance", json={"seconds": 90.5})
        assert moved.json()["offset_s"] == 90.5
        assert await asyncio.wait_for(heard.get(), 5) == 90.5
    sandbox.kill()
    await asyncio.to_thread(sandbox.start)
    assert await asyncio.wait_for(heard.get(), 20) == 90.5


async def test_a_lost_connection_is_made_again_and_the_offset_repeated(
    start_sandbox: StartSandbox, servers: Servers, vhost: str
) -> None:
    sandbox = await asyncio.to_thread(start_sandbox, GROUPBUY_AMQP_URL=servers.amqp_url("sandbox", vhost))
    async with httpx.AsyncClient(base_url=sandbox.url, trust_env=False, timeout=30) as http:
        assert (await http.put("/clock", json={"offset_s": 1})).status_code == 200
        await asyncio.to_thread(servers.management.close_all_connections, vhost)
        assert (await http.put("/clock", json={"offset_s": 2})).status_code == 200
