"""The OpenID provider: authorization code flow with PKCE (RFC 7636), and rotating refresh tokens."""

import asyncio
import base64
import hashlib
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from pydantic import ValidationError

from services.web.gateways.service import Silent, View
from services.web.settings import Settings

_REMEMBER_S = 60


class Persona(View):
    """Somebody who can sign in to the sandbox without a password."""

    id: str
    name_zh: str
    name_en: str
    role: str


class _Granted(View):
    access_token: str
    refresh_token: str | None = None
    id_token: str | None = None
    expires_in: int = 300


@dataclass(frozen=True, slots=True)
class Tokens:
    subject: str
    name: str
    access_token: str
    refresh_token: str | None
    expires_at: int


class Issuer:
    """One OpenID provider, found by its discovery document."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient) -> None:
        self._settings = settings
        self._http = http
        self._endpoints: dict[str, Any] = {}
        self._refreshes: dict[str, tuple[float, asyncio.Task[Tokens | None]]] = {}

    async def sign_in_url(self, state: str, verifier: str, redirect_uri: str, hint: str | None) -> str:
        """Where the browser goes to sign in. Raises Silent while the provider cannot be asked."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        params = {
            "response_type": "code",
            "client_id": self._settings.oidc_client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid profile",
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **({"login_hint": hint} if hint else {}),
        }
        endpoint = str((await self._discover())["authorization_endpoint"])
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(params)}"

    async def redeem(self, code: str, verifier: str, redirect_uri: str) -> Tokens | None:
        """Tokens for an authorization code; None if the provider refuses it."""
        return await self._grant(
            {"grant_type": "authorization_code", "code": code, "code_verifier": verifier, "redirect_uri": redirect_uri}
        )

    async def refresh(self, refresh_token: str) -> Tokens | None:
        """New tokens for a refresh token; None if it no longer holds.

        A page and its fragments ask at the same moment with the same cookie, and a rotating token works once: the
        first request refreshes, the others get its answer."""
        now = time.monotonic()
        self._refreshes = {key: kept for key, kept in self._refreshes.items() if now - kept[0] < _REMEMBER_S}
        key = hashlib.sha256(refresh_token.encode()).hexdigest()
        if key not in self._refreshes:
            grant = self._grant({"grant_type": "refresh_token", "refresh_token": refresh_token})
            self._refreshes[key] = (now, asyncio.create_task(grant))
        try:
            return await asyncio.shield(self._refreshes[key][1])
        except Silent:
            self._refreshes.pop(key, None)
            raise

    async def personas(self) -> list[Persona]:
        """The sandbox's ready people. Raises Silent if the provider has none."""
        try:
            answer = await self._http.get(f"{self._reachable()}/personas")
            answer.raise_for_status()
            return [Persona.model_validate(one) for one in answer.json()]
        except (httpx.HTTPError, ValueError) as error:
            raise Silent("issuer") from error

    async def _grant(self, form: dict[str, str]) -> Tokens | None:
        form["client_id"] = self._settings.oidc_client_id
        if self._settings.oidc_client_secret is not None:
            form["client_secret"] = self._settings.oidc_client_secret.get_secret_value()
        endpoint = self._inward(str((await self._discover())["token_endpoint"]))
        try:
            answer = await self._http.post(endpoint, data=form)
        except httpx.HTTPError as error:
            raise Silent("issuer") from error
        if answer.status_code >= 500:
            raise Silent("issuer")
        if not answer.is_success:
            return None
        try:
            granted = _Granted.model_validate_json(answer.content)
            claims = {**_claims(granted.access_token), **(_claims(granted.id_token) if granted.id_token else {})}
            subject = str(claims["sub"])
        except (ValidationError, ValueError, KeyError) as error:
            raise Silent("issuer") from error
        return Tokens(
            subject=subject,
            name=str(claims.get("name") or claims.get("preferred_username") or subject),
            access_token=granted.access_token,
            refresh_token=granted.refresh_token or form.get("refresh_token"),
            expires_at=int(time.time()) + granted.expires_in,
        )

    async def _discover(self) -> dict[str, Any]:
        if not self._endpoints:
            try:
                answer = await self._http.get(f"{self._reachable()}/.well-known/openid-configuration")
                answer.raise_for_status()
                found = answer.json()
            except (httpx.HTTPError, ValueError) as error:
                raise Silent("issuer") from error
            if found.get("issuer") != self._settings.issuer:
                raise Silent("issuer")
            self._endpoints = found
        return self._endpoints

    def _reachable(self) -> str:
        return self._settings.issuer_backchannel_url or self._settings.issuer

    def _inward(self, endpoint: str) -> str:
        """An endpoint of the discovery document at the address where web can reach it."""
        if endpoint.startswith(self._settings.issuer):
            return self._reachable() + endpoint[len(self._settings.issuer) :]
        return endpoint


def _claims(token: str) -> dict[str, Any]:
    """The claims of a token that came straight from its issuer, for display only: the services verify it."""
    body = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims
