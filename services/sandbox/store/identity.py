"""SQL of sign-ins: authorization codes and rotating refresh tokens, both kept only as hashes."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from services.sandbox.domain.times import from_ms, to_ms


@dataclass(frozen=True, slots=True)
class Code:
    client_id: str
    redirect_uri: str
    challenge: str
    subject: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class RefreshToken:
    family: str
    client_id: str
    subject: str
    used: bool
    expires_at: datetime


def add_code(tx: sqlite3.Connection, code_hash: str, code: Code) -> None:
    tx.execute(
        "INSERT INTO auth_codes (code_hash, client_id, redirect_uri, challenge, subject, expires_ms) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (code_hash, code.client_id, code.redirect_uri, code.challenge, code.subject, to_ms(code.expires_at)),
    )


def take_code(tx: sqlite3.Connection, code_hash: str) -> Code | None:
    """A code works once: taking it removes it."""
    row = tx.execute("DELETE FROM auth_codes WHERE code_hash = ? RETURNING *", (code_hash,)).fetchone()
    if row is None:
        return None
    return Code(row["client_id"], row["redirect_uri"], row["challenge"], row["subject"], from_ms(row["expires_ms"]))


def add_refresh_token(tx: sqlite3.Connection, token_hash: str, token: RefreshToken) -> None:
    tx.execute(
        "INSERT INTO refresh_tokens (token_hash, family, client_id, subject, expires_ms) VALUES (?, ?, ?, ?, ?)",
        (token_hash, token.family, token.client_id, token.subject, to_ms(token.expires_at)),
    )


def find_refresh_token(tx: sqlite3.Connection, token_hash: str) -> RefreshToken | None:
    row = tx.execute("SELECT * FROM refresh_tokens WHERE token_hash = ?", (token_hash,)).fetchone()
    if row is None:
        return None
    return RefreshToken(row["family"], row["client_id"], row["subject"], bool(row["used"]), from_ms(row["expires_ms"]))


def mark_used(tx: sqlite3.Connection, token_hash: str) -> None:
    tx.execute("UPDATE refresh_tokens SET used = 1 WHERE token_hash = ?", (token_hash,))


def revoke_family(tx: sqlite3.Connection, family: str) -> None:
    """Forget every token that came from one sign-in."""
    tx.execute("DELETE FROM refresh_tokens WHERE family = ?", (family,))


def purge_expired(tx: sqlite3.Connection, real_now: datetime) -> None:
    tx.execute("DELETE FROM auth_codes WHERE expires_ms < ?", (to_ms(real_now),))
    tx.execute("DELETE FROM refresh_tokens WHERE expires_ms < ?", (to_ms(real_now),))
