"""The operator's arbitration: appeals against merchants who refused a refund after the use."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from services.web.gateways.service import Refused
from services.web.problems import Problem, told
from services.web.rendering import page
from services.web.routes.feed import Cursor
from services.web.visits import Signed, Visit
from services.web.world import Outside, World

router = APIRouter(prefix="/o/arbitrations", include_in_schema=False)


@router.get("")
async def arbitrations(request: Request, visit: Signed, world: Outside, cursor: Cursor = None) -> Response:
    """What waits for the platform, oldest first."""
    return await _page(request, visit, world, cursor)


@router.post("/{refund_id}")
async def decide(
    request: Request,
    refund_id: UUID,
    visit: Signed,
    world: Outside,
    upheld: Annotated[Literal["yes", "no"], Form()],
    reason: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """The last word, with the reason that both sides read. Another operator may have been faster, and is named."""
    try:
        await world.services.checkout.arbitrate(visit.asker, refund_id, upheld=upheld == "yes", reason=reason.strip())
    except Refused as refused:
        if refused.status in (401, 403):
            raise
        return await _page(request, visit, world, problem=told(refused, visit.language))
    return RedirectResponse("/o/arbitrations", status_code=303)


async def _page(
    request: Request, visit: Visit, world: World, cursor: str | None = None, problem: Problem | None = None
) -> Response:
    found = await world.services.checkout.arbitrations(visit.asker, cursor)
    facts = {"appeals": found.items, "problem": problem}
    status = 409 if problem else 200
    return page(request, "operator_arbitrations.html", facts, status=status, next_cursor=found.next_cursor)
