"""FastStream's side: one quorum queue per handler, acknowledged after the commit, never rejected."""

from collections.abc import Awaitable, Callable
from typing import Any

from faststream import AckPolicy
from faststream.rabbit import Channel, RabbitBroker, RabbitQueue
from faststream.rabbit.annotations import RabbitMessage

from shared.ids import new_id
from shared.messaging import topology
from shared.messaging.clock import ClockFollower
from shared.messaging.handlers import Handler, Handlers, Shell

PREFETCH = 32


async def _undecoded(message: Any) -> Any:
    """Hand the message itself to the shell: it decodes once, and acknowledges when the effect is committed."""
    return message


def _headers(message: RabbitMessage) -> dict[str, str]:
    return {"correlation_id": message.correlation_id or "", "message_id": message.message_id or ""}


def make_broker(amqp_url: str, service: str) -> RabbitBroker:
    """The consuming broker: its own connection, fast to come back, and silent (the shell does the logging)."""
    separator = "&" if "?" in amqp_url else "?"
    return RabbitBroker(
        f"{amqp_url}{separator}heartbeat=5&name={service}.consumer",
        apply_types=False,
        reconnect_interval=0.3,
        graceful_timeout=15.0,
        logger=None,
    )


def subscribe(broker: RabbitBroker, handlers: Handlers, shell: Shell) -> None:
    """One subscriber for each handler, and one that rescues what the broker gave up on."""
    for handler in handlers.by_queue.values():
        _subscribe(broker, handlers.service, handler, _consumer(handler, shell))
    broker.subscriber(
        topology.dead_queue(handlers.service),
        topology.dead_exchange(handlers.service),
        channel=Channel(prefetch_count=1),
        decoder=_undecoded,
        ack_policy=AckPolicy.MANUAL,
        include_in_schema=False,
    )(_rescuer(shell))


def describe(broker: RabbitBroker, handlers: Handlers) -> None:
    """The same subscribers on a broker that is never started, for the AsyncAPI document."""

    for handler in handlers.by_queue.values():
        _subscribe(broker, handlers.service, handler, _typed(handler, _never()))


def _never() -> Callable[[Any], Awaitable[None]]:
    async def never(message: Any) -> None:
        raise AssertionError(message)

    return never


def _subscribe(broker: RabbitBroker, service: str, handler: Handler, consume: Callable[[Any], Awaitable[None]]) -> None:
    broker.subscriber(
        topology.queue(service, handler.queue, handler.event.topic),
        topology.EVENTS,
        channel=Channel(prefetch_count=PREFETCH),
        decoder=_undecoded,
        ack_policy=AckPolicy.MANUAL,
        title=handler.queue,
        description=(handler.handle.__doc__ or "").strip(),
    )(consume)


def _consumer(handler: Handler, shell: Shell) -> Callable[[Any], Awaitable[None]]:
    async def consume(message: RabbitMessage) -> None:
        await shell.receive(handler, message.body, _headers(message))
        await message.ack()

    return _typed(handler, consume)


def _typed(handler: Handler, consume: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    """FastStream reads the payload's model from the annotation, for the AsyncAPI document."""
    consume.__annotations__ = {name: handler.event for name in consume.__annotations__ if name != "return"}
    consume.__annotations__["return"] = None
    consume.__name__ = handler.queue.partition(".")[2]
    return consume


def _rescuer(shell: Shell) -> Callable[[Any], Awaitable[None]]:
    async def rescue(message: RabbitMessage) -> None:
        deaths = message.headers.get("x-death") or [{}]
        await shell.rescue(message.body, _headers(message), str(deaths[0].get("queue", "")))
        await message.ack()

    return rescue


def follow_clock(broker: RabbitBroker, service: str, follower: ClockFollower) -> None:
    """Hear the sandbox's clock on a queue of this process's own, gone with its connection."""

    async def hear(message: RabbitMessage) -> None:
        await follower.hear(message.body)
        await message.ack()

    broker.subscriber(
        RabbitQueue(f"{service}.clock.{new_id()}", durable=False, exclusive=True, auto_delete=True),
        topology.CLOCK,
        channel=Channel(prefetch_count=1),
        decoder=_undecoded,
        ack_policy=AckPolicy.MANUAL,
        include_in_schema=False,
    )(hear)
