"""The operator names the units for which money went back at Alipay itself."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from services.web.formats import Language, price
from services.web.gateways.checkout import ExternalRefund, Order
from services.web.gateways.service import Refused, Silent
from services.web.problems import Problem, silence, told
from services.web.rendering import page
from services.web.texts import Speech
from services.web.visits import Signed, Visit
from services.web.world import Outside, World

router = APIRouter(prefix="/o/external-refunds", include_in_schema=False)

# Each order on the page is asked for; the others follow when these are done.
_ORDERS_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Found:
    """One order with all that went back for it outside; `order` is None while it cannot be read."""

    order_id: UUID
    refunds: list[ExternalRefund]
    order: Order | None


@dataclass(frozen=True, slots=True)
class Failed:
    """What an operator wanted of one order's form, and why it did not happen."""

    order_id: UUID
    chosen: frozenset[UUID]
    problem: Problem


@router.get("")
async def external_refunds(request: Request, visit: Signed, world: Outside) -> Response:
    """What waits for an operator, by its order, the oldest first."""
    return await _page(request, visit, world)


@router.post("/{order_id}")
async def allocate(
    request: Request,
    order_id: UUID,
    visit: Signed,
    world: Outside,
    refund_ids: Annotated[list[UUID] | None, Form(max_length=11)] = None,
    unit_ids: Annotated[list[UUID] | None, Form(max_length=10)] = None,
) -> Response:
    """Say for which units these refunds were, all of them together. Sending it again says the same."""
    chosen = frozenset([*(refund_ids or ()), *(unit_ids or ())])
    if not refund_ids or not unit_ids:
        problem = Problem(Speech(visit.language)("external.choose"))
        return await _page(request, visit, world, Failed(order_id, chosen, problem))
    first, *others = refund_ids
    try:
        await world.services.checkout.allocate(visit.asker, first, unit_ids, others)
    except Silent as silent:
        return await _page(request, visit, world, Failed(order_id, chosen, silence(silent, visit.language)))
    except Refused as refused:
        if refused.status in (401, 403):
            raise
        return await _page(request, visit, world, Failed(order_id, chosen, _why_not(refused, visit.language)))
    return RedirectResponse("/o/external-refunds", status_code=303)


async def _page(request: Request, visit: Visit, world: World, failed: Failed | None = None) -> Response:
    waiting = await world.services.checkout.external_refunds(visit.asker)
    by_order: dict[UUID, list[ExternalRefund]] = {}
    for refund in waiting:
        by_order.setdefault(refund.order_id, []).append(refund)
    shown = list(islice(by_order.items(), _ORDERS_AT_ONCE))
    orders = await asyncio.gather(*(_order(visit, world, order_id) for order_id, _ in shown))
    found = [Found(order_id, refunds, order) for (order_id, refunds), order in zip(shown, orders, strict=True)]
    facts = {"found": found, "more": len(by_order) - len(found), "failed": failed, "stands": _stands(found, failed)}
    return page(request, "operator_external_refunds.html", facts, status=409 if failed else 200)


async def _order(visit: Visit, world: World, order_id: UUID) -> Order | None:
    try:
        return await world.services.checkout.order(visit.asker, order_id)
    except (Refused, Silent):
        return None


def _stands(found: Sequence[Found], failed: Failed | None) -> bool:
    """Whether the form that failed is still on the page; a colleague may have been faster."""
    return failed is not None and any(one.order_id == failed.order_id for one in found)


def _why_not(refused: Refused, language: Language) -> Problem:
    problem = told(refused, language)
    amount_fen, units_fen = refused.facts.get("amount_fen"), refused.facts.get("units_fen")
    if not isinstance(amount_fen, int) or not isinstance(units_fen, int):
        return problem
    facts = {"refunded": price(amount_fen), "units": price(units_fen)}
    return Problem(problem.title, Speech(language)("external.differs", **facts))
