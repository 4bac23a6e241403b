"""What happened to a parcel, in order: the timeline that buyer and merchant read."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.dispatch.domain.timeline import What
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class Happening:
    at: datetime
    what: What
    reason: str | None


async def note(
    tx: Transaction, parcel_id: UUID, what: What, attempt_id: UUID | None = None, *, reason: str | None = None
) -> None:
    """Add a line."""
    await tx.execute(
        "insert into happenings (parcel_id, attempt_id, at, what, reason) values ($1, $2, $3, $4, $5)",
        parcel_id,
        attempt_id,
        tx.now,
        what.value,
        reason,
    )


async def timeline(tx: Transaction, parcel_id: UUID) -> list[Happening]:
    """All lines, oldest first."""
    rows = await tx.fetch(
        "select at, what, reason from happenings where parcel_id = $1 order by happening_id limit 500", parcel_id
    )
    return [Happening(row["at"], What(row["what"]), row["reason"]) for row in rows]
