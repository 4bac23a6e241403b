"""Writing a deal: its kind is chosen first, then comes the form of that kind; saved as a draft, or sent for review."""

from dataclasses import dataclass, replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi import Form as Sends
from fastapi.responses import RedirectResponse

from services.web.forms.deal import FORMS, blocks_of, categories_of, first_typed, read_draft, typed_draft
from services.web.forms.deal_categories import CATEGORIES
from services.web.forms.parts import Typed
from services.web.forms.refusals import told_at
from services.web.forms.shown import Shown, in_words
from services.web.gateways.catalog.deals import Form
from services.web.gateways.service import Refused, Silent
from services.web.problems import Problem
from services.web.rendering import page
from services.web.routes.employers import Desk
from services.web.routes.writing import AtEditorsDesk, Sent, one, wanted_rows, what_happened
from services.web.texts import Speech
from services.web.visits import Signed, Visit, visit_of
from services.web.world import Outside, World
from shared.errors import Invalid
from shared.ids import new_id

router = APIRouter(prefix="/m/deals", include_in_schema=False)

_CATEGORY = "category."
_UNSEEN = 0


class FormUnknown(Invalid):
    code = "form_unknown"
    zh = "没有这种团购形式"
    en = "There is no such form of deal"


@dataclass(frozen=True, slots=True)
class Writing:
    """A deal that is being written. `seen` is the draft's revision, 0 before there is one."""

    deal_id: UUID
    form: Form
    category: str
    seen: int
    published: bool
    typed: Typed


@router.get("/new")
async def new(
    request: Request, at: AtEditorsDesk, world: Outside, form: Annotated[Form | None, Query()] = None
) -> Response:
    """What kind of deal it is to be; then its form, in which the deal's id is minted: sent twice, it is one deal."""
    if form is None:
        return page(request, "deal_kind.html", here=at.here, forms=FORMS)
    stores = [str(store.store_id) for store in at.here.stores]
    category = next(iter(categories_of(form)), "OTHER")
    typed = first_typed(form, world.clock.now(), stores)
    return _form(request, at, Writing(new_id(), form, category, _UNSEEN, published=False, typed=typed))


@router.get("/{deal_id}/edit")
async def edit(request: Request, deal_id: UUID, at: AtEditorsDesk, visit: Signed, world: Outside) -> Response:
    """The draft as it is now."""
    draft = await world.services.desks.written(visit.asker, deal_id)
    typed, published = typed_draft(draft), draft["deal_version"] > 0
    writing = Writing(deal_id, draft["form"], draft["category"], draft["revision"], published, typed)
    return _form(request, at, writing)


@router.post("/{deal_id}")
async def write(
    request: Request, deal_id: UUID, at: AtEditorsDesk, sent: Sent, visit: Signed, world: Outside
) -> Response:
    """Save it, and send it for review if that was asked; whatever is wrong is told where it was typed."""
    act, writing = one(sent, "act"), _writing(deal_id, sent)
    if act.startswith(_CATEGORY):
        category = act.removeprefix(_CATEGORY)
        return _form(request, at, replace(writing, category=category if category in CATEGORIES else writing.category))
    reading = read_draft(
        writing.form, writing.category, writing.typed, at.here.merchant_id, published=writing.published
    )
    if rows := wanted_rows(act):
        return _form(request, at, writing, more=rows)
    if reading.wrong:
        return _form(request, at, writing, wrong=in_words(reading.wrong, Speech(visit.language)), status=422)
    try:
        written = await world.services.desks.write(visit.asker, deal_id, reading.body, writing.seen)
    except (Refused, Silent) as error:
        return _refused(request, at, visit, writing, error)
    if act != "submit":
        return _to_list(at, deal_id)
    return await _submit(request, at, visit, world, replace(writing, seen=written.revision))


@router.post("/{deal_id}/submission")
async def submit(
    deal_id: UUID, at: AtEditorsDesk, visit: Signed, world: Outside, seen: Annotated[int, Sends()]
) -> Response:
    """Send a draft for review as it is."""
    await world.services.desks.submit(visit.asker, deal_id, seen)
    return _to_list(at, deal_id)


async def _submit(request: Request, at: Desk, visit: Visit, world: World, writing: Writing) -> Response:
    try:
        await world.services.desks.submit(visit.asker, writing.deal_id, writing.seen)
    except (Refused, Silent) as error:
        return _refused(request, at, visit, writing, error, saved=True)
    return _to_list(at, writing.deal_id)


def _writing(deal_id: UUID, sent: Typed) -> Writing:
    """What a form sent: what it is about, and what was typed."""
    one(sent, "csrf")
    named, category, seen = one(sent, "form"), one(sent, "category"), one(sent, "seen")
    form = next((known for known in FORMS if known == named), None)
    if form is None or not seen.isascii() or not seen.isdigit():
        raise FormUnknown
    allowed = categories_of(form) or ("OTHER",)
    category = category if category in allowed else allowed[0]
    return Writing(deal_id, form, category, int(seen), published=one(sent, "published") == "yes", typed=sent)


def _refused(
    request: Request, at: Desk, visit: Visit, writing: Writing, error: Refused | Silent, *, saved: bool = False
) -> Response:
    """The form again with all that was typed; a refusal that no field explains stands above it."""
    if isinstance(error, Refused) and error.status == 401:
        raise error
    t = Speech(visit.language)
    problem, status = what_happened(error, visit)
    blocks = blocks_of(writing.form, writing.category, writing.typed, published=writing.published)
    wrong = told_at(error, blocks, writing.typed, t) if isinstance(error, Refused) else {}
    if saved:
        problem = Problem(t("write.saved_only"), problem.title)
    elif wrong:
        problem = Problem(t("write.check"))
    return _form(request, at, writing, wrong=wrong, problem=problem, stale=status == 412, status=status)


def _form(
    request: Request,
    at: Desk,
    writing: Writing,
    *,
    wrong: dict[str, str] | None = None,
    problem: Problem | None = None,
    more: str = "",
    stale: bool = False,
    status: int = 200,
) -> Response:
    blocks = blocks_of(writing.form, writing.category, writing.typed, published=writing.published)
    if wrong and problem is None:
        problem = Problem(Speech(visit_of(request).language)("write.check"))
    facts = {
        "here": at.here,
        "writing": writing,
        "shown": Shown(blocks, writing.typed, wrong or {}, problem, more),
        "categories": categories_of(writing.form),
        "stores": {str(store.store_id): store.name for store in at.here.stores},
        "stale": stale,
    }
    return page(request, "deal_form.html", facts, status=status)


def _to_list(at: Desk, deal_id: UUID) -> Response:
    return RedirectResponse(f"/m/deals?merchant={at.here.merchant_id}#deal-{deal_id}", status_code=303)
