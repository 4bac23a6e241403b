"""Timers: due rows in the service's own schema, set with the change that needs them and acted on exactly once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.database import Database, Row, Transaction, is_outage
from shared.messaging.naps import set_within
from shared.observability import correlated, correlation_id, log

LEASE_S = 30
OUTSIDE_AT_ONCE = 16
INSIDE_BATCH = 500
NAP_MAX_S = 1.0
# A timer goes on with what set it: the log lines and events of both carry one id.
_CORRELATION = "correlation_id"


@dataclass(frozen=True, slots=True)
class Due:
    """One timer whose moment has come."""

    kind: str
    key: str
    due_at: datetime
    payload: dict[str, Any]
    attempts: int


Inside = Callable[[Transaction, list[Due]], Awaitable[None]]
Outside = Callable[[Due, Database, Any], Awaitable[None]]


_MOVE = """on conflict (kind, key) do update
           set due_at = excluded.due_at, payload = excluded.payload, attempts = 0, leased_until = null"""


def scheduling(source: str) -> str:
    """The part of a statement that sets timers with what it decides: an insert for a CTE, from `source`, whose columns
    are kind, key, due_at and payload. With it comes `scheduled`."""
    return f"insert into timers (kind, key, due_at, payload) select * from {source} {_MOVE}"


def scheduled(tx: Transaction) -> dict[str, Any]:
    """The payload for `scheduling`; the timers are looked at when this transaction has committed."""
    tx.after_commit.add(tx.on_timer)
    return {_CORRELATION: correlation_id()}


async def schedule(
    tx: Transaction, kind: str, key: object, due_at: datetime, payload: dict[str, Any] | None = None
) -> None:
    """Set, or move, the timer (kind, key). It fires only if this transaction commits."""
    await tx.execute(
        f"insert into timers (kind, key, due_at, payload) values ($1, $2, $3, $4) {_MOVE}",
        kind,
        str(key),
        due_at,
        {_CORRELATION: correlation_id(), **(payload or {})},
    )
    tx.after_commit.add(tx.on_timer)


async def schedule_many(tx: Transaction, kind: str, dues: Sequence[tuple[object, datetime, str | None]]) -> None:
    """Set, or move, many timers of one kind: key, due, and the correlation id of what set it (None: of this task)."""
    if not dues:
        return
    dues = sorted(dues, key=lambda due: str(due[0]))
    await tx.execute(
        f"""insert into timers (kind, key, due_at, payload)
           select $1, d.key, d.due_at, jsonb_build_object($5::text, d.cause)
           from unnest($2::text[], $3::timestamptz[], $4::text[]) as d (key, due_at, cause) {_MOVE}""",
        kind,
        [str(key) for key, _, _ in dues],
        [due_at for _, due_at, _ in dues],
        [cause or correlation_id() for _, _, cause in dues],
        _CORRELATION,
    )
    tx.after_commit.add(tx.on_timer)


async def cancel(tx: Transaction, kind: str, key: object) -> None:
    """Take a timer back; also how an outside timer says that it is done. Nothing happens if there is none.

    A timer that is being acted on this moment is left alone: waiting for it while holding what it waits for would be a
    deadlock, and its action finds by its own guard that there is nothing left to do.
    """
    await tx.execute(
        """delete from timers t
           using (select kind, key from timers where kind = $1 and key = $2 for update skip locked) free
           where t.kind = free.kind and t.key = free.key""",
        kind,
        str(key),
    )


class Timers:
    """The timers of one service: which function acts on which kind."""

    def __init__(self) -> None:
        self.inside: dict[str, Inside] = {}
        self.outside: dict[str, Outside] = {}

    def acts_inside(self, kind: str) -> Callable[[Inside], Inside]:
        """Register a function that acts within the transaction that takes the timers, many at once."""

        def register(act: Inside) -> Inside:
            self.inside[kind] = act
            return act

        return register

    def acts_outside(self, kind: str) -> Callable[[Outside], Outside]:
        """Register a function that calls the outside world for one timer, which stays (leased) until the function
        cancels or reschedules it in the transaction that records the result; a crash between costs one lease."""

        def register(act: Outside) -> Outside:
            self.outside[kind] = act
            return act

        return register


# Each kind is looked at by itself, and as a range of the index (kind, due_at): a million open timers of other kinds
# cost nothing. Plain conditions on kind and due_at let the planner walk along due_at alone, past all of the others.
_TAKE = """
delete from timers
where kind = $1 and key = any(array(
    select key from timers
    where (kind, due_at) >= ($1, '-infinity') and (kind, due_at) <= ($1, $2)
    order by kind, due_at limit $3 for update skip locked))
returning kind, key, due_at, payload, attempts
"""

# The limit is no parameter: for any number the planner would rather read the whole table once.
_LEASE = f"""
update timers t set leased_until = now() + $3 * interval '1 second', attempts = t.attempts + 1
from (select d.kind, d.key
      from unnest($1::text[]) as wanted (kind),
        lateral (select kind, key, due_at from timers
                 where (kind, due_at) >= (wanted.kind, '-infinity') and (kind, due_at) <= (wanted.kind, $2)
                   and (leased_until is null or leased_until < now())
                 order by kind, due_at limit {OUTSIDE_AT_ONCE} for update skip locked) d
      order by d.due_at limit {OUTSIDE_AT_ONCE}) d
where t.kind = d.kind and t.key = d.key
returning t.kind, t.key, t.due_at, t.payload, t.attempts
"""

_BACK_OFF = """
update timers set due_at = $3, leased_until = null, attempts = $4 where kind = $1 and key = $2
"""

_NEXT = """
select min(n.due_at)
from unnest($1::text[]) as wanted (kind),
  lateral (select kind, due_at from timers
           where (kind, due_at) >= (wanted.kind, '-infinity') and (leased_until is null or leased_until < now())
           order by kind, due_at limit 1) n
where n.kind = wanted.kind
"""


class TimerLoop:
    """Runs the timers of one process. Any number of processes may run the same timers."""

    def __init__(self, timers: Timers, db: Database, world: Any) -> None:
        self._timers = timers
        self._db = db
        self._world = world
        self._wakes: list[asyncio.Event] = []
        db.wake_timers = self.wake
        db.clock.on_move(self.wake)

    def wake(self) -> None:
        """Look again now: a timer was set, or the clock moved."""
        for event in self._wakes:
            event.set()

    async def run_inside(self) -> None:
        """Act on the timers that need only the database, for ever."""
        await self._loop(list(self._timers.inside), self._inside_once)

    async def run_outside(self) -> None:
        """Act on the timers that call the outside world, for ever, several at once."""
        await self._loop(list(self._timers.outside), self._outside_once)

    async def _loop(self, kinds: list[str], once: Callable[[], Awaitable[int]]) -> None:
        wake = asyncio.Event()
        self._wakes.append(wake)
        while True:
            wake.clear()
            try:
                busy = await once()
                nap = 0.0 if busy else await self._nap(kinds)
            except Exception as error:
                if not is_outage(error):
                    raise
                log.warning("timers_waited", reason=repr(error)[:200])
                nap = NAP_MAX_S
            if nap:
                await set_within(wake, nap)

    async def _nap(self, kinds: list[str]) -> float:
        async with self._db.transaction() as tx:
            due = await tx.value(_NEXT, kinds)
            return NAP_MAX_S if due is None else min(max((due - tx.now).total_seconds(), 0.005), NAP_MAX_S)

    async def _inside_once(self) -> int:
        done = 0
        for kind, act in self._timers.inside.items():
            try:
                done += await self._take(kind, act, INSIDE_BATCH)
            except Exception as error:
                if is_outage(error):
                    raise
                # One of the batch is bad: run its members singly, so that it cannot hold up its neighbours.
                log.error("timer_batch_failed", kind=kind, exc_info=True)
                await self._singly(kind, act)
        return done

    async def _take(self, kind: str, act: Inside, limit: int) -> int:
        async with self._db.transaction() as tx:
            due = [_due(row) for row in await tx.fetch(_TAKE, kind, tx.now, limit)]
            if due:
                with correlated(_cause(due), timer=kind):
                    await act(tx, due)
        return len(due)

    async def _singly(self, kind: str, act: Inside) -> None:
        async with self._db.transaction() as tx:
            rows = await tx.fetch("select * from timers where kind = $1 and due_at <= $2 limit $3", kind, tx.now, 50)
        for due in map(_due, rows):
            try:
                async with self._db.transaction() as tx:
                    if await tx.execute("delete from timers where kind = $1 and key = $2", kind, due.key):
                        with correlated(_cause([due]), timer=kind):
                            await act(tx, [due])
            except Exception as error:
                if is_outage(error):
                    raise
                await self._back_off(due, error)

    async def _outside_once(self) -> int:
        if not self._timers.outside:
            return 0
        async with self._db.transaction() as tx:
            kinds = list(self._timers.outside)
            due = [_due(row) for row in await tx.fetch(_LEASE, kinds, tx.now, LEASE_S)]
        await asyncio.gather(*(self._act_outside(one) for one in due))
        return len(due)

    async def _act_outside(self, due: Due) -> None:
        with correlated(_cause([due]), timer=due.kind, timer_key=due.key):
            try:
                async with asyncio.timeout(LEASE_S - 5):
                    await self._timers.outside[due.kind](due, self._db, self._world)
            except Exception as error:
                await self._back_off(due, error)

    async def _back_off(self, due: Due, error: Exception) -> None:
        attempts = due.attempts + 1
        delay = timedelta(seconds=min(2 ** min(attempts, 10), 600))
        log.error("timer_failed", kind=due.kind, key=due.key, attempts=attempts, exc_info=error)
        try:
            async with self._db.transaction() as tx:
                await tx.execute(_BACK_OFF, due.kind, due.key, tx.now + delay, attempts)
        except Exception as second:
            # The lease ends by itself, and the timer is due again then.
            if not is_outage(second):
                raise


def _cause(due: Sequence[Due]) -> str | None:
    """What set the timer; a batch of several has no single cause."""
    return due[0].payload.get(_CORRELATION) if len(due) == 1 else None


def _due(row: Row) -> Due:
    return Due(row["kind"], row["key"], row["due_at"], row["payload"], row["attempts"])
