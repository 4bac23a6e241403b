"""Wiring of the sandbox: the only file that knows all the others."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from pydantic import ValidationError

from services.sandbox import keys as key_files
from services.sandbox import routes
from services.sandbox.bounds import BodyLimit
from services.sandbox.domain.refusals import AlipayRefusal, SandboxRefusal
from services.sandbox.found import offered
from services.sandbox.gateways import ClockBroadcast, Postman
from services.sandbox.routes import (
    alipay_cashier,
    alipay_controls,
    alipay_gateway,
    carriers,
    clock,
    faults,
    identity,
    issuer,
    shell,
)
from services.sandbox.routes.carriers import Simulator
from services.sandbox.routes.pages import STATIC
from services.sandbox.routes.parsing import answer_malformed, answer_refusal
from services.sandbox.settings import SandboxSettings, Settings
from services.sandbox.store import identity as identity_store
from services.sandbox.store import outgoing, trades
from services.sandbox.use_cases import alipay_trades
from services.sandbox.use_cases.alipay_channel import AlipayChannel
from services.sandbox.use_cases.sender import Channel, Sender
from services.sandbox.world import World, build_world

_log = structlog.get_logger(__name__)
_SIMULATORS: dict[str, Simulator] = offered(routes, "SIMULATOR")
_TICK_S = 1.0
_WALK_TICK_S = 0.25
_LINK_LIFE = timedelta(days=2)
_MAX_BODY_BYTES = 256 * 1024


def build_app(settings: SandboxSettings, keys: key_files.Keys) -> FastAPI:
    """The whole sandbox as one ASGI application; its state file is opened here."""
    world = build_world(settings, keys)
    broadcast = _broadcast(world)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        postman = Postman(settings.delivery_timeout_s)
        loops: list[Coroutine[Any, Any, None]] = [
            Sender(world.db, _channels(world), postman, world.instant).run(),
            _keep_house(world),
            _walk_orders(world),
        ]
        if broadcast is not None:
            loops.append(broadcast.run())
        tasks = [_supervised(app, loop) for loop in loops]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await postman.close()
            world.db.close()

    # The framework's own documentation pages load scripts from a public CDN; the schema itself is served.
    app = FastAPI(title="Groupbuy sandbox", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.failed = False
    app.add_middleware(BodyLimit, max_bytes=_MAX_BODY_BYTES)
    app.add_exception_handler(SandboxRefusal, answer_refusal)
    app.add_exception_handler(AlipayRefusal, answer_refusal)
    app.add_exception_handler(RequestValidationError, answer_malformed)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    for router in (
        shell.build_router(world, _SIMULATORS),
        alipay_gateway.build_router(world),
        alipay_cashier.build_router(world),
        alipay_controls.build_router(world),
        identity.build_router(world),
        clock.build_router(world, broadcast),
        faults.build_router(world, {"alipay", "issuer", *_SIMULATORS}),
        carriers.build_router(world),
        *(simulator.build_router(world) for simulator in _SIMULATORS.values()),
        issuer.build_router(world),
    ):
        app.include_router(router)
    return app


def main() -> None:
    """`python -m services.sandbox` serves; `python -m services.sandbox keys DIR` makes missing keys and ends."""
    match sys.argv[1:]:
        case ["keys", directory]:
            for name in key_files.make_missing(Path(directory)):
                sys.stdout.write(f"{name}\n")
        case []:
            _serve()
        case _:
            sys.exit("usage: python -m services.sandbox [keys DIR]")


def _serve() -> None:
    try:
        settings = Settings()
        keys = key_files.read(settings.keys)
    except (ValidationError, OSError, ValueError, TypeError) as failure:
        sys.exit(f"The sandbox cannot start: {failure}\nKeys are made by: python -m services.sandbox keys DIR")
    _configure_logging(settings.log_level)
    app = build_app(settings, keys)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=10,
        server_header=False,
    )
    _log.info("sandbox_starting", address=f"http://{settings.host}:{settings.port}", issuer=settings.public_url)
    # uvicorn hands the signal on when it has stopped: an asked-for stop is a success.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1 if app.state.failed else 0))
    uvicorn.Server(config).run()


def _broadcast(world: World) -> ClockBroadcast | None:
    url = world.settings.amqp_url
    if url is None:
        return None
    return ClockBroadcast(url.get_secret_value(), lambda: world.offset_s, world.settings.clock_confirm_timeout_s)


def _channels(world: World) -> dict[str, Channel]:
    settings = world.settings
    return {
        "alipay": AlipayChannel(world.keys.alipay_private, settings.alipay_notify_intervals_s),
        **{carrier: simulator.build_channel(settings) for carrier, simulator in _SIMULATORS.items()},
    }


async def _keep_house(world: World) -> None:
    """What time alone does: close and finish trades, forget what is old."""
    while True:
        at = world.instant()
        with world.db.transaction() as tx:
            alipay_trades.age_overdue(tx, world.terms, at)
            trades.purge_links(tx, at.real - _LINK_LIFE)
            for simulator in _SIMULATORS.values():
                simulator.purge(tx, at)
            identity_store.purge_expired(tx, at.real)
            outgoing.purge_finished(tx, world.settings.keep_finished)
        await asyncio.sleep(_TICK_S)


async def _walk_orders(world: World) -> None:
    """Orders of carriers that walk by themselves take their next step."""
    while True:
        at = world.instant()
        with world.db.transaction() as tx:
            step = carriers.walk_step(tx, world.settings) or timedelta(seconds=world.settings.carriers_step_s)
            for simulator in _SIMULATORS.values():
                simulator.walk(world, tx, at, step)
        await asyncio.sleep(_WALK_TICK_S)


def _supervised(app: FastAPI, loop: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """A loop that ends by itself takes the process down: a half-working outside world would mislead everybody."""

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            _log.critical("background_loop_ended", error=repr(task.exception()))
            app.state.failed = True
            os.kill(os.getpid(), signal.SIGTERM)

    task = asyncio.create_task(loop)
    task.add_done_callback(ended)
    return task


def _configure_logging(level: str) -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format='{"level": "%(levelname)s", "event": "%(message)s"}'
    )
