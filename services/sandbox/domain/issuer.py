"""A merchant's own code issuer: its signatures, written again, and the ways in which it behaves."""

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum

TIMESTAMP = "x-groupbuy-timestamp"
SIGNATURE = "x-groupbuy-signature"
_TOLERANCE_S = 300


class Mode(StrEnum):
    AT_ONCE = "at_once"
    LATE = "late"
    """Codes are made, and handed over only when told to."""
    NEVER = "never"
    DUPLICATE = "duplicate"
    """Every unit gets the same code."""


@dataclass(frozen=True, slots=True)
class IssuerShop:
    """One merchant's system: its secret, its mood, and where the platform is."""

    name: str
    secret: str
    mode: Mode
    platform_url: str


@dataclass(frozen=True, slots=True)
class MadeCode:
    """A code that was made for a unit, and whether it was taken back."""

    unit_id: str
    order_id: str
    merchant_id: str
    code: str
    void: bool


def sign(secret: str, timestamp: str, path: str, body: bytes) -> str:
    """HMAC-SHA256 over timestamp, path and body with dots between them, in hexadecimal."""
    return hmac.new(secret.encode(), b".".join((timestamp.encode(), path.encode(), body)), hashlib.sha256).hexdigest()


def holds(secret: str, timestamp: str, path: str, body: bytes, signature: str, real_s: float) -> bool:
    """Whether a request was signed with this secret within the last five minutes."""
    if not timestamp.isdecimal() or abs(real_s - int(timestamp)) > _TOLERANCE_S:
        return False
    return hmac.compare_digest(sign(secret, timestamp, path, body).encode(), signature.encode())
