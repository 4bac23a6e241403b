"""Signing in: a code for a persona, tokens for a code, new tokens for an old refresh token."""

import hashlib
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.sandbox.domain.identity import CODE_LIFE_S, REFRESH_LIFE_S, is_challenge, proves
from services.sandbox.domain.refusals import SandboxRefusal
from services.sandbox.store import identity
from services.sandbox.store.identity import Code, RefreshToken


@dataclass(frozen=True, slots=True)
class Grant:
    """Whom a token request was granted to, and the next refresh token."""

    subject: str
    refresh_token: str


def grant_code(
    tx: sqlite3.Connection, *, client_id: str, redirect_uri: str, challenge: str, subject: str, real_now: datetime
) -> str:
    """An authorization code that works once within a minute."""
    if not is_challenge(challenge):
        raise SandboxRefusal(400, "invalid_request", "缺少 PKCE 参数", "A PKCE S256 code_challenge is required.")
    code = secrets.token_urlsafe(32)
    expires_at = real_now + timedelta(seconds=CODE_LIFE_S)
    identity.add_code(tx, _hash(code), Code(client_id, redirect_uri, challenge, subject, expires_at))
    return code


def redeem_code(
    tx: sqlite3.Connection, *, code: str, client_id: str, redirect_uri: str, verifier: str, real_now: datetime
) -> Grant | None:
    """Tokens for a code and its proof; None when anything does not belong together. The code is used up either way."""
    kept = identity.take_code(tx, _hash(code))
    if kept is None or kept.expires_at < real_now:
        return None
    if (kept.client_id, kept.redirect_uri) != (client_id, redirect_uri) or not proves(verifier, kept.challenge):
        return None
    return _grant(tx, secrets.token_hex(16), client_id, kept.subject, real_now)


def refresh(tx: sqlite3.Connection, *, token: str, client_id: str, real_now: datetime) -> Grant | None:
    """Rotate a refresh token; one that was used before revokes its whole family (RFC 9700 §4.14.2)."""
    kept = identity.find_refresh_token(tx, _hash(token))
    if kept is None or kept.client_id != client_id:
        return None
    if kept.used or kept.expires_at < real_now:
        identity.revoke_family(tx, kept.family)
        return None
    identity.mark_used(tx, _hash(token))
    return _grant(tx, kept.family, client_id, kept.subject, real_now)


def _grant(tx: sqlite3.Connection, family: str, client_id: str, subject: str, real_now: datetime) -> Grant:
    token = secrets.token_urlsafe(32)
    expires_at = real_now + timedelta(seconds=REFRESH_LIFE_S)
    identity.add_refresh_token(tx, _hash(token), RefreshToken(family, client_id, subject, False, expires_at))
    return Grant(subject, token)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
