"""Whether what is sold can ever be used: the fast answer agrees with redemption's engine, minute by minute."""

from datetime import date, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.catalog.domain.deals.usability import ever_usable
from shared.clock import SHANGHAI
from shared.contracts.hours import WeeklyHours
from shared.contracts.use_rules import UseRules, UseWindow, why_not_usable

STORE = UUID(int=1)
SUNDAY = datetime(2026, 11, 22, tzinfo=SHANGHAI)
MINUTE = timedelta(minutes=1)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


CLOCKS = st.integers(0, 95).map(lambda quarter: _clock(quarter * 15))
WEEKDAYS = st.integers(1, 7)
HOURS = st.builds(
    lambda weekdays, opens, closes: WeeklyHours(weekdays=tuple(weekdays), opens=opens, closes=closes),
    st.sets(WEEKDAYS, min_size=1),
    CLOCKS,
    CLOCKS,
)
RULES = st.builds(
    UseRules,
    blackout_dates=st.sets(st.integers(22, 24).map(lambda day: date(2026, 11, day))).map(tuple),
    blackout_weekdays=st.sets(WEEKDAYS, max_size=6).map(tuple),
    usable_hours=st.lists(HOURS, max_size=2).map(tuple),
    blackout_hours=st.lists(HOURS, max_size=3).map(tuple),
)


@given(rules=RULES, first=st.integers(0, 2 * 1440), length=st.integers(0, 1440))
def test_a_deal_can_be_used_exactly_if_redemption_would_take_it_at_some_minute(
    rules: UseRules, first: int, length: int
) -> None:
    starts_at = SUNDAY + first * MINUTE
    window = UseWindow(starts_at=starts_at, until=starts_at + (length + 1) * MINUTE)
    minutes = (starts_at + passed * MINUTE for passed in range(length + 1))
    taken = any(why_not_usable(rules, window, frozenset({STORE}), STORE, minute) is None for minute in minutes)
    assert ever_usable(rules, starts_at, starts_at + length * MINUTE) is taken
