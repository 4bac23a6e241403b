"""Kinds of values: what was typed into a field as the API wants it, and what the API said as one would type it."""

import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from shared.clock import SHANGHAI
from shared.money import fen, yuan

_ISO_DAY = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
_MOST_DAYS = 366


class Unreadable(ValueError):
    """What was typed is no such value; `key` is the text that says what was wanted."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True)
class Value:
    """How one kind is shown (`look`), read and written. Reading gives None for what was left blank."""

    look: str
    read: Callable[[Sequence[str]], Any]
    write: Callable[[Any], list[str]]


def plain(texts: Sequence[str]) -> str:
    """The text of a field in the digits and signs of a keyboard: phones in Chinese type them at double width."""
    return unicodedata.normalize("NFKC", texts[0]).strip() if texts else ""


def _line(texts: Sequence[str]) -> str | None:
    return (texts[0].strip() or None) if texts else None


def _paragraph(texts: Sequence[str]) -> str | None:
    # Browsers end the lines of a form with two characters.
    return (texts[0].replace("\r\n", "\n").replace("\r", "\n").strip() or None) if texts else None


def _yuan(texts: Sequence[str]) -> int | None:
    typed = plain(texts).replace(",", "").removeprefix("¥").strip()
    try:
        return fen(typed) if typed else None
    except ValueError:
        raise Unreadable("write.wrong.amount") from None


def _whole(texts: Sequence[str]) -> int | None:
    typed = plain(texts)
    if not typed:
        return None
    if not typed.isascii() or not typed.isdigit() or len(typed) > 12:
        raise Unreadable("write.wrong.whole")
    return int(typed)


def _degrees(texts: Sequence[str]) -> float | None:
    typed = plain(texts)
    if not typed:
        return None
    try:
        number = float(typed)
    except ValueError:
        raise Unreadable("write.wrong.number") from None
    if not math.isfinite(number):
        raise Unreadable("write.wrong.number")
    return number


def _moment(texts: Sequence[str]) -> str | None:
    typed = plain(texts)
    if not typed:
        return None
    try:
        moment = datetime.fromisoformat(typed)
    except ValueError:
        raise Unreadable("write.wrong.moment") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)).isoformat()


def _moment_typed(said: str) -> list[str]:
    local = datetime.fromisoformat(said).astimezone(SHANGHAI).replace(tzinfo=None)
    if local.microsecond:
        return [local.isoformat(timespec="milliseconds")]
    return [local.isoformat(timespec="seconds" if local.second else "minutes")]


def _day(texts: Sequence[str]) -> str | None:
    typed = plain(texts)
    return _one_day(typed).isoformat() if typed else None


def _one_day(typed: str) -> date:
    try:
        return date(*(int(part) for part in typed.split("-")))
    except (ValueError, TypeError):
        raise Unreadable("write.wrong.day") from None


def _clock(texts: Sequence[str]) -> str | None:
    typed = plain(texts)
    if not typed:
        return None
    found = _CLOCK.fullmatch(typed)
    hour, minute = (int(found[1]), int(found[2])) if found else (99, 0)
    if minute > 59 or hour * 60 + minute > 24 * 60:
        raise Unreadable("write.wrong.clock")
    return f"{hour:02}:{minute:02}"


def _days(texts: Sequence[str]) -> list[str] | None:
    """One day a line, or the first and the last of several: `2027-02-05 至 2027-02-11`."""
    found: set[date] = set()
    for typed in plain(texts).splitlines():
        ends = [_one_day(one) for one in _ISO_DAY.findall(typed)]
        if not typed.strip():
            continue
        if not 1 <= len(ends) <= 2 or _ISO_DAY.sub("", typed).strip().isdigit():
            raise Unreadable("write.wrong.days")
        length = (ends[-1] - ends[0]).days + 1
        if not 1 <= length <= _MOST_DAYS:
            raise Unreadable("write.wrong.days")
        found |= {ends[0] + timedelta(days=passed) for passed in range(length)}
    return [one.isoformat() for one in sorted(found)] or None


def _days_typed(said: Sequence[str]) -> list[str]:
    runs: list[list[date]] = []
    for one in sorted({date.fromisoformat(day) for day in said}):
        if runs and one - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(one)
        else:
            runs.append([one])
    return ["\n".join(f"{run[0]}" if len(run) == 1 else f"{run[0]} ~ {run[-1]}" for run in runs)]


def _lines(texts: Sequence[str]) -> list[str] | None:
    typed = texts[0].splitlines() if texts else []
    return [one.strip() for one in typed if one.strip()] or None


def _numbers(texts: Sequence[str]) -> list[int] | None:
    if not all(one.isascii() and one.isdigit() for one in texts):
        raise Unreadable("write.wrong.whole")
    return [int(one) for one in texts] or None


def _text(said: Any) -> list[str]:
    return [str(said)]


def _texts(said: Sequence[Any]) -> list[str]:
    return [str(one) for one in said]


LINE = Value("line", _line, _text)
PHONE = Value("phone", _line, _text)
CHOICE = Value("choice", _line, _text)
PARAGRAPH = Value("paragraph", _paragraph, _text)
YUAN = Value("yuan", _yuan, lambda said: [yuan(said).removesuffix(".00")])
WHOLE = Value("whole", _whole, _text)
DEGREES = Value("degrees", _degrees, _text)
FLAG = Value("flag", lambda texts: True if texts else None, lambda said: ["yes"] if said else [])
MOMENT = Value("moment", _moment, _moment_typed)
DAY = Value("day", _day, _text)
CLOCK = Value("clock", _clock, _text)
DAYS = Value("days", _days, _days_typed)
LINES = Value("lines", _lines, lambda said: ["\n".join(said)])
CHOICES = Value("choices", lambda texts: list(texts) or None, _texts)
STORES = Value("stores", lambda texts: list(texts) or None, _texts)
WEEKDAYS = Value("weekdays", _numbers, _texts)
