"""What redemption keeps of catalog's merchants, stores and staff."""

from uuid import UUID

from services.redemption.domain.certificates import Store
from shared.contracts.catalog import MerchantChanged, MerchantSuspended, StaffRole, StoreChanged, StoreClosed
from shared.database import Transaction

SUSPENDED = "exists (select from merchants m where m.merchant_id = {of}.merchant_id and m.state = 'SUSPENDED')"
"""Whether the merchant of a row is suspended; one that was not heard of yet is not."""


async def keep_merchant(tx: Transaction, event: MerchantChanged | MerchantSuspended) -> None:
    """Keep the newest state of a merchant, whatever the order in which the events arrive."""
    await tx.execute(
        """insert into merchants (merchant_id, version, state) values ($1, $2, $3)
           on conflict (merchant_id) do update set version = excluded.version, state = excluded.state
           where merchants.version < excluded.version""",
        event.merchant_id,
        event.version,
        event.state.value,
    )


async def keep_store(tx: Transaction, event: StoreChanged) -> None:
    """Keep the newest state of a store, whatever the order in which the events arrive. Of two events with one version
    this one counts: only it knows who holds a store that was lost."""
    await tx.execute(
        """insert into stores (store_id, version, merchant_id, name, open) values ($1, $2, $3, $4, $5)
           on conflict (store_id) do update set version = excluded.version, merchant_id = excluded.merchant_id,
             name = excluded.name, open = excluded.open
           where stores.version <= excluded.version""",
        event.store_id,
        event.version,
        event.merchant_id,
        event.name,
        event.open,
    )


async def close_store(tx: Transaction, event: StoreClosed) -> None:
    """The store is lost to this merchant. Who has it now, if anybody, `store_changed` of the same version says."""
    await tx.execute(
        """insert into stores (store_id, version, merchant_id, name, open) values ($1, $2, $3, $4, false)
           on conflict (store_id) do update set version = excluded.version, merchant_id = excluded.merchant_id,
             name = excluded.name, open = false
           where stores.version < excluded.version""",
        event.store_id,
        event.version,
        event.merchant_id,
        event.name,
    )


async def store_for(tx: Transaction, subject: str, store_id: UUID, roles: tuple[StaffRole, ...]) -> Store | None:
    """The store, if this person works there now in one of these roles."""
    row = await tx.row(
        f"""select store_id, merchant_id, name, open, {SUSPENDED.format(of="stores")} as suspended from stores
           where store_id = $1 and exists (
             select from staff where subject = $2 and active and staff.merchant_id = stores.merchant_id
               and role = any($3) and (cardinality(staff.store_ids) = 0 or $1 = any(staff.store_ids)))""",
        store_id,
        subject,
        [role.value for role in roles],
    )
    return None if row is None else Store(**dict(row))


async def store_of(tx: Transaction, merchant_id: UUID, store_id: UUID) -> Store | None:
    """The store, if it is this merchant's."""
    row = await tx.row(
        f"""select store_id, merchant_id, name, open, {SUSPENDED.format(of="stores")} as suspended from stores
            where store_id = $1 and merchant_id = $2""",
        store_id,
        merchant_id,
    )
    return None if row is None else Store(**dict(row))


async def store_names(tx: Transaction, store_ids: frozenset[UUID], merchant_id: UUID) -> list[str]:
    """The names of those stores that still take what this merchant sold."""
    rows = await tx.fetch(
        f"""select name from stores
            where store_id = any($1) and merchant_id = $2 and open and not {SUSPENDED.format(of="stores")}
            order by name""",
        list(store_ids),
        merchant_id,
    )
    return [row["name"] for row in rows]
