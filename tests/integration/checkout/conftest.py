"""Checkout in this process on a real database, reachable by HTTP, and a real sandbox process to pay at."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from services.checkout.app import make
from services.checkout.settings import Settings
from services.checkout.use_cases import place_order as plain
from services.checkout.use_cases import placing
from services.checkout.use_cases.place_order import Placed, Wanted
from services.console.environment import seal_keys
from shared.alipay import AlipaySettings
from shared.clock import Clock
from shared.database import Transaction
from shared.errors import DomainError
from shared.service import create_app
from tests.integration.checkout.stage import Stage
from tests.integration.checkout.together import Tries
from tests.integration.sandbox.stage import SandboxProcess
from tests.support.environment import Environment
from tests.support.waiting import eventually


class TokensByName:
    """Stands in for the issuer: the token is the subject. That real tokens are verified is tested with the kernel."""

    async def subject(self, token: str) -> str:
        return token


@pytest.fixture(scope="session")
def checkout_settings(environment: Environment) -> Settings:
    """The service's settings in the shared environment."""
    local = environment.local
    keys = seal_keys(local.keys)
    return Settings(
        port=local.ports["checkout"],
        database_url=local.database_urls["checkout"],
        amqp_url=local.amqp_urls["checkout"],
        issuer="http://issuer.test",
        jwks_url="http://issuer.test/jwks.json",
        seal_keys={name: keys[name] for name in ("checkout", "dispatch", "phone")},
        alipay=AlipaySettings(
            gateway_url=f"{local.url('sandbox')}/alipay/gateway.do",
            app_private_key_file=local.keys / "app_private.pem",
            alipay_public_key_file=local.keys / "alipay_public.pem",
            notify_url=f"{local.url('checkout')}/alipay/notify",
            return_url=f"{local.url('web')}/orders",
            timeout_s=2.0,
        ),
    )


@pytest.fixture(scope="session")
def alipay_sandbox(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """The other side of every payment: a process with code of its own."""
    local = environment.local
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox"), local.keys, local.ports["sandbox"], {})
    process.start()
    yield process
    process.stop()


@pytest.fixture(scope="session")
async def served(checkout_settings: Settings) -> AsyncIterator[FastAPI]:
    """Checkout's HTTP on its port, so that the sandbox's notifies arrive; nothing runs in the background."""
    app = create_app(make(checkout_settings))
    app.state.tokens = TokensByName()
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=checkout_settings.port, lifespan="off", log_config=None)
    )
    serving = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await eventually(started, what="checkout's HTTP is up")
    yield app
    server.should_exit = True
    await serving


@pytest.fixture
async def stage(environment: Environment, served: FastAPI, checkout_settings: Settings) -> AsyncIterator[Stage]:
    """Handlers and HTTP on one database pool with a clock of its own; timers act when the test says so."""
    clock = Clock()
    world = make(checkout_settings).world
    served.state.world = world
    async with environment.database_of("checkout", clock, pool_size=20) as db:
        served.state.db = db
        url = f"http://127.0.0.1:{checkout_settings.port}"
        async with (
            httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as http,
            httpx.AsyncClient(base_url=environment.local.url("sandbox"), trust_env=False, timeout=30) as sandbox,
        ):
            yield Stage(db, clock, http, sandbox, world)


@pytest.fixture(params=["together", "alone"])
def both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Orders are placed in batches, or, since every batch fails, each by itself: nobody may see a difference."""

    async def broken(*_: object) -> None:
        raise RuntimeError("this batch fails")

    if request.param == "alone":
        monkeypatch.setattr(placing, "place_together", broken)
    return str(request.param)


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> Tries:
    """How many orders each batch was for; 0 stands for one that ran alone."""
    seen: Tries = []
    together, alone = placing.place_together, plain.place_order

    async def counted_together(
        tx: Transaction, seals: Any, within: Any, offers: Any, many: Sequence[Wanted]
    ) -> list[Placed | DomainError]:
        seen.append(len(many))
        return await together(tx, seals, within, offers, many)

    async def counted_alone(*arguments: Any) -> Placed:
        seen.append(0)
        return await alone(*arguments)

    monkeypatch.setattr(placing, "place_together", counted_together)
    monkeypatch.setattr(placing, "place_order", counted_alone)
    return seen
