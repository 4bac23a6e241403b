"""What an operator does to one merchant or one store: fees, suspension, support, closing. Found by id or by name."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import StringConstraints

from services.web.gateways.catalog import Looking
from services.web.gateways.catalog.deals import StorePage
from services.web.gateways.service import Refused
from services.web.rendering import page
from services.web.visits import Signed, Visit
from services.web.world import Outside, World
from shared.clock import start_of_day
from shared.errors import Invalid

router = APIRouter(prefix="/o", include_in_schema=False)

Reason = Annotated[str, Form(max_length=500)]


class SupportDaysMissing(Invalid):
    code = "support_days_missing"
    zh = "请选择扶持的起止日期"
    en = "Choose the first and the last day of the support"


@router.get("/find")
async def find(
    request: Request, visit: Signed, world: Outside, q: Annotated[str, Query(max_length=60)] = ""
) -> Response:
    """A merchant or a store by its id; stores by their name, too."""
    # Asked first: only an operator may, and nobody else needs this page.
    await world.services.desks.queue(visit.asker)
    wanted = q.strip()
    target = await _by_id(wanted, visit, world) if len(wanted) == 36 else None
    if target:
        return RedirectResponse(target, status_code=303)
    looking = Looking(q=wanted)
    found = (await world.services.catalog.find_stores(visit.asker, looking)).items if wanted else []
    return page(request, "operator_find.html", q=wanted, found=found)


@router.get("/merchants/{merchant_id}")
async def merchant(request: Request, merchant_id: UUID, visit: Signed, world: Outside) -> Response:
    """A merchant's file, and what may be done to it."""
    await world.services.desks.queue(visit.asker)
    file = await world.services.desks.merchant(visit.asker, merchant_id)
    today = world.clock.now()
    return page(request, "operator_merchant.html", merchant=file, today=today, later=today + timedelta(days=14))


@router.post("/merchants/{merchant_id}/fees/{kind}")
async def settle_fee(
    merchant_id: UUID,
    kind: Literal["VERIFICATION"],
    visit: Signed,
    world: Outside,
    state: Annotated[Literal["PAID", "WAIVED"], Form()],
    reference: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120), Form()],
) -> Response:
    """Record where the payment was found, or why none is asked."""
    body = {"state": state, "reference": reference}
    await world.services.desks.decide(visit.asker, f"/merchants/{merchant_id}/fees/{kind}", body)
    return _to_merchant(merchant_id)


@router.post("/merchants/{merchant_id}/suspension")
async def suspend(
    merchant_id: UUID,
    visit: Signed,
    world: Outside,
    suspended: Annotated[Literal["yes", "no"], Form()],
    reason: Reason = "",
    seen: Annotated[int | None, Form()] = None,
) -> Response:
    """Stop a merchant's sales and payouts, or let it go on."""
    body = {"suspended": suspended == "yes", "reason": reason.strip() or None}
    await world.services.desks.decide(visit.asker, f"/merchants/{merchant_id}/suspension", body, seen)
    return _to_merchant(merchant_id)


@router.post("/merchants/{merchant_id}/support")
async def support(
    merchant_id: UUID,
    visit: Signed,
    world: Outside,
    weight: Annotated[int, Form(ge=1, le=10)],
    starts_on: Annotated[date | None, Form()] = None,
    ends_on: Annotated[date | None, Form()] = None,
    seen: Annotated[int | None, Form()] = None,
) -> Response:
    """Show a merchant more often, from one day to the end of another; `seen` is the support that was on show."""
    if starts_on is None or ends_on is None:
        raise SupportDaysMissing
    body: dict[str, Any] = {
        "weight": weight,
        "starts_at": start_of_day(starts_on).isoformat(),
        "ends_at": start_of_day(ends_on + timedelta(days=1)).isoformat(),
    }
    await world.services.desks.decide(visit.asker, f"/merchants/{merchant_id}/support", body, seen)
    return _to_merchant(merchant_id)


@router.post("/merchants/{merchant_id}/support/end")
async def end_support(
    merchant_id: UUID, visit: Signed, world: Outside, seen: Annotated[int | None, Form()] = None
) -> Response:
    """Show a merchant like everybody else."""
    await world.services.desks.end_support(visit.asker, merchant_id, seen)
    return _to_merchant(merchant_id)


@router.get("/stores/{store_id}")
async def store(request: Request, store_id: UUID, visit: Signed, world: Outside) -> Response:
    """A store, everybody who ever claimed it, and whether it may go on."""
    waiting = await world.services.desks.queue(visit.asker)
    claims = await world.services.desks.claims(visit.asker, store_id)
    shown = await _public_or_waiting(visit, world, store_id, waiting.stores)
    facts = {"store": shown, "store_id": store_id, "claims": claims, "still": ("CLAIMED", "APPEALED")}
    return page(request, "operator_store.html", facts)


async def _public_or_waiting(
    visit: Visit, world: World, store_id: UUID, waiting: Sequence[Mapping[str, Any]]
) -> StorePage | None:
    """The store as everybody sees it; one that was never awarded has only what its claimants say of it."""
    try:
        return await world.services.catalog.store(visit.asker, store_id)
    except Refused as refused:
        if refused.status != 404:
            raise
    said = next((one for one in waiting if str(one.get("store_id")) == str(store_id)), None)
    return StorePage.model_validate({**said, "merchant": None}) if said else None


@router.post("/stores/{store_id}/closing")
async def close(
    store_id: UUID,
    visit: Signed,
    world: Outside,
    closed: Annotated[Literal["yes", "no"], Form()],
    reason: Reason = "",
) -> Response:
    """Close a store for good reason, or open it again."""
    body = {"closed": closed == "yes", "reason": reason.strip() or None}
    await world.services.desks.decide(visit.asker, f"/stores/{store_id}/closing", body)
    return RedirectResponse(f"/o/stores/{store_id}", status_code=303)


def _to_merchant(merchant_id: UUID) -> Response:
    return RedirectResponse(f"/o/merchants/{merchant_id}", status_code=303)


async def _by_id(wanted: str, visit: Signed, world: Outside) -> str | None:
    """The desk page of what has this id."""
    try:
        known = UUID(wanted)
    except ValueError:
        return None
    for kind, look in (("merchants", world.services.desks.merchant), ("stores", world.services.desks.claims)):
        try:
            await look(visit.asker, known)
        except Refused as refused:
            if refused.status != 404:
                raise
        else:
            return f"/o/{kind}/{known}"
    return None
