"""A visitor of the pages, with the town behind them; no server is started."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from services.web.app import create_app
from services.web.settings import Settings
from tests.unit.web.town import Town, build

PAGES = "http://pages.town"
SignIn = Callable[[str], Awaitable[None]]


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.fixture
def settings() -> Settings:
    return Settings(
        public_url=PAGES,
        issuer="http://issuer.town",
        catalog_url="http://catalog.town",
        checkout_url="http://checkout.town",
        redemption_url="http://redemption.town",
        dispatch_url="http://dispatch.town",
        settlement_url="http://settlement.town",
    )


@pytest.fixture
async def browser(town: Town, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that speaks Chinese and follows no redirect by itself."""
    app = create_app(settings, httpx.ASGITransport(build(town)))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {"accept-language": "zh-CN,zh;q=0.9"}
    async with httpx.AsyncClient(transport=transport, base_url=PAGES, headers=headers) as client:
        yield client


@pytest.fixture
def sign_in(browser: httpx.AsyncClient, town: Town) -> SignIn:
    """`await sign_in("buyer-an")`: through the whole code flow."""

    async def as_(subject: str) -> None:
        leave = await browser.get("/login", params={"hint": subject, "next": "/me"})
        async with httpx.AsyncClient(transport=httpx.ASGITransport(build(town))) as outside:
            back = await outside.get(leave.headers["location"])
        await browser.get(back.headers["location"])

    return as_


def csrf_of(page: str) -> str:
    """The token in the forms of a page."""
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None, "the page has no form"
    return found[1]


def hidden(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, f"the page has no field {name}"
    return found[1]
