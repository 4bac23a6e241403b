"""The buyer's orders: the list, the voucher ticket, the parcel on its way."""

import asyncio
from datetime import datetime
from typing import Annotated, get_args
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from services.web.deal_words import cash_words
from services.web.formats import Language
from services.web.gateways.catalog.deals import Deal
from services.web.gateways.checkout import Order, OrderFilter
from services.web.gateways.dispatch import Parcel
from services.web.gateways.redemption import Certificate
from services.web.gateways.service import Refused, Silent
from services.web.order_status import (
    TONES,
    disputable_units,
    parcel_steps,
    refundable_units,
    shown_certificate,
    status_of,
    uses_left,
)
from services.web.rendering import page
from services.web.routes.feed import Cursor
from services.web.texts import Speech
from services.web.visits import Signed, Visit
from services.web.world import Outside, World
from shared.ids import new_id

router = APIRouter(include_in_schema=False)

ChosenUnit = Annotated[str | None, Query(max_length=36)]
_PICTURES = ("image/jpeg", "image/png")
_PAID = ("PAID", "FULFILLING", "COMPLETED")


@router.get("/orders")
async def orders(
    request: Request,
    visit: Signed,
    world: Outside,
    which: Annotated[OrderFilter, Query(alias="filter")] = "all",
    cursor: Cursor = None,
) -> Response:
    """My orders, by what they wait for."""
    found = await world.services.checkout.orders(visit.asker, which, cursor)
    listed = [(order, status_of(order)) for order in found.items]
    facts = {"which": which, "filters": get_args(OrderFilter), "tones": TONES}
    return page(request, "orders.html", facts, orders=listed, next_cursor=found.next_cursor)


@router.get("/orders/{order_id}")
async def order(request: Request, order_id: UUID, visit: Signed, world: Outside, unit: ChosenUnit = None) -> Response:
    """One order, with its vouchers or its parcel. What only decorates it may be missing."""
    shown = await world.services.checkout.order(visit.asker, order_id)
    certificates, parcel, deal = await asyncio.gather(
        _certificates(visit, world, shown), _parcel(visit, world, shown), _deal(visit, world, shown)
    )
    parcel_state = parcel.state if parcel else None
    status = status_of(shown, parcel_state)
    facts = {
        "order": shown,
        "order_id": order_id,
        "status": status,
        "tone": TONES[status],
        "certificates": certificates,
        "shown": shown_certificate(certificates or [], unit),
        "until": _last_moment(certificates or []),
        "parcel": parcel,
        "parcel_pending": shown.kind == "GOODS" and shown.state in _PAID and parcel is None,
        "steps": parcel_steps(parcel) if parcel else [],
        "carrier": _carrier_name(parcel),
        "phone": _phone(deal, parcel),
        "bought": _bought(shown, visit.language),
        "refundable": bool(refundable_units(shown, parcel_state)),
        "disputable": bool(disputable_units(shown, parcel_state)),
        "attempt_id": new_id(),
        "scan_attempt_id": new_id(),
    }
    return page(request, "order.html", facts)


@router.get("/orders/{order_id}/ticket")
async def ticket(request: Request, order_id: UUID, visit: Signed, world: Outside, unit: ChosenUnit = None) -> Response:
    """The ticket with a fresh QR code. Without an answer the old one stays: code and barcode still work."""
    try:
        certificates = await world.services.redemption.certificates(visit.asker, order_id)
    except Silent:
        return Response(status_code=204)
    except Refused as refused:
        if refused.status != 404:
            raise
        certificates = []
    shown = shown_certificate(certificates, unit)
    return page(request, "fragments/ticket.html", order_id=order_id, certificates=certificates or None, shown=shown)


@router.get("/orders/{order_id}/delivery-photo")
async def delivery_photo(order_id: UUID, visit: Signed, world: Outside) -> Response:
    """What the rider left at the door, for the buyer's eyes only."""
    parcel = await world.services.dispatch.parcel(visit.asker, order_id)
    photo = await world.services.dispatch.delivery_photo(visit.asker, parcel.parcel_id)
    if photo.content_type not in _PICTURES:
        return Response(status_code=404)
    return Response(photo.content, media_type=photo.content_type, headers={"cache-control": "private, no-store"})


@router.post("/orders/{order_id}/receipt")
async def confirm_receipt(
    order_id: UUID, parcel_id: Annotated[UUID, Form()], visit: Signed, world: Outside
) -> Response:
    """The buyer has the goods."""
    await world.services.dispatch.receive(visit.asker, parcel_id)
    return RedirectResponse(f"/orders/{order_id}", status_code=303)


async def _certificates(visit: Visit, world: World, order: Order) -> list[Certificate] | None:
    """The order's certificates; None while they are not there yet."""
    if order.kind != "VOUCHER" or order.state not in _PAID:
        return None
    try:
        return await world.services.redemption.certificates(visit.asker, order.order_id) or None
    except (Refused, Silent):
        return None


async def _parcel(visit: Visit, world: World, order: Order) -> Parcel | None:
    if order.kind != "GOODS" or order.state not in _PAID:
        return None
    try:
        return await world.services.dispatch.parcel(visit.asker, order.order_id)
    except (Refused, Silent):
        return None


async def _deal(visit: Visit, world: World, order: Order) -> Deal | None:
    """For the merchant's phone; the deal itself may be long gone."""
    try:
        return await world.services.catalog.deal(visit.asker, order.deal_id)
    except (Refused, Silent):
        return None


def _phone(deal: Deal | None, parcel: Parcel | None) -> str:
    """Whom the buyer calls: for a voucher the store, for goods the merchant."""
    if deal is None:
        return ""
    at_the_store = next((store.phone for store in deal.stores if store.phone), "") if parcel is None else ""
    return deal.merchant.phone or at_the_store


def _bought(order: Order, language: Language) -> str:
    """What was bought, where the title does not say it: the voucher's worth, the card's uses that are left."""
    if order.cash is not None:
        return cash_words(order.cash, language)
    left = uses_left(order)
    return Speech(language)("order.uses_left", left=left[0], n=left[1]) if left and left[1] else ""


def _last_moment(certificates: list[Certificate]) -> datetime | None:
    return min((one.until for one in certificates if one.state == "VALID" and one.until), default=None)


def _carrier_name(parcel: Parcel | None) -> str:
    if parcel is None or not parcel.carrier or parcel.mode == "SELF":
        return ""
    return parcel.carrier
