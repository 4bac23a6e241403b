"""The stores of a merchant: what it holds, competing for another's, appealing a decision, giving one back."""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import StringConstraints

from services.web.gateways.catalog import Looking
from services.web.gateways.catalog.claims import Claim, OwnStore
from services.web.gateways.catalog.deals import StorePage
from services.web.gateways.service import Refused, Silent
from services.web.rendering import page
from services.web.routes.employers import AtDesk
from services.web.routes.feed import Cursor
from services.web.visits import Signed, Visit
from services.web.world import Outside, World
from shared.ids import new_id

router = APIRouter(prefix="/m/stores", include_in_schema=False)

Evidence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), Form()]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000), Form()]
_EDITORS = {"OWNER", "MANAGER"}
_APPEALABLE = {"REJECTED", "LOST"}
_TONES = {"APPEALED": "orange", "CLAIMED": "blue", "APPROVED": "green", "REJECTED": "red", "LOST": "red"}


@router.get("")
async def stores(request: Request, at: AtDesk, visit: Signed, world: Outside, cursor: Cursor = None) -> Response:
    """Every store that the merchant holds, held or asked for, and what can be done about each."""
    found = await world.services.desks.stores(visit.asker, at.here.merchant_id, cursor)
    said = await asyncio.gather(*(_newest_claim(visit, world, at.here.merchant_id, one) for one in found.items))
    facts = {
        "here": at.here,
        "edits": at.here.role in _EDITORS,
        "owns": at.here.role == "OWNER",
        "stores": list(zip(found.items, said, strict=True)),
        "tones": _TONES,
        "appealable": _APPEALABLE,
    }
    return page(request, "merchant_stores.html", facts, next_cursor=found.next_cursor)


@router.get("/find")
async def find(
    request: Request, at: AtDesk, visit: Signed, world: Outside, q: Annotated[str, Query(max_length=60)] = ""
) -> Response:
    """Stores by their name, or one by its id, to claim it."""
    wanted = q.strip()
    store_id = _as_id(wanted)
    if store_id is not None:
        return RedirectResponse(f"/m/stores/{store_id}/claim?merchant={at.here.merchant_id}", status_code=303)
    found = (await world.services.catalog.find_stores(visit.asker, Looking(q=wanted))).items if wanted else []
    return page(request, "merchant_find_store.html", here=at.here, q=wanted, found=found)


@router.get("/{store_id}/claim")
async def claim_form(request: Request, store_id: UUID, at: AtDesk, visit: Signed, world: Outside) -> Response:
    """The place, and the form in which a merchant says that it is theirs."""
    shown = await _public(visit, world, store_id)
    claims = await _own_claims(visit, world, at.here.merchant_id, store_id)
    facts = {
        "here": at.here,
        "edits": at.here.role in _EDITORS,
        "store": shown,
        "store_id": store_id,
        "claims": claims,
        "waits": any(one.state in {"CLAIMED", "APPEALED"} for one in claims),
        "holds": any(one.state == "APPROVED" for one in claims),
        "tones": _TONES,
        "claim_id": new_id(),
    }
    return page(request, "merchant_claim.html", facts)


@router.post("/{store_id}/claims/{claim_id}")
async def compete(
    store_id: UUID, claim_id: UUID, evidence: Evidence, at: AtDesk, visit: Signed, world: Outside
) -> Response:
    """Claim a store. The claim's id was minted with the form, so sending it twice is one claim."""
    await world.services.desks.compete(visit.asker, store_id, claim_id, at.here.merchant_id, evidence)
    return _back(at.here.merchant_id)


@router.post("/claims/{claim_id}/appeal")
async def appeal(
    claim_id: UUID, text: Words, evidence: Evidence, at: AtDesk, visit: Signed, world: Outside
) -> Response:
    """Ask the operator to look again."""
    # Browsers end the lines of a form with two characters.
    await world.services.desks.appeal(visit.asker, claim_id, text.replace("\r\n", "\n"), evidence)
    return _back(at.here.merchant_id)


@router.post("/{store_id}/release")
async def release(
    store_id: UUID, at: AtDesk, visit: Signed, world: Outside, seen: Annotated[int | None, Form()] = None
) -> Response:
    """Give the store back."""
    await world.services.desks.release(visit.asker, store_id, seen)
    return _back(at.here.merchant_id)


def _back(merchant_id: UUID) -> Response:
    return RedirectResponse(f"/m/stores?merchant={merchant_id}", status_code=303)


def _as_id(wanted: str) -> UUID | None:
    try:
        return UUID(wanted)
    except ValueError:
        return None


async def _newest_claim(visit: Visit, world: World, merchant_id: UUID, store: OwnStore) -> Claim | None:
    """The claim that the list only sums up, where its appeal matters: one of each is all that there may be."""
    if store.state not in {*_APPEALABLE, "APPEALED"}:
        return None
    try:
        claims = await _own_claims(visit, world, merchant_id, store.store_id)
    except (Refused, Silent):
        return None
    return next((one for one in claims if one.claim_id == store.claim_id), None)


async def _own_claims(visit: Visit, world: World, merchant_id: UUID, store_id: UUID) -> list[Claim]:
    """What this merchant ever claimed of a store; whoever never did may not ask, and has none."""
    try:
        claims = await world.services.desks.claims(visit.asker, store_id)
    except Refused as refused:
        if refused.status != 403:
            raise
        return []
    return [one for one in claims if one.merchant_id == merchant_id]


async def _public(visit: Visit, world: World, store_id: UUID) -> StorePage | None:
    """The place as everybody sees it; one that no operator has ever awarded is shown to nobody."""
    try:
        return await world.services.catalog.store(visit.asker, store_id)
    except Refused as refused:
        if refused.status != 404:
            raise
        return None
