"""Everything that was ever reported about an attempt, also what moved nothing."""

from uuid import UUID

from services.dispatch.domain.attempts import Snapshot
from shared.database import Transaction


async def keep(tx: Transaction, attempt_id: UUID, source: str, snapshot: Snapshot, verdict: str) -> None:
    """Keep every report, also those that moved nothing."""
    await tx.execute(
        """insert into reports (attempt_id, source, raw_status, state, occurred_at, verdict)
           values ($1, $2, $3, $4, $5, $6)""",
        attempt_id,
        source,
        snapshot.raw_status,
        snapshot.state.value if snapshot.state else None,
        snapshot.occurred_at,
        verdict,
    )
