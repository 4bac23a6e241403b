"""Who works where: an owner gives and takes places, and everybody else's copy follows."""

from datetime import datetime
from uuid import UUID

from services.catalog import store
from services.catalog.domain.refusals import LastOwner, StaffExists, StoreNotOfMerchant, TooManyStaff
from services.catalog.domain.staff import ACTIVE_STAFF, Place, Placed, check_assignable
from services.catalog.store.staff import Workplace
from shared.auth import require_staff
from shared.contracts.catalog import StaffChanged, StaffRole
from shared.database import Transaction
from shared.errors import Forbidden, IdTaken, PreconditionFailed
from shared.messaging import outbox
from shared.paging import Page, page_of, read_cursor

WORKPLACES = 50


async def put_staff(tx: Transaction, caller: str, place: Place, version: int | None) -> Placed:
    """Give, change or take one person's place. Only an owner may, and one active owner always remains.

    `version` (If-Match) is what the caller saw of the place."""
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
    placed = await place_person(tx, place, version)
    if not await store.has_owner(tx, place.merchant_id):
        raise LastOwner
    return placed


async def place_person(tx: Transaction, place: Place, version: int | None = None) -> Placed:
    """Write a place and tell of it, within the limit of people; the caller has locked the merchant."""
    placed = await store.put_place(tx, place, version)
    if placed is None:
        return await _unless_changed_meanwhile(tx, place)
    assert place.merchant_id is not None
    if place.active and await store.count_active(tx, place.merchant_id) > ACTIVE_STAFF:
        raise TooManyStaff(limit=ACTIVE_STAFF)
    await announce_place(tx, placed)
    return placed


async def _unless_changed_meanwhile(tx: Transaction, wanted: Place) -> Placed:
    """The place, if it is as wanted; else say why it could not be put."""
    known = await store.place(tx, wanted.staff_id)
    if known is None:
        raise PreconditionFailed
    if known.place == wanted:
        return known
    if (known.place.subject, known.place.merchant_id) != (wanted.subject, wanted.merchant_id):
        raise IdTaken
    raise PreconditionFailed(current=known.version)


async def list_staff(tx: Transaction, merchant_id: UUID, caller: str, cursor: str | None, limit: int) -> Page[Placed]:
    """A merchant's people, those who left included, for its owners and managers."""
    await require_staff(tx, caller, merchant_id, StaffRole.OWNER, StaffRole.MANAGER)
    position = read_cursor(cursor, UUID)
    rows = await store.places(tx, merchant_id, position[0] if position else None, limit + 1)
    return page_of(rows, limit, lambda one: (one.place.staff_id,))


async def my_workplaces(tx: Transaction, caller: str) -> list[Workplace]:
    """Where the caller works, with the stores there."""
    return await store.workplaces(tx, caller, WORKPLACES)


async def announce_place(tx: Transaction, placed: Placed) -> None:
    """Tell every service who may do what from now on."""
    await outbox.emit(tx, staff_changed(placed, tx.now))


def staff_changed(placed: Placed, now: datetime) -> StaffChanged:
    """What everybody is told of one person's place."""
    place = placed.place
    return StaffChanged(
        occurred_at=now,
        version=placed.version,
        staff_id=place.staff_id,
        subject=place.subject,
        merchant_id=place.merchant_id,
        role=place.role,
        store_ids=place.store_ids,
        active=place.active,
    )
