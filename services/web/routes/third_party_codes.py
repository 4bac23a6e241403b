"""A merchant's own codes: the pool of a deal, and the issuer that makes them when they are needed."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from services.web.gateways.service import Refused, Silent
from services.web.problems import Problem, silence, told
from services.web.rendering import page
from services.web.routes.employers import AtDesk, Desk
from services.web.texts import Speech
from services.web.visits import Signed, Visit
from services.web.world import Outside, World
from shared.ids import new_id

router = APIRouter(prefix="/m", include_in_schema=False)

# What redemption takes at once; the form's own limit is that of a body.
MOST_CODES = 10_000
_SHOWN = 5


@router.get("/codes/{deal_id}")
async def pool(
    request: Request,
    deal_id: UUID,
    at: AtDesk,
    visit: Signed,
    world: Outside,
    imported: Annotated[int | None, Query(ge=1, le=MOST_CODES)] = None,
) -> Response:
    """How many codes are left, and the form to add more; the import's id comes with it: sent twice, it is one."""
    return await _pool(request, at, visit, world, deal_id, new_id(), imported=imported)


@router.post("/codes/{deal_id}")
async def add_codes(
    request: Request,
    deal_id: UUID,
    at: AtDesk,
    visit: Signed,
    world: Outside,
    import_id: Annotated[UUID, Form()],
    codes: Annotated[str, Form(max_length=1_000_000)] = "",
) -> Response:
    """Import one code per line, all or none; what was typed stays in the form when it is refused."""
    lines = [line.strip() for line in codes.splitlines() if line.strip()]
    try:
        if not 1 <= len(lines) <= MOST_CODES:
            problem = Problem(Speech(visit.language)("codes.how_many", most=MOST_CODES))
            return await _pool(request, at, visit, world, deal_id, import_id, codes, problem)
        await world.services.redemption.import_codes(visit.asker, at.here.merchant_id, deal_id, import_id, lines)
    except Silent as silent:
        return await _pool(request, at, visit, world, deal_id, import_id, codes, silence(silent, visit.language))
    except Refused as refused:
        if refused.status in (401, 403):
            raise
        # The id belongs to what was sent with it, which was refused: the mended list is another import.
        return await _pool(request, at, visit, world, deal_id, new_id(), codes, _why_not(refused, visit))
    back = f"/m/codes/{deal_id}?merchant={at.here.merchant_id}&imported={len(lines)}"
    return RedirectResponse(back, status_code=303)


@router.get("/code-issuer")
async def issuer(request: Request, at: AtDesk, visit: Signed, world: Outside) -> Response:
    """Where codes are asked for. Only the owner sees and changes it."""
    return await _issuer(request, at, visit, world)


@router.post("/code-issuer")
async def name_issuer(
    request: Request,
    at: AtDesk,
    visit: Signed,
    world: Outside,
    url: Annotated[str, Form(max_length=500)] = "",
    secret: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Name it. The secret is never shown again."""
    try:
        await world.services.redemption.name_issuer(visit.asker, at.here.merchant_id, url.strip(), secret)
    except Silent as silent:
        return await _issuer(request, at, visit, world, url, silence(silent, visit.language))
    except Refused as refused:
        if refused.status in (401, 403):
            raise
        problem = told(refused, visit.language)
        if refused.code == "invalid":
            problem = Problem(problem.title, Speech(visit.language)("issuer.secret_hint"))
        return await _issuer(request, at, visit, world, url, problem)
    return RedirectResponse(f"/m/code-issuer?merchant={at.here.merchant_id}", status_code=303)


async def _pool(
    request: Request, at: Desk, visit: Visit, world: World, deal_id: UUID, import_id: UUID, typed: str = "",
    problem: Problem | None = None, imported: int | None = None,
) -> Response:  # fmt: skip
    state = await world.services.redemption.code_pool(visit.asker, at.here.merchant_id, deal_id)
    facts = {
        "here": at.here,
        "deal_id": deal_id,
        "pool": state,
        "import_id": import_id,
        "typed": typed,
        "problem": problem,
        "imported": imported,
        "most": MOST_CODES,
        "owns": at.here.role == "OWNER",
    }
    return page(request, "merchant_codes.html", facts, status=409 if problem else 200)


async def _issuer(
    request: Request, at: Desk, visit: Visit, world: World, url: str = "", problem: Problem | None = None
) -> Response:
    named = await world.services.redemption.code_issuer(visit.asker, at.here.merchant_id)
    facts = {"here": at.here, "named": named, "url": url or (named.url if named else ""), "problem": problem}
    return page(request, "merchant_code_issuer.html", facts, status=409 if problem else 200)


def _why_not(refused: Refused, visit: Visit) -> Problem:
    """With the first few of the codes that are meant."""
    problem = told(refused, visit.language)
    speech = Speech(visit.language)
    if isinstance(codes := refused.facts.get("codes"), list):
        return Problem(problem.title, speech("list.comma").join(str(code) for code in codes[:_SHOWN]))
    if isinstance(positions := refused.facts.get("positions"), list):
        lines = speech("list.comma").join(str(int(position) + 1) for position in positions[:_SHOWN])
        return Problem(problem.title, speech("codes.lines", lines=lines))
    return problem
