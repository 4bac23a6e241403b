"""The key files: made when missing, read at start."""

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

_WRONG_KIND = "{name} holds another kind of key than the sandbox needs"


@dataclass(frozen=True, slots=True)
class Keys:
    """What the sandbox signs and verifies with."""

    app_public: rsa.RSAPublicKey
    alipay_private: rsa.RSAPrivateKey
    identity_private: ec.EllipticCurvePrivateKey


def make_missing(directory: Path) -> list[str]:
    """Create the key files that `directory` lacks (mode 600) and return their names; the others stay."""
    directory.mkdir(parents=True, exist_ok=True)
    made: list[str] = []
    for owner in ("app", "alipay"):
        private_path = directory / f"{owner}_private.pem"
        public_path = directory / f"{owner}_public.pem"
        if not private_path.exists():
            if public_path.exists():
                continue  # whoever brought only the public key keeps the private one elsewhere
            _write(private_path, _private_pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)), made)
        if not public_path.exists():
            _write(public_path, _public_pem(_read_private(private_path)), made)
    identity_path = directory / "identity_private.pem"
    if not identity_path.exists():
        _write(identity_path, _private_pem(ec.generate_private_key(ec.SECP256R1())), made)
    return made


def read(directory: Path) -> Keys:
    """Read the three keys; FileNotFoundError, ValueError or TypeError says which file is missing or wrong."""
    app_public = serialization.load_pem_public_key((directory / "app_public.pem").read_bytes())
    alipay_private = _read_private(directory / "alipay_private.pem")
    identity_private = _read_private(directory / "identity_private.pem")
    if not isinstance(app_public, rsa.RSAPublicKey):
        raise TypeError(_WRONG_KIND.format(name="app_public.pem"))
    if not isinstance(alipay_private, rsa.RSAPrivateKey):
        raise TypeError(_WRONG_KIND.format(name="alipay_private.pem"))
    if not isinstance(identity_private, ec.EllipticCurvePrivateKey):
        raise TypeError(_WRONG_KIND.format(name="identity_private.pem"))
    return Keys(app_public, alipay_private, identity_private)


def _write(path: Path, content: bytes, made: list[str]) -> None:
    # A half-written key must never be taken for a key: write aside, then rename into place.
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    draft.rename(path)
    made.append(path.name)


def _read_private(path: Path) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise TypeError(_WRONG_KIND.format(name=path.name))
    return key


def _private_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _public_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
