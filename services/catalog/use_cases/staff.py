"""Who works where: an owner gives and takes places, and everybody else's copy follows."""

from datetime import datetime

from services.catalog import store
from services.catalog.domain.refusals import LastOwner, StaffExists, StoreNotOfMerchant
from services.catalog.domain.staff import Place, check_assignable
from services.catalog.store.staff import Workplace
from shared.auth import require_staff
from shared.contracts.catalog import StaffChanged, StaffRole
from shared.database import Transaction
from shared.errors import Forbidden, IdTaken
from shared.messaging import outbox

WORKPLACES = 50


async def put_staff(tx: Transaction, caller: str, place: Place) -> Place:
    """Give, change or take one person's place. Only an owner may, and one active owner always remains."""
    check_assignable(place.role)
    if place.merchant_id is None:
        raise Forbidden
    # Two owners who dismiss each other at the same moment take turns, so that one of them stays.
    await store.lock_merchant(tx, place.merchant_id)
    await require_staff(tx, caller, place.merchant_id, StaffRole.OWNER)
    owned, _ = await store.count_stores(tx, place.merchant_id, place.store_ids)
    if owned != len(set(place.store_ids)):
        raise StoreNotOfMerchant
    if await store.has_other_place(tx, place):
        raise StaffExists
    placed = await store.put_place(tx, place)
    if placed is None:
        if await store.place(tx, place.staff_id) != place:
            raise IdTaken
        return place
    if not await store.has_owner(tx, place.merchant_id):
        raise LastOwner
    await announce_place(tx, *placed)
    return placed[0]


async def my_workplaces(tx: Transaction, caller: str) -> list[Workplace]:
    """Where the caller works, with the stores there."""
    return await store.workplaces(tx, caller, WORKPLACES)


async def announce_place(tx: Transaction, place: Place, version: int) -> None:
    """Tell every service who may do what from now on."""
    await outbox.emit(tx, staff_changed(place, version, tx.now))


def staff_changed(place: Place, version: int, now: datetime) -> StaffChanged:
    """What everybody is told of one person's place."""
    return StaffChanged(
        occurred_at=now,
        version=version,
        staff_id=place.staff_id,
        subject=place.subject,
        merchant_id=place.merchant_id,
        role=place.role,
        store_ids=place.store_ids,
        active=place.active,
    )
