"""The shell around every message handler: decode, run once, and decide what becomes of a message that fails."""

import asyncio
import inspect
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import NAMESPACE_OID, UUID, uuid5

from pydantic import ValidationError

from shared.contracts import Event, read_by
from shared.database import Database, is_outage
from shared.errors import DomainError, NotYet
from shared.messaging import parking
from shared.messaging.naps import set_within
from shared.messaging.parking import ParkedKind
from shared.observability import MESSAGE_SECONDS, MESSAGES, correlated, log

E = TypeVar("E", bound=Event)
HOLD_MAX_S = 2.0
_WITH_WORLD = 3

Handle = Callable[[E, Database], Awaitable[None]] | Callable[[E, Database, Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Handler:
    """One queue, the event it carries, and the function that handles it."""

    queue: str
    event: type[Event]
    handle: Callable[..., Awaitable[None]]
    wants_world: bool

    async def run(self, event: Event, db: Database, world: Any) -> None:
        """Handle one event, with the service's world if the function asks for it."""
        await (self.handle(event, db, world) if self.wants_world else self.handle(event, db))


class Handlers:
    """The message handlers of one service: `handles = Handlers("checkout")`, then `@handles(OrderPaid)`.

    A handler takes the event and the database, and as a third argument, if it asks for one, the service's `world`.
    """

    def __init__(self, service: str) -> None:
        self.service = service
        self.by_queue: dict[str, Handler] = {}

    def __call__(self, event: type[E]) -> Callable[[Handle[E]], Callable[..., Awaitable[None]]]:
        """Register the decorated function for the queue of its own name, which the contract must list as a reader."""

        def register(handle: Handle[E]) -> Callable[..., Awaitable[None]]:
            queue = f"{self.service}.{getattr(handle, '__name__', '')}"
            if queue not in event.readers:
                raise LookupError(f"{queue} is not among the readers of {event.topic}")
            wants_world = len(inspect.signature(handle).parameters) == _WITH_WORLD
            self.by_queue[queue] = Handler(queue, event, handle, wants_world)
            return handle

        return register

    def missing(self) -> list[str]:
        """Queues that a contract names for this service and nobody here handles."""
        return sorted(read_by(self.service).keys() - self.by_queue.keys())


class Shell:
    """Runs handlers for the broker and for the parked messages of one process."""

    def __init__(self, handlers: Handlers, db: Database, at_once: int, world: Any = None) -> None:
        self._handlers = handlers
        self._world = world
        self._db = db
        self._free = asyncio.Semaphore(at_once)
        self._parked = asyncio.Event()

    async def receive(self, handler: Handler, body: bytes, headers: Mapping[str, str]) -> None:
        """Handle one delivery to the end: when this returns, its effect or its parking is committed."""
        started = time.perf_counter()
        with correlated(headers.get("correlation_id"), queue=handler.queue):
            async with self._free:
                outcome = await self._settle(handler, body, headers)
        MESSAGES.labels(handler.queue, outcome).inc()
        MESSAGE_SECONDS.labels(handler.queue).observe(time.perf_counter() - started)

    async def _settle(self, handler: Handler, body: bytes, headers: Mapping[str, str]) -> str:
        try:
            event = handler.event.model_validate_json(body)
        except ValidationError as error:
            # The inputs stay out of the error: they may be anybody's data.
            text = str(error.errors(include_input=False, include_url=False, include_context=False))
            await self._park(handler, uuid5(NAMESPACE_OID, body.hex()), ParkedKind.MALFORMED, text, body, headers)
            return "malformed"
        failure = await self._attempt(handler, event)
        if failure is None:
            return "done"
        await self._park(handler, event.event_id, *failure, body, headers)
        return failure[0].lower()

    async def _attempt(self, handler: Handler, event: Event) -> tuple[ParkedKind, str] | None:
        """Run the handler; wait out an outage; say how it failed otherwise."""
        pause_s = 0.05
        while True:
            try:
                await handler.run(event, self._db, self._world)
                return None
            except NotYet as error:
                return ParkedKind.NOT_YET, str(error)
            except DomainError as error:
                return ParkedKind.REFUSED, f"{error.code} {error.facts or ''}"
            except Exception as error:
                if not is_outage(error):
                    log.error("handler_failed", event_id=str(event.event_id), exc_info=True)
                    return ParkedKind.BUG, "".join(traceback.format_exception(error, limit=-8))
                log.warning("handler_waited", event_id=str(event.event_id), reason=repr(error)[:200])
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, HOLD_MAX_S)

    async def _park(
        self, handler: Handler, event_id: UUID, kind: ParkedKind, error: str, body: bytes, headers: Mapping[str, str]
    ) -> None:
        log.warning("message_parked", event_id=str(event_id), kind=kind)
        await self._with_patience(
            lambda tx: parking.park(tx, handler.queue, event_id, handler.event.topic, kind, error, body, headers)
        )
        self._parked.set()

    async def _with_patience(self, act: Callable[[Any], Awaitable[None]]) -> None:
        while True:
            try:
                async with self._db.transaction() as tx:
                    await act(tx)
                return
            except Exception as error:
                if not is_outage(error):
                    raise
                await asyncio.sleep(0.2)

    async def rescue(self, body: bytes, headers: Mapping[str, str], queue: str) -> None:
        """Park a message that the broker gave up on: whoever took it died each time."""
        handler = self._handlers.by_queue.get(queue)
        if handler is None:
            handler = next(iter(self._handlers.by_queue.values()))
        event_id = uuid5(NAMESPACE_OID, body.hex())
        await self._park(handler, event_id, ParkedKind.CRASHED, f"given up by the broker from {queue}", body, headers)

    async def run_parked(self) -> None:
        """Try parked messages again when their moment comes, for ever."""
        while True:
            self._parked.clear()
            try:
                busy = await self._retry_due()
            except Exception as error:
                if not is_outage(error):
                    raise
                busy = 0
            if not busy and await set_within(self._parked, 0.5):
                await asyncio.sleep(0.1)

    async def _retry_due(self) -> int:
        async with self._db.transaction() as tx:
            rows = await parking.claim_due(tx, 20)
        for row in rows:
            handler = self._handlers.by_queue.get(row["consumer"])
            if handler is None:
                await self._give_up(row)
                continue
            with correlated(row["headers"].get("correlation_id"), queue=handler.queue, attempt=row["attempts"] + 1):
                await self._retry(handler, row)
        return len(rows)

    async def _give_up(self, row: Any) -> None:
        gone = "no such handler any more"
        await self._with_patience(lambda tx: parking.park_again(tx, row, ParkedKind.REFUSED, gone))

    async def _retry(self, handler: Handler, row: Any) -> None:
        try:
            event = handler.event.model_validate_json(row["envelope"])
        except ValidationError as error:
            failure: tuple[ParkedKind, str] | None = (ParkedKind.MALFORMED, str(error.errors(include_input=False)))
        else:
            failure = await self._attempt(handler, event)
        if failure is None:
            await self._with_patience(lambda tx: parking.forget(tx, row["consumer"], row["event_id"]))
            MESSAGES.labels(handler.queue, "unparked").inc()
        else:
            await self._with_patience(lambda tx: parking.park_again(tx, row, *failure))
