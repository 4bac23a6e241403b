"""The inbox: a copy of a message that was already handled is told apart in the same transaction as its effect."""

from shared.contracts import Event
from shared.database import Transaction


async def is_duplicate(tx: Transaction, event: Event, consumer: str) -> bool:
    """Whether `consumer` has handled this event before; if not, it has now, once this transaction commits."""
    return (
        await tx.value(
            "insert into inbox (consumer, event_id) values ($1, $2) on conflict do nothing returning true",
            consumer,
            event.event_id,
        )
        is None
    )
