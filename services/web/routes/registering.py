"""Registering a place: a merchant says where its store is and that it is theirs; the platform decides."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from services.web.forms.parts import Typed, read
from services.web.forms.refusals import told_at
from services.web.forms.shown import Shown, in_words
from services.web.forms.store import BLOCKS
from services.web.gateways.service import Refused, Silent
from services.web.problems import Problem
from services.web.rendering import page
from services.web.routes.employers import Desk
from services.web.routes.writing import AtEditorsDesk, Sent, one, wanted_rows, what_happened
from services.web.texts import Speech
from services.web.visits import Signed
from services.web.world import Outside
from shared.ids import new_id

router = APIRouter(prefix="/m/stores", include_in_schema=False)


@router.get("/new")
async def new(request: Request, at: AtEditorsDesk, name: Annotated[str, Query(max_length=60)] = "") -> Response:
    """The form; the store's id is minted with it, so sending it twice is one store."""
    return _form(request, at, new_id(), {"name": [name]})


@router.post("/{store_id}/registration")
async def register(
    request: Request, store_id: UUID, at: AtEditorsDesk, sent: Sent, visit: Signed, world: Outside
) -> Response:
    """Register it; whatever is wrong is told where it was typed."""
    act, t = one(sent, "act"), Speech(visit.language)
    one(sent, "csrf")
    reading = read(BLOCKS, sent)
    if rows := wanted_rows(act):
        return _form(request, at, store_id, sent, more=rows)
    if reading.wrong:
        wrong = in_words(reading.wrong, t)
        return _form(request, at, store_id, sent, wrong=wrong, problem=Problem(t("write.check")), status=422)
    try:
        facts = reading.body | {"merchant_id": str(at.here.merchant_id)}
        await world.services.desks.register(visit.asker, store_id, facts)
    except (Refused, Silent) as error:
        if isinstance(error, Refused) and error.status == 401:
            raise
        problem, status = what_happened(error, visit)
        wrong = told_at(error, BLOCKS, sent, t) if isinstance(error, Refused) else {}
        problem = Problem(t("write.check")) if wrong else problem
        return _form(request, at, store_id, sent, wrong=wrong, problem=problem, status=status)
    return RedirectResponse(f"/m/stores?merchant={at.here.merchant_id}", status_code=303)


def _form(
    request: Request,
    at: Desk,
    store_id: UUID,
    typed: Typed,
    *,
    wrong: dict[str, str] | None = None,
    problem: Problem | None = None,
    more: str = "",
    status: int = 200,
) -> Response:
    shown = Shown(BLOCKS, typed, wrong or {}, problem, more)
    return page(request, "store_form.html", here=at.here, store_id=store_id, shown=shown, status=status)
