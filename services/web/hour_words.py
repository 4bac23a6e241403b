"""Hours of the week and lists of days as people write them: `周一至周五 10:30–次日 02:00`."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, TypeVar

from services.web.formats import Language
from shared.contracts.hours import WeeklyHours

_DAYS = {
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_COMMA = {"zh": "、", "en": ", "}
_Point = TypeVar("_Point", int, date)
_EVERY_DAY = tuple(range(1, 8))


def hours_lines(hours: Sequence[WeeklyHours], language: Language) -> list[str]:
    """One line for the days that have the same hours; hours of every day are not named by their days."""
    by_day = {day: tuple(sorted(_spans(hours, day))) for day in _EVERY_DAY}
    lines = []
    for spans in dict.fromkeys(by_day[day] for day in _EVERY_DAY if by_day[day]):
        days = tuple(day for day in _EVERY_DAY if by_day[day] == spans)
        words = _COMMA[language].join(_span(opens, closes, language) for opens, closes in spans)
        lines.append(words if days == _EVERY_DAY else f"{weekdays(days, language)} {words}")
    return lines


def weekdays(days: Iterable[int], language: Language) -> str:
    """`[1, 2, 3, 4, 5]` as `周一至周五` or `Mon–Fri`; three in a row are a range. 1 is Monday."""
    names = _DAYS[language]
    words = []
    for first, last in _runs(sorted(set(days)), 1):
        if last - first >= 2:
            words.append(f"{names[first - 1]}{'至' if language == 'zh' else '–'}{names[last - 1]}")
        else:
            words += names[first - 1 : last]
    return _COMMA[language].join(words)


def dates(days: Iterable[date], language: Language) -> str:
    """Days with what follows one another as a range: `2026-10-01 至 10-07、2026-12-25`."""
    words = []
    for first, last in _runs(sorted(set(days)), timedelta(days=1)):
        until = f"{last:%m-%d}" if last.year == first.year else last.isoformat()
        joint = " 至 " if language == "zh" else " – "
        words.append(first.isoformat() if first == last else f"{first.isoformat()}{joint}{until}")
    return _COMMA[language].join(words)


def _spans(hours: Sequence[WeeklyHours], day: int) -> set[tuple[str, str]]:
    return {(one.opens, one.closes) for one in hours if day in one.weekdays}


def _span(opens: str, closes: str, language: Language) -> str:
    if opens == closes or (opens, closes) == ("00:00", "24:00"):
        return "全天" if language == "zh" else "all day"
    if closes == "00:00":
        closes = "24:00"
    if opens < closes:
        return f"{opens}–{closes}"
    return f"{opens}–次日 {closes}" if language == "zh" else f"{opens}–{closes} next day"


def _runs(points: list[_Point], step: Any) -> list[tuple[_Point, _Point]]:
    """First and last of each run of points that are one step apart."""
    found: list[tuple[_Point, _Point]] = []
    for point in points:
        if found and point - step == found[-1][1]:
            found[-1] = (found[-1][0], point)
        else:
            found.append((point, point))
    return found
