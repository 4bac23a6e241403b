"""Keyset cursors: where a page ended, opaque to clients. A page asks for one row more than it shows."""

import base64
import binascii
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Query

from shared.errors import Invalid

T = TypeVar("T")

Cursor = Annotated[str | None, Query(max_length=200)]
Limit = Annotated[int, Query(ge=1, le=50)]


class CursorInvalid(Invalid):
    code = "cursor_invalid"
    zh = "翻页参数无效，请从头浏览"
    en = "The cursor is not valid; start from the beginning"


def _moment(text: Any) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    return moment.astimezone(UTC)


def _whole(value: Any) -> int:
    if type(value) is not int or value.bit_length() > 63:
        raise ValueError("not a whole number that a column holds")
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ValueError("not a number")
    return float(value)


def _line(value: Any) -> str:
    # No column holds a NUL or half a surrogate pair.
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("not a line of text")
    value.encode()
    return value


_READERS: dict[type, Callable[[Any], Any]] = {
    datetime: _moment,
    date: date.fromisoformat,
    UUID: UUID,
    int: _whole,
    float: _number,
    str: _line,
}


def cursor_of(*position: Any) -> str:
    """The cursor that stands for this position: the sort key of a page's last row."""
    parts = [part if isinstance(part, int | float | str) else _text(part) for part in position]
    return base64.urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode()


def _text(part: Any) -> str:
    return part.isoformat() if isinstance(part, date) else str(part)


def read_cursor(cursor: str | None, *kinds: type) -> tuple[Any, ...] | None:
    """The position in a cursor, one value per kind. Raises CursorInvalid for anything that `cursor_of` did not make."""
    if cursor is None:
        return None
    try:
        parts = json.loads(base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True))
        if not isinstance(parts, list):
            raise CursorInvalid
        return tuple(_READERS[kind](part) for kind, part in zip(kinds, parts, strict=True))
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError, binascii.Error) as error:
        raise CursorInvalid from error


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """What a page shows, and the cursor of the next one (None: this is the last)."""

    items: Sequence[T]
    next_cursor: str | None


def page_of(rows: Sequence[T], limit: int, position: Callable[[T], tuple[Any, ...]]) -> Page[T]:
    """Cut a page from up to `limit + 1` rows; `position` is the sort key of a row."""
    shown = rows[:limit]
    return Page(shown, cursor_of(*position(shown[-1])) if len(rows) > limit else None)
