"""Settlement in this process, on the shared environment's real database, paying by a rail that tests script."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from services.console.local.ports import free_port
from services.settlement.app import make, make_world
from services.settlement.gateways import World
from services.settlement.settings import Settings
from shared.alipay import AlipaySettings
from shared.clock import Clock, start_of_day
from shared.contracts.catalog import Rail
from shared.service import create_app
from tests.integration.sandbox.stage import SandboxProcess
from tests.integration.settlement.channel import Channel
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


@pytest.fixture(scope="module")
def channel(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Channel]:
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox"), environment.local.keys, free_port(), {})
    process.start()
    yield Channel(process)
    process.stop()


@pytest.fixture
async def at_channel(stage: Stage, channel: Channel, settlement_settings: Settings) -> AsyncIterator[Stage]:
    """The stage with the real channel, at routes as well as at timers, on the channel's clock."""
    alipay = settlement_settings.alipay.model_copy(update={"gateway_url": f"{channel.process.url}/alipay/gateway.do"})
    async with httpx.AsyncClient(trust_env=False) as http:
        world = make_world(settlement_settings.model_copy(update={"alipay": alipay}), http)
        stage.app.state.world = world
        await _pass_all_bills(stage, channel)
        yield replace(stage, world=world)


async def _pass_all_bills(stage: Stage, channel: Channel) -> None:
    """Go to a day later than any whose bill the shared database has from another test's channel."""
    channel.lead(stage.clock)
    async with stage.db.transaction() as tx:
        last = await tx.value("select max(day) from (select day from bills union all select day from bill_gaps) d")
    if last is not None and last >= stage.today():
        moment = start_of_day(last + timedelta(days=1)) + timedelta(hours=12)
        channel.advance_clock((moment - stage.now()).total_seconds())
        channel.lead(stage.clock)
