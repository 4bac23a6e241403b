"""Which carriers were considered for a parcel, how they scored, and who was chosen."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.database import Transaction

_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Decision:
    at: datetime
    attempt_id: UUID | None
    record: dict[str, Any]


async def keep(tx: Transaction, parcel_id: UUID, attempt_id: UUID | None, record: dict[str, Any]) -> None:
    """Add a decision; without an attempt nobody was chosen. Looking again in vain, for the same reasons, is no news."""
    await tx.execute(
        """insert into decisions (parcel_id, attempt_id, at, record)
           select $1::uuid, $2::uuid, $3::timestamptz, $4::jsonb
           where $2::uuid is not null or not exists (
             select from (select attempt_id, record from decisions where parcel_id = $1
                          order by decision_id desc limit 1) last
             where last.attempt_id is null and last.record = $4)""",
        parcel_id,
        attempt_id,
        tx.now,
        record,
    )


async def of_parcel(tx: Transaction, parcel_id: UUID) -> list[Decision]:
    """The newest decisions of a parcel, oldest first."""
    rows = await tx.fetch(
        "select at, attempt_id, record from decisions where parcel_id = $1 order by decision_id desc limit $2",
        parcel_id,
        _SHOWN,
    )
    return [Decision(row["at"], row["attempt_id"], row["record"]) for row in reversed(rows)]
