"""RSA2 as Alipay documents it: SHA256withRSA (PKCS#1 v1.5) over sorted `k=v` pairs, or over a raw text."""

import base64
import binascii
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def content_to_sign(params: Mapping[str, str], without: frozenset[str] = frozenset({"sign"})) -> str:
    """All non-empty parameters but those in `without`, sorted by name, joined `k=v&k=v`."""
    return "&".join(f"{name}={params[name]}" for name in sorted(params) if name not in without and params[name] != "")


def sign(content: str, key: rsa.RSAPrivateKey) -> str:
    """Base64 of the signature over the UTF-8 bytes of `content`."""
    return base64.b64encode(key.sign(content.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()


def is_genuine(content: str, signature: str, key: rsa.RSAPublicKey) -> bool:
    try:
        key.verify(base64.b64decode(signature, validate=True), content.encode(), padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def forge(signature: str) -> str:
    """The same signature with one byte changed: well-formed, and false."""
    raw = bytearray(base64.b64decode(signature))
    raw[-1] ^= 1
    return base64.b64encode(raw).decode()
