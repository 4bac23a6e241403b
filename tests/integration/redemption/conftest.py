"""Redemption in this process, on the shared environment's real database; identity is whatever the token says."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.console.environment import seal_keys
from services.redemption.app import make
from services.redemption.settings import Settings
from services.redemption.use_cases import issuing
from shared.clock import Clock
from shared.service import create_app
from tests.integration.redemption.stage import Stage
from tests.integration.redemption.third_party import Deal, Simulator, deal_of, name_issuer, simulate
from tests.support.environment import Environment


class TokensByName:
    """Stands in for the issuer: the token is the subject. That real tokens are verified is tested with the kernel."""

    async def subject(self, token: str) -> str:
        return token


@pytest.fixture(scope="session")
def settings(environment: Environment) -> Settings:
    """The service's settings in the shared environment."""
    local = environment.local
    return Settings(
        port=local.ports["redemption"],
        database_url=local.database_urls["redemption"],
        amqp_url=local.amqp_urls["redemption"],
        issuer="http://issuer.test",
        jwks_url="http://issuer.test/jwks.json",
        seal_keys={name: seal_keys(local.keys)[name] for name in ("phone", "redemption")},
    )


@pytest.fixture
async def stage(environment: Environment, settings: Settings) -> AsyncIterator[Stage]:
    """Handlers and HTTP on one database pool with a clock of its own; nothing runs in the background."""
    service = make(settings)
    app = create_app(service)
    app.state.tokens = TokensByName()
    clock = Clock()
    async with environment.database_of("redemption", clock, pool_size=20) as db:
        app.state.db = db
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://redemption.test") as http:
            yield Stage(db, http, service.world, clock, app)


@pytest.fixture
async def issuer(stage: Stage, tmp_path: Path) -> AsyncIterator[Simulator]:
    """The sandbox's issuer, called by this stage's redemption."""
    simulator = simulate(stage, tmp_path)
    async with stage.db.transaction() as tx:
        # What other tests left to be asked is none of this issuer's.
        await tx.execute("delete from timers where kind in ($1, $2)", issuing.ASK_ISSUER, issuing.VOID_AT_ISSUER)
    async with simulator.http:
        yield simulator


@pytest.fixture
async def deal(stage: Stage, issuer: Simulator) -> Deal:
    """A deal whose merchant has an issuer."""
    deal = await deal_of(stage)
    assert (await name_issuer(deal, f"http://127.0.0.1:9/issuer/{issuer.name}")).status_code == 200
    return deal
