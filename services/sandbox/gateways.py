"""What the sandbox reaches itself: the shop's callback endpoints and the broker's clock exchange."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import aio_pika
import aiormq
import httpx
import structlog

_log = structlog.get_logger(__name__)
_MAX_ANSWER_BYTES = 4_096
_PAUSE_S = 0.5
_BROKER_AWAY = (
    aio_pika.exceptions.AMQPError,
    aiormq.exceptions.ChannelInvalidStateError,  # a RuntimeError of its own: the channel went with the connection
    OSError,
    TimeoutError,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a callback endpoint said; status 0 means that nothing came back."""

    status: int
    body: str


class Postman:
    """Posts notifies and callbacks, with little patience and no proxy."""

    def __init__(self, timeout_s: float) -> None:
        self._client = httpx.AsyncClient(
            timeout=timeout_s, trust_env=False, limits=httpx.Limits(max_connections=32, max_keepalive_connections=8)
        )

    async def post(self, url: str, content: bytes, content_type: str) -> Answer:
        try:
            async with self._client.stream(
                "POST", url, content=content, headers={"content-type": content_type}
            ) as response:
                body = b""
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > _MAX_ANSWER_BYTES:
                        break
                return Answer(response.status_code, body[:_MAX_ANSWER_BYTES].decode("utf-8", errors="replace"))
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            return Answer(0, type(failure).__name__)

    async def close(self) -> None:
        await self._client.aclose()


class BroadcastFailed(Exception):
    """The broker has not confirmed the clock's offset in time; it will be sent again when the broker is back."""


class ClockBroadcast:
    """Keeps the fanout exchange `clock` told: at start, after every reconnection, and at every change."""

    def __init__(self, amqp_url: str, offset_s: Callable[[], float], confirm_timeout_s: float) -> None:
        self._url = amqp_url
        self._offset_s = offset_s
        self._timeout_s = confirm_timeout_s
        self._wanted = 1
        self._confirmed = 0
        self._changed = asyncio.Condition()

    async def announce(self) -> None:
        """Return when the broker has confirmed the present offset; BroadcastFailed when it takes too long."""
        async with self._changed:
            self._wanted += 1
            version = self._wanted
            self._changed.notify_all()
            try:
                async with asyncio.timeout(self._timeout_s):
                    await self._changed.wait_for(lambda: self._confirmed >= version)
            except TimeoutError:
                raise BroadcastFailed from None

    async def run(self) -> None:
        """Publish whatever is wanted, for ever; a lost connection is made anew and told everything again."""
        while True:
            try:
                await self._publish_until_lost()
            except _BROKER_AWAY as failure:
                _log.warning("clock_broadcast_interrupted", error=type(failure).__name__)
                if _is_cancelled():
                    # Closing a connection that is gone fails, and that failure has taken the cancellation's place.
                    raise asyncio.CancelledError from failure
            except asyncio.CancelledError:
                # aiormq cancels pending publishes when a silent peer is given up; only our own cancellation counts.
                if _is_cancelled():
                    raise
            await asyncio.sleep(_PAUSE_S)
            self._wanted += 1

    async def _publish_until_lost(self) -> None:
        connection = await aio_pika.connect(self._url, timeout=5)
        async with connection:
            channel = await connection.channel(publisher_confirms=True)
            exchange = await channel.declare_exchange("clock", aio_pika.ExchangeType.FANOUT, durable=True)
            while True:
                version = self._wanted
                body = json.dumps({"offset_s": self._offset_s()}).encode()
                message = aio_pika.Message(body, content_type="application/json")
                await exchange.publish(message, routing_key="", timeout=self._timeout_s)
                async with self._changed:
                    self._confirmed = version
                    self._changed.notify_all()
                await self._wish_or_loss(connection, version)

    async def _wish_or_loss(self, connection: aio_pika.abc.AbstractConnection, version: int) -> None:
        """Wait until something newer than `version` is wanted; ConnectionError when the broker is gone."""
        async with self._changed:
            while self._wanted <= version:
                if connection.is_closed:
                    raise ConnectionError("the broker closed the connection")
                with suppress(TimeoutError):
                    async with asyncio.timeout(_PAUSE_S):
                        await self._changed.wait()


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
