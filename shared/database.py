"""Postgres: one pool per process, one transaction per request or message, and which errors are an outage."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg

from shared.clock import Clock

Row = asyncpg.Record

# What survived months of killed servers (messaging.md §2.3): worth the same attempt again, later.
_OUTAGES: tuple[type[BaseException], ...] = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
)


def is_outage(error: BaseException) -> bool:
    """Whether the database or the network is away, so that waiting helps. A wrong argument never gets better."""
    if isinstance(error, asyncpg.DataError):
        return False
    if isinstance(error, asyncpg.InterfaceError) and "server expects" in str(error):
        return False
    return isinstance(error, _OUTAGES)


class Transaction:
    """One open transaction: five ways to run a statement, the business moment, and what to do after the commit."""

    def __init__(self, connection: "asyncpg.pool.PoolConnectionProxy[Row]", now: datetime) -> None:
        self._connection = connection
        self.now = now
        self.after_commit: set[Callable[[], None]] = set()
        self.on_outbox: Callable[[], None] = _nothing
        self.on_timer: Callable[[], None] = _nothing

    async def fetch(self, statement: str, *values: Any) -> list[Row]:
        """All rows."""
        return await self._connection.fetch(statement, *values)

    async def row(self, statement: str, *values: Any) -> Row | None:
        """The first row, if there is one."""
        return await self._connection.fetchrow(statement, *values)

    async def value(self, statement: str, *values: Any) -> Any:
        """The first column of the first row."""
        return await self._connection.fetchval(statement, *values)

    async def execute(self, statement: str, *values: Any) -> int:
        """Run a change and say how many rows it touched."""
        status = await self._connection.execute(statement, *values)
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def execute_many(self, statement: str, values: Sequence[Sequence[Any]]) -> None:
        """Run a change once per row of values, pipelined."""
        await self._connection.executemany(statement, values)


def _nothing() -> None:
    return None


class NotOneStatement(Exception):
    """A bug: a second statement would not be of the same transaction as the first."""


class _Once:
    """A connection for one statement, which is its own transaction."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._used = False

    def __getattr__(self, run: str) -> Any:
        if self._used or run not in ("fetch", "fetchrow", "fetchval", "execute"):
            raise NotOneStatement(run)
        self._used = True
        return getattr(self._connection, run)


class Database:
    """The pool of one service, bound to its schema."""

    def __init__(self, pool: "asyncpg.Pool[Row]", clock: Clock) -> None:
        self._pool = pool
        self.clock = clock
        self.wake_outbox: Callable[[], None] = _nothing
        self.wake_timers: Callable[[], None] = _nothing

    @asynccontextmanager
    async def transaction(self, *, read_only: bool = False) -> AsyncIterator[Transaction]:
        """A transaction that commits when the block ends and then wakes the outbox sender and the timers it fed."""
        async with self._pool.acquire() as connection:
            tx = self._begun(connection)
            async with connection.transaction(readonly=read_only):
                yield tx
        for act in tx.after_commit:
            act()

    @asynccontextmanager
    async def one_statement(self) -> AsyncIterator[Transaction]:
        """A transaction of at most one statement, in one round trip: it has committed when the statement returns, and
        a second one raises NotOneStatement. What follows in the block can take nothing back (ADR 0014)."""
        async with self._pool.acquire() as connection:
            tx = self._begun(_Once(connection))
            yield tx
        for act in tx.after_commit:
            act()

    def _begun(self, connection: Any) -> Transaction:
        tx = Transaction(connection, self.clock.now())
        tx.on_outbox = self.wake_outbox
        tx.on_timer = self.wake_timers
        return tx

    async def ping(self) -> None:
        """Raise unless the database answers."""
        async with self._pool.acquire(timeout=2) as connection:
            await connection.execute("select 1", timeout=2)

    async def close(self) -> None:
        """Wait for what runs, then close every connection."""
        await self._pool.close()


async def connect(url: str, schema: str, clock: Clock, *, pool_size: int) -> Database:
    """Open the pool of a service. Every connection sees only the service's schema and gives up frozen transactions."""

    async def no_reset(_: Any) -> None:
        """Nothing outlives a transaction here, so the round trip of a reset buys nothing."""

    pool = await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=pool_size,
        reset=no_reset,
        init=_use_json,
        timeout=5,
        command_timeout=30,
        server_settings={
            "search_path": schema,
            "application_name": f"groupbuy-{schema}",
            "timezone": "UTC",
            "idle_in_transaction_session_timeout": "30000",
        },
    )
    return Database(pool, clock)


async def _use_json(connection: Any) -> None:
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, encoder=_to_json, decoder=json.loads, schema="pg_catalog")


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
