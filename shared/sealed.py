"""Personal data on the bus and at rest: AES-256-GCM for one recipient, with the key's id inside so that keys rotate."""

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


class CannotOpen(Exception):
    """The text was sealed for somebody else, with a key that is gone, or was tampered with."""


class Seals:
    """The sealing keys that a process was given: recipient → key id → 32 bytes in base64. The last key id seals."""

    def __init__(self, keys: Mapping[str, Mapping[str, str]]) -> None:
        self._keys = {
            recipient: {key_id: base64.b64decode(key) for key_id, key in by_id.items()}
            for recipient, by_id in keys.items()
        }

    def seal(self, recipient: str, plain: str) -> str:
        """`plain` for the eyes of one service, as `1.<recipient>.<key id>.<base64>`."""
        key_id, key = list(self._keys[recipient].items())[-1]
        nonce = os.urandom(_NONCE)
        head = f"1.{recipient}.{key_id}"
        sealed = AESGCM(key).encrypt(nonce, plain.encode(), head.encode())
        return f"{head}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str) -> str:
        """What was sealed. Raises CannotOpen without the key, or if a single bit was changed."""
        try:
            _, recipient, key_id, body = sealed.split(".")
            raw = base64.urlsafe_b64decode(body)
            head = f"1.{recipient}.{key_id}"
            return AESGCM(self._keys[recipient][key_id]).decrypt(raw[:_NONCE], raw[_NONCE:], head.encode()).decode()
        except (ValueError, KeyError, InvalidTag) as error:
            raise CannotOpen("sealed text does not open") from error

    def holds(self, recipient: str) -> bool:
        """Whether this process was given keys of that recipient."""
        return recipient in self._keys

    def lookup(self, owner: str, plain: str) -> bytes:
        """A keyed hash by which `plain` can be found again without being stored. Uses the first key of `owner`, which
        therefore stays when keys rotate."""
        return hmac.new(next(iter(self._keys[owner].values())), b"lookup:" + plain.encode(), hashlib.sha256).digest()
