"""The merchant's refund reviews: what waits for an answer, and what became of the others."""

from typing import Annotated, Literal, get_args
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from services.web.gateways.service import Refused
from services.web.problems import Problem, told
from services.web.rendering import page
from services.web.routes.employers import AtDesk, Desk
from services.web.routes.feed import Cursor
from services.web.visits import Signed, Visit
from services.web.world import Outside, World

router = APIRouter(prefix="/m/reviews", include_in_schema=False)

ReviewState = Literal["IN_REVIEW", "CONTESTED", "IN_ARBITRATION", "SUCCEEDED", "REFUSED"]
_DECIDERS = ("OWNER", "MANAGER")


@router.get("")
async def reviews(
    request: Request,
    at: AtDesk,
    visit: Signed,
    world: Outside,
    state: Annotated[ReviewState | None, Query()] = None,
    cursor: Cursor = None,
) -> Response:
    """Newest first; what waits for an answer has the two buttons."""
    return await _page(request, at, visit, world, state, cursor)


@router.post("/{refund_id}")
async def answer(
    request: Request,
    refund_id: UUID,
    at: AtDesk,
    visit: Signed,
    world: Outside,
    agreed: Annotated[Literal["yes", "no"], Form()],
    reason: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Agree, or refuse with a reason. Somebody else, or the deadline, may have been faster, and is named."""
    try:
        await world.services.checkout.answer_review(
            visit.asker, refund_id, agreed=agreed == "yes", reason=reason.strip() or None
        )
    except Refused as refused:
        if refused.status == 401:
            raise
        return await _page(request, at, visit, world, problem=told(refused, visit.language))
    return RedirectResponse(f"/m/reviews?merchant={at.here.merchant_id}", status_code=303)


async def _page(
    request: Request, at: Desk, visit: Visit, world: World, state: ReviewState | None = None, cursor: str | None = None,
    problem: Problem | None = None,
) -> Response:  # fmt: skip
    found = await world.services.checkout.reviews(visit.asker, at.here.merchant_id, state, cursor)
    facts = {"here": at.here, "state": state, "states": get_args(ReviewState), "decides": at.here.role in _DECIDERS}
    more = found.next_cursor
    status = 409 if problem else 200
    return page(
        request, "merchant_reviews.html", facts, status=status, reviews=found.items, next_cursor=more, problem=problem
    )
