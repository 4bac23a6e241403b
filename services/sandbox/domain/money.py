"""Yuan as providers write them, fen as we count them."""

import re
from decimal import Decimal

_YUAN = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?")


def parse_yuan(text: object) -> int:
    """'128.00' (or a JSON number) → 12800 fen; ValueError for anything that is not exactly an amount in fen."""
    written = str(text) if isinstance(text, str | int | float) and not isinstance(text, bool) else ""
    if not _YUAN.fullmatch(written):
        raise ValueError("not an amount in yuan with at most two decimals")
    return int(Decimal(written) * 100)


def format_yuan(fen: int) -> str:
    """12800 fen → '128.00'."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def share_half_up(amount_fen: int, basis_points: int) -> int:
    """`basis_points` hundredths of a percent of the amount, rounded half up to a whole fen."""
    return (amount_fen * basis_points + 5_000) // 10_000
