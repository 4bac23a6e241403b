"""Carrying out a provider call under a scripted fault: the answer is spoiled, the act done or not as scripted."""

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

from fastapi import Response
from fastapi.responses import HTMLResponse, PlainTextResponse
from starlette.types import Receive, Scope, Send

from services.sandbox.domain.faults import Fault, FaultScript
from services.sandbox.use_cases.faults import take_fault
from services.sandbox.world import World

_CHANCE = random.SystemRandom()
_HTML = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class Dialect(Protocol):
    """How a provider says what every provider can say."""

    def throttled(self) -> Response: ...

    def unknown(self) -> Response: ...

    def business_error(self, code: str) -> Response: ...

    def falsified(self, answer: Response) -> Response: ...


class CarrierDialect(ABC):
    """What carriers say and do beside that. No carrier here signs its answers: a false callback is scripted as
    operation "notify"."""

    @abstractmethod
    def balance_short(self) -> Response: ...

    @abstractmethod
    def stale_quote(self) -> Response: ...

    @abstractmethod
    def lost_to_pickup(self) -> Response: ...

    def falsified(self, answer: Response) -> Response:
        return answer


class BrokenResponse(Response):
    """Hangs, then breaks the connection: the client learns nothing about what happened."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        hang_up = asyncio.ensure_future(_client_gone(receive))
        await asyncio.wait({hang_up}, timeout=self._seconds)
        hang_up.cancel()
        # A promised body that never comes makes the server cut the connection.
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})


async def under_fault(
    world: World, provider: str, operation: str, act: Callable[[], Response], dialect: Dialect
) -> Response:
    """Answer with `act()`, unless a script for (provider, operation) says otherwise."""
    with world.db.transaction() as tx:
        script = take_fault(tx, provider, operation, _CHANCE)
    if script is None:
        return act()
    if script.fault is Fault.SLOW:
        await asyncio.sleep(script.seconds)
    answer = act() if script.fault.acts else None
    return _spoiled(script, answer, dialect)


def _spoiled(script: FaultScript, answer: Response | None, dialect: Dialect) -> Response:
    if answer is not None and script.fault is Fault.SLOW:
        return answer
    if answer is not None and script.fault is Fault.BAD_SIGNATURE:
        return dialect.falsified(answer)
    if isinstance(dialect, CarrierDialect) and script.fault in _OF_CARRIERS:
        return _OF_CARRIERS[script.fault](dialect)
    makers: dict[Fault, Callable[[], Response]] = {
        Fault.COMMIT_THEN_TIMEOUT: lambda: BrokenResponse(script.seconds),
        Fault.DROP_BEFORE_COMMIT: lambda: BrokenResponse(script.seconds),
        Fault.HTTP_500: lambda: PlainTextResponse("Internal Server Error", status_code=500),
        Fault.COMMIT_THEN_HTTP_500: lambda: PlainTextResponse("Internal Server Error", status_code=500),
        Fault.HTML_BODY: lambda: HTMLResponse(_HTML),
        Fault.COMMIT_THEN_HTML_BODY: lambda: HTMLResponse(_HTML),
        Fault.GBK_BODY: _gbk,
        Fault.COMMIT_THEN_GBK_BODY: _gbk,
        Fault.THROTTLE: dialect.throttled,
        Fault.UNKNOWN_CODE: dialect.unknown,
        Fault.COMMIT_THEN_UNKNOWN_CODE: dialect.unknown,
        Fault.BUSINESS_ERROR: lambda: dialect.business_error(script.code),
    }
    return makers.get(script.fault, dialect.unknown)()


_OF_CARRIERS: dict[Fault, Callable[[CarrierDialect], Response]] = {
    Fault.BALANCE_SHORT: lambda carrier: carrier.balance_short(),
    Fault.STALE_QUOTE: lambda carrier: carrier.stale_quote(),
    Fault.CANCEL_LOST_TO_PICKUP: lambda carrier: carrier.lost_to_pickup(),
}


def _gbk() -> Response:
    return Response("<html><body>系统繁忙，请稍后再试</body></html>".encode("gbk"), media_type="text/html;charset=GBK")


async def _client_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
