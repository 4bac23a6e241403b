"""The merchant's own riders: what they may take, what they carry, where they are, and what proves that they came."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.dispatch.store.parcels import COLUMNS, Parcel, parcel_of
from shared.database import Transaction


async def take(tx: Transaction, attempt_id: UUID, subject: str, sealed_rider: str) -> bool:
    """This rider carries it; False if another one does, or it has left already."""
    return (
        await tx.execute(
            """update attempts set rider_subject = $2, sealed_rider = $3
               where attempt_id = $1 and carried_as = 'SELF' and state = 'ASSIGNED'
                 and (rider_subject is null or rider_subject = $2)""",
            attempt_id,
            subject,
            sealed_rider,
        )
        == 1
    )


async def give_back(tx: Transaction, attempt_id: UUID, subject: str) -> bool:
    """Another rider may take it; False unless this rider had it and has not left."""
    return (
        await tx.execute(
            """update attempts set rider_subject = null, sealed_rider = null, rider_epoch = rider_epoch + 1
               where attempt_id = $1 and state = 'ASSIGNED' and rider_subject = $2""",
            attempt_id,
            subject,
        )
        == 1
    )


async def move_to(tx: Transaction, attempt_id: UUID, sealed_position: str) -> bool:
    """Where the rider is; False once the attempt is over."""
    return (
        await tx.execute(
            """update attempts set sealed_position = $2, position_at = $3
               where attempt_id = $1 and state in ('ASSIGNED', 'AT_PICKUP', 'IN_TRANSIT', 'OUT_FOR_DELIVERY')""",
            attempt_id,
            sealed_position,
            tx.now,
        )
        == 1
    )


async def parcels_for(
    tx: Transaction, merchant_id: UUID, store_ids: Sequence[UUID], subject: str,
    after: tuple[datetime, UUID] | None, limit: int,
) -> list[Parcel]:  # fmt: skip
    """What a rider may take or carries, the oldest first; only of the stores named, unless none is."""
    columns = ", ".join(f"p.{column.strip()}" for column in COLUMNS.split(","))
    rows = await tx.fetch(
        f"""select {columns} from parcels p join attempts a using (parcel_id)
            where p.merchant_id = $1 and (cardinality($2::uuid[]) = 0 or p.store_id = any($2))
              and p.state in ('ACCEPTED', 'HANDED_OVER') and a.carried_as = 'SELF'
              and a.state in ('ASSIGNED', 'AT_PICKUP', 'IN_TRANSIT', 'OUT_FOR_DELIVERY')
              and (a.rider_subject is null or a.rider_subject = $3)
              and ($4::timestamptz is null or (p.placed_at, p.parcel_id) > ($4, $5))
            order by p.placed_at, p.parcel_id limit $6""",
        merchant_id,
        list(store_ids),
        subject,
        after[0] if after else None,
        after[1] if after else None,
        limit,
    )
    return [parcel_of(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Proof:
    kind: Literal["CODE", "PHOTO", "SIGNED"]
    sealed_photo: str | None
    taken_at: datetime


async def keep_proof(
    tx: Transaction, attempt_id: UUID, parcel_id: UUID, kind: str, sealed_photo: str | None, sealed_place: str | None
) -> None:
    """What shows that the goods arrived; the first proof of an attempt stands."""
    await tx.execute(
        """insert into proofs (attempt_id, parcel_id, kind, sealed_photo, sealed_place, taken_at)
           values ($1, $2, $3, $4, $5, $6) on conflict (attempt_id) do nothing""",
        attempt_id,
        parcel_id,
        kind,
        sealed_photo,
        sealed_place,
        tx.now,
    )


async def proof_of(tx: Transaction, parcel_id: UUID) -> Proof | None:
    """What shows that this parcel arrived."""
    row = await tx.row(
        """select kind, sealed_photo, taken_at from proofs where parcel_id = $1 order by taken_at desc limit 1""",
        parcel_id,
    )
    return Proof(**dict(row)) if row else None
