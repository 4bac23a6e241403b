"""Asking for money back for what was used, or has left; and appealing when the merchant refuses."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from services.web.gateways.checkout import Order
from services.web.gateways.service import Refused, Silent
from services.web.order_status import disputable_units
from services.web.problems import Problem, silence, told
from services.web.rendering import page
from services.web.texts import Speech
from services.web.visits import Signed
from services.web.world import Outside
from shared.ids import new_id

router = APIRouter(prefix="/orders/{order_id}", include_in_schema=False)


@router.get("/after-use")
async def dispute_form(request: Request, order_id: UUID, visit: Signed, world: Outside) -> Response:
    """Which units, and why."""
    return _page(request, await world.services.checkout.order(visit.asker, order_id), new_id())


@router.post("/after-use")
async def ask(
    request: Request,
    order_id: UUID,
    visit: Signed,
    world: Outside,
    refund_id: Annotated[UUID, Form()],
    reason: Annotated[str, Form(max_length=200)] = "",
    unit_ids: Annotated[list[UUID] | None, Form(max_length=10)] = None,
) -> Response:
    """Send the request. The refund's id came with the form, so sending it twice asks once."""
    order = await world.services.checkout.order(visit.asker, order_id)
    t = Speech(visit.language)
    if not unit_ids or not reason.strip():
        missing = t("dispute.reason_missing") if unit_ids else t("refund.choose_one")
        return _page(request, order, refund_id, Problem(missing), reason)
    try:
        await world.services.checkout.refund(visit.asker, refund_id, order_id, unit_ids, reason.strip())
    except Silent as silent:
        return _page(request, order, refund_id, silence(silent, visit.language), reason)
    except Refused as refused:
        if refused.status == 401:
            raise
        return _page(request, order, new_id(), told(refused, visit.language), reason)
    return RedirectResponse(f"/orders/{order_id}", status_code=303)


@router.post("/refunds/{refund_id}/appeal")
async def appeal(
    order_id: UUID, refund_id: UUID, visit: Signed, world: Outside, text: Annotated[str, Form(max_length=1000)]
) -> Response:
    """The platform decides."""
    await world.services.checkout.appeal(visit.asker, refund_id, text.strip())
    return RedirectResponse(f"/orders/{order_id}", status_code=303)


def _page(
    request: Request, order: Order, refund_id: UUID, problem: Problem | None = None, reason: str = ""
) -> Response:
    units = disputable_units(order)
    hint = "dispute.hint.goods" if order.kind == "GOODS" else "dispute.hint"
    total_fen = sum(unit.paid_fen for unit in units)
    facts = {"order": order, "units": units, "total_fen": total_fen, "reason": reason, "hint": hint}
    return page(request, "after_use.html", facts, status=409 if problem else 200, refund_id=refund_id, problem=problem)
