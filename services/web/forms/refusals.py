"""At which field a refusal is told: what is malformed names its field, and a rule of catalog belongs to one."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from services.web.forms.parts import ANY_ROW, Block, Rows, Typed
from services.web.gateways.service import Refused
from services.web.texts import Speech

FIELDS = {
    "price_above_original": "price_fen",
    "moment_out_of_range": "sale_from",
    "sale_window_empty": "sale_until",
    "use_window_empty": "rules.use_until",
    "use_ends_before_sale": "rules.use_until",
    "hours_empty": "rules.usable_hours",
    "blackout_outside_use_window": "rules.blackout_dates",
    "never_usable": "rules.usable_hours",
    "items_needed": "items",
    "booking_not_needed": "booking.hours_ahead",
    "cash_terms_needed": "cash.face_value_fen",
    "stacking_needed": "rules.max_count",
    "original_price_not_face_value": "cash.face_value_fen",
    "threshold_below_face_value": "cash.threshold_fen",
    "uses_needed": "uses_per_unit",
    "price_below_uses": "price_fen",
    "code_source_needed": "code_source",
    "refund_policy_not_for_goods": "refund_policy",
    "delivery_terms_needed": "delivery.modes",
    "delivery_mode_twice": "delivery.modes",
    "hot_food_not_by_courier": "delivery.hot_food",
    "mode_fee_not_offered": "delivery.mode_fees",
    "mode_fee_twice": "delivery.mode_fees",
    "portion_needed": "items",
    "surcharge_range_empty": "hotel.surcharges",
    "surcharges_overlap": "hotel.surcharges",
    "itinerary_too_short": "tourism.itinerary",
    "cancellation_needed": "tourism.cancellation",
    "store_not_of_merchant": "store_ids",
    "store_not_verified": "store_ids",
}
"""The field of each rule. What is missing here is told above the form."""
_BY_TYPE = {
    "string_too_long": "write.wrong.long",
    "too_long": "write.wrong.many",
    "string_too_short": "write.wrong.needed",
    "too_short": "write.wrong.needed",
    "missing": "write.wrong.needed",
    "greater_than_equal": "write.wrong.range",
    "less_than_equal": "write.wrong.range",
}
# A cash voucher is never asked for its original price: it is the face value.
_TYPED_AS = {"original_price_fen": "cash.face_value_fen"}
_NUMBER = re.compile(r"\.\d+(?=\.|$)")
_ANY = f".{ANY_ROW}"


def told_at(refused: Refused, blocks: Sequence[Block], typed: Typed, speech: Speech) -> dict[str, str]:
    """What is wrong with which field; nothing for a refusal that is about the whole."""
    names = {name for block in blocks for part in block.parts for name in part.names()}
    if refused.code == "malformed_input":
        return _malformed(refused.facts.get("errors"), names, speech)
    name = _name(refused, blocks, typed)
    return {name: refused.title} if name and _NUMBER.sub(_ANY, name) in names else {}


def _malformed(errors: Any, names: set[str], speech: Speech) -> dict[str, str]:
    told: dict[str, str] = {}
    for error in errors if isinstance(errors, list) else ():
        path = str(error.get("field", "")).removeprefix("body.")
        name = _nearest(path, names) or _nearest(_TYPED_AS.get(path, ""), names)
        if name:
            told.setdefault(name, speech(_BY_TYPE.get(str(error.get("code")), "write.wrong.check")))
    return told


def _nearest(path: str, names: set[str]) -> str:
    """The field of this path, or the one of which it is a part: `tourism.itinerary.2` is in `tourism.itinerary`."""
    while path and _NUMBER.sub(_ANY, path) not in names:
        path = path.rpartition(".")[0]
    return path


def _name(refused: Refused, blocks: Sequence[Block], typed: Typed) -> str:
    if refused.code == "party_range_empty":
        return next((f"{one.name}.party_max" for one in blocks if one.name in {"catering", "tourism"}), "")
    if refused.code == "portion_needed":
        return _row_of(refused.facts, blocks, typed) or "items"
    return FIELDS.get(refused.code, "")


def _row_of(facts: Mapping[str, Any], blocks: Sequence[Block], typed: Typed) -> str:
    rows = next((part for one in blocks for part in one.parts if isinstance(part, Rows) and part.path == "items"), None)
    numbers = range(rows.count(typed)) if rows else range(0)
    named = (n for n in numbers if typed.get(f"items.{n}.name", [""])[0].strip() == facts.get("item"))
    return next((f"items.{n}.portion" for n in named if not "".join(typed.get(f"items.{n}.portion", [])).strip()), "")
