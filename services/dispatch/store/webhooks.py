"""Webhooks as they arrived, sealed, for thirty days; and which events of them were heard."""

from dataclasses import dataclass
from uuid import UUID

from shared.database import Row, Transaction

KEEP_DAYS = 30


@dataclass(frozen=True, slots=True)
class Arrived:
    """A webhook before anybody has read it. `sealed_envelope` holds its headers and its query string."""

    webhook_id: UUID
    provider: str
    address_hash: bytes
    body_hash: bytes
    sealed_body: str
    sealed_envelope: str
    content_type: str


@dataclass(frozen=True, slots=True)
class StoredWebhook:
    webhook_id: UUID
    attempt_id: UUID
    provider: str
    sealed_body: str
    sealed_envelope: str | None
    content_type: str


async def keep(tx: Transaction, arrived: Arrived) -> bool:
    """Store a webhook, about no attempt yet; False if the same bytes came to the same address before."""
    return (
        await tx.execute(
            """insert into webhooks (webhook_id, provider, address_hash, body_hash, sealed_body, sealed_envelope,
                 content_type, state)
               values ($1, $2, $3, $4, $5, $6, $7, 'REFUSED') on conflict do nothing""",
            arrived.webhook_id,
            arrived.provider,
            arrived.address_hash,
            arrived.body_hash,
            arrived.sealed_body,
            arrived.sealed_envelope,
            arrived.content_type,
        )
        == 1
    )


async def belongs_to(tx: Transaction, webhook_id: UUID, attempt_id: UUID) -> bool:
    """REFUSED → STORED: it is about this attempt and waits to be applied. False if the attempt has these bytes already,
    stored by a process of the version before."""
    return (
        await tx.execute(
            """update webhooks w set attempt_id = $2, state = 'STORED'
               where webhook_id = $1 and state = 'REFUSED' and attempt_id is null
                 and not exists (select from webhooks o where o.attempt_id = $2 and o.body_hash = w.body_hash)""",
            webhook_id,
            attempt_id,
        )
        == 1
    )


async def find(tx: Transaction, webhook_id: UUID) -> StoredWebhook | None:
    """A webhook that waits to be applied."""
    row: Row | None = await tx.row(
        """select webhook_id, attempt_id, provider, sealed_body, sealed_envelope, content_type from webhooks
           where webhook_id = $1 and state = 'STORED'""",
        webhook_id,
    )
    return StoredWebhook(**dict(row)) if row else None


async def finish(tx: Transaction, webhook_id: UUID, state: str) -> None:
    """STORED → APPLIED or REFUSED."""
    await tx.execute("update webhooks set state = $2 where webhook_id = $1 and state = 'STORED'", webhook_id, state)


async def note_event(tx: Transaction, attempt_id: UUID, event_key: bytes) -> bool:
    """Whether an event of an attempt is heard for the first time."""
    return (
        await tx.execute(
            "insert into heard_events (attempt_id, event_key) values ($1, $2) on conflict do nothing",
            attempt_id,
            event_key,
        )
        == 1
    )


async def purge(tx: Transaction, limit: int) -> int:
    """Forget what is older than its keep, by real time. Returns how many; those of webhooks and events are not told
    apart, since the caller only wants to know whether there is more."""
    gone = await tx.execute(
        f"""delete from webhooks where webhook_id in (
              select webhook_id from webhooks where received_at < clock_timestamp() - interval '{KEEP_DAYS} days'
                and state <> 'STORED' limit $1)""",
        limit,
    )
    events = await tx.execute(
        f"""delete from heard_events where (attempt_id, event_key) in (
              select attempt_id, event_key from heard_events
              where heard_at < clock_timestamp() - interval '{KEEP_DAYS} days' limit $1)""",
        limit,
    )
    return max(gone, events)
