"""Catalog as it runs: HTTP, consumers, outbox and timers in this process, on real servers."""

from collections.abc import AsyncIterator

import httpx
import pytest

from services.catalog.app import make
from services.catalog.settings import Settings
from services.console.environment import seal_keys
from shared.errors import Unauthenticated
from shared.service import create_app
from tests.integration.catalog.shop import OPERATOR, Catalog
from tests.support.environment import Environment


class SubjectsAsTokens:
    """Takes the bearer text for the subject: what a token must look like is tested where tokens are verified."""

    async def subject(self, token: str) -> str:
        if token == "invalid":
            raise Unauthenticated
        return token


@pytest.fixture(scope="session")
async def catalog(environment: Environment) -> AsyncIterator[Catalog]:
    local = environment.local
    keys = seal_keys(local.keys)
    settings = Settings(
        port=local.ports["catalog"],
        database_url=local.database_urls["catalog"],
        amqp_url=local.amqp_urls["catalog"],
        issuer="https://issuer.example",
        jwks_url="https://issuer.example/jwks",
        seal_keys={name: keys[name] for name in ("catalog", "settlement")},
        first_operator=OPERATOR,
    )
    app = create_app(make(settings))
    async with app.router.lifespan_context(app):
        app.state.tokens = SubjectsAsTokens()
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://catalog") as client:
            yield Catalog(client, app.state.db)
