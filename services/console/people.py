"""The people of the system, acting through the public HTTP APIs with their own tokens, as pages and tills do."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

import httpx

T = TypeVar("T")
TOKEN_LIFE_S = 400
_PATIENT_STATUS = frozenset({502, 503, 504})


class Refused(Exception):
    """A service said no, with a stable code."""

    def __init__(self, status: int, code: str, body: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {code}: {body.get('title', '')} {body.get('errors', '')}")
        self.status = status
        self.code = code
        self.body = body


class TimedOut(Exception):
    """Something that should have happened did not happen in time."""


@dataclass(slots=True)
class World:
    """Where every process is, and how long a person keeps trying while one of them is away."""

    urls: Mapping[str, str]
    http: httpx.AsyncClient
    patience_s: float = 30.0
    bills: dict[date, list[Any]] = field(default_factory=dict)
    """Lines of the channel's bills that were read before: a bill never changes."""
    _tokens: dict[str, tuple[str, float]] = field(default_factory=dict)

    def person(self, subject: str) -> "Person":
        """Somebody by their subject."""
        return Person(subject, self)

    async def token(self, subject: str) -> str:
        """A bearer token from the sandbox's issuer, kept until shortly before it ends."""
        token, until = self._tokens.get(subject, ("", 0.0))
        if time.monotonic() > until:
            answer = await self.send("POST", "sandbox", "/_sim/tokens", {"subject": subject})
            token = answer["access_token"]
            self._tokens[subject] = (token, time.monotonic() + TOKEN_LIFE_S)
        return token

    async def sandbox(self, method: str, path: str, body: object | None = None) -> Any:
        """Ask the sandbox to play the outside world."""
        return await self.send(method, "sandbox", path, body)

    async def send(self, method: str, service: str, path: str, body: object | None = None, token: str = "") -> Any:
        """One request, repeated as it is while the service is away: every change carries an id of the client."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        deadline = time.monotonic() + self.patience_s
        pause_s = 0.05
        while True:
            try:
                answer = await self.http.request(method, self.urls[service] + path, json=body, headers=headers)
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
            else:
                if answer.status_code not in _PATIENT_STATUS or time.monotonic() > deadline:
                    return _content(answer)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, 1.0)

    async def until(self, ask: Callable[[], Awaitable[T | None]], what: str, within_s: float | None = None) -> T:
        """The first truthy answer of `ask`; TimedOut with the last one otherwise."""
        deadline = time.monotonic() + (self.patience_s if within_s is None else within_s)
        last: object = None
        while time.monotonic() < deadline:
            last = answer = await ask()
            if answer:
                return answer
            await asyncio.sleep(0.05)
        raise TimedOut(f"{what} (last seen: {str(last)[:200]})")


def _content(answer: httpx.Response) -> Any:
    if answer.is_success:
        return answer.json() if answer.content else None
    try:
        body = answer.json()
    except ValueError:
        body = {}
    raise Refused(answer.status_code, str(body.get("code", "")), body)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a token."""

    subject: str
    world: World

    async def get(self, service: str, path: str) -> Any:
        """Read something."""
        return await self.world.send("GET", service, path, token=await self.world.token(self.subject))

    async def put(self, service: str, path: str, body: object | None = None) -> Any:
        """Create or do something under an id of one's own choosing."""
        content = {} if body is None else body
        return await self.world.send("PUT", service, path, content, token=await self.world.token(self.subject))

    async def post(self, service: str, path: str, body: object) -> Any:
        """Ask a question that has a body."""
        return await self.world.send("POST", service, path, body, token=await self.world.token(self.subject))
