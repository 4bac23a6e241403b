"""Staff in the database: the table whose copy every other service keeps."""

from dataclasses import dataclass
from uuid import UUID

from services.catalog.domain.staff import Place, Placed
from shared.contracts.catalog import StaffRole
from shared.database import Row, Transaction

PLACE_COLUMNS = "staff_id, version, subject, merchant_id, role, store_ids, active"


@dataclass(frozen=True, slots=True)
class Workplace:
    """A merchant at which somebody works, with the stores that this person sees."""

    merchant_id: UUID
    name: str
    role: StaffRole
    stores: tuple[tuple[UUID, str], ...]


def place_of(row: Row) -> Placed:
    """The place in a row that has PLACE_COLUMNS."""
    place = Place(
        staff_id=row["staff_id"],
        subject=row["subject"],
        merchant_id=row["merchant_id"],
        role=StaffRole(row["role"]),
        store_ids=tuple(row["store_ids"]),
        active=row["active"],
    )
    return Placed(place, row["version"])


async def put_place(tx: Transaction, place: Place, version: int | None = None) -> Placed | None:
    """The place as it is now; None when nothing changed, the id belongs to somebody else, or another version than the
    one that was seen is there."""
    row = await tx.row(
        f"""insert into staff as s (staff_id, version, subject, merchant_id, role, store_ids, active)
            select $1, 1, $2, $3, $4, $5, $6
            where $7::bigint is null or exists (select from staff where staff_id = $1)
            on conflict (staff_id) do update set version = s.version + 1, role = excluded.role,
                store_ids = excluded.store_ids, active = excluded.active
            where s.subject = excluded.subject and s.merchant_id is not distinct from excluded.merchant_id
              and (s.role, s.store_ids, s.active) is distinct from (excluded.role, excluded.store_ids, excluded.active)
              and ($7::bigint is null or s.version = $7)
            returning {PLACE_COLUMNS}""",
        place.staff_id,
        place.subject,
        place.merchant_id,
        place.role.value,
        list(place.store_ids),
        place.active,
        version,
    )
    return place_of(row) if row else None


async def add_first_operator(tx: Transaction, place: Place) -> Placed | None:
    """The first operator, or None when there is one."""
    row = await tx.row(
        f"""insert into staff (staff_id, version, subject, merchant_id, role, store_ids, active)
            select $1, 1, $2, null, 'OPERATOR', '{{}}', true
            where not exists (select from staff where merchant_id is null and active)
            on conflict do nothing returning {PLACE_COLUMNS}""",
        place.staff_id,
        place.subject,
    )
    return place_of(row) if row else None


async def place(tx: Transaction, staff_id: UUID) -> Placed | None:
    """One person's place."""
    row = await tx.row(f"select {PLACE_COLUMNS} from staff where staff_id = $1", staff_id)
    return place_of(row) if row else None


async def has_other_place(tx: Transaction, candidate: Place) -> bool:
    """Whether this person already has another place at the same merchant."""
    return bool(
        await tx.value(
            "select exists (select from staff where merchant_id = $1 and subject = $2 and staff_id <> $3)",
            candidate.merchant_id,
            candidate.subject,
            candidate.staff_id,
        )
    )


async def place_at(tx: Transaction, merchant_id: UUID, subject: str) -> Placed | None:
    """The place that a person has, or had, at a merchant."""
    row = await tx.row(
        f"select {PLACE_COLUMNS} from staff where merchant_id = $1 and subject = $2", merchant_id, subject
    )
    return place_of(row) if row else None


async def places(tx: Transaction, merchant_id: UUID, after: UUID | None, limit: int) -> list[Placed]:
    """A merchant's people after a position, those who left included."""
    rows = await tx.fetch(
        f"""select {PLACE_COLUMNS} from staff where merchant_id = $1 and ($2::uuid is null or staff_id > $2)
            order by staff_id limit $3""",
        merchant_id,
        after,
        limit,
    )
    return [place_of(row) for row in rows]


async def count_active(tx: Transaction, merchant_id: UUID) -> int:
    """How many people work at a merchant."""
    count: int = await tx.value("select count(*) from staff where merchant_id = $1 and active", merchant_id)
    return count


async def has_owner(tx: Transaction, merchant_id: UUID) -> bool:
    """Whether an active owner is left."""
    return bool(
        await tx.value(
            "select exists (select from staff where merchant_id = $1 and role = 'OWNER' and active)", merchant_id
        )
    )


async def is_active_owner(tx: Transaction, merchant_id: UUID, subject: str) -> bool:
    """Whether this person owns the merchant now."""
    return bool(
        await tx.value(
            """select exists (select from staff where merchant_id = $1 and subject = $2 and role = 'OWNER'
                              and active)""",
            merchant_id,
            subject,
        )
    )


async def workplaces(tx: Transaction, subject: str, limit: int) -> list[Workplace]:
    """Where a person works now, and the stores there that this person sees (at most 500 of each merchant)."""
    rows = await tx.fetch(
        """select m.merchant_id, m.name, w.role,
                  array(select t.store_id from stores t where t.merchant_id = m.merchant_id
                        and (cardinality(w.store_ids) = 0 or t.store_id = any(w.store_ids))
                        order by t.name, t.store_id limit 500) as store_ids,
                  array(select t.name from stores t where t.merchant_id = m.merchant_id
                        and (cardinality(w.store_ids) = 0 or t.store_id = any(w.store_ids))
                        order by t.name, t.store_id limit 500) as store_names
           from staff w join merchants m using (merchant_id)
           where w.subject = $1 and w.active order by m.merchant_id limit $2""",
        subject,
        limit,
    )
    return [
        Workplace(
            row["merchant_id"],
            row["name"],
            StaffRole(row["role"]),
            tuple(zip(row["store_ids"], row["store_names"], strict=True)),
        )
        for row in rows
    ]
