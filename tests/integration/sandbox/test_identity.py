"""Signing in as a persona, and tokens that an independent library verifies."""

import base64
import hashlib
import re
import secrets
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import jwt
import pytest

from tests.integration.sandbox.stage import ShopSide

CLIENT, RETURN_TO = "groupbuy-web", "http://127.0.0.1:8000/login/return"


@pytest.fixture
def verifier() -> str:
    return secrets.token_urlsafe(48)


def ask(verifier: str, **changes: str) -> dict[str, str]:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": RETURN_TO,
        "state": "a state & more",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **changes,
    }


def sign_in(http: httpx.Client, verifier: str, persona: str = "buyer-an") -> dict[str, str]:
    """What the browser brings back to the shop after the button of a persona."""
    answer = http.post("/oauth/authorize", data={**ask(verifier), "persona": persona})
    assert answer.status_code == 303, answer.text
    target = urlsplit(answer.headers["location"])
    assert f"{target.scheme}://{target.netloc}{target.path}" == RETURN_TO
    return dict(parse_qsl(target.query))


def exchange(http: httpx.Client, code: str, verifier: str, **changes: str) -> httpx.Response:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": CLIENT,
        "redirect_uri": RETURN_TO,
        "code_verifier": verifier,
    }
    return http.post("/oauth/token", data={**form, **changes})


def refresh(http: httpx.Client, token: str) -> httpx.Response:
    form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": CLIENT}
    return http.post("/oauth/token", data=form)


def verified(http: httpx.Client, token: str) -> dict[str, Any]:
    """The claims, found the way any relying party finds the keys."""
    configuration = http.get("/.well-known/openid-configuration").json()
    keys = jwt.PyJWKSet.from_dict(http.get(configuration["jwks_uri"]).json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=["ES256"], audience="groupbuy", issuer=configuration["issuer"])
    assert isinstance(claims, dict)
    return claims


def test_every_persona_has_a_button_that_leads_back_with_a_code(http: httpx.Client, verifier: str) -> None:
    picker = http.get("/oauth/authorize", params=ask(verifier)).text
    shown = re.findall(r'name="persona" value="([^"]+)"', picker)
    personas = http.get("/personas").json()
    assert shown == [persona["id"] for persona in personas]
    assert {persona["role"] for persona in personas} == {"buyer", "merchant", "clerk", "rider", "operator"}
    back = sign_in(http, verifier, "merchant-hotpot")
    assert back["state"] == "a state & more"
    tokens = exchange(http, back["code"], verifier).json()
    assert verified(http, tokens["access_token"])["sub"] == "merchant-hotpot"


def test_a_token_carries_subject_and_audience_and_nothing_personal(http: httpx.Client) -> None:
    answer = http.post("/_sim/tokens", json={"subject": "someone"}).json()
    claims = verified(http, answer["access_token"])
    assert set(claims) == {"iss", "sub", "aud", "iat", "exp", "jti"}
    assert claims["exp"] - claims["iat"] == answer["expires_in"] == 600


def test_a_code_works_once_for_its_own_verifier_client_and_address(http: httpx.Client, verifier: str) -> None:
    code = sign_in(http, verifier)["code"]
    assert exchange(http, code, verifier).status_code == 200
    assert exchange(http, code, verifier).json() == {"error": "invalid_grant"}
    for change in ({"code_verifier": "x" * 43}, {"client_id": "other"}, {"redirect_uri": "http://evil.example/"}):
        code = sign_in(http, verifier)["code"]
        assert exchange(http, code, verifier, **change).json() == {"error": "invalid_grant"}


def test_a_refresh_token_rotates_and_its_second_use_ends_the_session(http: httpx.Client, verifier: str) -> None:
    first = exchange(http, sign_in(http, verifier)["code"], verifier).json()["refresh_token"]
    second = refresh(http, first).json()
    assert verified(http, second["access_token"])["sub"] == "buyer-an"
    assert refresh(http, first).json() == {"error": "invalid_grant"}
    assert refresh(http, second["refresh_token"]).json() == {"error": "invalid_grant"}


def test_a_login_hint_spares_the_picker(http: httpx.Client, verifier: str) -> None:
    answer = http.get("/oauth/authorize", params=ask(verifier, login_hint="buyer-bo"))
    assert answer.status_code == 303
    assert "code=" in answer.headers["location"]


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": "javascript:alert(1)"},
        {"code_challenge": ""},
        {"code_challenge_method": "plain"},
        {"response_type": "token"},
        {"client_id": ""},
        {"code_challenge": "short", "login_hint": "buyer-an"},
    ],
)
def test_an_unsafe_sign_in_request_is_refused_without_a_redirect(
    http: httpx.Client, verifier: str, change: dict[str, str]
) -> None:
    answer = http.get("/oauth/authorize", params=ask(verifier, **change))
    assert answer.status_code == 400
    assert "location" not in answer.headers


def test_what_the_request_says_is_shown_as_text_only(http: httpx.Client, verifier: str) -> None:
    picker = http.get("/oauth/authorize", params=ask(verifier, state='"><script>1</script>'))
    assert "<script>" not in picker.text
    assert "script-src" not in picker.headers["content-security-policy"]
    assert picker.headers["content-security-policy"].startswith("default-src 'none'")


def test_tokens_live_in_real_time_whatever_the_clock_says(travelling: ShopSide) -> None:
    http = travelling.http
    before = verified(http, http.post("/_sim/tokens", json={"subject": "a"}).json()["access_token"])
    http.post("/clock/advance", json={"seconds": 3600}).raise_for_status()
    after = verified(http, http.post("/_sim/tokens", json={"subject": "a"}).json()["access_token"])
    assert after["iat"] - before["iat"] < 60
