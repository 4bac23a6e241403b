"""Hours of the week in Shanghai: when a store is open, and when a certificate may or may not be used."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from shared.clock import SHANGHAI
from shared.contracts.base import Contract

DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES

Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
"""A time of the day, `00:00` to `24:00`."""

Weekday = Annotated[int, Field(strict=True, ge=1, le=7, description="1 is Monday")]


class WeeklyHours(Contract):
    """From `opens` to before `closes` on these days. `closes` not after `opens` means: into the next day."""

    weekdays: Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=7)]
    opens: Clock
    closes: Clock

    def covers(self, moment: datetime) -> bool:
        """Whether a moment lies within, by Shanghai's clock."""
        local = moment.astimezone(SHANGHAI)
        minute, today = local.hour * 60 + local.minute, local.isoweekday()
        opens, closes = _minute(self.opens), _minute(self.closes)
        if opens < closes:
            return today in self.weekdays and opens <= minute < closes
        yesterday = (today + 5) % 7 + 1
        return (today in self.weekdays and minute >= opens) or (yesterday in self.weekdays and minute < closes)


Hours = Annotated[tuple[WeeklyHours, ...], Field(max_length=28)]


def within(hours: Sequence[WeeklyHours], moment: datetime) -> bool:
    """Whether any of the hours covers a moment."""
    return any(one.covers(moment) for one in hours)


def minutes_of_week(hours: Sequence[WeeklyHours]) -> int:
    """What the hours cover, as bits: the lowest is Monday's first minute, the highest Sunday's last."""
    covered = 0
    for one in hours:
        opens, closes = _minute(one.opens), _minute(one.closes)
        span = (1 << (closes - opens + (0 if opens < closes else DAY_MINUTES))) - 1
        for weekday in one.weekdays:
            covered |= span << ((weekday - 1) * DAY_MINUTES + opens)
    # What Sunday's hours reach into Monday.
    return (covered & (1 << WEEK_MINUTES) - 1) | covered >> WEEK_MINUTES


def _minute(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute)
