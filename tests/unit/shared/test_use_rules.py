"""When, where and how many may be used: the engine that is shown at sale and decides at redemption."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.clock import SHANGHAI
from shared.contracts.hours import WeeklyHours, minutes_of_week, within
from shared.contracts.use_rules import REASONS, NotUsable, UseRules, UseWindow, why_not_usable

STORE, OTHER = UUID(int=1), UUID(int=2)
EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)
WORKDAYS = (1, 2, 3, 4, 5)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026 in Shanghai; the 22nd is a Sunday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=SHANGHAI)


WINDOW = UseWindow(starts_at=at(1, 0), until=at(30, 0))
LUNCH = WeeklyHours(weekdays=WORKDAYS, opens="11:00", closes="14:00")
NIGHT = WeeklyHours(weekdays=(5,), opens="22:00", closes="02:00")

TODAY_OFF = UseRules(blackout_dates=(date(2026, 11, 22),))

CASES: list[tuple[UseRules, UUID, datetime, int, NotUsable | None]] = [
    (UseRules(), STORE, at(22, 12), 1, None),
    (UseRules(), OTHER, at(22, 12), 1, NotUsable.OTHER_STORE),
    (UseRules(), STORE, at(1, 0) - timedelta(microseconds=1), 1, NotUsable.NOT_YET_VALID),
    (UseRules(), STORE, at(30, 0) - timedelta(microseconds=1), 1, None),
    (UseRules(), STORE, at(30, 0), 1, NotUsable.EXPIRED),
    (UseRules(blackout_dates=(date(2026, 11, 22),)), STORE, at(22, 0), 1, NotUsable.BLACKOUT_DATE),
    (UseRules(blackout_dates=(date(2026, 11, 22),)), STORE, at(23, 0), 1, None),
    (UseRules(blackout_weekdays=(6, 7)), STORE, at(22, 12), 1, NotUsable.BLACKOUT_DATE),
    (UseRules(blackout_weekdays=(6, 7)), STORE, at(23, 12), 1, None),
    (UseRules(usable_hours=(LUNCH,)), STORE, at(23, 10, 59), 1, NotUsable.BLACKOUT_HOURS),
    (UseRules(usable_hours=(LUNCH,)), STORE, at(23, 11), 1, None),
    (UseRules(usable_hours=(LUNCH,)), STORE, at(23, 14), 1, NotUsable.BLACKOUT_HOURS),
    (UseRules(usable_hours=(LUNCH,)), STORE, at(22, 12), 1, NotUsable.BLACKOUT_HOURS),
    (UseRules(blackout_hours=(NIGHT,)), STORE, at(20, 23), 1, NotUsable.BLACKOUT_HOURS),
    (UseRules(blackout_hours=(NIGHT,)), STORE, at(21, 1, 59), 1, NotUsable.BLACKOUT_HOURS),
    (UseRules(blackout_hours=(NIGHT,)), STORE, at(21, 2), 1, None),
    (UseRules(blackout_hours=(NIGHT,)), STORE, at(20, 1), 1, None),
    (UseRules(max_count=2), STORE, at(22, 12), 2, None),
    (UseRules(max_count=2), STORE, at(22, 12), 3, NotUsable.OVER_THE_COUNT),
]


@pytest.mark.parametrize(("rules", "store", "now", "count", "expected"), CASES)
def test_a_certificate_is_usable_or_the_first_reason_is_named(
    rules: UseRules, store: UUID, now: datetime, count: int, expected: NotUsable | None
) -> None:
    assert why_not_usable(rules, WINDOW, frozenset({STORE}), store, now, count) is expected


def test_every_reason_has_both_languages() -> None:
    assert REASONS.keys() == set(NotUsable)
    assert all(zh and en for zh, en in REASONS.values())


@pytest.mark.parametrize(
    ("rules", "store", "now", "count", "closed", "expected"),
    [
        (UseRules(), STORE, at(22, 12), 1, {STORE}, NotUsable.STORE_CLOSED),
        (UseRules(), OTHER, at(22, 12), 1, {STORE, OTHER}, NotUsable.OTHER_STORE),
        (UseRules(), STORE, at(22, 12), 1, {OTHER}, None),
        (TODAY_OFF, STORE, at(22, 12), 1, {STORE}, NotUsable.STORE_CLOSED),
        (UseRules(), STORE, at(30, 0), 1, {STORE}, NotUsable.STORE_CLOSED),
        (UseRules(max_count=2), STORE, at(22, 12), 3, {STORE}, NotUsable.STORE_CLOSED),
        (TODAY_OFF, STORE, at(22, 12), 1, {OTHER}, NotUsable.BLACKOUT_DATE),
    ],
)
def test_a_closed_store_of_the_deal_is_named_before_what_waiting_mends(
    rules: UseRules, store: UUID, now: datetime, count: int, closed: set[UUID], expected: NotUsable | None
) -> None:
    stores = frozenset({STORE})
    assert why_not_usable(rules, WINDOW, stores, store, now, count, closed=closed) is expected


@example(days={7}, opens=1380, length=120, minute=30)
@given(
    days=st.sets(st.integers(1, 7), min_size=1),
    opens=st.integers(0, 1439),
    length=st.integers(1, 1439),
    minute=st.integers(0, 7 * 1440 - 1),
)
def test_hours_cover_exactly_their_minutes_even_past_midnight_and_past_sunday(
    days: set[int], opens: int, length: int, minute: int
) -> None:
    closes = (opens + length) % 1440
    hours = WeeklyHours(weekdays=tuple(days), opens=_clock(opens), closes=_clock(closes))
    covered = {((day - 1) * 1440 + opens + passed) % (7 * 1440) for day in days for passed in range(length)}
    moment = datetime(2026, 11, 23, tzinfo=SHANGHAI) + timedelta(minutes=minute)
    assert hours.covers(moment.astimezone(UTC)) is (minute in covered)
    assert bool(minutes_of_week([hours, LUNCH]) >> minute & 1) is within([hours, LUNCH], moment)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
