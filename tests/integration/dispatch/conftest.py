"""Dispatch in this process on a real database, reachable by HTTP for webhooks, and a real sandbox with carriers."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from services.console.environment import seal_keys
from services.console.local.ports import free_port
from services.dispatch.app import make
from services.dispatch.gateways.dada import Dada
from services.dispatch.gateways.ishansong import Ishansong
from services.dispatch.gateways.kuaidi100 import Kuaidi100
from services.dispatch.settings import DispatchSettings, Settings
from shared.clock import Clock
from shared.service import create_app
from tests.integration.dispatch.stage import Stage, TokensByName
from tests.integration.sandbox.stage import SandboxProcess
from tests.support.environment import Environment
from tests.support.waiting import eventually


@pytest.fixture(scope="session")
def carriers(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """The other side of every delivery: a process with code of its own."""
    process = SandboxProcess(tmp_path_factory.mktemp("carriers"), environment.local.keys, free_port(), {})
    process.start()
    yield process
    process.stop()


@pytest.fixture(scope="session")
def dispatch_settings(environment: Environment, carriers: SandboxProcess) -> DispatchSettings:
    """The service's settings in the shared environment; carriers that hang are given up on after a second."""
    local = environment.local
    port = free_port()
    return Settings(
        port=port,
        database_url=local.database_urls["dispatch"],
        amqp_url=local.amqp_urls["dispatch"],
        issuer="http://issuer.test",
        jwks_url="http://issuer.test/jwks.json",
        seal_keys={"dispatch": seal_keys(local.keys)["dispatch"]},
        callback_base_url=f"http://127.0.0.1:{port}",
        breaker_threshold=100,
        dada=Dada(base_url=f"{carriers.url}/dada", timeout_s=1, calls_per_s=1000),
        ishansong=Ishansong(base_url=f"{carriers.url}/ishansong", timeout_s=1, calls_per_s=1000),
        kuaidi100=Kuaidi100(order_url=f"{carriers.url}/kuaidi100/order/borderapi.do", timeout_s=1, calls_per_s=1000),
    )


@pytest.fixture(scope="session")
async def served(dispatch_settings: DispatchSettings) -> AsyncIterator[FastAPI]:
    """Dispatch's HTTP on its port, so that webhooks arrive; nothing runs in the background."""
    app = create_app(make(dispatch_settings))
    app.state.tokens = TokensByName()
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=dispatch_settings.port, lifespan="off", log_config=None)
    )
    serving = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await eventually(started, what="dispatch's HTTP is up")
    yield app
    server.should_exit = True
    await serving


@pytest.fixture
async def stage(
    environment: Environment, served: FastAPI, dispatch_settings: DispatchSettings, carriers: SandboxProcess
) -> AsyncIterator[Stage]:
    """Handlers and HTTP on one database pool with a clock of its own; timers act when the test says so."""
    clock = Clock()
    service = make(dispatch_settings)
    served.state.world = service.world
    async with environment.database_of("dispatch", clock, pool_size=20) as db:
        served.state.db = db
        # What earlier tests left to be done would use up the faults that this one scripts.
        async with db.transaction() as tx:
            await tx.execute("delete from timers")
            await tx.execute("delete from carrier_accounts")
            await tx.execute("delete from scorecard")
        async with (
            httpx.AsyncClient(base_url=dispatch_settings.callback_base_url, trust_env=False, timeout=30) as http,
            httpx.AsyncClient(base_url=carriers.url, trust_env=False, timeout=30) as sandbox,
        ):
            callbacks = f"{dispatch_settings.callback_base_url}/webhooks/ishansong/ishansong-callback"
            (await sandbox.put("/_sim/ishansong/console", json={"callback_url": callbacks})).raise_for_status()
            yield Stage(db, http, sandbox, service.world, service.handlers, clock)
            for provider in ("dada", "ishansong", "kuaidi100"):
                await sandbox.delete(f"/_sim/faults/{provider}")
