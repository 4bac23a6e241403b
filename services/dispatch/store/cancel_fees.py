"""What cancelled orders cost, where their carriers do not say so at once."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class OpenFee:
    """A fee that nobody knows although its carrier was asked for days. `terms_fen` is what it had announced."""

    attempt_id: UUID
    parcel_id: UUID
    provider: str
    account: str
    provider_id: str | None
    given_up_at: datetime
    terms_fen: int | None
    penalty_borne_by: str | None


async def count_asked(tx: Transaction, attempt_id: UUID) -> int:
    """One more question in vain; how many there were."""
    asked: int = await tx.value(
        "update attempts set fee_asked = fee_asked + 1 where attempt_id = $1 returning fee_asked", attempt_id
    )
    return asked


async def give_up(tx: Transaction, attempt_id: UUID) -> bool:
    """From now on a person has to find out; False if that is so already, or the fee is known."""
    return (
        await tx.execute(
            """update attempts set fee_given_up_at = $2
               where attempt_id = $1 and state = 'CANCELLED' and cancel_fee_fen is null and fee_given_up_at is null""",
            attempt_id,
            tx.now,
        )
        == 1
    )


async def settle(tx: Transaction, attempt_id: UUID, fee_fen: int) -> bool:
    """An operator found the fee in the carrier's bill; False if it is known."""
    return (
        await tx.execute(
            """update attempts set cancel_fee_fen = $2, fee_state = 'CONFIRMED'
               where attempt_id = $1 and state = 'CANCELLED' and carried_as <> 'SELF' and cancel_fee_fen is null""",
            attempt_id,
            fee_fen,
        )
        == 1
    )


async def given_up(tx: Transaction, after: tuple[datetime, UUID] | None, limit: int) -> list[OpenFee]:
    """Fees that wait for a person, longest first."""
    since, attempt_id = after or (None, None)
    rows = await tx.fetch(
        """select attempt_id, parcel_id, provider, account, provider_id, fee_given_up_at as given_up_at,
             cancel_terms_fen as terms_fen, penalty_borne_by
           from attempts
           where fee_given_up_at is not null and cancel_fee_fen is null
             and ($1::timestamptz is null or (fee_given_up_at, attempt_id) > ($1, $2::uuid))
           order by fee_given_up_at, attempt_id limit $3""",
        since,
        attempt_id,
        limit,
    )
    return [OpenFee(**dict(row)) for row in rows]
