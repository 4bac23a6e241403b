"""What merchants do about a parcel's carrier: why it was chosen, what leaving costs, a tip, another one, or none."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.dispatch.routes.views import ParcelView, view
from services.dispatch.store import decisions
from services.dispatch.use_cases import choosing, reading, switching, tipping
from services.dispatch.use_cases.switching import Consent, Terms
from services.dispatch.world import DispatchWorld
from shared.auth import Caller
from shared.http import Db
from shared.service import World

router = APIRouter(tags=["parcels"])


class Decision(BaseModel):
    at: datetime
    attempt_id: UUID | None = Field(description="Null: nobody was chosen")
    policy: str
    chosen: str | None
    why: str
    candidates: list[dict[str, Any]] = Field(description="Best first, with scores; then those refused, with reasons")


class Decisions(BaseModel):
    items: list[Decision]


class CancelTermsView(BaseModel):
    attempt_id: UUID | None = Field(description="Null: no carrier has the parcel, so that leaving is free")
    provider: str | None
    fee_fen: int | None = Field(description="Null: the carrier does not say, which is not zero")
    needs_confirmation: bool


class Switch(BaseModel):
    to: Literal["NEXT", "SELF"] = "NEXT"
    most_fee_fen: Annotated[int, Field(strict=True, ge=0, le=1_000_000)] = 0
    accept_unknown_fee: bool = False


class TipBody(BaseModel):
    tip_fen: Annotated[int, Field(strict=True, ge=100, le=10_000, multiple_of=100)]


async def _seen(db: Db, world: DispatchWorld, caller: str, parcel_id: UUID) -> ParcelView:
    async with db.transaction(read_only=True) as tx:
        return view(await reading.see_parcel(tx, world, caller, parcel_id))


@router.get("/parcels/{parcel_id}/decisions")
async def show_decisions(parcel_id: UUID, caller: Caller, db: Db) -> Decisions:
    """Why this one? Every choice of a carrier for the parcel, oldest first. For staff."""
    async with db.transaction(read_only=True) as tx:
        await reading.require_staff(tx, caller, parcel_id)
        found = await decisions.of_parcel(tx, parcel_id)
    return Decisions(
        items=[Decision.model_validate({"at": one.at, "attempt_id": one.attempt_id, **one.record}) for one in found]
    )


@router.put("/parcels/{parcel_id}/search")
async def keep_waiting(parcel_id: UUID, caller: Caller, db: Db, world: World) -> ParcelView:
    """Keep waiting: carriers are looked for once more."""
    async with db.transaction() as tx:
        await choosing.keep_waiting(tx, caller, parcel_id)
    return await _seen(db, world, caller, parcel_id)


@router.put("/parcels/{parcel_id}/self-delivery")
async def deliver_ourselves(parcel_id: UUID, caller: Caller, db: Db, world: World) -> ParcelView:
    """The merchant's own riders get the parcel."""
    async with db.transaction() as tx:
        await choosing.deliver_ourselves(tx, world, caller, parcel_id)
    return await _seen(db, world, caller, parcel_id)


@router.put("/parcels/{parcel_id}/return")
async def confirm_return(parcel_id: UUID, caller: Caller, db: Db, world: World) -> ParcelView:
    """The goods are back in the store: the order is refunded."""
    async with db.transaction() as tx:
        await choosing.confirm_return(tx, world, caller, parcel_id)
    return await _seen(db, world, caller, parcel_id)


async def ask_terms(db: Db, world: DispatchWorld, caller: str, parcel_id: UUID) -> Terms | None:
    """What leaving the parcel's carrier costs now; None: nothing, no carrier has it."""
    async with db.transaction() as tx:
        asked = await switching.prepare(tx, world, caller, parcel_id)
    answer = await asked.ask() if asked else None
    async with db.transaction() as tx:
        return await switching.learn(tx, parcel_id, asked, answer)


@router.get("/parcels/{parcel_id}/cancel-terms")
async def show_cancel_terms(parcel_id: UUID, caller: Caller, db: Db, world: World) -> CancelTermsView:
    """What taking the parcel back from its carrier would cost now."""
    terms = await ask_terms(db, world, caller, parcel_id)
    if terms is None:
        return CancelTermsView(attempt_id=None, provider=None, fee_fen=0, needs_confirmation=False)
    return CancelTermsView(
        attempt_id=terms.attempt_id,
        provider=terms.provider,
        fee_fen=terms.fee_fen,
        needs_confirmation=terms.needs_confirmation,
    )


@router.put("/parcels/{parcel_id}/attempts/{attempt_id}/switch")
async def switch(parcel_id: UUID, attempt_id: UUID, body: Switch, caller: Caller, db: Db, world: World) -> ParcelView:
    """Take the parcel back from its carrier and give it to the next one, or to the merchant's own rider. A fee beyond
    `most_fee_fen`, or one that nobody knows, is refused until it is confirmed."""
    terms = await ask_terms(db, world, caller, parcel_id)
    consent = Consent(body.most_fee_fen, body.accept_unknown_fee)
    async with db.transaction() as tx:
        refusal = await switching.switch(tx, caller, parcel_id, attempt_id, terms, consent, own_rider=body.to == "SELF")
    if refusal is not None:
        raise refusal
    return await _seen(db, world, caller, parcel_id)


@router.put("/parcels/{parcel_id}/attempts/{attempt_id}/tip")
async def tip(parcel_id: UUID, attempt_id: UUID, body: TipBody, caller: Caller, db: Db, world: World) -> ParcelView:
    """Promise riders more, once per carrier's order, in whole yuan."""
    async with db.transaction() as tx:
        offered = await tipping.prepare(tx, world, caller, parcel_id, attempt_id, body.tip_fen)
    if offered is not None:
        answer = await offered.send()
        async with db.transaction() as tx:
            refusal = await tipping.record(tx, parcel_id, offered, answer)
        if refusal is not None:
            raise refusal
    return await _seen(db, world, caller, parcel_id)
