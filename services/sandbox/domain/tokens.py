"""Access tokens: ES256 JWTs of at most ten minutes, with subject and audience and nothing personal."""

import hashlib
import json
import uuid
from datetime import datetime

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from services.sandbox.domain.identity import AUDIENCE, TOKEN_LIFE_S


def public_jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    """The public half as a JWK; `kid` is its RFC 7638 thumbprint."""
    members = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    public = {name: str(members[name]) for name in ("crv", "kty", "x", "y")}
    thumbprint = hashlib.sha256(json.dumps(public, sort_keys=True, separators=(",", ":")).encode()).digest()
    return {**public, "use": "sig", "alg": "ES256", "kid": jwt.utils.base64url_encode(thumbprint).decode()}


def issue_access_token(key: ec.EllipticCurvePrivateKey, issuer: str, subject: str, real_now: datetime) -> str:
    issued_at = int(real_now.timestamp())
    claims = {
        "iss": issuer,
        "sub": subject,
        "aud": AUDIENCE,
        "iat": issued_at,
        "exp": issued_at + TOKEN_LIFE_S,
        "jti": str(uuid.uuid4()),
    }
    return jwt.encode(claims, key, algorithm="ES256", headers={"kid": public_jwk(key)["kid"]})
