"""Who is looking, and in which language: one middleware reads it from cookies, and writes cookies and headers back."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.web.formats import Language
from services.web.gateways.identity import Issuer
from services.web.gateways.service import Asker, Silent
from services.web.sealed_cookies import CookieSeals, Session
from services.web.settings import Settings
from shared.errors import DomainError

SESSION, LANGUAGE = "session", "lang"
_SESSION_S, _LANGUAGE_S = 30 * 86_400, 365 * 86_400
_FRESH_S = 60
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_WITHOUT_VISITOR = ("/static/", "/livez", "/readyz", "/metrics")

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; connect-src 'self'; "
    "media-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# The scanner's decoder is WebAssembly; no other page may compile any.
SCAN_CONTENT_POLICY = CONTENT_POLICY.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'")
_HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(self), geolocation=(self), microphone=(), payment=()",
    "cross-origin-opener-policy": "same-origin",
}


OnBug = Callable[[Request, Exception], Response]


class SignInNeeded(Exception):
    """The page is only for somebody who has signed in."""


class Forged(DomainError):
    """A form that did not come from one of our own pages."""

    status = 403
    code = "form_not_ours"
    zh = "页面已过期，请返回后重试"
    en = "This page has expired; please go back and try again"


@dataclass(slots=True)
class Visit:
    """One request's visitor. Cookies that a route sets here leave with the answer."""

    language: Language
    session: Session | None
    address: str | None = None
    _outgoing: dict[str, tuple[str, int]] = field(default_factory=dict)

    @property
    def asker(self) -> Asker:
        return Asker(self.session.access_token if self.session else None, self.language, self.address)

    def set_cookie(self, name: str, value: str, max_age_s: int) -> None:
        self._outgoing[name] = (value, max_age_s)

    def drop_cookie(self, name: str) -> None:
        self._outgoing[name] = ("", 0)

    def outgoing(self, *, secure: bool) -> list[str]:
        """The Set-Cookie headers of the answer."""
        lines = []
        for name, (value, max_age_s) in self._outgoing.items():
            cookie = SimpleCookie()
            cookie[name] = value
            morsel = cookie[name]
            morsel["path"], morsel["max-age"], morsel["samesite"] = "/", str(max_age_s), "Lax"
            morsel["httponly"], morsel["secure"] = True, secure
            lines.append(cookie.output(header="").strip())
        return lines


class Visits:
    """Opens the session before a page is made, keeps its tokens fresh, and closes the answer with safe headers."""

    def __init__(self, app: ASGIApp, settings: Settings, seals: CookieSeals, issuer: Issuer, on_bug: OnBug) -> None:
        self._app = app
        self._settings = settings
        self._seals = seals
        self._issuer = issuer
        self._on_bug = on_bug

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_WITHOUT_VISITOR):
            await self._app(scope, receive, send)
            return
        visit = await self._arrive(Request(scope))
        scope.setdefault("state", {})["visit"] = visit

        started = False

        async def closed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._close(MutableHeaders(scope=message), visit)
            await send(message)

        try:
            await self._app(scope, receive, closed)
        except Exception as error:
            # The shared edge around us would answer a bug as JSON, and people read pages.
            if started:
                raise
            await self._on_bug(Request(scope), error)(scope, receive, closed)

    async def _arrive(self, request: Request) -> Visit:
        chosen = request.query_params.get("lang")
        visit = Visit(
            _language(request, chosen),
            Session.unsealed(self._seals.open(request.cookies.get(SESSION))),
            request.client.host if request.client else None,
        )
        if chosen in {"zh", "en"}:
            visit.set_cookie(LANGUAGE, chosen, _LANGUAGE_S)
        if visit.session and visit.session.expires_at - time.time() < _FRESH_S:
            await self._refresh(visit, visit.session)
        return visit

    async def _refresh(self, visit: Visit, session: Session) -> None:
        try:
            tokens = await self._issuer.refresh(session.refresh_token) if session.refresh_token else None
        except Silent:
            # The old token may still hold; if not, the services say so.
            return
        if tokens is None:
            end_session(visit)
        else:
            keep_session(visit, Session.of(tokens, session.csrf), self._seals)

    def _close(self, headers: MutableHeaders, visit: Visit) -> None:
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)
        headers.setdefault("cache-control", "no-store" if visit.session else "private, no-cache")
        headers.setdefault("vary", "Cookie, Accept-Language, HX-Request")
        if self._settings.secure:
            headers.setdefault("strict-transport-security", "max-age=31536000")
        for line in visit.outgoing(secure=self._settings.secure):
            headers.append("set-cookie", line)


def keep_session(visit: Visit, session: Session, seals: CookieSeals) -> None:
    """Sign the visitor in, or keep them in with new tokens."""
    visit.session = session
    visit.set_cookie(SESSION, seals.seal(session.facts()), _SESSION_S)


def end_session(visit: Visit) -> None:
    """Sign the visitor out."""
    visit.session = None
    visit.drop_cookie(SESSION)


def _language(request: Request, chosen: str | None) -> Language:
    """`?lang`, then the cookie, then the browser's own; Chinese for everybody else."""
    wanted = chosen or request.cookies.get(LANGUAGE) or ""
    if wanted not in {"zh", "en"}:
        accepted = request.headers.get("accept-language", "").lower()
        wanted = next((tag[:2] for tag in accepted.split(",") if tag.strip()[:2] in {"zh", "en"}), "zh").strip()
    return "en" if wanted == "en" else "zh"


def visit_of(request: Request) -> Visit:
    """The visitor of a request; a stranger where no page was meant (an unknown static file, say)."""
    visit: Visit | None = getattr(request.state, "visit", None)
    return visit or Visit(_language(request, None), None)


def _signed_in(request: Request) -> Visit:
    visit = visit_of(request)
    if visit.session is None:
        raise SignInNeeded
    return visit


async def refuse_forgeries(request: Request) -> None:
    """Let a changing request pass only with our own origin and the session's token. Raises Forged."""
    if request.method in _SAFE_METHODS:
        return
    settings: Settings = request.app.state.settings
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc not in {request.headers.get("host", ""), settings.public_host}:
        raise Forged
    session = visit_of(request).session
    if session is None:
        raise SignInNeeded
    sent = request.headers.get("x-csrf-token")
    if sent is None:
        field_value = (await request.form()).get("csrf", "")
        sent = field_value if isinstance(field_value, str) else ""
    if not secrets.compare_digest(sent.encode(), session.csrf.encode()):
        raise Forged


Visitor = Annotated[Visit, Depends(visit_of)]
"""Whoever is looking."""

Signed = Annotated[Visit, Depends(_signed_in)]
"""Somebody who has signed in; anybody else is asked to."""
