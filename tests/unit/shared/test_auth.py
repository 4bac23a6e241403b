"""A token says who is calling, and only a token that holds in every respect does."""

import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from shared.auth import Tokens
from shared.errors import Unauthenticated, Unavailable

ISSUER = "http://issuer"
KEY = ec.generate_private_key(ec.SECP256R1())
STRANGER = ec.generate_private_key(ec.SECP256R1())


def token(
    key: Any = KEY, algorithm: str = "ES256", kid: str = "k1", issued: int = 0, expires: int = 600, **changed: Any
) -> str:
    now = int(time.time())
    moments = {"iat": now + issued, "exp": now + expires}
    claims = {"iss": ISSUER, "aud": "groupbuy", "sub": "buyer-an", **moments, **changed}
    return jwt.encode(
        {name: value for name, value in claims.items() if value is not None}, key, algorithm, headers={"kid": kid}
    )


class Issuer:
    """An issuer that counts how often it is asked for its keys."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_up = True

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if not self.is_up:
            return httpx.Response(500)
        jwk = {**ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True), "kid": "k1", "alg": "ES256", "use": "sig"}
        return httpx.Response(200, json={"keys": [jwk]})


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
async def tokens(issuer: Issuer) -> AsyncIterator[Tokens]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(issuer.answer)) as http:
        yield Tokens(ISSUER, f"{ISSUER}/jwks", http)


async def test_a_valid_token_names_its_subject_and_keys_are_fetched_once(tokens: Tokens, issuer: Issuer) -> None:
    assert [await tokens.subject(token()) for _ in range(3)] == ["buyer-an"] * 3
    assert issuer.asked == 1


# Moments are seconds from the time of the test, not of its import.
WRONG: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "http://elsewhere"},
    "another audience": {"aud": "another-system"},
    "expired": {"issued": -1200, "expires": -600},
    "longer than ten minutes": {"expires": 3600},
    "issued in the future": {"issued": 300},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "no expiry": {"exp": None},
    "no moment of issue": {"iat": None},
    "a stranger's signature": {"key": STRANGER},
    "an unknown key": {"kid": "k2"},
}


@pytest.mark.parametrize("what", WRONG)
async def test_any_other_token_is_refused(tokens: Tokens, what: str) -> None:
    with pytest.raises(Unauthenticated):
        await tokens.subject(token(**WRONG[what]))


async def test_the_algorithm_is_pinned(tokens: Tokens) -> None:
    for unsafe in (token("a shared secret that is long enough to be one", "HS256"), token(None, "none"), "not a token"):
        with pytest.raises(Unauthenticated):
            await tokens.subject(unsafe)


async def test_unknown_keys_do_not_make_us_ask_without_end(tokens: Tokens, issuer: Issuer) -> None:
    for number in range(20):
        with pytest.raises(Unauthenticated):
            await tokens.subject(token(kid=f"made-up-{number}"))
    assert issuer.asked == 1


async def test_an_issuer_that_is_away_is_an_outage_and_no_refusal(tokens: Tokens, issuer: Issuer) -> None:
    issuer.is_up = False
    with pytest.raises(Unavailable):
        await tokens.subject(token())
    issuer.is_up = True
    assert await tokens.subject(token()) == "buyer-an"
