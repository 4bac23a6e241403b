"""HTTP at the edge: problem+json, the correlation id, a limit on bodies, and the count of every request."""

import time
from http import HTTPStatus
from typing import Annotated, Any

import httpx
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.database import Database, is_outage
from shared.errors import DomainError, Invalid, NotFound, Unavailable
from shared.observability import REQUESTS, correlated, correlation_id, log

BODY_LIMIT = 1_048_576
PROBLEM = "application/problem+json"
_QUIET = frozenset({"/livez", "/readyz", "/metrics"})


def outgoing(**options: Any) -> httpx.AsyncClient:
    """An HTTP client for the outside world that hands on the correlation id of whatever makes it call."""

    async def correlate(request: httpx.Request) -> None:
        request.headers["x-correlation-id"] = correlation_id()

    return httpx.AsyncClient(event_hooks={"request": [correlate]}, **options)


class BodyTooLarge(Invalid):
    status = 413
    code = "body_too_large"
    zh = "内容过大"
    en = "The request body is too large"


class MalformedInput(Invalid):
    code = "malformed_input"
    zh = "请求内容有误"
    en = "The request is malformed"


class NoSuchRoute(NotFound):
    code = "no_such_route"
    zh = "没有这个地址"
    en = "There is no such address"


class MethodNotAllowed(DomainError):
    status = 405
    code = "method_not_allowed"
    zh = "不支持的请求方法"
    en = "This address does not take this method"


class Bug(DomainError):
    status = 500
    code = "internal_error"
    zh = "系统内部错误"
    en = "Something went wrong on our side"


def language(request: Request) -> str:
    """`en` when the client prefers English, else `zh`."""
    return "en" if request.headers.get("accept-language", "").lower().startswith("en") else "zh"


def problem(request: Request, error: DomainError, errors: list[dict[str, Any]] | None = None) -> JSONResponse:
    """An RFC 9457 answer: the code is stable, the title is for people, in their language."""
    body: dict[str, Any] = {
        "type": f"urn:groupbuy:problem:{error.code}",
        "title": error.text(language(request)),
        "status": error.status,
        "code": error.code,
        "instance": request.url.path,
        "trace_id": correlation_id(),
        **{name: value for name, value in error.facts.items() if isinstance(value, str | int | list | dict)},
    }
    if errors is not None:
        body["errors"] = errors
    wait_s = error.facts.get("retry_after_s", 1 if error.status == HTTPStatus.SERVICE_UNAVAILABLE else None)
    headers = {"Retry-After": str(wait_s)} if wait_s is not None else None
    return JSONResponse(body, status_code=error.status, media_type=PROBLEM, headers=headers)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, DomainError)
    return problem(request, error)


async def _malformed(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # What was sent stays out of the answer and the log: it may be a phone number or a code.
    found = [
        {"field": ".".join(str(part) for part in one["loc"]), "code": one["type"], "detail": one["msg"]}
        for one in error.errors()
    ]
    return problem(request, MalformedInput(), found[:20])


async def _by_status(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return problem(request, MethodNotAllowed())
    if error.status_code == HTTPStatus.NOT_FOUND:
        return problem(request, NoSuchRoute())
    return problem(request, MalformedInput())


def _failed(request: Request, error: Exception) -> JSONResponse:
    if is_outage(error):
        log.warning("request_outage", path=request.url.path, reason=repr(error)[:200])
        return problem(request, Unavailable())
    log.error("request_failed", path=request.url.path, exc_info=error)
    return problem(request, Bug())


def add_problems(app: FastAPI) -> None:
    """Answer every refusal and malformed request of this app as problem+json; Edge does so for outages and bugs."""
    app.add_exception_handler(DomainError, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _by_status)


class Edge:
    """One slim middleware: correlation id in and out, body limit, counters, and one log line a request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        incoming = headers.get(b"x-correlation-id", b"").decode("latin-1")
        with correlated(incoming or None) as trace:
            await self._count(scope, _limited(receive), send, trace, int(_digits(headers.get(b"content-length"))))

    async def _count(self, scope: Scope, receive: Receive, send: Send, trace: str, length: int) -> None:
        started = time.perf_counter()
        status = 0

        async def stamped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-correlation-id", trace.encode())]
            await send(message)

        try:
            if length > BODY_LIMIT:
                raise BodyTooLarge
            await self._app(scope, receive, stamped)
        except BodyTooLarge as error:
            await problem(Request(scope), error)(scope, receive, stamped)
        except Exception as error:
            # Here, inside the correlation, rather than in Starlette's outermost layer: the log line says which request.
            if status:
                raise
            await _failed(Request(scope), error)(scope, receive, stamped)
        route = getattr(scope.get("route"), "path", "unmatched")
        REQUESTS.labels(scope["method"], route, status).inc()
        if route not in _QUIET:
            took_ms = round((time.perf_counter() - started) * 1000, 1)
            log.info("request_answered", method=scope["method"], route=route, status=status, duration_ms=took_ms)


def _digits(value: bytes | None) -> bytes:
    return value if value and value.isdigit() else b"0"


def _limited(receive: Receive) -> Receive:
    """A chunked body has no length to refuse by, so what arrives is counted."""
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > BODY_LIMIT:
            raise BodyTooLarge
        return message

    return counted


# Asynchronous although it waits for nothing: FastAPI hands plain functions to a thread, for each request.
async def _database(request: Request) -> Database:
    db: Database = request.app.state.db
    return db


Db = Annotated[Database, Depends(_database)]


async def _address(request: Request) -> str:
    return request.client.host if request.client else ""


Address = Annotated[str, Depends(_address)]
"""Who has connected, or whom a trusted proxy names: the server reads X-Forwarded-For of the addresses in
FORWARDED_ALLOW_IPS, of this machine unless set."""
