"""Carriers at the operators' desk: accounts that get no orders now, and cancel fees that nobody has named."""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from services.web.gateways.service import Refused
from services.web.problems import Problem, told
from services.web.rendering import page
from services.web.routes.feed import Cursor
from services.web.visits import Signed, Visit
from services.web.world import Outside, World

router = APIRouter(prefix="/o/carriers", include_in_schema=False)

_HOME = "/o/carriers"


@router.get("")
async def carriers(request: Request, visit: Signed, world: Outside, cursor: Cursor = None) -> Response:
    """What waits for an operator, longest first."""
    return await _page(request, visit, world, cursor)


@router.post("/lifted")
async def lift(
    request: Request,
    visit: Signed,
    world: Outside,
    provider: Annotated[str, Form(pattern=r"^[a-z0-9_]{1,40}$")],
    account: Annotated[str, Form(pattern=r"^[^/\\?#%.][^/\\?#%]{0,63}$")],
) -> Response:
    """It was topped up, or its key set right: the account gets orders again."""
    try:
        await world.services.deliveries.lift(visit.asker, provider, account)
    except Refused as refused:
        return await _problem(request, visit, world, refused)
    return RedirectResponse(_HOME, status_code=303)


@router.post("/fees/{attempt_id}")
async def settle(
    request: Request,
    attempt_id: UUID,
    visit: Signed,
    world: Outside,
    yuan: Annotated[str, Form(pattern=r"^[0-9]{1,4}(\.[0-9]{1,2})?$")],
) -> Response:
    """What the carrier's bill says."""
    whole, _, cents = yuan.partition(".")
    try:
        await world.services.deliveries.settle_fee(visit.asker, attempt_id, int(whole) * 100 + int(cents.ljust(2, "0")))
    except Refused as refused:
        return await _problem(request, visit, world, refused)
    return RedirectResponse(_HOME, status_code=303)


async def _problem(request: Request, visit: Visit, world: World, refused: Refused) -> Response:
    if refused.status in (401, 403):
        raise refused
    return await _page(request, visit, world, problem=told(refused, visit.language))


async def _page(
    request: Request, visit: Visit, world: World, cursor: str | None = None, problem: Problem | None = None
) -> Response:
    deliveries, asker = world.services.deliveries, visit.asker
    left_out, fees = await asyncio.gather(deliveries.left_out(asker), deliveries.open_fees(asker, cursor))
    facts = {"left_out": left_out, "fees": fees.items, "next_cursor": fees.next_cursor, "problem": problem}
    return page(request, "operator_carriers.html", facts, status=409 if problem else 200)
