"""Operators call a campaign off: everything of it that is still open goes back."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from services.web.rendering import page
from services.web.routes.feed import Cursor
from services.web.visits import Signed
from services.web.world import Outside
from shared.ids import new_id

router = APIRouter(prefix="/o/mass-refunds", include_in_schema=False)

Reason = Annotated[str, Form(min_length=1, max_length=500)]


@router.get("")
async def campaigns(
    request: Request,
    visit: Signed,
    world: Outside,
    deal: Annotated[UUID | None, Query()] = None,
    cursor: Cursor = None,
) -> Response:
    """Those that were called off, and the form to call off another; its id comes with it."""
    found = await world.services.checkout.mass_refunds(visit.asker, cursor)
    return page(request, "operator_campaigns.html", found=found, deal=deal, mass_refund_id=new_id())


@router.post("")
async def call_off(
    mass_refund_id: Annotated[UUID, Form()],
    deal_id: Annotated[UUID, Form()],
    reason: Reason,
    visit: Signed,
    world: Outside,
) -> Response:
    """Begin; the same form sent twice begins once."""
    await world.services.checkout.call_off(visit.asker, mass_refund_id, deal_id, reason.strip())
    return RedirectResponse(f"/o/mass-refunds/{mass_refund_id}", status_code=303)


@router.get("/{mass_refund_id}")
async def campaign(request: Request, mass_refund_id: UUID, visit: Signed, world: Outside) -> Response:
    """How far it is."""
    mass = await world.services.checkout.mass_refund(visit.asker, mass_refund_id)
    return page(request, "operator_campaign.html", mass=mass)


@router.post("/{mass_refund_id}/stop")
async def stop(mass_refund_id: UUID, reason: Reason, visit: Signed, world: Outside) -> Response:
    """Open no more refunds."""
    await world.services.checkout.stop_mass_refund(visit.asker, mass_refund_id, reason.strip())
    return RedirectResponse(f"/o/mass-refunds/{mass_refund_id}", status_code=303)
