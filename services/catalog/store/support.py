"""Traffic support in the database: one enrolment a merchant."""

from uuid import UUID

from services.catalog.domain.support import Enrolment, Support
from shared.database import Row, Transaction


def _enrolment(row: Row) -> Enrolment:
    return Enrolment(Support(row["weight"], row["starts_at"], row["ends_at"]), row["version"])


async def enrol(tx: Transaction, merchant_id: UUID, support: Support, operator: str, version: int | None) -> bool:
    """The merchant is supported like this from now on; False when it already is, or was changed meanwhile."""
    return bool(
        await tx.execute(
            """insert into support_enrolments as s (merchant_id, weight, starts_at, ends_at, enrolled_by, enrolled_at)
               select $1, $2, $3, $4, $5, $6
               where $7::bigint is null or exists (select from support_enrolments where merchant_id = $1)
               on conflict (merchant_id) do update set version = default, weight = excluded.weight,
                   starts_at = excluded.starts_at, ends_at = excluded.ends_at, enrolled_by = excluded.enrolled_by,
                   enrolled_at = excluded.enrolled_at
               where (s.weight, s.starts_at, s.ends_at)
                     is distinct from (excluded.weight, excluded.starts_at, excluded.ends_at)
                 and ($7::bigint is null or s.version = $7)""",
            merchant_id,
            support.weight,
            support.starts_at,
            support.ends_at,
            operator,
            tx.now,
            version,
        )
    )


async def end_support(tx: Transaction, merchant_id: UUID, version: int | None) -> bool:
    """The merchant is not supported any more; False when it was not, or was enrolled otherwise meanwhile."""
    return bool(
        await tx.execute(
            "delete from support_enrolments where merchant_id = $1 and ($2::bigint is null or version = $2)",
            merchant_id,
            version,
        )
    )


async def support(tx: Transaction, merchant_id: UUID) -> Enrolment | None:
    """A merchant's enrolment, over or not."""
    row = await tx.row(
        "select weight, starts_at, ends_at, version from support_enrolments where merchant_id = $1", merchant_id
    )
    return _enrolment(row) if row else None
