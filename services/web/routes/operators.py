"""The operator's queue: what waits for a yes or a no, each decided on the version that was seen."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from services.web.gateways.catalog.claims import Claim
from services.web.gateways.service import Refused, Silent
from services.web.rendering import page
from services.web.review_words import lines, name_of, named
from services.web.routes.feed import Cursor
from services.web.texts import Speech
from services.web.visits import Signed, Visit
from services.web.world import Outside, World
from shared.errors import Invalid

router = APIRouter(prefix="/o", include_in_schema=False)

Kind = Literal["merchants", "payout_accounts", "claims", "deals"]
Queued = Literal["merchants", "payout_accounts", "fees", "stores", "deals"]
_PATH = {
    "merchants": "/merchants/{id}/verification",
    "payout_accounts": "/merchants/{id}/payout-account/verification",
    "claims": "/claims/{id}/decision",
    "deals": "/deals/{id}/review",
}
NOT_SHOWN = {"name", "title", "version", "revision", "state", "open", "latitude", "longitude", "reason", "merchant_id"}
_PLACE = ("city", "address", "phone", "hours")
_NAMED_STORES = 20
_WAITING = {"CLAIMED", "APPEALED"}
_BACK = r"^(/o(/(deals|stores)/[0-9a-f-]{36})?)$"

Reason = Annotated[str, Form(max_length=200)]


class ReasonMissing(Invalid):
    code = "reason_missing"
    zh = "驳回时请填写理由"
    en = "A refusal needs a reason"


@dataclass(frozen=True, slots=True)
class Waiting:
    """One merchant or payout account that waits: `seen` is the version on show."""

    id: str
    title: str
    seen: int | None
    facts: list[tuple[str, list[str]]]


@dataclass(frozen=True, slots=True)
class Contest:
    """One store, and everybody who says that it is theirs."""

    store_id: str
    name: str
    facts: list[tuple[str, list[str]]]
    claims: list[Claim]


@router.get("")
async def queue(
    request: Request, visit: Signed, world: Outside, kind: Queued | None = None, cursor: Cursor = None
) -> Response:
    """Everything that waits, oldest first; or more of one kind."""
    waiting = await world.services.desks.queue(visit.asker, kind, cursor)
    speech = Speech(visit.language)
    facts = {
        "only": kind,
        "more": waiting.next_cursors,
        "kinds": [
            ("merchants", [_waiting(one, speech) for one in waiting.merchants]),
            ("payout_accounts", [_waiting(one, speech) for one in waiting.payout_accounts]),
        ],
        "fees": waiting.fees,
        "contests": _contests(waiting.stores, speech),
        "deals": waiting.deals,
        "still": _WAITING,
    }
    return page(request, "operator.html", facts)


@router.get("/deals/{deal_id}")
async def review(request: Request, deal_id: UUID, visit: Signed, world: Outside) -> Response:
    """What sells beside what is proposed."""
    sheet = await world.services.desks.review(visit.asker, deal_id)
    templates = await world.services.desks.templates(visit.asker)
    speech = Speech(visit.language)
    current, proposed = await _with_store_names(visit, world, sheet.current or {}, sheet.proposed)
    rows = [
        (
            name_of(name, speech),
            name in sheet.changed,
            lines(name, current.get(name), speech),
            lines(name, value, speech),
        )
        for name, value in proposed.items()
        # A picture is shown rather than named.
        if name != "cover" or name in sheet.changed
    ]
    told = [row for row in rows if row[2] or row[3]]
    changed = [row for row in told if row[1]] if sheet.current else told
    # Both pictures when they differ, the old one first.
    covers = list(dict.fromkeys(str(one["cover"]) for one in (current, proposed) if one.get("cover")))
    facts = {
        "deal_id": deal_id,
        "sheet": sheet,
        "covers": covers,
        "title": sheet.proposed.get("title", ""),
        "templates": templates,
    }
    return page(request, "operator_deal.html", facts, changed=changed, same=[row for row in told if row not in changed])


@router.post("/{kind}/{id}")
async def decide(
    kind: Kind,
    id: UUID,
    approve: Annotated[Literal["yes", "no"], Form()],
    visit: Signed,
    world: Outside,
    reason: Reason = "",
    template: Annotated[str, Form(max_length=40)] = "",
    sub_merchant_id: Annotated[str, Form(max_length=64)] = "",
    seen: Annotated[int | None, Form()] = None,
    back: Annotated[str, Form(pattern=_BACK)] = "/o",
) -> Response:
    """Say yes, or no with a reason that the applicant reads; `seen` is the version that was looked at."""
    chosen = template if kind == "deals" else ""
    if approve == "no" and not reason.strip() and chosen in {"", "OTHER"}:
        raise ReasonMissing
    decision: dict[str, Any] = {"approve": approve == "yes", "reason": reason.strip() or None}
    if approve == "no" and chosen:
        decision |= {"template": chosen}
    if kind == "payout_accounts" and approve == "yes" and sub_merchant_id.strip():
        decision |= {"sub_merchant_id": sub_merchant_id.strip()}
    await world.services.desks.decide(visit.asker, _PATH[kind].format(id=id), decision, seen)
    return RedirectResponse("/o" if kind == "deals" else back, status_code=303)


async def _with_store_names(visit: Visit, world: World, *sheets: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The sheets with names instead of store ids; beyond the first few, people count rather than read."""
    ids = sorted({str(one) for sheet in sheets for one in sheet.get("store_ids", ())})[:_NAMED_STORES]
    found = await asyncio.gather(*(_store_name(visit, world, one) for one in ids))
    names = dict(zip(ids, found, strict=True))
    return tuple(
        {**sheet, "store_ids": [names.get(str(one), one) for one in sheet["store_ids"]]}
        if "store_ids" in sheet
        else sheet
        for sheet in sheets
    )


async def _store_name(visit: Visit, world: World, store_id: str) -> str:
    try:
        return (await world.services.catalog.store(visit.asker, UUID(store_id))).name
    except (Refused, Silent, ValueError):
        return store_id


def _waiting(one: Mapping[str, Any], speech: Speech) -> Waiting:
    facts = named(one, speech, without=NOT_SHOWN)
    title = str(one.get("name") or one["merchant_id"])
    return Waiting(str(one["merchant_id"]), title, one.get("version"), facts)


def _contests(waiting: Sequence[Mapping[str, Any]], speech: Speech) -> list[Contest]:
    """The waiting claims by their store: catalog lists each claim that waits, with those that compete with it."""
    contests: dict[str, Contest] = {}
    for one in waiting:
        store_id = str(one["store_id"])
        if store_id not in contests:
            place = {name: one.get(name) for name in _PLACE}
            contests[store_id] = Contest(store_id, str(one["name"]), named(place, speech), [])
        known = contests[store_id].claims
        for claim in (Claim.model_validate(one), *(Claim.model_validate(other) for other in one.get("competing", ()))):
            if claim.claim_id not in {other.claim_id for other in known}:
                known.append(claim)
    return list(contests.values())
