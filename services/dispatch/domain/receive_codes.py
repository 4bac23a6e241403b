"""The six digits by which a buyer proves to the merchant's own rider that the goods are theirs to take."""

import hmac
import secrets

DIGITS = 6


def new_receive_code() -> str:
    """Six unpredictable digits."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"


def matches(expected: str, given: str) -> bool:
    """Whether these are the digits; the comparison takes the same time either way."""
    return hmac.compare_digest(expected.encode(), given.encode())
