"""Signing in at the OpenID provider (code flow with PKCE), and out."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from services.web.problems import Problem
from services.web.rendering import page
from services.web.sealed_cookies import Session
from services.web.texts import Speech
from services.web.visits import Signed, Visit, Visitor, end_session, keep_session
from services.web.world import Outside

router = APIRouter(include_in_schema=False)

_ATTEMPT = "signing_in"
_ATTEMPT_S = 600


def inside(address: str) -> str:
    """A place on these pages; anything that could lead a browser elsewhere becomes the front page."""
    plain = address.startswith("/") and not address.startswith(("//", "/\\")) and "\\" not in address
    return address if plain and address.isprintable() and len(address) <= 500 else "/"


@router.get("/login")
async def sign_in(
    visit: Visitor,
    world: Outside,
    next_page: Annotated[str, Query(alias="next", max_length=500)] = "/",
    hint: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """Go to the provider; the secrets of this attempt wait in a sealed cookie."""
    state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    visit.set_cookie(
        _ATTEMPT,
        world.seals.seal({"state": state, "verifier": verifier, "next": inside(next_page)}),
        _ATTEMPT_S,
    )
    redirect_uri = f"{world.settings.public_url}/login/callback"
    return RedirectResponse(await world.services.issuer.sign_in_url(state, verifier, redirect_uri, hint), 303)


@router.get("/login/callback")
async def come_back(
    request: Request,
    visit: Visitor,
    world: Outside,
    code: Annotated[str, Query(max_length=2000)] = "",
    state: Annotated[str, Query(max_length=200)] = "",
    iss: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """Back from the provider: the attempt must be ours, then the code is worth tokens."""
    attempt = world.seals.open(request.cookies.get(_ATTEMPT))
    visit.drop_cookie(_ATTEMPT)
    ours = attempt is not None and secrets.compare_digest(str(attempt.get("state", "")).encode(), state.encode())
    # RFC 9207: an answer that names another issuer is somebody else's.
    if attempt is None or not ours or not code or iss not in {None, world.settings.issuer}:
        return _failed(request, visit)
    redirect_uri = f"{world.settings.public_url}/login/callback"
    tokens = await world.services.issuer.redeem(code, str(attempt["verifier"]), redirect_uri)
    if tokens is None:
        return _failed(request, visit)
    keep_session(visit, Session.of(tokens), world.seals)
    return RedirectResponse(inside(str(attempt["next"])), status_code=303)


@router.post("/logout")
async def sign_out(visit: Signed) -> Response:
    """Forget the visitor."""
    end_session(visit)
    return RedirectResponse("/", status_code=303)


def _failed(request: Request, visit: Visit) -> Response:
    t = Speech(visit.language)
    problem = Problem(t("error.sign_in_failed"), t("error.sign_in_failed_hint"))
    facts = {"title": problem.title, "hint": problem.hint, "code": "sign_in_failed", "trace": "", "mood": "warn"}
    return page(request, "error.html", facts, status=400, sign_in="/login", retry=None, retry_word="again")
