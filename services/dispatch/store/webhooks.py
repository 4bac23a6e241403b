"""Webhooks as they arrived, sealed, for thirty days."""

from dataclasses import dataclass
from uuid import UUID

from shared.database import Row, Transaction

KEEP_DAYS = 30


@dataclass(frozen=True, slots=True)
class StoredWebhook:
    webhook_id: UUID
    attempt_id: UUID
    provider: str
    sealed_body: str
    content_type: str


async def keep(
    tx: Transaction, webhook_id: UUID, attempt_id: UUID, provider: str, body_hash: bytes, sealed_body: str,
    content_type: str,
) -> bool:  # fmt: skip
    """Store a webhook; False if the same bytes were stored for this attempt before."""
    return (
        await tx.execute(
            """insert into webhooks (webhook_id, attempt_id, provider, body_hash, sealed_body, content_type)
           values ($1, $2, $3, $4, $5, $6) on conflict (attempt_id, body_hash) do nothing""",
            webhook_id,
            attempt_id,
            provider,
            body_hash,
            sealed_body,
            content_type,
        )
        == 1
    )


async def find(tx: Transaction, webhook_id: UUID) -> StoredWebhook | None:
    """A webhook that waits to be applied."""
    row: Row | None = await tx.row(
        """select webhook_id, attempt_id, provider, sealed_body, content_type from webhooks
           where webhook_id = $1 and state = 'STORED'""",
        webhook_id,
    )
    return StoredWebhook(**dict(row)) if row else None


async def finish(tx: Transaction, webhook_id: UUID, state: str) -> None:
    """STORED → APPLIED or REFUSED."""
    await tx.execute("update webhooks set state = $2 where webhook_id = $1 and state = 'STORED'", webhook_id, state)


async def purge(tx: Transaction, limit: int) -> int:
    """Forget what is older than its keep, by real time. Returns how many."""
    return await tx.execute(
        f"""delete from webhooks where webhook_id in (
              select webhook_id from webhooks where received_at < clock_timestamp() - interval '{KEEP_DAYS} days'
                and state <> 'STORED' limit $1)""",
        limit,
    )
