"""The private RabbitMQ node starts, survives being killed, and leaves nothing behind when it is ended."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError

import aio_pika
import pytest

from services.console.local.errors import LocalError
from services.console.local.ports import LOOPBACK, free_port, is_free
from services.console.local.processes import stop_everything
from services.console.local.rabbitmq import LocalRabbit, speaks_amqp

pytestmark = pytest.mark.infrastructure

DEFINITIONS = {
    "exchanges": [
        {
            "name": "events",
            "vhost": "/",
            "type": "topic",
            "durable": True,
            "auto_delete": False,
            "internal": False,
            "arguments": {},
        }
    ],
    "queues": [
        {
            "name": "catalog.deals",
            "vhost": "/",
            "durable": True,
            "auto_delete": False,
            "arguments": {"x-queue-type": "quorum"},
        }
    ],
    "bindings": [
        {
            "source": "events",
            "vhost": "/",
            "destination": "catalog.deals",
            "destination_type": "queue",
            "routing_key": "catalog.*.v1",
            "arguments": {},
        }
    ],
}


@pytest.fixture(scope="module")
def rabbit(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[LocalRabbit]:
    debs = request.config.rootpath / "var" / "rabbitmq-debs"
    node = LocalRabbit(tmp_path_factory.mktemp("rabbitmq"), free_port(), free_port(), debs_directory=debs)
    node.start()
    yield node
    node.stop()


@pytest.fixture
def vhost(rabbit: LocalRabbit) -> Iterator[str]:
    name = "a run/with signs"
    rabbit.management.create_vhost(name)
    rabbit.management.import_definitions(name, DEFINITIONS)
    yield name
    rabbit.management.delete_vhost(name)


async def publish(rabbit: LocalRabbit, vhost: str, key: str, user: str = "admin", password: str | None = None) -> None:
    connection = await aio_pika.connect(rabbit.url(user, password, vhost))
    async with connection:
        channel = await connection.channel(publisher_confirms=True)
        events = await channel.get_exchange("events", ensure=False)
        await events.publish(aio_pika.Message(b"{}", delivery_mode=2), routing_key=key)


def test_a_second_start_finds_the_running_node(rabbit: LocalRabbit) -> None:
    again = LocalRabbit(rabbit.directory, rabbit.port, rabbit.management_port)
    again.start()
    assert again.pid == rabbit.pid


def await_queue_on_disk(rabbit: LocalRabbit, queue: str) -> None:
    """RabbitMQ writes the register of its quorum queues up to half a second late; a queue killed before is lost."""
    registers = list((rabbit.directory / "data").rglob("names.dets"))
    while not any(queue.encode() in register.read_bytes() for register in registers):
        time.sleep(0.02)


async def test_a_confirmed_message_survives_the_kill_of_the_node(rabbit: LocalRabbit, vhost: str) -> None:
    await_queue_on_disk(rabbit, "catalog.deals")
    await publish(rabbit, vhost, "catalog.deal_published.v1")
    rabbit.kill()
    assert not rabbit.is_ready()
    rabbit.start()
    connection = await aio_pika.connect(rabbit.url(vhost=vhost))
    async with connection:
        queue = await (await connection.channel()).get_queue("catalog.deals")
        assert await queue.get(timeout=30) is not None


async def test_a_user_may_publish_only_the_topics_it_was_given(rabbit: LocalRabbit, vhost: str) -> None:
    rabbit.management.create_user("catalog", "p@ss/word")
    rabbit.management.set_permissions(vhost, "catalog", configure="", write="^events$", read=r"^catalog\.")
    rabbit.management.set_topic_permissions(vhost, "catalog", exchange="events", write=r"^catalog\.", read=".*")
    await publish(rabbit, vhost, "catalog.deal_published.v1", "catalog", "p@ss/word")
    with pytest.raises(aio_pika.exceptions.ChannelClosed, match="ACCESS_REFUSED"):
        await publish(rabbit, vhost, "checkout.order_paid.v1", "catalog", "p@ss/word")
    rabbit.management.delete_user("catalog")


async def test_connections_can_be_cut(rabbit: LocalRabbit, vhost: str) -> None:
    connection = await aio_pika.connect(rabbit.url(vhost=vhost))
    closed = connection.transport.connection.closing if connection.transport else None
    assert closed is not None
    while rabbit.management.close_all_connections(vhost) == 0:
        pass  # the API lists a connection a moment after it was opened
    with pytest.raises(aio_pika.exceptions.AMQPError):
        await closed


def test_the_api_refuses_another_password(rabbit: LocalRabbit) -> None:
    stranger = type(rabbit.management)(rabbit.management.url, "guest", "guest")
    with pytest.raises(HTTPError) as refused:
        stranger.get("/overview")
    assert refused.value.code == 401


def test_an_open_port_alone_is_not_a_broker() -> None:
    with socket.create_server((LOOPBACK, 0)) as silent:
        port = silent.getsockname()[1]
        assert not is_free(port)
        assert not speaks_amqp(port)


def test_a_taken_port_is_named_with_the_variable_that_changes_it(scratch: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        node = LocalRabbit(scratch, free_port(), taken.getsockname()[1], management_port_variable="GROUPBUY_UI_PORT")
        with pytest.raises(LocalError, match="GROUPBUY_UI_PORT") as refused:
            node.start()
    assert refused.value.code == "port_taken"
    assert node.pid is None


def test_everything_is_ended_by_the_pid_files_alone_and_the_ports_are_free_again(
    scratch: Path, debs_directory: Path
) -> None:
    node = LocalRabbit(scratch / "rabbitmq", free_port(), free_port(), debs_directory=debs_directory)
    node.start()
    assert stop_everything(scratch, timeout_s=30) == ["rabbitmq", "epmd"]
    assert is_free(node.port)
    assert is_free(node.management_port)
