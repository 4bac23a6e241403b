"""How a merchant's system and ours prove to each other who speaks: HMAC-SHA256 with the merchant's secret.

Signed is `<Unix seconds>.<path>.<body, byte for byte>`; the signature is sent in lower-case hexadecimal. The path is
part of it so that what was signed for one address cannot be sent to another."""

import hashlib
import hmac
from datetime import datetime

TIMESTAMP_HEADER = "x-groupbuy-timestamp"
SIGNATURE_HEADER = "x-groupbuy-signature"
TOLERANCE_S = 300


def signature(secret: str, timestamp: str, path: str, body: bytes) -> str:
    """The signature of a request."""
    signed = f"{timestamp}.{path}.".encode() + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def signed_headers(secret: str, path: str, body: bytes, now: datetime) -> dict[str, str]:
    """The two headers of a request that leaves now (real time)."""
    timestamp = str(int(now.timestamp()))
    return {TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: signature(secret, timestamp, path, body)}


def is_signed(secret: str, path: str, body: bytes, timestamp: str, given: str, now: datetime) -> bool:
    """Whether the signature is right and not older, or younger, than five minutes (real time)."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= len("9999999999")):
        return False
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_S:
        return False
    return hmac.compare_digest(signature(secret, timestamp, path, body).encode(), given.lower().encode())
