"""Numbers, yuan and Shanghai times as carriers write them."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from shared.clock import SHANGHAI


def whole_number(value: object) -> int | None:
    """A number that may have been written as a text; None if it is none."""
    try:
        return int(str(value))
    except ValueError:
        return None


def yuan_as_fen(value: object) -> int | None:
    """Yuan (3, 3.5, "3.50") in fen; None if nothing was said."""
    if value is None or value == "":
        return None
    try:
        return int((Decimal(str(value)) * 100).to_integral_value())
    except (InvalidOperation, ValueError, OverflowError):
        return None


def shanghai_time(value: object) -> datetime | None:
    """`2026-11-22 12:00:00`, Shanghai, as UTC; None if it is not such a time."""
    try:
        return datetime.strptime(str(value), "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI).astimezone(UTC)
    except ValueError:
        return None
