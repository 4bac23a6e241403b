"""Hours and days as people write them."""

from datetime import UTC, date, datetime
from typing import get_args

import pytest

from services.web.formats import Language, distance, short_price
from services.web.gateways.catalog.deals import Store
from services.web.hour_words import dates, hours_lines, weekdays
from shared.contracts.hours import WeeklyHours

EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)


def hours(*spans: tuple[tuple[int, ...], str, str]) -> list[WeeklyHours]:
    return [WeeklyHours(weekdays=days, opens=opens, closes=closes) for days, opens, closes in spans]


@pytest.mark.parametrize(
    ("spans", "zh", "en"),
    [
        ([(EVERY_DAY, "10:30", "02:00")], ["10:30–次日 02:00"], ["10:30–02:00 next day"]),
        ([(EVERY_DAY, "00:00", "24:00")], ["全天"], ["all day"]),
        ([(EVERY_DAY, "08:00", "08:00")], ["全天"], ["all day"]),
        ([(EVERY_DAY, "18:00", "00:00")], ["18:00–24:00"], ["18:00–24:00"]),
        (
            [((1, 2, 3, 4, 5), "17:00", "22:00"), ((1, 2, 3, 4, 5), "11:00", "14:00"), ((6, 7), "11:00", "22:00")],
            ["周一至周五 11:00–14:00、17:00–22:00", "周六、周日 11:00–22:00"],
            ["Mon–Fri 11:00–14:00, 17:00–22:00", "Sat, Sun 11:00–22:00"],
        ),
        ([((1, 3), "09:00", "12:00")], ["周一、周三 09:00–12:00"], ["Mon, Wed 09:00–12:00"]),
        ([], [], []),
    ],
)
def test_days_with_the_same_hours_are_one_line(
    spans: list[tuple[tuple[int, ...], str, str]], zh: list[str], en: list[str]
) -> None:
    assert hours_lines(hours(*spans), "zh") == zh
    assert hours_lines(hours(*spans), "en") == en


def test_weekdays_in_a_row_are_a_range() -> None:
    assert weekdays([7, 1, 2, 3], "zh") == "周一至周三、周日"
    assert weekdays([6, 7], "en") == "Sat, Sun"


def test_dates_in_a_row_are_a_range() -> None:
    days = [date(2026, 10, day) for day in (1, 2, 3)] + [date(2026, 12, 31), date(2027, 1, 1), date(2027, 5, 1)]
    assert dates(days, "zh") == "2026-10-01 至 10-03、2026-12-31 至 2027-01-01、2027-05-01"
    assert dates([date(2026, 10, 1)], "en") == "2026-10-01"


@pytest.mark.parametrize(
    ("at", "serves"), [("2026-11-23T10:29", False), ("2026-11-23T10:30", True), ("2026-11-24T01:59", True)]
)
def test_a_store_serves_within_its_hours(at: str, serves: bool) -> None:
    opening = hours((EVERY_DAY, "10:30", "02:00"))
    store = Store.model_validate({"store_id": "0192f000-0000-7000-8000-000000000000", "name": "x", "hours": opening})
    now = datetime.fromisoformat(f"{at}+08:00").astimezone(UTC)
    assert store.serves(now) is serves
    assert not store.model_copy(update={"open": False}).serves(now)
    assert store.model_copy(update={"hours": ()}).serves(now)


@pytest.mark.parametrize(
    ("metres", "zh"),
    [
        (0, "约 10 m"),
        (354, "约 350 m"),
        (994, "约 990 m"),
        (1234, "约 1.2 km"),
        (99_940, "约 99.9 km"),
        (123_456, "约 123 km"),
    ],
)
def test_a_distance_is_never_exact(metres: int, zh: str) -> None:
    assert distance(metres, "zh") == zh
    assert distance(metres, "en") == zh.replace("约 ", "~")


def test_a_face_value_needs_no_cents() -> None:
    assert short_price(20_000) == "¥200"
    assert short_price(1_980) == "¥19.80"


def test_both_languages_have_names_for_every_day() -> None:
    for language in get_args(Language):
        assert len(weekdays([1, 3, 5, 7], language).replace("、", ", ").split(", ")) == 4
