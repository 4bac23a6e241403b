"""The page of a merchant's own rider: take a parcel, pick it up, deliver it with the buyer's code or a photo."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from services.web.rendering import page
from services.web.routes.employers import AtDesk
from services.web.routes.feed import Cursor
from services.web.visits import Signed
from services.web.world import Outside

router = APIRouter(prefix="/ride", include_in_schema=False)

MerchantId = Annotated[UUID, Form()]


@router.get("")
async def work(request: Request, at: AtDesk, visit: Signed, world: Outside, cursor: Cursor = None) -> Response:
    """What this rider carries, and what they may take."""
    found = await world.services.dispatch.work(visit.asker, at.here.merchant_id, cursor)
    lists = [
        ("ride.mine", [one for one in found.items if one.mine]),
        ("ride.free", [one for one in found.items if not one.mine]),
    ]
    facts = {"here": at.here, "employers": at.employers}
    return page(request, "ride.html", facts, lists=lists, next_cursor=found.next_cursor)


@router.post("/{parcel_id}/rider")
async def take(
    parcel_id: UUID,
    merchant: MerchantId,
    visit: Signed,
    world: Outside,
    name: Annotated[str, Form(max_length=40)] = "",
    phone: Annotated[str, Form(max_length=14)] = "",
) -> Response:
    """From now on it is this rider's."""
    await world.services.dispatch.take(visit.asker, parcel_id, name.strip(), phone.strip())
    return _back(merchant)


@router.post("/{parcel_id}/return")
async def give_back(parcel_id: UUID, merchant: MerchantId, visit: Signed, world: Outside) -> Response:
    """Another rider may take it."""
    await world.services.dispatch.give_back(visit.asker, parcel_id)
    return _back(merchant)


@router.post("/{parcel_id}/handover")
async def pick_up(parcel_id: UUID, merchant: MerchantId, visit: Signed, world: Outside) -> Response:
    """The goods leave the store."""
    await world.services.dispatch.hand_over(visit.asker, parcel_id, None)
    return _back(merchant)


@router.post("/{parcel_id}/delivery")
async def deliver(
    parcel_id: UUID,
    merchant: MerchantId,
    receive_code: Annotated[str, Form(max_length=8)],
    visit: Signed,
    world: Outside,
) -> Response:
    """The buyer took them and told the code."""
    await world.services.dispatch.deliver(visit.asker, parcel_id, receive_code.strip())
    return _back(merchant)


@router.post("/{parcel_id}/delivery-photo")
async def deliver_with_photo(
    parcel_id: UUID,
    merchant: MerchantId,
    photo: Annotated[str, Form(max_length=540_000)],
    latitude: Annotated[float, Form(ge=-90, le=90)],
    longitude: Annotated[float, Form(ge=-180, le=180)],
    visit: Signed,
    world: Outside,
) -> Response:
    """Nobody was there: the photo (made small by the page) and the place stand for the code."""
    await world.services.dispatch.deliver_with_photo(visit.asker, parcel_id, photo, latitude, longitude)
    return _back(merchant)


def _back(merchant: UUID) -> Response:
    return RedirectResponse(f"/ride?merchant={merchant}", status_code=303)
