"""What redemption keeps of catalog's stores and staff."""

from uuid import UUID

from services.redemption.domain.certificates import Store
from shared.contracts.catalog import StaffRole, StoreChanged
from shared.database import Transaction


async def keep_store(tx: Transaction, event: StoreChanged) -> None:
    """Keep the newest state of a store, whatever the order in which the events arrive."""
    await tx.execute(
        """insert into stores (store_id, version, merchant_id, name, open) values ($1, $2, $3, $4, $5)
           on conflict (store_id) do update set version = excluded.version, merchant_id = excluded.merchant_id,
             name = excluded.name, open = excluded.open
           where stores.version < excluded.version""",
        event.store_id,
        event.version,
        event.merchant_id,
        event.name,
        event.open,
    )


async def store_for(tx: Transaction, subject: str, store_id: UUID, roles: tuple[StaffRole, ...]) -> Store | None:
    """The store, if this person works there now in one of these roles."""
    row = await tx.row(
        """select store_id, merchant_id, name, open from stores
           where store_id = $1 and exists (
             select from staff where subject = $2 and active and staff.merchant_id = stores.merchant_id
               and role = any($3) and (cardinality(staff.store_ids) = 0 or $1 = any(staff.store_ids)))""",
        store_id,
        subject,
        [role.value for role in roles],
    )
    return None if row is None else Store(row["store_id"], row["merchant_id"], row["name"], row["open"])


async def store_names(tx: Transaction, store_ids: frozenset[UUID]) -> list[str]:
    """The names of stores that have not closed."""
    rows = await tx.fetch("select name from stores where store_id = any($1) and open order by name", list(store_ids))
    return [row["name"] for row in rows]
