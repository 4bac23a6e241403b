"""Money in integer fen: fees, splits, and how an amount is written."""

from collections.abc import Sequence

PAYMENT_FEE_BP = 60


def fee_fen(amount_fen: int, basis_points: int = PAYMENT_FEE_BP) -> int:
    """The fee on an amount, rounded half up to the fen. Alipay's own rounding is unpublished; the bill corrects it."""
    return (amount_fen * basis_points + 5_000) // 10_000


def split_evenly(total_fen: int, parts: int) -> tuple[int, ...]:
    """`total_fen` over `parts` shares that differ by at most one fen; the first shares carry the remainder."""
    share, remainder = divmod(total_fen, parts)
    return tuple(share + (1 if index < remainder else 0) for index in range(parts))


def split_by_weight(total_fen: int, weights: Sequence[int]) -> tuple[int, ...]:
    """`total_fen` in proportion to `weights`, each share rounded down; the first share takes the remainder."""
    whole = sum(weights)
    shares = [total_fen * weight // whole for weight in weights]
    shares[0] += total_fen - sum(shares)
    return tuple(shares)


def yuan(amount_fen: int) -> str:
    """`12800` as `128.00`, the form in which Alipay and people write an amount."""
    sign = "-" if amount_fen < 0 else ""
    whole, cents = divmod(abs(amount_fen), 100)
    return f"{sign}{whole}.{cents:02d}"


def fen(amount_yuan: str) -> int:
    """`128.00`, `128.5` or `128` as fen, exactly. Raises ValueError for anything with more than two decimals."""
    sign = -1 if amount_yuan.startswith("-") else 1
    whole, _, cents = amount_yuan.removeprefix("-").partition(".")
    if not whole.isascii() or not whole.isdigit() or len(cents) > 2 or (cents and not cents.isdigit()):
        raise ValueError(f"not an amount in yuan: {amount_yuan!r}")
    return sign * (int(whole) * 100 + int(cents.ljust(2, "0") or 0))
