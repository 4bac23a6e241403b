"""The merchant's desk: getting started, its deals, and goods to accept, hand over and deliver."""

import asyncio
from typing import Annotated, Literal, get_args
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from services.web.gateways.catalog.desks import Merchant
from services.web.gateways.dispatch import Board, BoardParcel
from services.web.gateways.service import Refused, Silent
from services.web.rendering import page
from services.web.routes.deliveries import carrier_alerts
from services.web.routes.employers import AtDesk
from services.web.routes.feed import Cursor
from services.web.texts import Speech
from services.web.visits import Signed, Visit
from services.web.world import Outside, World

router = APIRouter(prefix="/m", include_in_schema=False)

MerchantId = Annotated[UUID, Form()]
_COLUMNS = {"PLACED": "to_accept", "ACCEPTED": "to_hand_over", "HANDED_OVER": "on_the_way", "DELIVERED": "delivered"}
_NAMES = ("trouble", "to_accept", "to_hand_over", "on_the_way", "delivered")
DealState = Literal["DRAFT", "IN_REVIEW", "REJECTED", "APPROVED", "ONLINE", "OFFLINE", "ENDED"]
_TONES = {"ONLINE": "green", "IN_REVIEW": "blue", "APPROVED": "blue", "REJECTED": "red"}
# What is disputed is decided among the reviews, and nothing is left to carry.
_OVER = {"RECEIVED", "DISPUTED", "REFUNDED"}


@router.get("")
async def desk(request: Request, at: AtDesk, visit: Signed, world: Outside, cursor: Cursor = None) -> Response:
    """What waits for the merchant."""
    merchant = await _merchant(visit, world, at.here.merchant_id)
    board, alerts = await asyncio.gather(
        _board(visit, world, at.here.merchant_id, cursor), carrier_alerts(visit, world, at.here.merchant_id)
    )
    facts = {
        "alerts": alerts,
        "employers": at.employers,
        "here": at.here,
        "merchant": merchant,
        "may_open": at.here.role == "OWNER" and _waits_for_opening(merchant),
    }
    columns = _columns(board.items) if board else None
    return page(request, "merchant.html", facts, board=columns, next_cursor=board.next_cursor if board else None)


@router.post("/opening")
async def open_group_buy(merchant: MerchantId, visit: Signed, world: Outside) -> Response:
    """Apply to open group-buy; a step that is missing is named by the refusal."""
    await world.services.desks.open_group_buy(visit.asker, merchant)
    return RedirectResponse(f"/m?merchant={merchant}", status_code=303)


@router.get("/deals")
async def deals(
    request: Request,
    at: AtDesk,
    visit: Signed,
    world: Outside,
    state: Annotated[DealState | None, Query()] = None,
    cursor: Cursor = None,
) -> Response:
    """The merchant's deals, and why some do not sell."""
    found = await world.services.desks.drafts(visit.asker, at.here.merchant_id, state, cursor)
    facts = {"here": at.here, "state": state, "states": get_args(DealState), "tones": _TONES}
    return page(request, "merchant_deals.html", facts, deals=found.items, next_cursor=found.next_cursor)


@router.post("/parcels/{parcel_id}/acceptance")
async def accept(parcel_id: UUID, merchant: MerchantId, visit: Signed, world: Outside) -> Response:
    await world.services.dispatch.accept(visit.asker, parcel_id)
    return _back(merchant)


@router.post("/parcels/{parcel_id}/refusal")
async def refuse(parcel_id: UUID, merchant: MerchantId, visit: Signed, world: Outside) -> Response:
    await world.services.dispatch.refuse(visit.asker, parcel_id, Speech(visit.language)("board.refusal_reason"))
    return _back(merchant)


@router.post("/parcels/{parcel_id}/handover")
async def hand_over(
    parcel_id: UUID,
    merchant: MerchantId,
    visit: Signed,
    world: Outside,
    rider: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    await world.services.dispatch.hand_over(visit.asker, parcel_id, rider.strip() or None)
    return _back(merchant)


@router.post("/parcels/{parcel_id}/delivery")
async def deliver(
    parcel_id: UUID,
    merchant: MerchantId,
    receive_code: Annotated[str, Form(max_length=8)],
    visit: Signed,
    world: Outside,
) -> Response:
    """Self-delivery ends with the code that the buyer tells the rider."""
    await world.services.dispatch.deliver(visit.asker, parcel_id, receive_code.strip())
    return _back(merchant)


def _waits_for_opening(merchant: Merchant | None) -> bool:
    return merchant is not None and any(one.step == "OPENING" and one.state != "DONE" for one in merchant.checklist)


def _back(merchant: UUID) -> Response:
    return RedirectResponse(f"/m?merchant={merchant}#board", status_code=303)


async def _merchant(visit: Visit, world: World, merchant_id: UUID) -> Merchant | None:
    try:
        return await world.services.desks.merchant(visit.asker, merchant_id)
    except (Refused, Silent):
        return None


async def _board(visit: Visit, world: World, merchant_id: UUID, cursor: str | None) -> Board | None:
    try:
        return await world.services.dispatch.board(visit.asker, merchant_id, cursor)
    except Silent:
        return None


def _columns(parcels: list[BoardParcel]) -> list[tuple[str, list[BoardParcel]]]:
    """What waits, by what it waits for. A state that has no column of its own is trouble; what is over is left out."""
    columns: dict[str, list[BoardParcel]] = {name: [] for name in _NAMES}
    for parcel in parcels:
        if parcel.state not in _OVER:
            columns[_COLUMNS.get(parcel.state, "trouble")].append(parcel)
    return [(name, waiting) for name, waiting in columns.items() if waiting]
