"""The merchant's own riders: their work, taking it, where they are, and a photo for a door that nobody opens."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.dispatch.domain.routing import GeoPoint
from services.dispatch.routes.views import ParcelCard, ParcelView, card, view
from services.dispatch.use_cases import reading, riding
from services.dispatch.world import DispatchWorld
from shared.auth import Caller
from shared.http import Db
from shared.paging import Cursor, Limit, page_of, read_cursor
from shared.service import World

router = APIRouter(tags=["riders"])


class Place(BaseModel):
    latitude: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    longitude: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]


class Taking(BaseModel):
    name: Annotated[str, Field(max_length=40)] = ""
    phone: Annotated[str, Field(pattern=r"^(\+86)?1[0-9]{10}$|^$")] = ""


class PhotoDelivery(Place):
    """The place as the phone measures it (WGS-84): kept as evidence, never put on a map beside others."""

    photo: Annotated[str, Field(min_length=8, max_length=540_000, description="JPEG or PNG in base64")]


class RiderCard(ParcelCard):
    mine: bool = Field(description="Whether this rider has taken it")


class Work(BaseModel):
    items: list[RiderCard]
    next_cursor: str | None


async def _seen(db: Db, world: DispatchWorld, caller: str, parcel_id: UUID) -> ParcelView:
    async with db.transaction(read_only=True) as tx:
        return view(await reading.see_parcel(tx, world, caller, parcel_id))


@router.get("/riders/parcels")
async def list_work(
    merchant_id: UUID, caller: Caller, db: Db, world: World, cursor: Cursor = None, limit: Limit = 20
) -> Work:
    """What the caller may take and what they carry, the oldest first."""
    after = read_cursor(cursor or None, datetime, UUID)
    async with db.transaction(read_only=True) as tx:
        found = await riding.list_work(tx, world, caller, merchant_id, after, limit + 1)
    page = page_of(found, limit, lambda seen: (seen.parcel.placed_at, seen.parcel.parcel_id))
    return Work(
        items=[
            RiderCard(**card(seen).model_dump(), mine=seen.latest is not None and seen.latest.rider_subject == caller)
            for seen in page.items
        ],
        next_cursor=page.next_cursor,
    )


@router.put("/parcels/{parcel_id}/rider")
async def take(parcel_id: UUID, body: Taking, caller: Caller, db: Db, world: World) -> ParcelView:
    """The caller will carry it: `rider_taken` if somebody else does."""
    async with db.transaction() as tx:
        await riding.take_parcel(tx, world, caller, parcel_id, body.name, body.phone)
    return await _seen(db, world, caller, parcel_id)


@router.delete("/parcels/{parcel_id}/rider")
async def give_back(parcel_id: UUID, caller: Caller, db: Db, world: World) -> ParcelView:
    """The caller cannot carry it after all."""
    async with db.transaction() as tx:
        await riding.give_back(tx, caller, parcel_id)
    return await _seen(db, world, caller, parcel_id)


@router.put("/parcels/{parcel_id}/position", status_code=204)
async def say_where(parcel_id: UUID, body: Place, caller: Caller, db: Db, world: World) -> None:
    """Where the rider is, in GCJ-02."""
    async with db.transaction() as tx:
        await riding.say_where(tx, world, caller, parcel_id, GeoPoint(body.latitude, body.longitude))


@router.put("/parcels/{parcel_id}/delivery-photo")
async def deliver_with_photo(parcel_id: UUID, body: PhotoDelivery, caller: Caller, db: Db, world: World) -> ParcelView:
    """The goods were left at the door: a photo and the place prove it."""
    async with db.transaction() as tx:
        place = GeoPoint(body.latitude, body.longitude)
        await riding.deliver_with_photo(tx, world, caller, parcel_id, body.photo, place)
    return await _seen(db, world, caller, parcel_id)


@router.get("/parcels/{parcel_id}/delivery-photo", response_class=Response)
async def show_photo(parcel_id: UUID, caller: Caller, db: Db, world: World) -> Response:
    """The photo, for the buyer and for staff."""
    async with db.transaction(read_only=True) as tx:
        content, kind = await riding.see_photo(tx, world, caller, parcel_id)
    return Response(content, media_type=kind, headers={"cache-control": "private, no-store"})
