"""What the buyer follows: one of a few phases, the rider while there is one, and nothing of the search for carriers."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.dispatch.domain.parcels import ParcelState
from services.dispatch.domain.tracking import TEXTS, Phase, phase_of
from services.dispatch.routes.views import Line, RiderView, masked_phone, timeline
from services.dispatch.use_cases import reading
from shared.auth import Caller
from shared.contracts.catalog import DeliveryMode
from shared.http import Db
from shared.service import World

router = APIRouter(tags=["parcels"])


class PositionView(BaseModel):
    latitude: float
    longitude: float
    at: datetime
    distance_m: int = Field(description="To the door, as the crow flies")
    eta_s: int | None = Field(description="About how long the rest of the way takes; null before the goods have left")


class Tracking(BaseModel):
    parcel_id: UUID
    state: ParcelState
    mode: DeliveryMode
    phase: Phase
    text_zh: str
    text_en: str
    carrier: str | None
    waybill: str | None
    rider: RiderView | None
    position: PositionView | None = Field(description="GCJ-02; gone as soon as the goods have arrived")
    receive_code: str | None
    delivered_at: datetime | None
    received_by: datetime | None = Field(description="When receipt becomes automatic")
    has_photo: bool
    proof: Literal["CODE", "PHOTO", "SIGNED"] | None = Field(
        description="What the delivery was proven with; null: the carrier's word"
    )
    timeline: list[Line]


@router.get("/orders/{order_id}/tracking")
async def track(order_id: UUID, caller: Caller, db: Db, world: World) -> Tracking:
    """Preparing, finding a rider, to the shop, on the way, delivered; or a problem that somebody is on."""
    async with db.transaction(read_only=True) as tx:
        seen = await reading.see_order(tx, world, caller, order_id)
        proof = await reading.proof_of(tx, seen.parcel.parcel_id)
    latest = seen.latest
    phase = phase_of(seen.parcel.state, seen.parcel.dispatch_state, latest.state if latest else None)
    where = reading.way_to_the_door(world, seen.parcel, latest) if phase in (Phase.TO_SHOP, Phase.ON_THE_WAY) else None
    # A rider who is only being looked for, or gave up, is nobody's rider.
    known = seen.rider if phase in (Phase.TO_SHOP, Phase.ON_THE_WAY, Phase.DELIVERED) else None
    return Tracking(
        parcel_id=seen.parcel.parcel_id,
        state=seen.parcel.state,
        mode=seen.parcel.mode,
        phase=phase,
        text_zh=TEXTS[phase].zh,
        text_en=TEXTS[phase].en,
        carrier=seen.carrier if seen.parcel.carried_as else None,
        waybill=latest.waybill if latest and seen.parcel.carried_as else None,
        rider=RiderView(name=known.name, masked_phone=masked_phone(known.phone)) if known else None,
        position=_position(where, left=phase is Phase.ON_THE_WAY) if where else None,
        receive_code=seen.receive_code,
        delivered_at=seen.parcel.delivered_at,
        received_by=seen.parcel.receive_by,
        has_photo=proof == "PHOTO",
        proof=proof,
        timeline=timeline(seen, as_staff=False),
    )


def _position(where: reading.Way, *, left: bool) -> PositionView:
    eta_s = int(where.eta.total_seconds()) if left else None
    return PositionView(
        latitude=where.place.latitude,
        longitude=where.place.longitude,
        at=where.at,
        distance_m=where.distance_m,
        eta_s=eta_s,
    )
