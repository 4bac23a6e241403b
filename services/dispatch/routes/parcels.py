"""One parcel: what buyer and merchant see of it and do with it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.dispatch.domain.refusals import CancelFeeUnconfirmed
from services.dispatch.routes.choices import ask_terms
from services.dispatch.routes.views import ParcelView, view
from services.dispatch.use_cases import finishing, handling, reading
from services.dispatch.use_cases.switching import Consent
from services.dispatch.world import DispatchWorld
from shared.auth import Caller, require_operator
from shared.http import Db
from shared.service import World

router = APIRouter(tags=["parcels"])

Text = Annotated[str, Field(min_length=1, max_length=200)]


class Refusal(BaseModel):
    reason: Text
    most_fee_fen: Annotated[int, Field(strict=True, ge=0, le=1_000_000)] = 0
    accept_unknown_fee: bool = False


class HandOver(BaseModel):
    rider: Annotated[str, Field(max_length=40)] = ""


class Delivery(BaseModel):
    receive_code: Annotated[str, Field(pattern=r"^[0-9]{1,6}$")]


class Loss(BaseModel):
    reason: Text


async def _seen(db: Db, world: DispatchWorld, caller: str, parcel_id: UUID) -> ParcelView:
    async with db.transaction(read_only=True) as tx:
        return view(await reading.see_parcel(tx, world, caller, parcel_id))


@router.get("/orders/{order_id}/parcel")
async def show_parcel(order_id: UUID, caller: Caller, db: Db, world: World) -> ParcelView:
    """The parcel of an order."""
    async with db.transaction(read_only=True) as tx:
        seen = await reading.see_order(tx, world, caller, order_id)
    return view(seen)


@router.put("/parcels/{parcel_id}/acceptance")
async def accept(parcel_id: UUID, caller: Caller, db: Db, world: World) -> ParcelView:
    """The merchant takes the order on; a carrier is looked for at once."""
    async with db.transaction() as tx:
        await handling.accept_parcel(tx, caller, parcel_id)
    return await _seen(db, world, caller, parcel_id)


@router.put("/parcels/{parcel_id}/refusal")
async def refuse(parcel_id: UUID, body: Refusal, caller: Caller, db: Db, world: World) -> ParcelView:
    """The merchant will not deliver: the order is refunded, once no carrier is on the way any more. What calling off a
    rider costs is refused until it is confirmed, as for a switch."""
    terms = await ask_terms(db, world, caller, parcel_id)
    if terms is not None and not Consent(body.most_fee_fen, body.accept_unknown_fee).covers(terms):
        raise CancelFeeUnconfirmed(fee_fen=terms.fee_fen)
    async with db.transaction() as tx:
        await handling.refuse_parcel(tx, caller, parcel_id, body.reason)
    return await _seen(db, world, caller, parcel_id)


@router.put("/parcels/{parcel_id}/handover")
async def hand_over(parcel_id: UUID, body: HandOver, caller: Caller, db: Db, world: World) -> ParcelView:
    """The goods leave with the merchant's own rider."""
    async with db.transaction() as tx:
        await handling.hand_over_parcel(tx, world, caller, parcel_id, body.rider)
    return await _seen(db, world, caller, parcel_id)


@router.put("/parcels/{parcel_id}/delivery")
async def deliver(parcel_id: UUID, body: Delivery, caller: Caller, db: Db, world: World) -> ParcelView:
    """The buyer took the goods from the merchant's own rider and told their code."""
    async with db.transaction() as tx:
        refusal = await handling.deliver_parcel(tx, world, caller, parcel_id, body.receive_code)
    if refusal is not None:
        raise refusal
    return await _seen(db, world, caller, parcel_id)


@router.put("/parcels/{parcel_id}/receipt")
async def receive(parcel_id: UUID, caller: Caller, db: Db, world: World) -> ParcelView:
    """The buyer has the goods."""
    async with db.transaction() as tx:
        await finishing.confirm_receipt(tx, caller, parcel_id)
    return await _seen(db, world, caller, parcel_id)


@router.put("/admin/parcels/{parcel_id}/loss", tags=["admin"])
async def declare_lost(parcel_id: UUID, body: Loss, caller: Caller, db: Db, world: World) -> ParcelView:
    """An operator gives goods up that left the merchant: the order is refunded."""
    async with db.transaction() as tx:
        await require_operator(tx, caller)
        await finishing.declare_lost(tx, world, parcel_id, body.reason)
    return await _seen(db, world, caller, parcel_id)
