"""The identity issuer: discovery, keys, sign-in by persona, tokens."""

from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from services.sandbox.domain.identity import PERSONAS, ROLE_TITLES, TOKEN_LIFE_S, find_persona
from services.sandbox.domain.refusals import SandboxRefusal
from services.sandbox.domain.tokens import issue_access_token, public_jwk
from services.sandbox.routes.pages import error_page, page
from services.sandbox.routes.parsing import form_params
from services.sandbox.use_cases import identity
from services.sandbox.use_cases.identity import Grant
from services.sandbox.world import World

_CARRIED = ("response_type", "client_id", "redirect_uri", "state", "scope", "code_challenge", "code_challenge_method")


class PersonaView(BaseModel):
    id: str
    name_zh: str
    name_en: str
    role: str
    subject: str


class TokenRequest(BaseModel):
    """A token for any subject, without signing in: what tests and the command line use."""

    model_config = ConfigDict(extra="forbid")

    subject: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:@\-]{1,100}$")]


class TokenView(BaseModel):
    access_token: str
    expires_in: int


def build_router(world: World) -> APIRouter:
    router = APIRouter(tags=["identity"])
    issuer = world.settings.public_url

    @router.get("/.well-known/openid-configuration")
    async def discovery() -> dict[str, object]:
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/oauth/authorize",
            "token_endpoint": f"{issuer}/oauth/token",
            "jwks_uri": f"{issuer}/oauth/jwks.json",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "authorization_response_iss_parameter_supported": True,
        }

    @router.get("/oauth/jwks.json")
    async def keys() -> dict[str, list[dict[str, str]]]:
        return {"keys": [public_jwk(world.keys.identity_private)]}

    _add_sign_in(router, world)
    _add_tokens(router, world)

    @router.get("/personas")
    async def personas() -> list[PersonaView]:
        return [PersonaView(id=p.id, name_zh=p.name_zh, name_en=p.name_en, role=p.role, subject=p.id) for p in PERSONAS]

    @router.post("/_sim/tokens")
    async def token_for(body: TokenRequest) -> TokenView:
        token = issue_access_token(world.keys.identity_private, issuer, body.subject, world.instant().real)
        return TokenView(access_token=token, expires_in=TOKEN_LIFE_S)

    return router


def _add_sign_in(router: APIRouter, world: World) -> None:
    @router.get("/oauth/authorize", include_in_schema=False)
    async def choose_persona(request: Request) -> Response:
        params = await form_params(request)
        refused = _wrong_with(params)
        if refused:
            return error_page(refused, "invalid_request")
        hint = find_persona(params.get("login_hint", ""))
        if hint is not None:
            return _with_code(world, params, hint.id)
        groups = [(title, [p for p in PERSONAS if p.role in roles]) for title, roles in ROLE_TITLES]
        carried = {name: params[name] for name in _CARRIED if name in params}
        return page("personas.html", {"request": carried, "groups": groups}, form_targets=params["redirect_uri"])

    @router.post("/oauth/authorize", include_in_schema=False)
    async def take_persona(request: Request) -> Response:
        params = await form_params(request)
        persona = find_persona(params.get("persona", ""))
        refused = _wrong_with(params) or ("" if persona else "没有这个身份")
        if refused or persona is None:
            return error_page(refused, "invalid_request")
        return _with_code(world, params, persona.id)


def _add_tokens(router: APIRouter, world: World) -> None:
    @router.post("/oauth/token", include_in_schema=False)
    async def exchange(request: Request) -> Response:
        params = await form_params(request)
        with world.db.transaction() as tx:
            real_now = world.instant().real
            if params.get("grant_type") == "authorization_code":
                grant = identity.redeem_code(
                    tx,
                    code=params.get("code", ""),
                    client_id=params.get("client_id", ""),
                    redirect_uri=params.get("redirect_uri", ""),
                    verifier=params.get("code_verifier", ""),
                    real_now=real_now,
                )
            elif params.get("grant_type") == "refresh_token":
                token, client_id = params.get("refresh_token", ""), params.get("client_id", "")
                grant = identity.refresh(tx, token=token, client_id=client_id, real_now=real_now)
            else:
                return _oauth_error("unsupported_grant_type")
        return _tokens(world, grant) if grant else _oauth_error("invalid_grant")


def _wrong_with(params: dict[str, str]) -> str:
    """What keeps this authorization request from being served, in Chinese; empty if nothing does."""
    target = urlsplit(params.get("redirect_uri", ""))
    if target.scheme not in ("http", "https") or not target.hostname or target.fragment:
        return "redirect_uri 无效"
    if params.get("response_type") != "code":
        return "只支持 response_type=code"
    if params.get("code_challenge_method") != "S256" or not params.get("code_challenge"):
        return "需要 PKCE（S256）"
    if not params.get("client_id"):
        return "缺少 client_id"
    return ""


def _with_code(world: World, params: dict[str, str], subject: str) -> Response:
    redirect_uri = params["redirect_uri"]
    try:
        with world.db.transaction() as tx:
            code = identity.grant_code(
                tx,
                client_id=params["client_id"],
                redirect_uri=redirect_uri,
                challenge=params["code_challenge"],
                subject=subject,
                real_now=world.instant().real,
            )
    except SandboxRefusal as refusal:
        return error_page(refusal.zh, refusal.code)
    answer = {"code": code, "state": params.get("state", ""), "iss": world.settings.public_url}
    return RedirectResponse(f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(answer)}", status_code=303)


def _tokens(world: World, grant: Grant) -> Response:
    real_now = world.instant().real
    token = issue_access_token(world.keys.identity_private, world.settings.public_url, grant.subject, real_now)
    return JSONResponse(
        {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": TOKEN_LIFE_S,
            "refresh_token": grant.refresh_token,
        },
        headers={"cache-control": "no-store"},
    )


def _oauth_error(code: str) -> Response:
    """RFC 6749 §5.2 fixes the shape of this answer."""
    return JSONResponse({"error": code}, status_code=400, headers={"cache-control": "no-store"})
