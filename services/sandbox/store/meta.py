"""Single values: the clock's offset, the file's own secret, and what controls chose."""

import secrets
import sqlite3


def read_offset_s(tx: sqlite3.Connection) -> float:
    """How far the clock is moved, in seconds."""
    row = tx.execute("SELECT value FROM meta WHERE name = 'offset_s'").fetchone()
    return float(row["value"]) if row else 0.0


def write_offset_s(tx: sqlite3.Connection, offset_s: float) -> None:
    tx.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('offset_s', ?)", (repr(offset_s),))


def link_secret(tx: sqlite3.Connection) -> str:
    """A random secret, made once per state file; it makes links of this sandbox unguessable."""
    tx.execute("INSERT OR IGNORE INTO meta (name, value) VALUES ('link_secret', ?)", (secrets.token_hex(32),))
    return str(tx.execute("SELECT value FROM meta WHERE name = 'link_secret'").fetchone()["value"])


def read_text(tx: sqlite3.Connection, name: str) -> str | None:
    """What was chosen under this name; None = never."""
    row = tx.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return str(row["value"]) if row else None


def write_text(tx: sqlite3.Connection, name: str, value: str) -> None:
    tx.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (name, value))


def read_walk_step_s(tx: sqlite3.Connection) -> float | None:
    """Seconds between automatic steps of carriers' orders; 0 = switched off, None = never chosen."""
    row = tx.execute("SELECT value FROM meta WHERE name = 'walk_step_s'").fetchone()
    return float(row["value"]) if row else None


def write_walk_step_s(tx: sqlite3.Connection, step_s: float) -> None:
    tx.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('walk_step_s', ?)", (repr(step_s),))
