"""Group commit: requests that arrive while a transaction runs share the next one, and each gets its own outcome."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import asyncpg
from prometheus_client import Histogram

from shared.database import Transaction, is_outage
from shared.errors import DomainError, Unavailable
from shared.messaging.connection import lost_connection
from shared.observability import correlated, correlation_id, log

Request = TypeVar("Request")
Outcome = TypeVar("Outcome")

BATCHES = Histogram(
    "group_commit_batch", "Requests that shared a transaction", ["group"], buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500)
)
# The database is there and has rolled back: the same work alone may well succeed.
_COLLIDED = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)


class TooBusy(Unavailable):
    """More wait than could be answered soon; the same request may be repeated."""

    code = "too_busy"
    zh = "当前下单人数过多，请稍后重试"
    en = "Too many at this moment; please try again shortly"


class Transactions(Protocol):
    """What this needs of a database."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]: ...


@dataclass(slots=True)
class _Member(Generic[Request, Outcome]):
    request: Request
    correlation_id: str
    outcome: "asyncio.Future[Outcome]"


class GroupCommit(Generic[Request, Outcome]):
    """Callers `submit`; whoever finds nobody at work starts a task that commits until nothing waits.

    Nothing is delayed: a batch is what arrived while the one before it ran. `together` handles a whole batch in one
    transaction and returns one outcome, or one refusal, for each request in the same order. If it fails in any other
    way nothing of it is committed, and its members run singly through `alone`, so that one of them cannot spoil the
    others; likewise when the reply to the commit was lost. `alone` must therefore find what an earlier try committed.

    There is no task that runs for ever and could die unseen: each one ends with the queue that it was started for, and
    the next request starts another.
    """

    def __init__(
        self,
        name: str,
        together: Callable[[Transaction, Sequence[Request]], Awaitable[Sequence[Outcome | DomainError]]],
        alone: Callable[[Transaction, Request], Awaitable[Outcome]],
        *,
        batch_limit: int = 100,
        waiting_limit: int = 1_000,
        at_once: int = 1,
    ) -> None:
        self._name = name
        self._together = together
        self._alone = alone
        self._batch_limit = batch_limit
        self._waiting_limit = waiting_limit
        self._at_once = at_once
        self._waiting: deque[_Member[Request, Outcome]] = deque()
        self._at_work: set[asyncio.Task[None]] = set()
        self._closed = False

    async def submit(self, db: Transactions, request: Request) -> Outcome:
        """The outcome of this request, committed. Raises its refusal; TooBusy, or Unavailable while the database is
        away. `db` is the process's one database. A caller who is cancelled may or may not have been served."""
        if self._closed:
            raise Unavailable
        if len(self._waiting) >= self._waiting_limit:
            raise TooBusy
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Member(request, correlation_id(), outcome))
        if len(self._at_work) < self._at_once:
            self._start(db)
        return await outcome

    async def close(self) -> None:
        """Take nothing more on, and end what was taken on."""
        self._closed = True
        while self._at_work:
            await asyncio.wait(self._at_work)

    def _start(self, db: Transactions) -> None:
        task = asyncio.create_task(self._work(db), name=f"group_commit.{self._name}")
        self._at_work.add(task)
        task.add_done_callback(lambda ended: self._ended(ended, db))

    def _ended(self, task: "asyncio.Task[None]", db: Transactions) -> None:
        self._at_work.discard(task)
        if task.cancelled():
            # Only the end of the process cancels it, and then nobody may wait for ever.
            _fail(self._waiting)
            self._waiting.clear()
            return
        if error := task.exception():
            log.critical("group_commit_broke", group=self._name, exc_info=error)
        if self._waiting and not self._at_work:
            self._start(db)

    async def _work(self, db: Transactions) -> None:
        # Started by one request, it works for many: its log lines are nobody's.
        with correlated(None, group=self._name):
            while batch := self._take():
                try:
                    await self._commit(db, batch)
                finally:
                    # All are answered by now, unless this task itself is being ended or has a bug.
                    _fail(batch)

    def _take(self) -> list[_Member[Request, Outcome]]:
        """The next members that still have somebody who waits for them."""
        batch: list[_Member[Request, Outcome]] = []
        while self._waiting and len(batch) < self._batch_limit:
            member = self._waiting.popleft()
            if not member.outcome.done():
                batch.append(member)
        return batch

    async def _commit(self, db: Transactions, batch: list[_Member[Request, Outcome]]) -> None:
        decided = False
        BATCHES.labels(self._name).observe(len(batch))
        try:
            async with db.transaction() as tx:
                outcomes = await self._together(tx, [member.request for member in batch])
                if len(outcomes) != len(batch):
                    raise LookupError(f"{len(outcomes)} outcomes for {len(batch)} requests")
                decided = True
        except asyncio.CancelledError as error:
            if not lost_connection():
                raise
            log.warning("group_commit_singly", members=len(batch), reason=repr(error))
        except Exception as error:
            if _is_away(error) and not decided:
                self._give_up(batch, error)
                return
            log.error("group_commit_singly", members=len(batch), decided=decided, exc_info=error)
        else:
            for member, outcome in zip(batch, outcomes, strict=True):
                _answer(member, outcome)
            return
        await self._singly(db, batch)

    async def _singly(self, db: Transactions, batch: list[_Member[Request, Outcome]]) -> None:
        for position, member in enumerate(batch):
            if member.outcome.done():
                continue
            try:
                with correlated(member.correlation_id, group=self._name):
                    async with db.transaction() as tx:
                        outcome = await self._alone(tx, member.request)
            except asyncio.CancelledError:
                if not lost_connection():
                    raise
                _fail([member])
            except Exception as error:
                if _is_away(error):
                    # The others would each wait in vain for the same connection.
                    self._give_up(batch[position:], error)
                    return
                _answer(member, error)
            else:
                _answer(member, outcome)

    def _give_up(self, batch: Sequence[_Member[Request, Outcome]], error: Exception) -> None:
        log.warning("group_commit_outage", members=len(batch), reason=repr(error)[:200])
        _fail(batch)


def _is_away(error: Exception) -> bool:
    return is_outage(error) and not isinstance(error, _COLLIDED)


def _answer(member: _Member[Request, Outcome], outcome: Outcome | Exception) -> None:
    if member.outcome.done():
        return
    if isinstance(outcome, Exception):
        member.outcome.set_exception(outcome)
    else:
        member.outcome.set_result(outcome)


def _fail(members: Iterable[_Member[Request, Outcome]]) -> None:
    """Each gets an error of its own: one object raised by many callers would collect all their tracebacks."""
    for member in members:
        _answer(member, Unavailable())
