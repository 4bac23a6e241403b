"""JSON, numbers, yuan, Shanghai times and query strings as carriers write them."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import unquote_to_bytes

from shared.clock import SHANGHAI


def read_json(raw: bytes | str) -> Any:
    """What a carrier wrote. ValueError for anything else: a page in GBK, half an answer, brackets without end."""
    try:
        return json.loads(raw)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def compact_json(body: object) -> str:
    """JSON without spaces or escapes: the text that is signed is the text that is sent."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def read_query(raw: bytes) -> dict[str, str]:
    """The parameters of a query string in which `+` is a plus sign, as signatures in base64 are sent. ValueError where
    the text is no UTF-8."""
    pairs = (part.partition(b"=") for part in raw.split(b"&") if part)
    return {unquote_to_bytes(name).decode(): unquote_to_bytes(value).decode() for name, _, value in pairs}


def whole_number(value: object) -> int | None:
    """A number that may have been written as a text; None if it is none."""
    try:
        return int(str(value))
    except ValueError:
        return None


def fen(value: object) -> int | None:
    """An amount that the carrier already counts in fen; None if nothing (or nothing sensible) was said."""
    amount = whole_number(value)
    return amount if amount is not None and amount >= 0 else None


def yuan_as_fen(value: object) -> int | None:
    """Yuan (3, 3.5, "3.50") in fen; None if nothing was said."""
    if value is None or value == "":
        return None
    try:
        return int((Decimal(str(value)) * 100).to_integral_value())
    except (InvalidOperation, ValueError, OverflowError):
        return None


_NUMBERS = re.compile(r"\d{5,}")


def words(value: object) -> str | None:
    """What a person at the carrier wrote, without numbers that could be somebody's phone; None if nothing."""
    text = _NUMBERS.sub("***", str(value or "").strip())[:200]
    return text or None


def shanghai_time(value: object) -> datetime | None:
    """`2026-11-22 12:00:00`, Shanghai, as UTC; None if it is not such a time."""
    try:
        return datetime.strptime(str(value), "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI).astimezone(UTC)
    except ValueError:
        return None
