"""What an operator asks every service: what is parked, what was said, what waits to be sent."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from shared.auth import Caller, require_operator
from shared.database import Row, Transaction
from shared.errors import NotFound
from shared.http import Db
from shared.messaging import parking
from shared.messaging.outbox import decoded

router = APIRouter(prefix="/admin", tags=["admin"])
_MASKED = ("phone", "address", "sealed", "name", "code", "token", "account", "buyer")


class ParkedView(BaseModel):
    consumer: str
    event_id: UUID
    topic: str
    attempts: int
    first_at: datetime
    next_at: datetime | None = Field(description="Null: a dead letter, waiting for an operator")
    kind: str
    error: str


class ParkedDetail(ParkedView):
    body: Any = Field(description="The message, personal data masked")


class RetryParked(BaseModel):
    event_id: UUID | None = None
    consumer: str | None = None
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class Retried(BaseModel):
    retried: int


class HistoryView(BaseModel):
    event_id: UUID
    topic: str
    aggregate_id: str
    version: int
    created_at: datetime
    correlation_id: str
    body: Any


class Queues(BaseModel):
    outbox_waiting: int
    parked_waiting: int
    parked_dead: int
    timers_waiting: int
    timers_due: int
    timers_failing: int


@router.get("/parked")
async def list_parked(
    caller: Caller, db: Db, consumer: str | None = None, dead: bool | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[ParkedView]:  # fmt: skip
    """Messages set aside, oldest first."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        return [ParkedView.model_validate(dict(row)) for row in await parking.list_parked(tx, consumer, dead, limit)]


@router.get("/parked/{event_id}")
async def show_parked(event_id: UUID, caller: Caller, db: Db) -> list[ParkedDetail]:
    """One parked message, for each consumer that parked it."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        rows = await parking.find_parked(tx, event_id)
    if not rows:
        raise NotFound
    return [ParkedDetail.model_validate({**dict(row), "body": _readable(row["envelope"])}) for row in rows]


@router.post("/parked/retry")
async def retry_parked(body: RetryParked, caller: Caller, db: Db) -> Retried:
    """Try parked messages again now: one event, one consumer, or all (at most 1000)."""
    async with db.transaction() as tx:
        await require_operator(tx, caller)
        return Retried(retried=await parking.retry(tx, body.event_id, body.consumer, 1000))


@router.get("/history")
async def history(
    caller: Caller, db: Db, aggregate_id: str | None = None, topic: str | None = None, before: datetime | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[HistoryView]:  # fmt: skip
    """What this service said, newest first, personal data masked."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        rows = await tx.fetch(
            """select event_id, topic, aggregate_id, version, created_at, headers, payload from history
               where ($1::text is null or aggregate_id = $1) and ($2::text is null or topic = $2)
                 and ($3::timestamptz is null or created_at < $3)
               order by created_at desc, event_id desc limit $4""",
            aggregate_id, topic, before, limit,
        )  # fmt: skip
    return [_history_view(row) for row in rows]


@router.post("/history/{event_id}/resend", status_code=202)
async def resend(event_id: UUID, caller: Caller, db: Db) -> HistoryView:
    """Send an event again as it was; every consumer's inbox tells it apart from a new one."""
    async with db.transaction() as tx:
        await require_operator(tx, caller)
        row = await tx.row("select * from history where event_id = $1", event_id)
        if row is None:
            raise NotFound
        await tx.execute(
            """insert into outbox (event_id, topic, aggregate_id, version, payload, headers)
               select event_id, topic, aggregate_id, version, payload, headers from history where event_id = $1
               on conflict (event_id) do nothing""",
            event_id,
        )
        tx.after_commit.add(tx.on_outbox)
    return _history_view(row)


@router.get("/queues")
async def queues(caller: Caller, db: Db) -> Queues:
    """How much waits in this service's own tables."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        return await waiting(tx)


async def waiting(tx: Transaction) -> Queues:
    """What is unsent, parked or due, counted up to a limit so that the question stays cheap."""
    parked_waiting, parked_dead = await parking.count_parked(tx)
    row = await tx.row(
        """select (select count(*) from (select from outbox limit 100000) o) as outbox_waiting,
                  (select count(*) from (select from timers limit 100000) t) as timers_waiting,
                  (select count(*) from (select from timers where due_at <= $1 limit 100000) t) as timers_due,
                  (select count(*) from (select from timers where attempts > 3 limit 100000) t) as timers_failing""",
        tx.now,
    )
    assert row is not None
    return Queues(parked_waiting=parked_waiting, parked_dead=parked_dead, **dict(row))


def _history_view(row: Row) -> HistoryView:
    known = {name: row[name] for name in ("event_id", "topic", "aggregate_id", "version", "created_at")}
    return HistoryView(
        **known, correlation_id=row["headers"].get("correlation_id", ""), body=_readable(row["payload"])
    )  # fmt: skip


def _readable(payload: bytes) -> Any:
    try:
        return masked(decoded(payload))
    except (ValueError, AssertionError):
        return "not JSON"


def masked(value: Any, key: str = "") -> Any:
    """The same structure with everything that could be somebody's data hidden, by the name of its field."""
    if isinstance(value, dict):
        return {name: masked(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner, key) for inner in value]
    if isinstance(value, str) and any(word in key for word in _MASKED):
        return "***"
    return value
