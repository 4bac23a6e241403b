"""The pages before the running catalog: a merchant's browser that sends exactly what a page's form would send."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx

from services.web.app import create_app
from services.web.sealed_cookies import CookieSeals, Session
from services.web.settings import Settings
from tests.integration.catalog.shop import Catalog

PAGES = "http://pages.example"
CSRF = "csrf-of-the-tests"
Sent = dict[str, list[str]]


@dataclass(slots=True)
class Form:
    """A form as a browser holds it: where it goes, what is typed and chosen in it, and what is told at its fields."""

    action: str = ""
    sent: Sent = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    """Reads the form whose action contains a text."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self._wanted, self.form = action, Form()
        self._inside, self._textarea, self._wrong = False, "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        if tag == "form" and self._wanted in facts.get("action", ""):
            self._inside, self.form.action = True, facts["action"]
        if not self._inside:
            return
        if tag == "input" and "name" in facts:
            is_chosen = facts.get("type") not in {"checkbox", "radio"} or "checked" in facts
            if is_chosen:
                self.form.sent.setdefault(facts["name"], []).append(facts.get("value", ""))
        elif tag == "textarea":
            self._textarea = facts["name"]
            self.form.sent[self._textarea] = [""]
        elif facts.get("id", "").startswith("wrong-"):
            self._wrong = facts["id"].removeprefix("wrong-")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "form"
        if tag == "textarea":
            # A browser drops the first line break of a textarea, and sends the others as two characters.
            text = self.form.sent[self._textarea][0].replace("\r\n", "\n").removeprefix("\n")
            self.form.sent[self._textarea], self._textarea = [text.replace("\n", "\r\n")], ""
        self._wrong = ""

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.form.sent[self._textarea][0] += data
        elif self._wrong:
            self.form.wrong[self._wrong] = data


def form_in(page: str, action: str = "/m/") -> Form:
    """The form of a page."""
    reader = _Reader(action)
    reader.feed(page)
    assert reader.form.action, f"no form goes to {action}"
    return reader.form


@dataclass(frozen=True, slots=True)
class Desk:
    """Somebody at the merchant's desk."""

    browser: httpx.AsyncClient

    async def open(self, path: str) -> Form:
        """The form on a page."""
        answer = await self.browser.get(path)
        assert answer.status_code == 200, answer.text
        return form_in(answer.text)

    async def send(self, form: Form, act: str = "save", **typed: Any) -> httpx.Response:
        """Type something (None: clear it), and press a button. Names hold dots, so they come as a dict, too."""
        sent = {**form.sent, **{name: text if isinstance(text, list) else [text] for name, text in typed.items()}}
        kept = {name: texts for name, texts in sent.items() if texts != [None]}
        return await self.browser.post(form.action, data={**kept, "act": act})


@asynccontextmanager
async def desk_of(catalog: Catalog, subject: str) -> AsyncIterator[Desk]:
    """The browser of somebody who has signed in; the pages ask the running catalog."""
    catalog_side = catalog.client._transport
    settings = Settings(
        public_url=PAGES,
        issuer="http://issuer.example",
        catalog_url="http://catalog",
        checkout_url="http://checkout.example",
        redemption_url="http://redemption.example",
        dispatch_url="http://dispatch.example",
        settlement_url="http://settlement.example",
    )
    session = Session(subject, subject, subject, None, int(time.time()) + 3600, CSRF)
    cookies = {"session": CookieSeals(settings).seal(session.facts())}
    transport = httpx.ASGITransport(create_app(settings, catalog_side), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=PAGES, cookies=cookies) as browser:
        yield Desk(browser)
