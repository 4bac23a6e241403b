"""Me: orders, work, settings."""

import asyncio

from fastapi import APIRouter, Request, Response

from services.web.gateways.catalog.desks import Employer
from services.web.gateways.service import Refused, Silent
from services.web.rendering import page
from services.web.visits import Visit, Visitor
from services.web.world import Outside, World

router = APIRouter(include_in_schema=False)


@router.get("/me")
async def me(request: Request, visit: Visitor, world: Outside) -> Response:
    """Who I am here, and where that leads."""
    employers: list[Employer] = []
    operator = False
    if visit.session:
        employers, operator = await asyncio.gather(_employers(visit, world), _is_operator(visit, world))
    return page(request, "me.html", employers=employers, operator=operator)


async def _employers(visit: Visit, world: World) -> list[Employer]:
    try:
        return await world.services.desks.employers(visit.asker)
    except (Refused, Silent):
        return []


async def _is_operator(visit: Visit, world: World) -> bool:
    """The token says nothing about roles: whoever may read the queue is one."""
    try:
        await world.services.desks.queue(visit.asker)
    except (Refused, Silent):
        return False
    return True
