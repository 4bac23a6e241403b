"""What a deal may say, by form and by category."""

from datetime import date, timedelta
from typing import Any

import pytest

from services.catalog.domain.deals import (
    Booking,
    Category,
    Catering,
    DealContent,
    DealItem,
    Surcharge,
    changed_fields,
    check_content,
)
from shared.clock import business_day
from shared.contracts.catalog import CashVoucherTerms, CodeSource, DealForm, DeliveryMode, ModeFee, RefundPolicy
from shared.contracts.hours import WeeklyHours
from shared.contracts.use_rules import UseRules
from shared.errors import DomainError
from tests.unit.catalog.contents import (
    CASH,
    CODES,
    DAY,
    GOODS,
    HOTEL,
    JOURNEY,
    NOW,
    ROOM,
    SET,
    SPRING,
    TERMS,
    TIMES,
    TOURISM,
)

TODAY = business_day(NOW)
NO_PORTION = (DealItem(name="锅底", quantity=1, price_fen=6800),)
CASH_TERMS = CashVoucherTerms(face_value_fen=10000)
ALL_DAYS = tuple(TODAY + timedelta(days=days) for days in range(-1, 4))


def _hours(opens: str, closes: str, *weekdays: int) -> tuple[WeeklyHours, ...]:
    return (WeeklyHours(weekdays=weekdays or (1, 2), opens=opens, closes=closes),)


EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)
NIGHT_AND_DAY = _hours("10:00", "09:00", *EVERY_DAY) + _hours("08:00", "11:00", *EVERY_DAY)


def _surcharge(first: date, until: date) -> Surcharge:
    return Surcharge(from_date=first, until_date=until, amount_fen=100)


@pytest.mark.parametrize(
    "content", [SET, CASH, TIMES, CODES, GOODS, HOTEL, TOURISM], ids=lambda one: f"{one.form}-{one.category}"
)
def test_each_form_and_category_can_be_sold(content: DealContent) -> None:
    check_content(content)


GOOD: list[tuple[DealContent, dict[str, Any]]] = [
    (SET, {"price_fen": 26800}),
    (SET, {"rules": UseRules(use_until=NOW + DAY)}),
    (SET, {"category": Category.OTHER, "catering": None}),
    (SET, {"rules": UseRules(valid_days=90, max_count=1)}),
    (SET, {"booking": Booking(needed=True, hours_ahead=24)}),
    (SET, {"rules": UseRules(valid_days=90, blackout_dates=(TODAY - DAY, TODAY + 91 * DAY))}),
    (SET, {"rules": UseRules(use_from=NOW + 2 * DAY, valid_days=3)}),
    (SET, {"rules": UseRules(use_until=NOW + 3 * DAY, blackout_dates=ALL_DAYS[:-1])}),
    (SET, {"rules": UseRules(usable_hours=_hours("22:00", "02:00"), blackout_hours=_hours("00:00", "24:00"))}),
    (SET, {"rules": UseRules(blackout_weekdays=(1, 2), usable_hours=_hours("22:00", "00:01"))}),
    (SET, {"rules": UseRules(use_until=NOW + DAY, usable_hours=_hours("19:59", "24:00", 1))}),
    (SET, {"rules": UseRules(use_until=NOW + DAY, usable_hours=_hours("10:00", "20:01", 6))}),
    (CASH, {"cash": CASH_TERMS}),
    (CASH, {"price_fen": 10000}),
    (CASH, {"catering": Catering(party_min=1, party_max=4)}),
    (TIMES, {"uses_per_unit": 2}),
    (TIMES, {"uses_per_unit": 100, "price_fen": 100}),
    (GOODS, {"delivery": TERMS.model_copy(update={"mode_fees": (ModeFee(mode=DeliveryMode.SELF, fee_fen=1),)})}),
    (GOODS, {"delivery": TERMS.model_copy(update={"modes": (DeliveryMode.INSTANT,), "hot_food": True})}),
    (
        HOTEL,
        {"hotel": ROOM.model_copy(update={"surcharges": (_surcharge(date(2027, 2, 13), date(2027, 2, 13)), SPRING)})},
    ),
    (TOURISM, {"tourism": JOURNEY.model_copy(update={"itinerary": ("到达", "出海", "返程")})}),
    (CODES, {"code_source": CodeSource.CALLBACK, "refund_policy": RefundPolicy.ON_EXPIRY}),
]

BAD: list[tuple[DealContent, dict[str, Any], str]] = [
    (SET, {"price_fen": 26801}, "price_above_original"),
    (SET, {"sale_until": NOW - DAY}, "sale_window_empty"),
    (SET, {"sale_until": NOW.replace(year=2100)}, "moment_out_of_range"),
    (SET, {"sale_from": NOW.replace(year=1)}, "moment_out_of_range"),
    (SET, {"rules": UseRules(use_until=NOW.replace(year=9999))}, "moment_out_of_range"),
    (SET, {"rules": UseRules(use_from=NOW + 3 * DAY, use_until=NOW + 2 * DAY)}, "use_window_empty"),
    (SET, {"rules": UseRules(use_from=NOW + 30 * DAY, valid_days=3)}, "use_window_empty"),
    (SET, {"rules": UseRules(use_until=NOW)}, "use_ends_before_sale"),
    (SET, {"rules": UseRules(usable_hours=_hours("10:00", "10:00"))}, "hours_empty"),
    (SET, {"rules": UseRules(blackout_hours=_hours("24:00", "10:00"))}, "hours_empty"),
    (SET, {"rules": UseRules(valid_days=90, blackout_dates=(TODAY - 2 * DAY,))}, "blackout_outside_use_window"),
    (SET, {"rules": UseRules(valid_days=90, blackout_dates=(TODAY + 92 * DAY,))}, "blackout_outside_use_window"),
    (SET, {"rules": UseRules(use_until=NOW + 3 * DAY, blackout_dates=ALL_DAYS)}, "never_usable"),
    (SET, {"rules": UseRules(valid_days=90, blackout_hours=_hours("00:00", "24:00", *EVERY_DAY))}, "never_usable"),
    (SET, {"rules": UseRules(blackout_hours=NIGHT_AND_DAY)}, "never_usable"),
    (
        SET,
        {"rules": UseRules(blackout_weekdays=(1, 2, 3, 4, 5, 6), blackout_hours=_hours("00:00", "24:00", 7))},
        "never_usable",
    ),
    (SET, {"rules": UseRules(blackout_weekdays=(1, 2), usable_hours=_hours("10:00", "14:00"))}, "never_usable"),
    (
        SET,
        {"rules": UseRules(usable_hours=_hours("10:00", "14:00"), blackout_hours=_hours("09:00", "15:00"))},
        "never_usable",
    ),
    (SET, {"rules": UseRules(use_until=NOW + DAY, usable_hours=_hours("20:00", "24:00", 1))}, "never_usable"),
    (SET, {"rules": UseRules(use_until=NOW + DAY, usable_hours=_hours("10:00", "20:00", 6))}, "never_usable"),
    (SET, {"items": ()}, "items_needed"),
    (TIMES, {"items": ()}, "items_needed"),
    (CODES, {"items": ()}, "items_needed"),
    (GOODS, {"items": ()}, "items_needed"),
    (SET, {"booking": Booking(hours_ahead=2)}, "booking_not_needed"),
    (CASH, {"cash": None}, "cash_terms_needed"),
    (SET, {"cash": CASH_TERMS}, "cash_terms_not_allowed"),
    (GOODS, {"cash": CASH_TERMS}, "cash_terms_not_allowed"),
    (CASH, {"rules": UseRules(valid_days=90)}, "stacking_needed"),
    (CASH, {"original_price_fen": 10001}, "original_price_not_face_value"),
    (CASH, {"price_fen": 10001}, "price_above_original"),
    (CASH, {"cash": CashVoucherTerms(face_value_fen=10000, threshold_fen=9999)}, "threshold_below_face_value"),
    (TIMES, {"uses_per_unit": 1}, "uses_needed"),
    (TIMES, {"uses_per_unit": 10, "price_fen": 9}, "price_below_uses"),
    (SET, {"uses_per_unit": 2}, "uses_not_allowed"),
    (CASH, {"uses_per_unit": 2}, "uses_not_allowed"),
    (CODES, {"code_source": None}, "code_source_needed"),
    (SET, {"code_source": CodeSource.POOL}, "code_source_not_allowed"),
    (GOODS, {"delivery": None}, "delivery_terms_needed"),
    (SET, {"delivery": TERMS}, "delivery_terms_not_allowed"),
    (CASH, {"delivery": TERMS}, "delivery_terms_not_allowed"),
    (GOODS, {"category": Category.CATERING}, "category_not_for_goods"),
    (GOODS, {"refund_policy": RefundPolicy.ON_EXPIRY}, "refund_policy_not_for_goods"),
    (GOODS, {"delivery": TERMS.model_copy(update={"modes": (DeliveryMode.SELF,) * 2})}, "delivery_mode_twice"),
    (GOODS, {"delivery": TERMS.model_copy(update={"hot_food": True})}, "hot_food_not_by_courier"),
    (
        GOODS,
        {"delivery": TERMS.model_copy(update={"mode_fees": (ModeFee(mode=DeliveryMode.INSTANT, fee_fen=1),)})},
        "mode_fee_not_offered",
    ),
    (
        GOODS,
        {"delivery": TERMS.model_copy(update={"mode_fees": (ModeFee(mode=DeliveryMode.SELF, fee_fen=1),) * 2})},
        "mode_fee_twice",
    ),
    (SET, {"catering": None}, "template_needed"),
    (TIMES, {"catering": None}, "template_needed"),
    (CODES, {"catering": None}, "template_needed"),
    (HOTEL, {"hotel": None}, "template_needed"),
    (TOURISM, {"tourism": None}, "template_needed"),
    (SET, {"hotel": ROOM}, "template_not_allowed"),
    (HOTEL, {"tourism": JOURNEY}, "template_not_allowed"),
    (SET, {"category": Category.OTHER}, "template_not_allowed"),
    (GOODS, {"hotel": ROOM}, "template_not_allowed"),
    (CASH, {"tourism": JOURNEY}, "template_not_allowed"),
    (SET, {"items": NO_PORTION}, "portion_needed"),
    (SET, {"catering": Catering(party_min=3, party_max=2)}, "party_range_empty"),
    (
        HOTEL,
        {"hotel": ROOM.model_copy(update={"surcharges": (_surcharge(date(2027, 2, 2), date(2027, 2, 1)),)})},
        "surcharge_range_empty",
    ),
    (
        HOTEL,
        {"hotel": ROOM.model_copy(update={"surcharges": (_surcharge(date(2027, 2, 12), date(2027, 3, 1)), SPRING)})},
        "surcharges_overlap",
    ),
    (TOURISM, {"tourism": JOURNEY.model_copy(update={"party_min": 9})}, "party_range_empty"),
    (TOURISM, {"tourism": JOURNEY.model_copy(update={"days": 3})}, "itinerary_too_short"),
    (TOURISM, {"tourism": JOURNEY.model_copy(update={"cancellation": " "})}, "cancellation_needed"),
]


@pytest.mark.parametrize(("content", "change"), GOOD)
def test_what_can_be_sold_and_used_is_taken(content: DealContent, change: dict[str, Any]) -> None:
    check_content(content.model_copy(update=change))


@pytest.mark.parametrize(("content", "change", "refusal"), BAD, ids=[f"{one.form}-{code}" for one, _, code in BAD])
def test_a_deal_that_could_never_be_sold_or_used_is_refused(
    content: DealContent, change: dict[str, Any], refusal: str
) -> None:
    with pytest.raises(DomainError) as refused:
        check_content(content.model_copy(update=change))
    assert refused.value.code == refusal
    assert refused.value.text("zh")
    assert refused.value.text("en")


@pytest.mark.parametrize(("kind", "form"), [("VOUCHER", DealForm.SET), ("GOODS", DealForm.GOODS)])
def test_what_was_stored_before_there_were_forms_is_read_as_what_it_was(kind: str, form: DealForm) -> None:
    old = {
        name: value for name, value in SET.stored().items() if name not in {"form", "category", "catering", "booking"}
    }
    read = DealContent.read({**old, "kind": kind})
    assert (read.form, read.category, read.catering, read.title) == (form, Category.OTHER, None, SET.title)


@pytest.mark.parametrize("content", [SET, CASH, TIMES, CODES, GOODS, HOTEL, TOURISM], ids=lambda one: one.form)
def test_a_stored_content_is_read_as_it_was_and_tells_its_kind_to_those_who_know_no_form(content: DealContent) -> None:
    assert DealContent.read(content.stored()) == content
    assert content.stored()["kind"] == content.form.kind


def test_an_edit_names_the_fields_that_it_changed() -> None:
    after = SET.model_copy(update={"price_fen": 9900, "catering": Catering(party_min=1, party_max=2)})
    assert changed_fields(SET, after) == ["price_fen", "catering"]
    assert changed_fields(SET, SET) == []
