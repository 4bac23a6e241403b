"""Traffic support in the database: one enrolment a merchant."""

from uuid import UUID

from services.catalog.domain.support import Support
from shared.database import Row, Transaction


def _support(row: Row) -> Support:
    return Support(row["weight"], row["starts_at"], row["ends_at"])


async def enrol(tx: Transaction, merchant_id: UUID, support: Support, operator: str) -> bool:
    """The merchant is supported like this from now on; False when it already is."""
    return bool(
        await tx.execute(
            """insert into support_enrolments as s (merchant_id, weight, starts_at, ends_at, enrolled_by, enrolled_at)
               values ($1, $2, $3, $4, $5, $6)
               on conflict (merchant_id) do update set weight = excluded.weight, starts_at = excluded.starts_at,
                   ends_at = excluded.ends_at, enrolled_by = excluded.enrolled_by, enrolled_at = excluded.enrolled_at
               where (s.weight, s.starts_at, s.ends_at)
                     is distinct from (excluded.weight, excluded.starts_at, excluded.ends_at)""",
            merchant_id,
            support.weight,
            support.starts_at,
            support.ends_at,
            operator,
            tx.now,
        )
    )


async def end_support(tx: Transaction, merchant_id: UUID) -> bool:
    """The merchant is not supported any more; False when it was not."""
    return bool(await tx.execute("delete from support_enrolments where merchant_id = $1", merchant_id))


async def support(tx: Transaction, merchant_id: UUID) -> Support | None:
    """A merchant's enrolment, over or not."""
    row = await tx.row("select weight, starts_at, ends_at from support_enrolments where merchant_id = $1", merchant_id)
    return _support(row) if row else None
