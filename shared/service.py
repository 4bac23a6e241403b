"""The shell of a service: HTTP, consumers, outbox sender and timers in one process, started and stopped together."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

import httpx
import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from faststream.rabbit import RabbitBroker
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared import database
from shared.auth import Tokens
from shared.clock import Clock
from shared.database import Database
from shared.errors import Unavailable
from shared.http import Edge, add_problems
from shared.messaging import admin, consuming, copies, housekeeping, replay_admin
from shared.messaging.clock import ClockFollower
from shared.messaging.copies import Copies
from shared.messaging.handlers import Handlers, Shell
from shared.messaging.outbox import BROKER_AWAY, OutboxSender
from shared.messaging.replay import ADVANCE, Replays, Snapshot
from shared.messaging.timers import TimerLoop, Timers
from shared.observability import configure_logging, log
from shared.settings import ServiceSettings

T = TypeVar("T")
_READY_S = 2.0


@dataclass(frozen=True, slots=True)
class Service:
    """What one service brings to the shell. `world` is whatever its routes, handlers and outside timers call;
    `on_stop` closes what the world holds open; `copies` are tables that may be emptied, since their publisher fills
    them again from its `snapshots`."""

    name: str
    settings: ServiceSettings
    routers: Sequence[APIRouter]
    handlers: Handlers
    timers: Timers = field(default_factory=Timers)
    copies: Copies = field(default_factory=dict)
    snapshots: Sequence[Snapshot] = ()
    world: Any = None
    on_start: Callable[[Database], Awaitable[None]] | None = None
    on_stop: Callable[[], Awaitable[None]] | None = None


def create_app(service: Service) -> FastAPI:
    """The service's FastAPI application; its lifespan runs everything else."""
    missing = service.handlers.missing()
    if missing:
        raise LookupError(f"contracts name these readers, and nobody handles them: {', '.join(missing)}")
    app = FastAPI(title=f"groupbuy {service.name}", lifespan=_lifespan(service), docs_url=None, redoc_url=None)
    app.state.world = service.world
    app.state.stopping = False
    add_problems(app)
    app.state.copies = service.copies
    for router in (*service.routers, admin.router, copies.router, *_replaying(service, app), _health):
        app.include_router(router)
    app.add_middleware(Edge)
    return app


def _replaying(service: Service, app: FastAPI) -> tuple[APIRouter, ...]:
    """What a service that can say its state anew has beside the others: a timer and addresses."""
    if not service.snapshots:
        return ()
    replays = Replays(service.name, service.snapshots)
    if missing := replays.missing():
        raise LookupError(f"others copy these events, and no snapshot says them anew: {', '.join(missing)}")
    service.timers.acts_inside(ADVANCE)(replays.advance)
    app.state.replays = replays
    return (replay_admin.router,)


def _lifespan(service: Service) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            tasks = await _start(service, app, stack)
            log.info("service_started", port=service.settings.port)
            try:
                yield
            finally:
                app.state.stopping = True
                log.info("service_stopping")
                # In-flight messages finish and are acknowledged before anything they need is taken away.
                await app.state.broker.stop()
                await tasks.stop()
        log.info("service_stopped")

    return lifespan


async def _start(service: Service, app: FastAPI, stack: AsyncExitStack) -> "Tasks":
    settings = service.settings
    clock = Clock()
    if service.on_stop is not None:
        stack.push_async_callback(service.on_stop)
    client = await stack.enter_async_context(httpx.AsyncClient())
    db = await _patiently(
        lambda: database.connect(
            settings.database_url.get_secret_value(), service.name, clock, pool_size=settings.database_pool
        )
    )
    stack.push_async_callback(db.close)
    sender = OutboxSender(db, settings.amqp_url.get_secret_value(), service.name)
    shell = Shell(service.handlers, db, at_once=max(2, settings.database_pool // 2), world=service.world)
    timers = TimerLoop(service.timers, db, service.world)
    broker = consuming.make_broker(settings.amqp_url.get_secret_value(), service.name)
    consuming.subscribe(broker, service.handlers, shell)
    app.state.db, app.state.broker, app.state.tokens = db, broker, Tokens(settings.issuer, settings.jwks_url, client)

    tasks = Tasks()
    if settings.clock_url:
        follower = ClockFollower(clock, settings.clock_url, client)
        consuming.follow_clock(broker, service.name, follower)
        await follower.ask()
        tasks.add(follower.run(), "clock")
    await _patiently(sender.connect)
    stack.push_async_callback(sender.close)
    if service.on_start is not None:
        await service.on_start(db)
    await _patiently(broker.start)
    tasks.add(sender.run(), "outbox")
    tasks.add(shell.run_parked(), "parked")
    tasks.add(timers.run_inside(), "timers_inside")
    tasks.add(timers.run_outside(), "timers_outside")
    tasks.add(housekeeping.run(db), "housekeeping")
    return tasks


async def _patiently(act: Callable[[], Awaitable[T]]) -> T:
    """Start-up waits for database and broker instead of dying: after a power cut everything starts at once."""
    pause_s = 0.2
    while not _process.is_stopping:
        try:
            return await act()
        except Exception as error:
            if not (database.is_outage(error) or isinstance(error, BROKER_AWAY)):
                raise
            log.warning("start_waited", reason=repr(error)[:200])
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 1.5, 3.0)
    raise StartAbandoned


class Tasks:
    """Background tasks of which none may end by itself: if one does, the process stops and is started anew."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    def add(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if self._stopping:
            return
        error = None if task.cancelled() else task.exception()
        log.critical("background_task_ended", task=task.get_name(), exc_info=error)
        _process.has_failed = True
        os.kill(os.getpid(), signal.SIGTERM)

    async def stop(self, again_s: float = 5.0) -> None:
        """Cancel them until each has ended: what is cleaned up on the way out may fail with an outage of its own, which
        takes the place of the cancellation, and a loop that lives through outages would go on for ever."""
        self._stopping = True
        living = {task for task in self._tasks if not task.done()}
        while living:
            for task in living:
                task.cancel()
            _, living = await asyncio.wait(living, timeout=again_s)


class StartAbandoned(Exception):
    """SIGTERM came while database or broker were still away."""


class _Process:
    """What this process knows of its own end."""

    server: uvicorn.Server | None = None
    has_failed = False

    @property
    def is_stopping(self) -> bool:
        return self.server is not None and self.server.should_exit


_process = _Process()
_health = APIRouter(include_in_schema=False)


@_health.get("/livez")
async def livez() -> dict[str, str]:
    """The process runs."""
    return {"status": "ok"}


@_health.get("/readyz")
async def readyz(request: Request) -> dict[str, str]:
    """Database and broker answer within two seconds, and the process is not stopping. `now` is its business time."""
    state = request.app.state
    broker: RabbitBroker = state.broker
    try:
        async with asyncio.timeout(_READY_S):
            await state.db.ping()
            reachable = await broker.ping(timeout=_READY_S)
    except Exception as error:
        raise Unavailable from error
    if state.stopping or not reachable:
        raise Unavailable
    return {"status": "ready", "now": state.db.clock.now().isoformat()}


@_health.get("/metrics")
async def metrics() -> Response:
    """Counters in Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _world(request: Request) -> Any:
    return request.app.state.world


World = Annotated[Any, Depends(_world)]


def run(service: Service) -> None:
    """Serve until SIGTERM; requests and messages under way finish first. Exit code 1 if a background task failed."""
    configure_logging(service.name, level=service.settings.log_level)
    # uvicorn raises a SIGTERM that it has obeyed once more at its end: ours must not turn a clean end into a kill.
    signal.signal(signal.SIGTERM, lambda *_: None)
    _process.server = uvicorn.Server(
        uvicorn.Config(
            create_app(service),
            host=service.settings.host,
            port=service.settings.port,
            loop="uvloop",
            http="httptools",
            lifespan="on",
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=20,
            limit_concurrency=2000,
            backlog=2048,
        )
    )
    _process.server.run()
    if _process.has_failed or not _process.server.started:
        raise SystemExit(1)
