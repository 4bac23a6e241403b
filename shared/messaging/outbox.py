"""The outbox: events are written with the change that they tell of, and sent the moment it commits."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import aio_pika
import aiormq
from pamqp.commands import Basic

from shared.contracts import EVENTS, Event
from shared.database import Database, Row, Transaction, is_outage
from shared.messaging.connection import lost_connection
from shared.messaging.naps import set_within
from shared.messaging.topology import EVENTS_EXCHANGE, replay_exchange
from shared.observability import OUTBOX_LAG, OUTBOX_SENT, correlation_id, log

BROKER_AWAY = (aiormq.exceptions.AMQPError, aiormq.exceptions.ChannelInvalidStateError)
REFUSED = (aiormq.exceptions.PublishError, aiormq.exceptions.DeliveryError)
CHANNEL_BROKEN = (aiormq.exceptions.ChannelClosed, aiormq.exceptions.ChannelInvalidStateError)
BATCH = 200
POLL_S = 0.2
CONFIRM_TIMEOUT_S = 5
# Unroutable or refused by the broker: the row waits, its neighbours do not.
RETRY_MAX_S = 60

_WITH_READERS = frozenset(event.topic for event in EVENTS if event.readers)

_SAID = """said as (
    insert into history (event_id, topic, aggregate_id, version, payload, headers)
    select * from {source}
    returning event_id, topic, aggregate_id, version, payload, headers
)"""

_SENT = """insert into outbox (event_id, topic, aggregate_id, version, payload, headers)
select * from said order by event_id"""

_GIVEN = "unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bytea[], $6::jsonb[])"
_WRITE = f"with {_SAID.format(source=_GIVEN)} {_SENT}"

_WRITE_AGAIN = """
insert into outbox (event_id, topic, aggregate_id, version, payload, headers, exchange)
select *, $7 from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bytea[], $6::jsonb[])
"""

_CLAIM = """
delete from outbox where id = any(array(
    select id from outbox where retry_at <= now() order by id limit $1 for update skip locked))
returning id, exchange, event_id, topic, aggregate_id, version, payload, headers, attempts, created_at
"""

_PUT_BACK = """
insert into outbox
    (event_id, topic, aggregate_id, version, payload, headers, attempts, created_at, exchange, retry_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + $10 * interval '1 second')
"""


async def emit(tx: Transaction, *events: Event) -> None:
    """Write events into the outbox and the history of this transaction; they are sent when it has committed."""
    if not events:
        return
    await tx.execute(_WRITE, *_columns(events, {"correlation_id": correlation_id()}))
    tx.after_commit.add(tx.on_outbox)


def emitting(source: str) -> str:
    """The part of a statement that says what the same statement decides: two more CTEs after `source`, whose columns
    are event_id, topic, aggregate_id, version, payload (bytea) and headers. With it comes `emitted`."""
    return f"{_SAID.format(source=source)}, sent as ({_SENT})"


def emitted(tx: Transaction) -> dict[str, str]:
    """The headers for `emitting`; what it writes is sent when this transaction has committed."""
    tx.after_commit.add(tx.on_outbox)
    return {"correlation_id": correlation_id()}


async def emit_again(tx: Transaction, consumer: str, replay_id: UUID, events: Sequence[Event]) -> None:
    """Write the present state for the copies of one consumer. It is no news: the history does not get it."""
    if not events:
        return
    headers = {"correlation_id": correlation_id(), "replay_id": str(replay_id)}
    await tx.execute(_WRITE_AGAIN, *_columns(events, headers), replay_exchange(consumer))
    tx.after_commit.add(tx.on_outbox)


async def unsent_again(tx: Transaction, replay_id: UUID | None = None) -> int:
    """How many rows of one replay, or of all, the broker has not confirmed yet."""
    return int(
        await tx.value(
            """select count(*) from outbox
               where exchange <> 'events' and ($1::text is null or headers->>'replay_id' = $1)""",
            None if replay_id is None else str(replay_id),
        )
    )


def _columns(events: Sequence[Event], headers: dict[str, str]) -> tuple[list[Any], ...]:
    return (
        [event.event_id for event in events],
        [event.topic for event in events],
        [event.aggregate_id for event in events],
        [event.version for event in events],
        [event.model_dump_json().encode() for event in events],
        [headers for _ in events],
    )


class OutboxSender:
    """Sends what commits: woken in-process, with a poll as the net for rows that a dead process left."""

    def __init__(self, db: Database, amqp_url: str, service: str) -> None:
        self._db = db
        self._amqp_url = amqp_url
        self._service = service
        self._wake = asyncio.Event()
        self._connection: aio_pika.abc.AbstractRobustConnection | None = None
        self._channel: aio_pika.abc.AbstractChannel | None = None
        db.wake_outbox = self._wake.set

    async def connect(self) -> None:
        """Open the publishing connection, apart from the consuming one so that blocked publishers never stall acks."""
        self._connection = await aio_pika.connect_robust(
            self._amqp_url,
            heartbeat=5,
            reconnect_interval=0.3,
            timeout=5,
            client_properties={"connection_name": f"{self._service}.outbox"},
        )
        self._channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)

    async def close(self) -> None:
        """Close the publishing connection."""
        if self._connection is not None:
            await self._connection.close()

    async def run(self) -> None:
        """Send for ever. An outage of broker or database is waited out; anything else ends the process."""
        while True:
            # Cleared before the claim, so that a commit during it is not slept through.
            self._wake.clear()
            try:
                sent = await self.send_once()
            except asyncio.CancelledError:
                if not lost_connection():
                    raise
                await self._pause("broker connection lost")
                continue
            except Exception as error:
                if not (is_outage(error) or isinstance(error, BROKER_AWAY)):
                    raise
                await self._pause(repr(error))
                continue
            if sent < BATCH:
                await self._sleep()

    async def send_once(self) -> int:
        """Claim up to a batch, send it, and keep it claimed only as far as the broker confirmed. Returns the claim."""
        async with self._db.transaction() as tx:
            rows = sorted(await tx.fetch(_CLAIM, BATCH), key=lambda row: int(row["id"]))
            if rows:
                await self._send(tx, rows)
        return len(rows)

    async def _send(self, tx: Transaction, rows: list[Row]) -> None:
        assert self._channel is not None, "connect() comes first"
        news = [row for row in rows if row["exchange"] == EVENTS_EXCHANGE]
        refused = await _settle(tx, await _publish_all(self._channel, news), REFUSED)
        if len(news) < len(rows):
            refused += await self._send_again(tx, [row for row in rows if row["exchange"] != EVENTS_EXCHANGE])
        OUTBOX_SENT.inc(len(rows) - refused)
        OUTBOX_LAG.set((datetime.now(UTC) - rows[0]["created_at"]).total_seconds())

    async def _send_again(self, tx: Transaction, rows: list[Row]) -> int:
        """Send what is replayed on a channel of its own: an exchange that is missing or closed to us breaks the channel
        of whoever publishes to it, and must not hold up the news."""
        assert self._connection is not None, "connect() comes first"
        async with self._connection.channel(publisher_confirms=True, on_return_raises=True) as channel:
            return await _settle(tx, await _publish_all(channel, rows), (*REFUSED, *CHANNEL_BROKEN))

    async def _sleep(self) -> None:
        await set_within(self._wake, POLL_S)

    async def _pause(self, reason: str) -> None:
        log.warning("outbox_waited", reason=reason[:200])
        await asyncio.sleep(POLL_S)


async def _publish_all(channel: aio_pika.abc.AbstractChannel, rows: list[Row]) -> list[tuple[Row, object]]:
    """Each row with what became of it: an exception, or the broker's confirmation."""
    if not rows:
        return []
    async with asyncio.timeout(3):
        underlay = await channel.get_underlay_channel()
    async with asyncio.timeout(CONFIRM_TIMEOUT_S):
        outcomes = await asyncio.gather(*(_publish(underlay, row) for row in rows), return_exceptions=True)
    return list(zip(rows, outcomes, strict=True))


async def _settle(
    tx: Transaction, outcomes: list[tuple[Row, object]], refusals: tuple[type[BaseException], ...]
) -> int:
    """Put back what was refused, and say how much that was; any other failure is raised."""
    refused = 0
    for row, outcome in outcomes:
        if isinstance(outcome, refusals):
            refused += 1
            await _put_back(tx, row, outcome)
        elif isinstance(outcome, BaseException):
            raise outcome
    return refused


async def _publish(channel: Any, row: Row) -> None:
    await channel.basic_publish(
        row["payload"],
        exchange=row["exchange"],
        routing_key=row["topic"],
        mandatory=row["topic"] in _WITH_READERS,
        wait=False,
        properties=properties(row["event_id"], row["topic"], row["headers"], row["created_at"]),
    )


def properties(event_id: object, topic: str, headers: Mapping[str, str], at: datetime) -> Basic.Properties:
    """The AMQP properties of an event: persistent, typed by its topic, correlated."""
    return Basic.Properties(
        delivery_mode=2,
        message_id=str(event_id),
        correlation_id=headers.get("correlation_id", ""),
        message_type=topic,
        timestamp=at,
        content_type="application/json",
    )


async def _put_back(tx: Transaction, row: Row, error: BaseException) -> None:
    attempts = row["attempts"] + 1
    delay_s = min(2**attempts * 0.1, RETRY_MAX_S)
    log.error("outbox_refused", topic=row["topic"], event_id=str(row["event_id"]), error=repr(error)[:200])
    await tx.execute(
        _PUT_BACK,
        row["event_id"],
        row["topic"],
        row["aggregate_id"],
        row["version"],
        row["payload"],
        row["headers"],
        attempts,
        row["created_at"],
        row["exchange"],
        delay_s,
    )


def decoded(payload: bytes) -> dict[str, Any]:
    """The JSON body of a stored event."""
    body = json.loads(payload)
    assert isinstance(body, dict)
    return body
