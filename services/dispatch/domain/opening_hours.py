"""Time that a merchant has, counted in the hours in which the store is open."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.clock import SHANGHAI
from shared.contracts.hours import DAY_MINUTES, WEEK_MINUTES, WeeklyHours, minutes_of_week

# A store that stays closed for longer than this does not keep its buyers waiting.
LONGEST_WAIT = timedelta(days=3)

_MINUTE = timedelta(minutes=1)


def open_until(hours: Sequence[WeeklyHours], now: datetime, needed: timedelta) -> datetime:
    """When the store will have been open for this long from now on. Without known hours it is always open."""
    covered = minutes_of_week(hours)
    if not covered:
        return now + needed
    local = now.astimezone(SHANGHAI)
    minute = (local.isoweekday() - 1) * DAY_MINUTES + local.hour * 60 + local.minute
    moment, left = now, needed
    end_of_minute = now + _MINUTE - timedelta(seconds=local.second, microseconds=local.microsecond)
    while moment < now + LONGEST_WAIT:
        if covered >> minute & 1:
            if moment + left <= end_of_minute:
                return moment + left
            left -= end_of_minute - moment
        moment, end_of_minute = end_of_minute, end_of_minute + _MINUTE
        minute = (minute + 1) % WEEK_MINUTES
    return now + LONGEST_WAIT
