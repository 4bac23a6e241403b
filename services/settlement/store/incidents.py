"""What an operator has to look at, who does, and what came of it."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from services.settlement.domain.incidents import Incident, IncidentKind
from shared.database import Row, Transaction

_COLUMNS = """incident_id, kind, subject, day, detail, amount_fen, opened_at, owner, resolution, resolved_by,
    resolved_at"""


async def open_incidents(tx: Transaction, found: Sequence[Incident]) -> None:
    """Write them down, once each. One that was resolved and is found again is open again."""
    await tx.execute(
        """insert into incidents as i (incident_id, kind, subject, day, detail, amount_fen, opened_at)
           select f.*, $7 from unnest($1::uuid[], $2::text[], $3::text[], $4::date[], $5::text[], $6::bigint[]) f
           on conflict (incident_id) do update set detail = excluded.detail, amount_fen = excluded.amount_fen,
             resolution = null, resolved_by = null, resolved_at = null
           where i.resolved_at is not null or i.detail <> excluded.detail""",
        [one.incident_id for one in found],
        [one.kind.value for one in found],
        [one.subject for one in found],
        [one.day for one in found],
        [one.detail for one in found],
        [one.amount_fen for one in found],
        tx.now,
    )


async def page(tx: Transaction, day: date | None, after: UUID | None, limit: int, *, resolved: bool) -> list[Row]:
    """Open incidents, or resolved ones, in the order of their ids; of one day's bill, if it is named."""
    return await tx.fetch(
        f"""select {_COLUMNS} from incidents
            where (resolved_at is not null) = $1 and ($2::uuid is null or incident_id > $2)
              and ($4::date is null or day = $4)
            order by incident_id limit $3""",
        resolved,
        after,
        limit,
        day,
    )


async def find(tx: Transaction, incident_id: UUID) -> Row | None:
    return await tx.row(f"select {_COLUMNS} from incidents where incident_id = $1", incident_id)


async def take(tx: Transaction, incident_id: UUID, owner: str) -> bool:
    """Make somebody its owner; False if it is resolved, or not there."""
    return bool(
        await tx.execute(
            "update incidents set owner = $2 where incident_id = $1 and resolved_at is null", incident_id, owner
        )
    )


async def resolve(tx: Transaction, incident_id: UUID, resolution: str, resolved_by: str) -> bool:
    """Say what came of it; False if that has been said, or it is not there."""
    return bool(
        await tx.execute(
            """update incidents set resolution = $2, resolved_by = $3, resolved_at = $4, owner = coalesce(owner, $3)
               where incident_id = $1 and resolved_at is null""",
            incident_id,
            resolution,
            resolved_by,
            tx.now,
        )
    )


async def resolve_what_is_gone(tx: Transaction, day: date, found: Sequence[UUID], resolved_by: str) -> int:
    """Differences of a day that a later comparison does not find any more. Returns how many."""
    return await tx.execute(
        """update incidents set resolution = 'gone at the next comparison', resolved_by = $3, resolved_at = $4,
             owner = coalesce(owner, $3)
           where day = $1 and resolved_at is null and incident_id <> all($2)""",
        day,
        list(found),
        resolved_by,
        tx.now,
    )


async def count_open(tx: Transaction, kind: IncidentKind) -> int:
    return int(await tx.value("select count(*) from incidents where kind = $1 and resolved_at is null", kind.value))
