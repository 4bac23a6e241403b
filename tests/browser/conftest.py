"""A real browser before the pages, with the town behind them on loopback. Without Chromium these tests say so."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, async_playwright

from services.web.app import create_app
from services.web.settings import Settings
from tests.unit.web.town import Town, build

CHROMIUM = Path("/usr/bin/chromium")
PHONE: ViewportSize = {"width": 390, "height": 844}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = pytest.mark.skip(
        reason=f"there is no browser at {CHROMIUM}; install Debian's chromium and fonts-noto-cjk"
    )
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM.exists():
                item.add_marker(missing)


@dataclass(frozen=True, slots=True)
class Site:
    """The pages at `url`, and the town whose services they ask."""

    url: str
    town: Town


@asynccontextmanager
async def chromium(*arguments: str) -> AsyncIterator[Browser]:
    """A headless Chromium with extra arguments."""
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *arguments])
        try:
            yield browser
        finally:
            await browser.close()


async def visitor(browser: Browser, site: Site, subject: str = "", language: str = "zh-CN") -> Page:
    """A page on a phone; what it complains about is kept in `complaints(page)`. Signed in if a subject is named."""
    context: BrowserContext = await browser.new_context(viewport=PHONE, device_scale_factor=2, locale=language)
    page = await context.new_page()
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    page.complaints = found  # type: ignore[attr-defined]  # kept with the page that made them
    if subject:
        await page.goto(f"{site.url}/login?hint={subject}&next=/me")
    return page


def complaints(page: Page) -> list[str]:
    """Errors and warnings of the console, refusals by the content policy among them."""
    found: list[str] = page.complaints  # type: ignore[attr-defined]  # see visitor()
    return found


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    town = Town()
    async with AsyncExitStack() as stack:
        services, pages = _free_socket(), _free_socket()
        town_url, pages_url = (f"http://127.0.0.1:{one.getsockname()[1]}" for one in (services, pages))
        settings = Settings(
            public_url=pages_url,
            issuer=town_url,
            catalog_url=town_url,
            checkout_url=town_url,
            redemption_url=town_url,
            dispatch_url=town_url,
            settlement_url=town_url,
        )
        await stack.enter_async_context(_served(build(town, town_url), services))
        await stack.enter_async_context(_served(create_app(settings), pages))
        yield Site(pages_url, town)


def _free_socket() -> socket.socket:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    return listening


@asynccontextmanager
async def _served(app: FastAPI, listening: socket.socket) -> AsyncIterator[None]:
    listening.listen(128)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving
