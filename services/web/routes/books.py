"""The operator's books: what needs a look, the channel's bills day by day, what is unredeemed, who owes."""

import asyncio
from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import StringConstraints

from services.web.gateways.service import Refused, Silent
from services.web.gateways.settlement import Bill, BillDay
from services.web.problems import Problem, silence, told
from services.web.rendering import page
from services.web.routes.feed import Cursor
from services.web.visits import Signed, Visit
from services.web.world import Outside, World
from shared.clock import business_day

router = APIRouter(prefix="/o/books", include_in_schema=False)

_RECENT = timedelta(days=14)
_BACK = r"^/o/books(/days\?day=[0-9-]{10})?$"

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), Form()]
Back = Annotated[str, Form(pattern=_BACK)]


@router.get("")
async def incidents(
    request: Request,
    visit: Signed,
    world: Outside,
    resolved: Annotated[bool, Query()] = False,
    cursor: Cursor = None,
) -> Response:
    """What needs a look, or what came of it."""
    return await _incidents(request, visit, world, resolved=resolved, cursor=cursor)


@router.post("/incidents/{incident_id}/owner")
async def take(request: Request, incident_id: UUID, visit: Signed, world: Outside, back: Back = "/o/books") -> Response:
    """From now on the visitor looks at it."""
    try:
        await world.services.settlement.take(visit.asker, incident_id)
    except (Refused, Silent) as error:
        return await _told(request, visit, world, error)
    return RedirectResponse(f"{back}#incident-{incident_id}", status_code=303)


@router.post("/incidents/{incident_id}/resolution")
async def resolve(
    request: Request, incident_id: UUID, visit: Signed, world: Outside, resolution: Words, back: Back = "/o/books"
) -> Response:
    """What came of it, in a sentence."""
    try:
        await world.services.settlement.resolve(visit.asker, incident_id, resolution)
    except (Refused, Silent) as error:
        return await _told(request, visit, world, error)
    return RedirectResponse(back, status_code=303)


@router.get("/days")
async def bills(
    request: Request, visit: Signed, world: Outside, day: Annotated[date | None, Query()] = None
) -> Response:
    """The last two weeks' bills, and one day with its differences."""
    return await _day(request, visit, world, day)


@router.post("/days/{day}")
async def fetch(request: Request, day: date, visit: Signed, world: Outside) -> Response:
    """Fetch a day's bill from Alipay."""
    try:
        await world.services.settlement.fetch_bill(visit.asker, day)
    except (Refused, Silent) as error:
        return await _day(request, visit, world, day, _problem(error, visit))
    return RedirectResponse(f"/o/books/days?day={day}", status_code=303)


@router.get("/unredeemed")
async def unredeemed(request: Request, visit: Signed, world: Outside, cursor: Cursor = None) -> Response:
    """What buyers have paid for and not used, merchant by merchant."""
    found = await world.services.settlement.unredeemed(visit.asker, cursor)
    return page(request, "operator_unredeemed.html", found=found)


@router.get("/dunning")
async def dunning(request: Request, visit: Signed, world: Outside, cursor: Cursor = None) -> Response:
    """Merchants who were paid for what went back to the buyer afterwards."""
    found = await world.services.settlement.owing(visit.asker, cursor)
    return page(request, "operator_dunning.html", found=found)


async def _told(request: Request, visit: Visit, world: World, error: Refused | Silent) -> Response:
    return await _incidents(request, visit, world, problem=_problem(error, visit))


async def _incidents(
    request: Request,
    visit: Visit,
    world: World,
    *,
    resolved: bool = False,
    cursor: str | None = None,
    problem: Problem | None = None,
) -> Response:
    found = await world.services.settlement.incidents(visit.asker, resolved=resolved, cursor=cursor)
    facts = {"found": found, "resolved": resolved, "problem": problem, "back": "/o/books"}
    return page(request, "operator_books.html", facts, status=409 if problem else 200)


async def _day(
    request: Request, visit: Visit, world: World, day: date | None, problem: Problem | None = None
) -> Response:
    settlement, today = world.services.settlement, business_day(world.clock.now())
    chosen = day or today - timedelta(days=1)
    recent, bill, waiting, done = await asyncio.gather(
        settlement.bill_days(visit.asker, today - _RECENT),
        _bill(visit, world, chosen),
        settlement.incidents(visit.asker, day=chosen),
        settlement.incidents(visit.asker, day=chosen, resolved=True),
    )
    facts = {
        "day": chosen,
        "days": recent[::-1],
        "status": await _status(visit, world, recent, chosen),
        "bill": bill,
        "open": waiting,
        "done": done,
        "problem": problem,
        "back": f"/o/books/days?day={chosen}",
    }
    return page(request, "operator_bills.html", facts, status=409 if problem else 200)


async def _status(visit: Visit, world: World, recent: list[BillDay], day: date) -> BillDay | None:
    """Of a day that is among the recent ones, or further back; None for one that is yet to come."""
    known = next((one for one in recent if one.day == day), None)
    if known or (recent and day > recent[-1].day):
        return known
    days = await world.services.settlement.bill_days(visit.asker, day - timedelta(days=1))
    return next((one for one in days if one.day == day), None)


async def _bill(visit: Visit, world: World, day: date) -> Bill | None:
    try:
        return await world.services.settlement.bill(visit.asker, day)
    except Refused as refused:
        if refused.status != 404:
            raise
        return None


def _problem(error: Refused | Silent, visit: Visit) -> Problem:
    if isinstance(error, Silent):
        return silence(error, visit.language)
    if error.status in (401, 403):
        raise error
    return told(error, visit.language)
