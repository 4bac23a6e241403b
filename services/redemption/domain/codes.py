"""The secrets of a certificate: its 12 digits, the QR token that changes every minute, and the token for verify."""

import base64
import binascii
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.redemption.domain.refusals import CodeUnknown, PreparationExpired, PreparationMismatch, QrExpired
from shared.sealed import CannotOpen, Seals

CODE_DIGITS = 12
QR_LIVES = timedelta(seconds=60)
PREPARATION_LIVES = timedelta(minutes=2)

_RECIPIENT = "redemption"
_QR_PREFIX = "GB1:"
_QR_MAC = 10
_PURPOSE = "verify"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a token for verify stands for: this operator, in this store, for these certificates of this order."""

    operator: str
    store_id: UUID
    order_id: UUID
    unit_ids: tuple[UUID, ...]


def normalised(typed: str) -> str | None:
    """The 12 digits in what a person typed or a scanner read, or None when it is no code."""
    digits = "".join(typed.replace("-", " ").split())
    return digits if len(digits) == CODE_DIGITS and digits.isascii() and digits.isdigit() else None


def is_qr(scanned: str) -> bool:
    """Whether a scanned text claims to be one of our QR codes."""
    return scanned.strip().startswith(_QR_PREFIX)


def masked(code: str) -> str:
    """`********5519`: enough to tell two certificates apart, too little to use one. Of a short code less is shown."""
    shown = min(4, len(code) // 3)
    return "*" * (len(code) - shown) + code[len(code) - shown :]


class Codes:
    """Seals, finds and signs with redemption's own keys. All moments here are real time, not business time."""

    def __init__(self, seals: Seals) -> None:
        self._seals = seals

    def seal(self, code: str) -> str:
        """The code for storage."""
        return self._seals.seal(_RECIPIENT, code)

    def open(self, sealed_code: str) -> str:
        """The code as the buyer sees it."""
        return self._seals.open(sealed_code)

    def lookup(self, code: str) -> bytes:
        """The keyed hash by which a code is found, and which is unique."""
        return self._seals.lookup(_RECIPIENT, f"code:{code}")

    def lookup_for(self, merchant_id: UUID, same_as: str) -> bytes:
        """The keyed hash of a third party's code, which is unique among its merchant's: two merchants may have the
        same code, and neither learns of it."""
        return self._seals.lookup(_RECIPIENT, f"code:{merchant_id.hex}:{same_as}")

    def digest(self, purpose: str, content: str) -> bytes:
        """A keyed hash by which a repeated request is known to say the same, without keeping what it said."""
        return self._seals.lookup(_RECIPIENT, f"{purpose}:{content}")

    def qr_token(self, unit_id: UUID, now: datetime) -> tuple[str, datetime]:
        """What the QR code says from `now`, and when it stops being true. 52 characters of QR's alphanumeric set:
        `GB1:` and base32 of the unit's id (16 bytes), the expiry in Unix seconds (4) and a truncated MAC (10)."""
        expires_at = (now + QR_LIVES).replace(microsecond=0)
        signed = unit_id.bytes + int(expires_at.timestamp()).to_bytes(4, "big")
        return _QR_PREFIX + base64.b32encode(signed + self._qr_mac(signed)).decode(), expires_at

    def read_qr(self, token: str, now: datetime) -> UUID:
        """The unit that a QR code names. Raises QrExpired, and CodeUnknown for anything that we did not sign."""
        try:
            raw = base64.b32decode(token.removeprefix(_QR_PREFIX))
        except (binascii.Error, ValueError) as error:
            raise CodeUnknown from error
        signed, mac = raw[:-_QR_MAC], raw[-_QR_MAC:]
        if len(signed) != 20 or not token.startswith(_QR_PREFIX) or not hmac.compare_digest(mac, self._qr_mac(signed)):
            raise CodeUnknown
        if now.timestamp() >= int.from_bytes(signed[16:], "big"):
            raise QrExpired
        return UUID(bytes=signed[:16])

    def _qr_mac(self, signed: bytes) -> bytes:
        return self._seals.lookup(_RECIPIENT, f"qr:{signed.hex()}")[:_QR_MAC]

    def preparation_token(self, prepared: Prepared, now: datetime) -> tuple[str, datetime]:
        """An opaque, authenticated token for verify, and when it ends."""
        expires_at = now + PREPARATION_LIVES
        content = {
            "for": _PURPOSE,
            "until": expires_at.timestamp(),
            "operator": prepared.operator,
            "store": prepared.store_id.hex,
            "order": prepared.order_id.hex,
            "units": [unit_id.hex for unit_id in prepared.unit_ids],
        }
        return self._seals.seal(_RECIPIENT, json.dumps(content, separators=(",", ":"))), expires_at

    def read_preparation(
        self, token: str, operator: str, store_id: UUID, unit_ids: Sequence[UUID], now: datetime
    ) -> Prepared:
        """The preparation behind a token. Raises PreparationMismatch unless it was made by us, for this operator,
        this store and all of these certificates; PreparationExpired when its two minutes are over."""
        try:
            content = json.loads(self._seals.open(token))
        except (CannotOpen, ValueError) as error:
            raise PreparationMismatch from error
        if not isinstance(content, dict) or content.get("for") != _PURPOSE:
            raise PreparationMismatch
        units = tuple(UUID(hex=unit) for unit in content["units"])
        prepared = Prepared(content["operator"], UUID(hex=content["store"]), UUID(hex=content["order"]), units)
        if (prepared.operator, prepared.store_id) != (operator, store_id) or not set(unit_ids) <= set(units):
            raise PreparationMismatch
        if now >= datetime.fromtimestamp(content["until"], UTC):
            raise PreparationExpired
        return prepared
