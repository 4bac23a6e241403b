"""Times as providers write them: wall clock of Asia/Shanghai without a zone."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
_TIMEOUT = re.compile(r"([1-9][0-9]{0,4})([mhdc])")


def to_ms(moment: datetime) -> int:
    """Milliseconds since the epoch, the form in which the store keeps times."""
    return round(moment.timestamp() * 1000)


def from_ms(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)


def wire_time(moment: datetime) -> str:
    """yyyy-MM-dd HH:mm:ss in Shanghai."""
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def parse_wire_time(text: str) -> datetime:
    """The opposite of `wire_time`; Alipay also takes the form without seconds. ValueError otherwise."""
    pattern = "%Y-%m-%d %H:%M:%S" if text.count(":") == 2 else "%Y-%m-%d %H:%M"
    return datetime.strptime(text, pattern).replace(tzinfo=SHANGHAI).astimezone(UTC)


def parse_timeout(text: str, since: datetime) -> datetime:
    """Alipay's timeout_express: minutes, hours, days, or `1c` = the end of today in Shanghai. ValueError otherwise."""
    found = _TIMEOUT.fullmatch(text)
    if found is None:
        raise ValueError("not a timeout such as 30m, 2h, 1d or 1c")
    count, unit = int(found[1]), found[2]
    if unit == "c":
        return day_bounds(shanghai_day(since))[1]
    return since + {"m": timedelta(minutes=count), "h": timedelta(hours=count), "d": timedelta(days=count)}[unit]


def shanghai_day(moment: datetime) -> date:
    return moment.astimezone(SHANGHAI).date()


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """First moment of the Shanghai day and of the day after it, in UTC."""
    start = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
    return start.astimezone(UTC), (start + timedelta(days=1)).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment on both clocks: `now` is business time, which the sandbox can move; `real` is not movable."""

    now: datetime
    real: datetime
