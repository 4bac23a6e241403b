"""Parking: a message that cannot be handled now waits in the consumer's own schema, and is never dropped."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from shared.database import Row, Transaction

BUG_ATTEMPTS = 10
NOT_YET_FOR = timedelta(hours=24)
LEASE_S = 60
ERROR_LENGTH = 4000


class ParkedKind(StrEnum):
    """Why a message is parked. All but BUG and NOT_YET wait for an operator from the start."""

    BUG = "BUG"
    NOT_YET = "NOT_YET"
    REFUSED = "REFUSED"
    MALFORMED = "MALFORMED"
    CRASHED = "CRASHED"


def next_attempt(kind: ParkedKind, attempts: int, first_at: datetime, now: datetime) -> datetime | None:
    """When to try again, or None: it is a dead letter now. Real time, not business time."""
    if kind is ParkedKind.NOT_YET:
        delay = timedelta(seconds=min(0.1 * 2 ** min(attempts, 10), 60))
        return now + delay if now - first_at < NOT_YET_FOR else None
    if kind is ParkedKind.BUG and attempts < BUG_ATTEMPTS:
        return now + timedelta(seconds=min(4 ** min(attempts, 6), 3600))
    return None


_PARK = """
insert into parked (consumer, event_id, topic, attempts, next_at, kind, error, envelope, headers)
values ($1, $2, $3, 1, $4, $5, $6, $7, $8)
on conflict (consumer, event_id) do nothing
"""

_CLAIM = f"""
update parked p set next_at = now() + interval '{LEASE_S} seconds'
from (select consumer, event_id from parked where next_at <= now() order by next_at limit $1 for update skip locked) due
where p.consumer = due.consumer and p.event_id = due.event_id
returning p.consumer, p.event_id, p.topic, p.attempts, p.first_at, p.kind, p.envelope, p.headers
"""

_LIST = """
select consumer, event_id, topic, attempts, first_at, next_at, kind, error from parked
where ($1::text is null or consumer = $1) and ($2::boolean is null or (next_at is null) = $2)
order by first_at, event_id limit $3
"""


async def park(
    tx: Transaction, consumer: str, event_id: UUID, topic: str, kind: ParkedKind, error: str, body: bytes,
    headers: Mapping[str, str],
) -> None:  # fmt: skip
    """Put a message aside. A copy of a message that is parked already changes nothing."""
    now = datetime.now(UTC)
    again = next_attempt(kind, 1, now, now)
    await tx.execute(
        _PARK, consumer, event_id, topic, again, kind.value, error[:ERROR_LENGTH], body, dict(headers)
    )  # fmt: skip


async def claim_due(tx: Transaction, limit: int) -> list[Row]:
    """Take what is due for another attempt, leased so that another process leaves it alone for a minute."""
    return await tx.fetch(_CLAIM, limit)


async def forget(tx: Transaction, consumer: str, event_id: UUID) -> None:
    """The parked message has been handled."""
    await tx.execute("delete from parked where consumer = $1 and event_id = $2", consumer, event_id)


async def park_again(tx: Transaction, row: Row, kind: ParkedKind, error: str) -> None:
    """Another attempt failed: wait longer, or become a dead letter."""
    attempts = row["attempts"] + 1
    again = next_attempt(kind, attempts, row["first_at"], datetime.now(UTC))
    await tx.execute(
        "update parked set attempts = $3, next_at = $4, kind = $5, error = $6 where consumer = $1 and event_id = $2",
        row["consumer"],
        row["event_id"],
        attempts,
        again,
        kind.value,
        error[:ERROR_LENGTH],
    )


async def list_parked(tx: Transaction, consumer: str | None, dead: bool | None, limit: int) -> list[Row]:
    """Parked messages without their bodies, oldest first."""
    return await tx.fetch(_LIST, consumer, dead, limit)


async def find_parked(tx: Transaction, event_id: UUID) -> list[Row]:
    """Everything parked under one event id (one row per consumer), bodies included."""
    return await tx.fetch("select * from parked where event_id = $1 order by consumer", event_id)


async def retry(tx: Transaction, event_id: UUID | None, consumer: str | None, limit: int) -> int:
    """Make dead or waiting messages due now, with their attempts counted afresh. Returns how many."""
    return await tx.execute(
        """update parked p set next_at = now(), attempts = 0 from (
             select consumer, event_id from parked
             where ($1::uuid is null or event_id = $1) and ($2::text is null or consumer = $2)
             order by first_at limit $3 for update) chosen
           where p.consumer = chosen.consumer and p.event_id = chosen.event_id""",
        event_id,
        consumer,
        limit,
    )


async def count_parked(tx: Transaction) -> tuple[int, int]:
    """How many wait for another attempt, and how many are dead letters."""
    row = await tx.row("select count(next_at) as waiting, count(*) - count(next_at) as dead from parked")
    assert row is not None
    return row["waiting"], row["dead"]
