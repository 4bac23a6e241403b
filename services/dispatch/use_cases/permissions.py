"""Who may do what with a parcel, decided by our own copy of the staff in the transaction that acts."""

from uuid import UUID

from services.dispatch.domain.refusals import NoSuchParcel, NotStaffOfStore, NotYourParcel
from services.dispatch.store import copies, parcels
from services.dispatch.store.parcels import Parcel
from shared.auth import is_operator
from shared.contracts.catalog import StaffRole
from shared.database import Transaction

HANDLES_ORDERS = (StaffRole.OWNER, StaffRole.MANAGER, StaffRole.CLERK)
CARRIES = (*HANDLES_ORDERS, StaffRole.RIDER)


async def held_for_staff(tx: Transaction, caller: str, parcel_id: UUID, roles: tuple[StaffRole, ...]) -> Parcel:
    """The parcel, locked, for somebody who works at its store in one of these roles."""
    parcel = await parcels.lock_parcel(tx, parcel_id)
    if parcel is None:
        raise NoSuchParcel
    if not await copies.works_at(tx, caller, parcel.merchant_id, parcel.store_id, roles):
        raise NotStaffOfStore
    return parcel


async def held_for_buyer(tx: Transaction, caller: str, parcel_id: UUID) -> Parcel:
    """The parcel, locked, for the one who bought it."""
    parcel = await parcels.lock_parcel(tx, parcel_id)
    if parcel is None:
        raise NoSuchParcel
    if parcel.buyer != caller:
        raise NotYourParcel
    return parcel


async def sees_as_staff(tx: Transaction, caller: str, parcel: Parcel) -> bool:
    """Whether the caller sees what staff sees. Raises NoSuchParcel for somebody who may not even know of it."""
    stores = await copies.stores_of_staff(tx, caller, parcel.merchant_id)
    if stores is not None and (not stores or parcel.store_id in stores):
        return True
    if await is_operator(tx, caller):
        return True
    if parcel.buyer != caller:
        raise NoSuchParcel
    return False
