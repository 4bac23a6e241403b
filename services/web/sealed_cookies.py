"""Cookies that only this service can read or make, and the session kept in one."""

import json
import secrets
from dataclasses import asdict, dataclass
from typing import Any

from services.web.gateways.identity import Tokens
from services.web.settings import SEAL_RECIPIENT, Settings
from shared.sealed import CannotOpen, Seals


class CookieSeals:
    """Seals small facts into a cookie's value (AES-256-GCM)."""

    def __init__(self, settings: Settings) -> None:
        self._seals = Seals(settings.seal_keys)

    def seal(self, facts: dict[str, Any]) -> str:
        return self._seals.seal(SEAL_RECIPIENT, json.dumps(facts, ensure_ascii=False, separators=(",", ":")))

    def open(self, sealed: str | None) -> dict[str, Any] | None:
        """What was sealed, or None for anything else."""
        if not sealed:
            return None
        try:
            facts = json.loads(self._seals.open(sealed))
        except (CannotOpen, ValueError):
            return None
        return facts if isinstance(facts, dict) else None


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who signed in. It lives sealed in one cookie of theirs, and nowhere else."""

    subject: str
    name: str
    access_token: str
    refresh_token: str | None
    expires_at: int
    csrf: str

    @classmethod
    def of(cls, tokens: Tokens, csrf: str | None = None) -> "Session":
        return cls(
            subject=tokens.subject,
            name=tokens.name,
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token,
            expires_at=tokens.expires_at,
            csrf=csrf or secrets.token_urlsafe(24),
        )

    @classmethod
    def unsealed(cls, facts: dict[str, Any] | None) -> "Session | None":
        """The session in an opened cookie; None if it is none, or of an older shape."""
        try:
            return cls(**facts) if facts else None
        except TypeError:
            return None

    def facts(self) -> dict[str, Any]:
        return asdict(self)
