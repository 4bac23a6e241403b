"""SQL of what the sandbox still has to deliver: notifies and carrier callbacks, in real time."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from services.sandbox.domain.times import from_ms, to_ms


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notify or callback; copies of it (same id) differ in `part`. `body` is JSON, signed only when sent."""

    id: str
    part: int
    channel: str
    url: str
    body: str
    ref: str
    flaw: str
    state: str
    attempts: int
    due_at: datetime
    last_answer: str


def enqueue(
    tx: sqlite3.Connection,
    *,
    id: str,
    channel: str,
    url: str,
    body: str,
    ref: str,
    due_at: datetime,
    created_at: datetime,
    part: int = 0,
    flaw: str = "",
) -> None:
    tx.execute(
        "INSERT INTO outgoing (id, part, channel, url, body, ref, flaw, due_ms, created_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (id, part, channel, url, body, ref, flaw, to_ms(due_at), to_ms(created_at)),
    )


def due(tx: sqlite3.Connection, now: datetime, limit: int) -> list[Delivery]:
    rows = tx.execute(
        "SELECT * FROM outgoing WHERE state = 'pending' AND due_ms <= ? ORDER BY due_ms LIMIT ?", (to_ms(now), limit)
    )
    return [_delivery(row) for row in rows]


def record_attempt(tx: sqlite3.Connection, delivery: Delivery, *, state: str, due_at: datetime, answer: str) -> None:
    """One attempt was made: done, pending again at `due_at`, or exhausted."""
    tx.execute(
        "UPDATE outgoing SET attempts = attempts + 1, state = ?, due_ms = ?, last_answer = ? WHERE id = ? AND part = ?",
        (state, to_ms(due_at), answer[:200], delivery.id, delivery.part),
    )


def postpone(tx: sqlite3.Connection, delivery: Delivery, due_at: datetime) -> None:
    """Not yet: no attempt was made."""
    tx.execute("UPDATE outgoing SET due_ms = ? WHERE id = ? AND part = ?", (to_ms(due_at), delivery.id, delivery.part))


def of_ref(tx: sqlite3.Connection, ref: str, limit: int = 100) -> list[Delivery]:
    """Everything sent or to be sent about one trade, order or parcel, oldest first."""
    rows = tx.execute("SELECT * FROM outgoing WHERE ref = ? ORDER BY created_ms, part LIMIT ?", (ref, limit))
    return [_delivery(row) for row in rows]


def count_pending(tx: sqlite3.Connection) -> int:
    return int(tx.execute("SELECT COUNT(*) FROM outgoing WHERE state = 'pending'").fetchone()[0])


def purge_finished(tx: sqlite3.Connection, keep: int) -> None:
    """Forget the oldest finished deliveries beyond `keep`."""
    tx.execute(
        "DELETE FROM outgoing WHERE rowid IN (SELECT rowid FROM outgoing WHERE state <> 'pending' "
        "ORDER BY created_ms DESC LIMIT -1 OFFSET ?)",
        (keep,),
    )


def _delivery(row: sqlite3.Row) -> Delivery:
    return Delivery(
        id=row["id"],
        part=row["part"],
        channel=row["channel"],
        url=row["url"],
        body=row["body"],
        ref=row["ref"],
        flaw=row["flaw"],
        state=row["state"],
        attempts=row["attempts"],
        due_at=from_ms(row["due_ms"]),
        last_answer=row["last_answer"],
    )
