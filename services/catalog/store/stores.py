"""Stores in the database."""

from collections.abc import Collection
from uuid import UUID

from services.catalog.domain.stores import Store, StoreClaim, StoreState
from shared.database import Row, Transaction

_COLUMNS = """store_id, version, merchant_id, name, city, address, latitude, longitude, phone, hours, licence_evidence,
state, open, reason"""


def _store(row: Row) -> Store:
    return Store(
        store_id=row["store_id"],
        version=row["version"],
        claim=StoreClaim(**{name: row[name] for name in StoreClaim.__dataclass_fields__}),
        state=StoreState(row["state"]),
        open=row["open"],
        reason=row["reason"],
    )


def _values(claim: StoreClaim) -> tuple[object, ...]:
    return tuple(getattr(claim, name) for name in StoreClaim.__dataclass_fields__)


async def add_store(tx: Transaction, store_id: UUID, claim: StoreClaim) -> Store | None:
    """A new claim, or None when the id is in use."""
    row = await tx.row(
        f"""insert into stores (store_id, version, merchant_id, name, city, address, latitude, longitude, phone, hours,
                licence_evidence, state, open, claimed_at)
            values ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'CLAIMED', false, $11)
            on conflict (store_id) do nothing returning {_COLUMNS}""",
        store_id,
        *_values(claim),
        tx.now,
    )
    return _store(row) if row else None


async def claim_again(tx: Transaction, store_id: UUID, claim: StoreClaim) -> Store | None:
    """The same merchant's new claim after a rejection, or None when this store's claim is not rejected."""
    row = await tx.row(
        f"""update stores set version = version + 1, name = $3, city = $4, address = $5, latitude = $6, longitude = $7,
                phone = $8, hours = $9, licence_evidence = $10, state = 'CLAIMED', reason = null, claimed_at = $11,
                decided_by = null, decided_at = null
            where store_id = $1 and merchant_id = $2 and state = 'REJECTED' returning {_COLUMNS}""",
        store_id,
        *_values(claim),
        tx.now,
    )
    return _store(row) if row else None


async def decide_claim(
    tx: Transaction, store_id: UUID, state: StoreState, reason: str | None, operator: str, version: int | None
) -> Store | None:
    """The operator's decision on a waiting claim, or None when nothing (or another version) waits."""
    row = await tx.row(
        f"""update stores set version = version + 1, state = $2, open = ($2 = 'VERIFIED'), reason = $3, decided_by = $4,
                decided_at = $5
            where store_id = $1 and state = 'CLAIMED' and ($6::bigint is null or version = $6)
            returning {_COLUMNS}""",
        store_id,
        state.value,
        reason,
        operator,
        tx.now,
        version,
    )
    return _store(row) if row else None


async def store(tx: Transaction, store_id: UUID) -> Store | None:
    """One store."""
    row = await tx.row(f"select {_COLUMNS} from stores where store_id = $1", store_id)
    return _store(row) if row else None


async def stores_by_id(tx: Transaction, store_ids: Collection[UUID]) -> list[Store]:
    """These stores, by name; ids that do not exist are left out."""
    rows = await tx.fetch(
        f"select {_COLUMNS} from stores where store_id = any($1::uuid[]) order by name, store_id", list(store_ids)
    )
    return [_store(row) for row in rows]


async def count_stores(tx: Transaction, merchant_id: UUID, store_ids: Collection[UUID]) -> tuple[int, int]:
    """How many of these stores are the merchant's, and how many of those are open. They stay so until the end."""
    rows = await tx.fetch(
        """select open from stores where merchant_id = $1 and store_id = any($2::uuid[])
           order by store_id for share""",
        merchant_id,
        list(store_ids),
    )
    return len(rows), sum(row["open"] for row in rows)


async def waiting_stores(tx: Transaction, limit: int) -> list[Store]:
    """Claims without a decision, oldest first."""
    rows = await tx.fetch(
        f"select {_COLUMNS} from stores where state = 'CLAIMED' order by claimed_at, store_id limit $1", limit
    )
    return [_store(row) for row in rows]
