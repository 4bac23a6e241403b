"""Who works at a merchant."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.catalog import use_cases
from services.catalog.domain.staff import Place, Placed
from services.catalog.domain.text import LongLine
from services.catalog.routes.common import Seen, etag
from shared.auth import Caller
from shared.contracts.catalog import StaffRole
from shared.http import Db
from shared.paging import Cursor, Limit

router = APIRouter(tags=["staff"])


class PutStaff(BaseModel):
    """No stores means every store."""

    subject: LongLine
    role: StaffRole
    store_ids: Annotated[tuple[UUID, ...], Field(max_length=500)] = ()
    active: bool = True


class StaffView(BaseModel):
    """`version` is for `If-Match`."""

    staff_id: UUID
    version: int
    merchant_id: UUID | None
    subject: str
    role: StaffRole
    store_ids: list[UUID]
    active: bool


class StaffPage(BaseModel):
    items: list[StaffView]
    next_cursor: str | None


def staff_view(placed: Placed) -> StaffView:
    """A person's place."""
    place = placed.place
    return StaffView(
        version=placed.version,
        staff_id=place.staff_id,
        merchant_id=place.merchant_id,
        subject=place.subject,
        role=place.role,
        store_ids=list(place.store_ids),
        active=place.active,
    )


class NamedStore(BaseModel):
    store_id: UUID
    name: str


class WorkplaceView(BaseModel):
    merchant_id: UUID
    name: str
    role: StaffRole
    stores: list[NamedStore]


class Workplaces(BaseModel):
    items: list[WorkplaceView]


@router.put("/merchants/{merchant_id}/staff/{staff_id}")
async def put_staff(
    merchant_id: UUID, staff_id: UUID, body: PutStaff, caller: Caller, db: Db, seen: Seen, response: Response
) -> StaffView:
    """Give, change or take a person's place; for owners. `If-Match` quotes the place's version."""
    wanted = Place(staff_id, body.subject, merchant_id, body.role, tuple(sorted(set(body.store_ids))), body.active)
    async with db.transaction() as tx:
        placed = await use_cases.put_staff(tx, caller, wanted, seen)
    response.headers.update(etag(placed.version))
    return staff_view(placed)


@router.get("/merchants/{merchant_id}/staff")
async def list_staff(merchant_id: UUID, caller: Caller, db: Db, cursor: Cursor = None, limit: Limit = 20) -> StaffPage:
    """Who works, and who worked, at a merchant. For owners and managers."""
    async with db.transaction(read_only=True) as tx:
        page = await use_cases.list_staff(tx, merchant_id, caller, cursor, limit)
    return StaffPage(items=[staff_view(placed) for placed in page.items], next_cursor=page.next_cursor)


@router.get("/me/merchants")
async def my_merchants(caller: Caller, db: Db) -> Workplaces:
    """Where the caller works."""
    async with db.transaction(read_only=True) as tx:
        found = await use_cases.my_workplaces(tx, caller)
    return Workplaces(
        items=[
            WorkplaceView(
                merchant_id=one.merchant_id,
                name=one.name,
                role=one.role,
                stores=[NamedStore(store_id=store_id, name=name) for store_id, name in one.stores],
            )
            for one in found
        ]
    )
