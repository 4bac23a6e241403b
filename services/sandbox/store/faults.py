"""SQL of the fault scripts."""

import sqlite3
from collections.abc import Sequence

from services.sandbox.domain.faults import Fault, FaultScript


def replace_all(tx: sqlite3.Connection, provider: str, scripts: Sequence[FaultScript]) -> None:
    tx.execute("DELETE FROM faults WHERE provider = ?", (provider,))
    tx.executemany(
        "INSERT INTO faults (provider, operation, fault, remaining, probability, seconds, code) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(provider, s.operation, s.fault, s.times, s.probability, s.seconds, s.code) for s in scripts],
    )


def list_all(tx: sqlite3.Connection, provider: str) -> list[FaultScript]:
    """Scripts that still have occurrences left."""
    rows = tx.execute("SELECT * FROM faults WHERE provider = ? AND remaining > 0 ORDER BY id", (provider,))
    return [_script(row) for row in rows]


def candidates(tx: sqlite3.Connection, provider: str, operation: str) -> list[tuple[int, FaultScript]]:
    """Scripts that may hit this operation, with their row ids, in the order in which they were given.

    `*` means any call: what the provider sends by itself must be named.
    """
    rows = tx.execute(
        "SELECT * FROM faults WHERE provider = ?1 AND (operation = ?2 OR (operation = '*' AND ?2 <> 'notify')) "
        "AND remaining > 0 ORDER BY id",
        (provider, operation),
    )
    return [(row["id"], _script(row)) for row in rows]


def spend(tx: sqlite3.Connection, row_id: int) -> None:
    tx.execute("UPDATE faults SET remaining = remaining - 1 WHERE id = ?", (row_id,))


def _script(row: sqlite3.Row) -> FaultScript:
    return FaultScript(
        operation=row["operation"],
        fault=Fault(row["fault"]),
        times=row["remaining"],
        probability=row["probability"],
        seconds=row["seconds"],
        code=row["code"],
    )
