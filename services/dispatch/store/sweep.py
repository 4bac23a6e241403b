"""What lives and has no timer: looked for by real time, since a worker dies in real time."""

from dataclasses import dataclass
from uuid import UUID

from services.dispatch.domain.attempts import AttemptState
from shared.database import Transaction

# Longer than any lease and any pause between two transactions of one step.
_LEFT_ALONE = "clock_timestamp() - interval '2 minutes'"
_OF_ATTEMPT = "('submit_attempt', 'ask_attempt', 'cancel_attempt', 'poll_attempt')"


@dataclass(frozen=True, slots=True)
class Orphan:
    attempt_id: UUID
    state: AttemptState
    cancel_wanted: bool


async def orphaned_attempts(tx: Transaction, limit: int) -> list[Orphan]:
    """Attempts at carriers that nobody will ask about."""
    rows = await tx.fetch(
        f"""select attempt_id, state, cancel_reason is not null and not picked_up as cancel_wanted from attempts a
            where state not in ('DELIVERED', 'CANCELLED', 'RETURNED', 'REJECTED', 'LOST', 'FENCED')
              and carried_as <> 'SELF' and changed_at < {_LEFT_ALONE}
              and not exists (select from timers t where t.kind in {_OF_ATTEMPT} and t.key = a.attempt_id::text)
            order by attempt_id limit $1""",
        limit,
    )
    return [Orphan(row["attempt_id"], AttemptState(row["state"]), row["cancel_wanted"]) for row in rows]


async def orphaned_fees(tx: Transaction, limit: int) -> list[UUID]:
    """Cancelled attempts whose carriers nobody will ask what that costs: those of the version before, too."""
    rows = await tx.fetch(
        f"""select attempt_id from attempts a
            where state = 'CANCELLED' and cancel_fee_fen is null and fee_given_up_at is null
              and fee_state in ('PENDING', 'ESTIMATED') and changed_at < {_LEFT_ALONE}
              and not exists (select from timers t where t.kind = 'learn_fee' and t.key = a.attempt_id::text)
            order by attempt_id limit $1""",
        limit,
    )
    return [row["attempt_id"] for row in rows]


async def orphaned_parcels(tx: Transaction, limit: int) -> list[UUID]:
    """Accepted parcels that have no attempt, wait for nobody's decision, and for which no carrier is looked for."""
    rows = await tx.fetch(
        f"""select parcel_id from parcels p
            where state = 'ACCEPTED' and dispatch_state <> 'MANUAL' and changed_at < {_LEFT_ALONE}
              and not exists (select from attempts a where a.parcel_id = p.parcel_id and a.state not in
                                ('DELIVERED', 'CANCELLED', 'RETURNED', 'REJECTED', 'LOST', 'FENCED'))
              and not exists (select from timers t where t.kind = 'dispatch_parcel' and t.key = p.parcel_id::text)
            order by parcel_id limit $1""",
        limit,
    )
    return [row["parcel_id"] for row in rows]
