"""Wiring of the pages: settings, services, middleware, routes, and how errors are shown."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn
from fastapi import Depends, FastAPI
from starlette.staticfiles import StaticFiles
from starlette.types import Message, Receive, Scope, Send

from services.web import error_pages
from services.web.gateways import clock, connect
from services.web.rendering import STATIC
from services.web.routes import ROUTERS
from services.web.sealed_cookies import CookieSeals
from services.web.settings import Settings
from services.web.visits import Visits, refuse_forgeries
from services.web.world import World
from shared.clock import Clock
from shared.http import Edge
from shared.observability import configure_logging, log

_YEAR = b"public, max-age=31536000, immutable"


class _NamedByContent(StaticFiles):
    """Static files; one that is asked for by its content hash may be kept for ever."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def kept(message: Message) -> None:
            if message["type"] == "http.response.start":
                fresh = _YEAR if b"v=" in scope["query_string"] else b"no-cache"
                extra = [(b"cache-control", fresh), (b"x-content-type-options", b"nosniff")]
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        await super().__call__(scope, receive, kept)


def create_app(settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> FastAPI:
    """The application; tests put their own `transport` between it and the services."""
    http = httpx.AsyncClient(
        transport=transport,
        timeout=settings.service_timeout_s,
        limits=httpx.Limits(max_connections=200, max_keepalive_connections=50),
    )

    business_clock = Clock()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        following = (
            asyncio.create_task(clock.follow(business_clock, settings.clock_url, http)) if settings.clock_url else None
        )
        log.info("pages_started", port=settings.port)
        yield
        if following:
            following.cancel()
        await http.aclose()
        log.info("pages_stopped")

    services = connect(settings, http)
    seals = CookieSeals(settings)
    app = FastAPI(title="groupbuy web", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.settings = settings
    app.state.world = World(settings, services, seals, business_clock)
    error_pages.add(app)
    for router in ROUTERS:
        app.include_router(router, dependencies=[Depends(refuse_forgeries)])
    app.mount("/static", _NamedByContent(directory=STATIC))
    app.add_middleware(Visits, settings=settings, seals=seals, issuer=services.issuer, on_bug=error_pages.bug)
    app.add_middleware(Edge)
    return app


def main() -> None:
    """Serve until SIGTERM; requests under way finish first."""
    settings = Settings()
    configure_logging("web", level=settings.log_level)
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=20,
        limit_concurrency=2000,
    )
