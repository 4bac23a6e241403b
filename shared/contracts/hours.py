"""Hours of the week in Shanghai: when a store is open, and when a certificate may or may not be used."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from shared.clock import SHANGHAI
from shared.contracts.base import Contract

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


def _minute(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute)
