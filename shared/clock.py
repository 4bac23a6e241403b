"""Business time: UTC everywhere, Asia/Shanghai only for the business day, and an offset that the sandbox may move."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Clock:
    """The one source of business time in a process. Tokens, leases and time-outs use real time instead."""

    def __init__(self) -> None:
        self._offset = timedelta()
        self._listeners: list[Callable[[], None]] = []

    def now(self) -> datetime:
        """The business moment, in UTC."""
        return datetime.now(UTC) + self._offset

    def move_to_offset(self, offset_s: float) -> None:
        """Shift business time against real time and wake whatever waits for a moment."""
        self._offset = timedelta(seconds=offset_s)
        for listener in self._listeners:
            listener()

    def on_move(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever the clock is moved."""
        self._listeners.append(listener)


def business_day(moment: datetime) -> date:
    """The day in Shanghai to which a moment belongs."""
    return moment.astimezone(SHANGHAI).date()


def start_of_day(day: date) -> datetime:
    """Midnight in Shanghai at which a business day begins, in UTC."""
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)


def end_of_day(moment: datetime) -> datetime:
    """The midnight in Shanghai that ends the business day of `moment`, in UTC."""
    return start_of_day(business_day(moment) + timedelta(days=1))
