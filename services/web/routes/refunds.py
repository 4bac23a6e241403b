"""Asking for money back."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from services.web.gateways.checkout import Order
from services.web.gateways.service import Refused, Silent
from services.web.order_status import refundable_units
from services.web.problems import Problem, silence, told
from services.web.rendering import page
from services.web.texts import Speech
from services.web.visits import Signed
from services.web.world import Outside
from shared.ids import new_id

router = APIRouter(include_in_schema=False)

REASONS = ("plans_changed", "bought_wrong", "cannot_book", "other")


@router.get("/orders/{order_id}/refund")
async def refund_form(request: Request, order_id: UUID, visit: Signed, world: Outside) -> Response:
    """Which units, and why."""
    order = await world.services.checkout.order(visit.asker, order_id)
    return _refund_page(request, order, new_id())


@router.post("/orders/{order_id}/refund")
async def ask_refund(
    request: Request,
    order_id: UUID,
    visit: Signed,
    world: Outside,
    refund_id: Annotated[UUID, Form()],
    reason: Annotated[str, Form(max_length=40)],
    unit_ids: Annotated[list[UUID] | None, Form(max_length=10)] = None,
) -> Response:
    """Send the request. The refund's id came with the form, so sending it twice asks once."""
    order = await world.services.checkout.order(visit.asker, order_id)
    t = Speech(visit.language)
    # Goods are refunded whole; what the form says about single units does not count.
    units = [unit.unit_id for unit in refundable_units(order)] if order.kind == "GOODS" else unit_ids
    if not units:
        return _refund_page(request, order, refund_id, Problem(t("refund.choose_one")))
    words = t.known(f"refund.reason.{reason}") or t("refund.reason.other")
    try:
        await world.services.checkout.refund(visit.asker, refund_id, order_id, units, words)
    except Silent as silent:
        return _refund_page(request, order, refund_id, silence(silent, visit.language))
    except Refused as refused:
        if refused.status == 401:
            raise
        return _refund_page(request, order, new_id(), told(refused, visit.language))
    return RedirectResponse(f"/orders/{order_id}", status_code=303)


def _refund_page(request: Request, order: Order, refund_id: UUID, problem: Problem | None = None) -> Response:
    units = refundable_units(order)
    facts = {"order": order, "open_units": units, "total_fen": sum(unit.left_fen for unit in units)}
    status = 409 if problem else 200
    return page(request, "refund.html", facts, status=status, refund_id=refund_id, reasons=REASONS, problem=problem)
