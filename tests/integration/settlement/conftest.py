"""Settlement in this process, on the shared environment's real database, paying by a rail that tests script."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from services.settlement.app import make
from services.settlement.gateways import World
from services.settlement.settings import Settings
from shared.alipay import AlipaySettings
from shared.clock import Clock
from shared.contracts.catalog import Rail
from shared.service import create_app
from tests.integration.settlement.stage import ScriptedRail, Stage
from tests.support.environment import Environment


class TokensByName:
    """Stands in for the issuer: the token is the subject. That real tokens are verified is tested with the kernel."""

    async def subject(self, token: str) -> str:
        return token


@pytest.fixture(scope="session")
def settlement_settings(environment: Environment) -> Settings:
    """The service's settings in the shared environment."""
    local = environment.local
    return Settings(
        port=local.ports["settlement"],
        database_url=local.database_urls["settlement"],
        amqp_url=local.amqp_urls["settlement"],
        issuer="http://issuer.test",
        jwks_url="http://issuer.test/jwks.json",
        alipay=AlipaySettings(
            app_private_key_file=local.keys / "app_private.pem",
            alipay_public_key_file=local.keys / "alipay_public.pem",
        ),
    )


@pytest.fixture
async def stage(environment: Environment, settlement_settings: Settings) -> AsyncIterator[Stage]:
    """Handlers and HTTP on one database pool with a clock of its own; nothing runs in the background."""
    service = make(settlement_settings)
    rail = ScriptedRail()
    world = World(terms=service.world.terms, rails={Rail.ZHIFUTONG: rail})
    app = create_app(replace(service, world=world))
    app.state.tokens = TokensByName()
    clock = Clock()
    async with environment.database_of("settlement", clock, pool_size=20) as db:
        app.state.db = db
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://settlement.test") as http:
            yield Stage(db, http, world, rail, clock, app)
