"""The whole form of a deal: which blocks its form and category have, and the draft that it makes."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, get_args
from uuid import UUID

from services.web.forms.deal_basics import BASICS, STORES_FIELD, sale
from services.web.forms.deal_categories import CATEGORIES, TEMPLATES
from services.web.forms.deal_delivery import DELIVERY
from services.web.forms.deal_kinds import CARD, CASH, CODES, items
from services.web.forms.deal_rules import BOOKING, EXCEPTIONS, REFUNDS, validity
from services.web.forms.parts import Block, Reading, Typed, fill, read
from services.web.forms.values import MOMENT
from services.web.gateways.catalog.deals import Form

FORMS: tuple[Form, ...] = get_args(Form)
_OWN: dict[str, Block] = {"CASH_VOUCHER": CASH, "TIMES_CARD": CARD, "THIRD_PARTY_CODE": CODES}
_SALE_DAYS, _VALID_DAYS = 30, 90


def categories_of(form: Form) -> tuple[str, ...]:
    """The categories to choose from; goods belong to no in-store category."""
    return () if form == "GOODS" else CATEGORIES


def blocks_of(form: Form, category: str, typed: Iterable[str], *, published: bool) -> tuple[Block, ...]:
    """The blocks of a form, from top to bottom."""
    template = _template(form, category, typed)
    return (
        BASICS,
        *((_OWN[form],) if form in _OWN else ()),
        items(needed=form != "CASH_VOUCHER", portions=template is TEMPLATES["CATERING"]),
        *((template,) if template else ()),
        sale(has_original=form != "CASH_VOUCHER", published=published),
        *_used(form, typed),
        *(() if published else (Block("stores", (STORES_FIELD,)),)),
    )


def _used(form: Form, typed: Iterable[str]) -> tuple[Block, ...]:
    """How it reaches the buyer: used in a store by rules, or delivered."""
    rules = (validity(stacking_needed=form == "CASH_VOUCHER"), EXCEPTIONS)
    if form != "GOODS":
        return (*rules, REFUNDS, BOOKING)
    # Goods are not used anywhere; rules that were written elsewhere are shown, so that no edit loses them.
    return (*(rules if _said("rules.", typed) else ()), DELIVERY)


def _template(form: Form, category: str, typed: Iterable[str]) -> Block | None:
    if form == "GOODS":
        return None
    block = TEMPLATES.get(category)
    # A cash voucher need not describe anything; one that does, because it was written elsewhere, goes on doing so.
    described = block is not None and _said(f"{block.name}.", typed)
    return block if form != "CASH_VOUCHER" or described else None


def read_draft(form: Form, category: str, typed: Typed, merchant_id: UUID, *, published: bool) -> Reading:
    """The draft as catalog wants it, or what is wrong with it."""
    reading = read(blocks_of(form, category, typed, published=published), typed)
    reading.body |= {"merchant_id": str(merchant_id), "form": form, "category": category}
    reading.body.setdefault("rules", {})
    if form == "CASH_VOUCHER" and "cash" in reading.body:
        reading.body["original_price_fen"] = reading.body["cash"].get("face_value_fen")
    if published:
        # Catalog takes the sale's own, whatever is said here; but it wants something said.
        reading.body |= {"total_quota": 1, "store_ids": typed.get("store_ids", [])}
    return reading


def _said(start: str, typed: Iterable[str]) -> bool:
    return any(name.startswith(start) for name in typed)


def typed_draft(draft: Mapping[str, Any]) -> Typed:
    """A draft of catalog as if somebody had just typed it."""
    said = [f"{name}." for name in ("catering", "hotel", "tourism") if draft.get(name)]
    said += ["rules."] if any(draft["rules"].values()) else []
    return fill(blocks_of(draft["form"], draft["category"], said, published=False), draft)


def first_typed(form: Form, now: datetime, stores: list[str]) -> Typed:
    """What stands in a new form already."""
    minute = now.replace(second=0, microsecond=0)
    typed: Typed = {
        "cover": ["fruit" if form == "GOODS" else "table"],
        "per_buyer_limit": ["0"],
        "sale_from": MOMENT.write(minute.isoformat()),
        "sale_until": MOMENT.write((minute + timedelta(days=_SALE_DAYS)).isoformat()),
    }
    if form != "GOODS":
        typed |= {"refund_policy": ["ANY_TIME"], "rules.valid_days": [str(_VALID_DAYS)]}
    return typed | ({"store_ids": stores} if len(stores) == 1 else {})
