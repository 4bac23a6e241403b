"""One delivery at the merchant's desk: who carries it and why, a tip, another carrier, and what leaving one costs."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from services.web.gateways.deliveries import Alert, Decision, Delivery
from services.web.gateways.service import Refused, Silent
from services.web.problems import Problem, told
from services.web.rendering import page
from services.web.routes.employers import AtDesk, Desk
from services.web.texts import Speech
from services.web.visits import Signed, Visit
from services.web.world import Outside, World

router = APIRouter(prefix="/m/deliveries", include_in_schema=False)

Then = Literal["NEXT", "SELF", "REFUSE"]
TIPS_YUAN = (2, 5, 10)
_UNCONFIRMED = "cancel_fee_unconfirmed"
_LEAVING = frozenset({"SWITCH", "REFUSE"})


@dataclass(frozen=True, slots=True)
class _Place:
    """Whose desk, who asks, and about which order."""

    request: Request
    order_id: UUID
    desk: Desk
    visit: Visit
    world: World

    def back(self) -> Response:
        return RedirectResponse(f"/m/deliveries/{self.order_id}?merchant={self.desk.here.merchant_id}", status_code=303)


def _place(request: Request, order_id: UUID, at: AtDesk, visit: Signed, world: Outside) -> _Place:
    return _Place(request, order_id, at, visit, world)


Here = Annotated[_Place, Depends(_place)]


@router.get("/{order_id}")
async def delivery(at: Here) -> Response:
    """The parcel, its carrier, what can be done now, and what was tried."""
    return await _shown(at)


@router.post("/{order_id}/tip")
async def tip(
    at: Here,
    parcel_id: Annotated[UUID, Form()],
    attempt_id: Annotated[UUID, Form()],
    yuan: Annotated[int, Form(ge=1, le=100)],
) -> Response:
    """Promise riders more."""
    try:
        await at.world.services.deliveries.tip(at.visit.asker, parcel_id, attempt_id, yuan * 100)
    except Refused as refused:
        return await _problem(at, refused)
    return at.back()


@router.post("/{order_id}/decision")
async def decide(
    at: Here,
    parcel_id: Annotated[UUID, Form()],
    what: Annotated[Literal["search", "self-delivery", "return"], Form()],
) -> Response:
    """Keep waiting, deliver it ourselves, or confirm that the goods came back."""
    try:
        await at.world.services.deliveries.decide(at.visit.asker, parcel_id, what)
    except Refused as refused:
        return await _problem(at, refused)
    return at.back()


@router.get("/{order_id}/leave")
async def leaving(at: Here) -> Response:
    """What leaving the carrier costs, asked of the carrier at this moment, and what shall become of the goods."""
    return await _leaving(at)


@router.post("/{order_id}/leave")
async def leave(
    at: Here,
    parcel_id: Annotated[UUID, Form()],
    then: Annotated[Then, Form()],
    attempt_id: Annotated[UUID | None, Form()] = None,
    most_fee_fen: Annotated[int, Form(ge=0, le=1_000_000)] = 0,
    unknown: Annotated[bool, Form()] = False,
    reason: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Leave at the price that was shown. If it is another one by now it is shown again, and nothing was done."""
    deliveries, asker = at.world.services.deliveries, at.visit.asker
    try:
        if then == "REFUSE":
            said = reason.strip() or Speech(at.visit.language)("board.refusal_reason")
            await deliveries.refuse(asker, parcel_id, said, most_fee_fen, also_unknown=unknown)
        elif attempt_id is not None:
            await deliveries.switch(asker, parcel_id, attempt_id, then, most_fee_fen, also_unknown=unknown)
    except Refused as refused:
        if refused.code == _UNCONFIRMED:
            return await _leaving(at, Problem(Speech(at.visit.language)("delivery.fee_changed")))
        return await _problem(at, refused)
    return at.back()


async def _problem(at: _Place, refused: Refused) -> Response:
    if refused.status == 401:
        raise refused
    return await _shown(at, told(refused, at.visit.language))


async def _shown(at: _Place, problem: Problem | None = None) -> Response:
    found = await at.world.services.deliveries.of_order(at.visit.asker, at.order_id)
    decisions = await _decisions(at, found)
    facts = {"here": at.desk.here, "delivery": found, "order_id": at.order_id, "tips": TIPS_YUAN}
    status = 409 if problem else 200
    return page(
        at.request, "merchant_delivery.html", facts, status=status, problem=problem,
        decision=decisions[-1] if decisions else None,
    )  # fmt: skip


async def _leaving(at: _Place, problem: Problem | None = None) -> Response:
    services, asker = at.world.services, at.visit.asker
    found = await services.deliveries.of_order(asker, at.order_id)
    if problem is None and not _LEAVING & set(found.actions):
        # An old link, or somebody was faster: there is nothing to leave any more.
        return at.back()
    terms, decisions = await asyncio.gather(
        services.deliveries.cancel_terms(asker, found.parcel_id), _decisions(at, found)
    )
    left = terms.provider
    others = [
        one
        for one in (decisions[-1].candidates if decisions else ())
        if one.rank and one.provider not in (left, "self")
    ]
    facts = {"here": at.desk.here, "delivery": found, "order_id": at.order_id, "terms": terms, "others": others}
    status = 409 if problem else 200
    return page(at.request, "merchant_leave.html", facts, status=status, problem=problem)


async def _decisions(at: _Place, found: Delivery) -> list[Decision]:
    """Why this carrier? Only decorates."""
    try:
        return await at.world.services.deliveries.decisions(at.visit.asker, found.parcel_id)
    except (Refused, Silent):
        return []


async def carrier_alerts(visit: Visit, world: World, merchant_id: UUID) -> list[Alert]:
    """Carrier accounts that get no orders now; none while dispatch says nothing."""
    try:
        return await world.services.deliveries.alerts(visit.asker, merchant_id)
    except (Refused, Silent):
        return []
