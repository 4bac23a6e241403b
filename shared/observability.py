"""Logs as JSON with the correlation id of the request or message, and the counters of every process."""

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import uuid4

import structlog
from prometheus_client import Counter, Gauge, Histogram

_correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")
_TRACE = re.compile(r"[A-Za-z0-9_.:\-]{1,64}")

MESSAGES = Counter("messages_handled_total", "Messages by queue and outcome", ["queue", "outcome"])
MESSAGE_SECONDS = Histogram("message_handle_seconds", "Time from delivery to acknowledgement", ["queue"])
REQUESTS = Counter("http_requests_total", "Requests by method, route and status", ["method", "route", "status"])
OUTBOX_SENT = Counter("outbox_sent_total", "Events confirmed by the broker")
OUTBOX_LAG = Gauge("outbox_lag_seconds", "Age of the oldest event that was just sent")
WEBHOOKS = Counter("webhooks_heard_total", "Webhooks by sender and what became of them", ["provider", "outcome"])
PARKED = Gauge("parked_messages", "Parked messages by state", ["state"])


def correlation_id() -> str:
    """The id that ties together everything one action caused; made here if nobody brought one."""
    current = _correlation_id.get()
    if not current:
        current = uuid4().hex
        _correlation_id.set(current)
    return current


@contextmanager
def correlated(incoming: str | None, **fields: Any) -> Iterator[str]:
    """Bind the correlation id that came with a request or message (or a new one) and log fields for the block."""
    known = incoming if incoming and _TRACE.fullmatch(incoming) else uuid4().hex
    token = _correlation_id.set(known)
    with structlog.contextvars.bound_contextvars(correlation_id=known, **fields):
        try:
            yield known
        finally:
            _correlation_id.reset(token)


def configure_logging(service: str, *, level: str = "INFO", pretty: bool = False) -> None:
    """JSON lines on stdout; payload locals never appear, so neither do phones or codes."""
    chain: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if pretty:
        chain.append(structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback))
    else:
        chain += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    structlog.configure(
        processors=chain,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    # Libraries speak through the standard logger; only what they warn about is worth a line.
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stdout, format="%(levelname)s %(name)s %(message)s", force=True
    )


log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
