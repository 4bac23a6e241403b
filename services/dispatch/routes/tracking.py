"""What the buyer follows: one of a few phases, the rider while there is one, and nothing of the search for carriers."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.dispatch.domain.tracking import TEXTS, Phase, phase_of
from services.dispatch.routes.views import RiderView, masked_phone
from services.dispatch.use_cases import reading
from shared.auth import Caller
from shared.http import Db
from shared.service import World

router = APIRouter(tags=["parcels"])


class PositionView(BaseModel):
    latitude: float
    longitude: float
    at: datetime


class Tracking(BaseModel):
    parcel_id: UUID
    phase: Phase
    text_zh: str
    text_en: str
    carrier: str | None
    waybill: str | None
    rider: RiderView | None
    position: PositionView | None = Field(description="GCJ-02; gone as soon as the goods have arrived")
    receive_code: str | None
    delivered_at: datetime | None
    has_photo: bool


@router.get("/orders/{order_id}/tracking")
async def track(order_id: UUID, caller: Caller, db: Db, world: World) -> Tracking:
    """Preparing, finding a rider, to the shop, on the way, delivered; or a problem that somebody is on."""
    async with db.transaction(read_only=True) as tx:
        seen = await reading.see_order(tx, world, caller, order_id)
        has_photo = await reading.has_photo(tx, seen.parcel.parcel_id)
    latest = seen.latest
    phase = phase_of(seen.parcel.state, seen.parcel.dispatch_state, latest.state if latest else None)
    where = reading.position_of(world, latest) if phase in (Phase.TO_SHOP, Phase.ON_THE_WAY) else None
    # A rider who is only being looked for, or gave up, is nobody's rider.
    known = seen.rider if phase in (Phase.TO_SHOP, Phase.ON_THE_WAY, Phase.DELIVERED) else None
    return Tracking(
        parcel_id=seen.parcel.parcel_id,
        phase=phase,
        text_zh=TEXTS[phase].zh,
        text_en=TEXTS[phase].en,
        carrier=seen.carrier if seen.parcel.carried_as else None,
        waybill=latest.waybill if latest and seen.parcel.carried_as else None,
        rider=RiderView(name=known.name, masked_phone=masked_phone(known.phone)) if known else None,
        position=PositionView(latitude=where[0].latitude, longitude=where[0].longitude, at=where[1]) if where else None,
        receive_code=seen.receive_code,
        delivered_at=seen.parcel.delivered_at,
        has_photo=has_photo,
    )
