"""A quarter of an hour of opening hours, wherever it begins."""

from datetime import datetime, timedelta

import pytest

from services.dispatch.domain.opening_hours import LONGEST_WAIT, open_until
from shared.clock import SHANGHAI
from shared.contracts.hours import WeeklyHours

DAILY = (WeeklyHours(weekdays=(1, 2, 3, 4, 5, 6, 7), opens="10:00", closes="22:00"),)
NIGHTS = (WeeklyHours(weekdays=(6,), opens="22:00", closes="02:00"),)
QUARTER = timedelta(minutes=15)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("hours", "now", "until"),
    [
        ((), "2026-11-24 03:00:00", "2026-11-24 03:15:00"),
        (DAILY, "2026-11-24 12:00:30", "2026-11-24 12:15:30"),
        (DAILY, "2026-11-24 03:00:00", "2026-11-24 10:15:00"),
        (DAILY, "2026-11-24 21:50:30", "2026-11-25 10:05:30"),
        (DAILY, "2026-11-24 21:45:00", "2026-11-24 22:00:00"),
        (NIGHTS, "2026-11-28 23:55:00", "2026-11-29 00:10:00"),
    ],
)
def test_only_opening_hours_count(hours: tuple[WeeklyHours, ...], now: str, until: str) -> None:
    assert open_until(hours, _at(now), QUARTER) == _at(until)


def test_nobody_waits_for_ever() -> None:
    now = _at("2026-11-24 03:00:00")
    assert open_until(NIGHTS, now, QUARTER) == now + LONGEST_WAIT
