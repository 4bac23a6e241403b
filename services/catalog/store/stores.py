"""Stores in the database: places, who holds them, and whether an operator closed them."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from services.catalog.domain.stores import Store, StoreFacts
from shared.contracts.hours import WeeklyHours
from shared.database import Row, Transaction

STORE_COLUMNS = """s.store_id, s.version, s.merchant_id, s.last_held_by, s.registered_for, s.name, s.city, s.address,
s.latitude, s.longitude, s.phone, s.hours, s.closed_reason, s.open"""


def store_of(row: Row) -> Store:
    """The store in a row that has STORE_COLUMNS."""
    names = ("name", "city", "address", "latitude", "longitude", "phone")
    hours = tuple(WeeklyHours.model_validate(one) for one in row["hours"])
    return Store(
        store_id=row["store_id"],
        version=row["version"],
        facts=StoreFacts(**{name: row[name] for name in names}, hours=hours),
        merchant_id=row["merchant_id"],
        last_held_by=row["last_held_by"],
        registered_for=row["registered_for"],
        closed_reason=row["closed_reason"],
        open=row["open"],
    )


def _one(row: Row | None) -> Store | None:
    return store_of(row) if row else None


def _hours(facts: StoreFacts) -> list[dict[str, Any]]:
    return [one.model_dump(mode="json") for one in facts.hours]


def _values(facts: StoreFacts) -> tuple[Any, ...]:
    return (facts.name, facts.city, facts.address, facts.latitude, facts.longitude, facts.phone, _hours(facts))


def registration(facts: StoreFacts, licence_evidence: str) -> dict[str, Any]:
    """What a merchant said when it registered a place: by this a repeated request is known."""
    said = {name: getattr(facts, name) for name in StoreFacts.__dataclass_fields__}
    return {**said, "hours": _hours(facts), "licence_evidence": licence_evidence}


async def add_store(
    tx: Transaction, store_id: UUID, merchant_id: UUID, facts: StoreFacts, said: dict[str, Any]
) -> Store | None:
    """A place that nobody holds yet, or None when the id is in use."""
    return _one(
        await tx.row(
            f"""insert into stores as s (store_id, version, registered_for, registration, registered_at,
                    name, city, address, latitude, longitude, phone, hours)
                values ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
                on conflict (store_id) do nothing returning {STORE_COLUMNS}""",
            store_id,
            merchant_id,
            said,
            tx.now,
            *_values(facts),
        )
    )


async def register_again(tx: Transaction, store_id: UUID, facts: StoreFacts, said: dict[str, Any]) -> Store | None:
    """What the registering merchant says now about a place that was never awarded; None when it was."""
    return _one(
        await tx.row(
            f"""update stores s set version = version + 1, registration = $2, registered_at = $3,
                    name = $4, city = $5, address = $6, latitude = $7, longitude = $8, phone = $9, hours = $10
                where store_id = $1 and last_held_by is null returning {STORE_COLUMNS}""",
            store_id,
            said,
            tx.now,
            *_values(facts),
        )
    )


async def registered_as(tx: Transaction, store_id: UUID) -> dict[str, Any] | None:
    """What was said when the place was registered."""
    said: dict[str, Any] | None = await tx.value("select registration from stores where store_id = $1", store_id)
    return said


async def change_facts(tx: Transaction, store_id: UUID, version: int, facts: StoreFacts) -> Store | None:
    """The place as it is described now; None when it was changed meanwhile."""
    return _one(
        await tx.row(
            f"""update stores s set version = version + 1, name = $3, city = $4, address = $5, latitude = $6,
                    longitude = $7, phone = $8, hours = $9
                where store_id = $1 and version = $2 returning {STORE_COLUMNS}""",
            store_id,
            version,
            *_values(facts),
        )
    )


async def hand_over(tx: Transaction, store_id: UUID, merchant_id: UUID | None) -> Store:
    """The place belongs to this merchant from now on, or to nobody. The caller has locked it."""
    row = await tx.row(
        f"""update stores s set version = version + 1, merchant_id = $2, last_held_by = coalesce($2, last_held_by)
            where store_id = $1 returning {STORE_COLUMNS}""",
        store_id,
        merchant_id,
    )
    assert row is not None
    return store_of(row)


async def switch_closed(
    tx: Transaction, store_id: UUID, reason: str | None, operator: str, version: int | None
) -> Store | None:
    """An operator closes the place (with a reason) or opens it again; None when it already is so, does not exist, or
    another version is there."""
    return _one(
        await tx.row(
            f"""update stores s set version = version + 1, closed_reason = $2,
                    closed_by = case when $2::text is not null then $3 end,
                    closed_at = case when $2::text is not null then $4::timestamptz end
                where store_id = $1 and (closed_reason is null) <> ($2::text is null)
                    and ($5::bigint is null or version = $5) returning {STORE_COLUMNS}""",
            store_id,
            reason,
            operator,
            tx.now,
            version,
        )
    )


async def store(tx: Transaction, store_id: UUID) -> Store | None:
    """One store."""
    return _one(await tx.row(f"select {STORE_COLUMNS} from stores s where store_id = $1", store_id))


async def lock_store(tx: Transaction, store_id: UUID) -> Store | None:
    """One store; decisions about it, and deals that are published for it, take turns until this transaction ends."""
    return _one(await tx.row(f"select {STORE_COLUMNS} from stores s where store_id = $1 for no key update", store_id))


async def stores_by_id(tx: Transaction, store_ids: Collection[UUID]) -> list[Store]:
    """These stores, by name; ids that do not exist are left out."""
    rows = await tx.fetch(
        f"select {STORE_COLUMNS} from stores s where store_id = any($1::uuid[]) order by name, store_id",
        list(store_ids),
    )
    return [store_of(row) for row in rows]


async def count_stores(tx: Transaction, merchant_id: UUID, store_ids: Collection[UUID]) -> tuple[int, int]:
    """How many of these stores the merchant holds or waits for, and how many of those are open for it.

    Every one is held, whoever has it: what opens, closes or changes hands at this moment waits for the end of this
    transaction, or is seen by it.
    """
    rows = await tx.fetch(
        "select store_id, merchant_id, open from stores where store_id = any($1::uuid[]) order by store_id for share",
        list(store_ids),
    )
    held = {row["store_id"] for row in rows if row["merchant_id"] == merchant_id}
    waiting = await tx.fetch(
        """select store_id from store_claims where merchant_id = $1 and store_id = any($2::uuid[])
           and state in ('CLAIMED', 'APPEALED')""",
        merchant_id,
        list(store_ids),
    )
    opened = sum(row["open"] and row["store_id"] in held for row in rows)
    return len(held | {row["store_id"] for row in waiting}), opened


async def deals_naming(tx: Transaction, store_id: UUID, after: UUID | None, limit: int) -> Sequence[UUID]:
    """The next approved deals that name this store, in the order of their ids."""
    rows = await tx.fetch(
        """select deal_id from deals where store_ids @> array[$1::uuid] and deal_version > 0
           and ($2::uuid is null or deal_id > $2) order by deal_id limit $3""",
        store_id,
        after,
        limit,
    )
    return [row["deal_id"] for row in rows]
