"""The state file: SQLite in WAL mode, so that what was answered survives a SIGKILL."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.sandbox.store.schema import SCHEMA_VERSION, statements


class StateTooOld(RuntimeError):
    """The state file was written by another version of the sandbox; it holds play money only and may be deleted."""


class Database:
    """The one connection; transactions hold no await, so on one event loop they never interleave."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # isolation_level=None: BEGIN and COMMIT are ours alone. Tests drive the app from another thread.
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        # Surviving the process's death needs no fsync: the operating system already has the pages.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self.committed = asyncio.Event()
        self._create(path)

    def _create(self, path: Path) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, SCHEMA_VERSION):
            raise StateTooOld(f"{path} has schema {version}, this sandbox needs {SCHEMA_VERSION}: delete the file")
        with self.transaction() as tx:
            for statement in statements():
                tx.execute(statement)
            tx.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Begin, commit at the end, roll back on any exception; wakes whoever waits for new work."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        self.committed.set()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A transaction that changes nothing and wakes nobody."""
        self._connection.execute("BEGIN")
        try:
            yield self._connection
        finally:
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        self._connection.close()
