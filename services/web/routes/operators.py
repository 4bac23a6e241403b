"""The operator's queue: what waits for a yes or a no."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from services.web.formats import price
from services.web.rendering import page
from services.web.visits import Signed
from services.web.world import Outside
from shared.errors import Invalid

router = APIRouter(prefix="/o", include_in_schema=False)

Kind = Literal["merchants", "payout_accounts", "stores", "deals"]
_ID = {"merchants": "merchant_id", "payout_accounts": "merchant_id", "stores": "store_id", "deals": "deal_id"}
_PATH = {
    "merchants": "/merchants/{id}/verification",
    "payout_accounts": "/merchants/{id}/payout-account/verification",
    "stores": "/stores/{id}/verification",
    "deals": "/deals/{id}/review",
}
_NOT_SHOWN = {"name", "title", "version", "revision", "state", "open", "latitude", "longitude", "reason"}


class ReasonMissing(Invalid):
    code = "reason_missing"
    zh = "驳回时请填写理由"
    en = "A refusal needs a reason"


@router.get("")
async def queue(request: Request, visit: Signed, world: Outside) -> Response:
    """Everything that waits, oldest first."""
    waiting = await world.services.catalog.queue(visit.asker)
    kinds = [(kind, [_entry(kind, one) for one in getattr(waiting, kind)]) for kind in _ID]
    return page(request, "operator.html", queue=kinds)


@router.post("/{kind}/{id}")
async def decide(
    kind: Kind,
    id: UUID,
    approve: Annotated[Literal["yes", "no"], Form()],
    visit: Signed,
    world: Outside,
    reason: Annotated[str, Form(max_length=200)] = "",
    sub_merchant_id: Annotated[str, Form(max_length=64)] = "",
    seen: Annotated[int | None, Form()] = None,
) -> Response:
    """Say yes, or no with a reason that the applicant reads; `seen` is the version that was looked at."""
    if approve == "no" and not reason.strip():
        raise ReasonMissing
    decision: dict[str, Any] = {"approve": approve == "yes", "reason": reason.strip() or None}
    if kind == "payout_accounts" and approve == "yes" and sub_merchant_id.strip():
        decision |= {"sub_merchant_id": sub_merchant_id.strip()}
    await world.services.catalog.decide(visit.asker, _PATH[kind].format(id=id), decision, seen)
    return RedirectResponse("/o", status_code=303)


def _entry(kind: str, one: Mapping[str, Any]) -> tuple[str, str, int | None, list[tuple[str, str]]]:
    """One thing that waits: its id, its name, the version on show, and its facts in catalog's own order."""
    facts = [(name, _fact(name, value)) for name, value in one.items() if name not in _NOT_SHOWN | {_ID[kind]}]
    seen = one.get("version", one.get("revision"))
    title = str(one.get("title") or one.get("name") or one[_ID[kind]])
    return str(one[_ID[kind]]), title, seen, [(name, shown) for name, shown in facts if shown]


def _fact(name: str, value: Any) -> str:
    if value is None or value in ("", [], {}):
        return ""
    if name.endswith("_fen") and isinstance(value, int):
        return price(value)
    if isinstance(value, list):
        return " · ".join(_fact("", one) for one in value[:20])
    if isinstance(value, dict):
        return " ".join(_fact(key, one) for key, one in value.items() if one)
    return str(value)
