"""Dispatch's own copies of catalog's merchants, stores and staff: the newest version wins, whatever comes first."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.dispatch.domain.routing import GeoPoint
from shared.contracts.catalog import MerchantChanged, StaffRole, StoreChanged
from shared.contracts.hours import WeeklyHours
from shared.database import Row, Transaction


@dataclass(frozen=True, slots=True)
class Store:
    store_id: UUID
    merchant_id: UUID
    name: str
    city: str
    address: str
    place: GeoPoint
    phone: str
    open: bool
    hours: tuple[WeeklyHours, ...]


def _store(row: Row) -> Store:
    place = GeoPoint(row["latitude"], row["longitude"])
    return Store(
        row["store_id"],
        row["merchant_id"],
        row["name"],
        row["city"],
        row["address"],
        place,
        row["phone"],
        row["open"],
        tuple(WeeklyHours.model_validate(one) for one in row["hours"]),
    )


_STORE = "store_id, merchant_id, name, city, address, latitude, longitude, phone, open, hours"


async def keep_merchant(tx: Transaction, event: MerchantChanged) -> None:
    await tx.execute(
        """insert into merchants (merchant_id, version, name, phone, state) values ($1, $2, $3, $4, $5)
           on conflict (merchant_id) do update set version = excluded.version, name = excluded.name,
             phone = excluded.phone, state = excluded.state
           where merchants.version < excluded.version""",
        event.merchant_id,
        event.version,
        event.name,
        event.phone,
        event.state.value,
    )


async def keep_store(tx: Transaction, event: StoreChanged) -> None:
    await tx.execute(
        """insert into stores (store_id, version, merchant_id, name, city, address, latitude, longitude, phone, open,
             hours)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
           on conflict (store_id) do update set version = excluded.version, merchant_id = excluded.merchant_id,
             name = excluded.name, city = excluded.city, address = excluded.address, latitude = excluded.latitude,
             longitude = excluded.longitude, phone = excluded.phone, open = excluded.open,
             hours = excluded.hours
           where stores.version < excluded.version""",
        event.store_id,
        event.version,
        event.merchant_id,
        event.name,
        event.city,
        event.address,
        event.latitude,
        event.longitude,
        event.phone,
        event.open,
        [one.model_dump(mode="json") for one in event.hours],
    )


async def stores_for(tx: Transaction, merchant_id: UUID, store_ids: Sequence[UUID]) -> list[Store]:
    """The stores named, or all of the merchant's if none is; only those that have been heard of."""
    rows = await tx.fetch(
        f"""select {_STORE} from stores
            where store_id = any($2) or (cardinality($2::uuid[]) = 0 and merchant_id = $1)
            order by store_id limit 500""",
        merchant_id,
        list(store_ids),
    )
    return [_store(row) for row in rows]


async def find_store(tx: Transaction, store_id: UUID) -> Store | None:
    row = await tx.row(f"select {_STORE} from stores where store_id = $1", store_id)
    return _store(row) if row else None


async def works_at(
    tx: Transaction, subject: str, merchant_id: UUID, store_id: UUID, roles: Sequence[StaffRole]
) -> bool:
    """Whether this person works for the merchant now, in one of the roles, at this store. The row is
    held, so that a revocation that commits first is seen and one that comes later waits for this decision."""
    return (
        await tx.value(
            """select true from staff
               where subject = $1 and merchant_id = $2 and active and role = any($4)
                 and (cardinality(store_ids) = 0 or $3 = any(store_ids))
               limit 1 for share""",
            subject,
            merchant_id,
            store_id,
            [role.value for role in roles],
        )
        is True
    )


async def works_everywhere(tx: Transaction, subject: str, merchant_id: UUID, roles: Sequence[StaffRole]) -> bool:
    """Whether this person works for the merchant now, in one of the roles and at every store. The row is held."""
    return (
        await tx.value(
            """select true from staff
               where subject = $1 and merchant_id = $2 and active and role = any($3) and cardinality(store_ids) = 0
               limit 1 for share""",
            subject,
            merchant_id,
            [role.value for role in roles],
        )
        is True
    )


async def stores_of_staff(tx: Transaction, subject: str, merchant_id: UUID) -> list[UUID] | None:
    """The stores where this person works for the merchant (empty: every one); None if nowhere."""
    rows = await tx.fetch(
        "select store_ids from staff where subject = $1 and merchant_id = $2 and active", subject, merchant_id
    )
    if not rows:
        return None
    if any(not row["store_ids"] for row in rows):
        return []
    return [store_id for row in rows for store_id in row["store_ids"]]
