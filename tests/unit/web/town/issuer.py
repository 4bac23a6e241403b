"""The town's OpenID provider: everybody who is named gets in."""

import base64
import json
import time
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from tests.unit.web.town.state import Town


def token_for(subject: str, life_s: int = 600) -> str:
    """A token that only looks like one: the pages read it, they do not judge it."""
    now = int(time.time())
    parts = [{"alg": "none"}, {"sub": subject, "iat": now, "exp": now + life_s}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "signature"])


def add_issuer(app: FastAPI, town: Town, issuer: str) -> None:
    @app.get("/.well-known/openid-configuration")
    async def discovery() -> Any:
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/oauth/authorize",
            "token_endpoint": f"{issuer}/oauth/token",
        }

    @app.get("/oauth/authorize")
    async def authorize(redirect_uri: str, state: str, login_hint: str = "buyer-an") -> Response:
        answer = {"code": f"code-of-{login_hint}", "state": state, "iss": issuer}
        return RedirectResponse(f"{redirect_uri}?{urlencode(answer)}", status_code=303)

    @app.post("/oauth/token")
    async def tokens(request: Request) -> Any:
        form = await request.form()
        if form["grant_type"] == "refresh_token":
            town.refreshes += 1
            subject = str(form["refresh_token"]).split(".")[1]
        else:
            subject = str(form["code"]).removeprefix("code-of-")
        if subject == "nobody":
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        return {
            "access_token": token_for(subject),
            "token_type": "Bearer",
            "expires_in": 600,
            "refresh_token": f"refresh.{subject}.{town.refreshes}",
        }

    @app.get("/personas")
    async def personas() -> Any:
        return [
            {"id": "buyer-an", "name_zh": "阿May", "name_en": "May, a buyer", "role": "buyer", "subject": "buyer-an"}
        ]
