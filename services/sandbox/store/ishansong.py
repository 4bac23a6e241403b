"""SQL of 闪送's orders, from their quotes on."""

import json
import sqlite3
from datetime import datetime

from services.sandbox.domain.ishansong import IshansongOrder
from services.sandbox.domain.times import to_ms

TABLES = (
    """
    CREATE TABLE IF NOT EXISTS ishansong_orders (
        number TEXT PRIMARY KEY, third_no TEXT NOT NULL, status INTEGER NOT NULL, terms TEXT NOT NULL,
        fee_fen INTEGER NOT NULL, tip_fen INTEGER NOT NULL DEFAULT 0, distance_m INTEGER NOT NULL,
        rider INTEGER NOT NULL DEFAULT 0, log TEXT NOT NULL, abort TEXT, expires_ms INTEGER NOT NULL, walk_at_ms INTEGER
    ) STRICT
    """,
    "CREATE INDEX IF NOT EXISTS ishansong_orders_by_third ON ishansong_orders (third_no)",
    "CREATE INDEX IF NOT EXISTS ishansong_quotes ON ishansong_orders (expires_ms) WHERE status = 0",
    "CREATE INDEX IF NOT EXISTS ishansong_walking ON ishansong_orders (walk_at_ms) WHERE walk_at_ms IS NOT NULL",
)


def save_order(tx: sqlite3.Connection, order: IshansongOrder) -> None:
    """Insert or overwrite."""
    tx.execute(
        "INSERT OR REPLACE INTO ishansong_orders (number, third_no, status, terms, fee_fen, tip_fen, distance_m, "
        "rider, log, abort, expires_ms, walk_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            order.number,
            order.third_no,
            order.status,
            json.dumps(dict(order.terms), ensure_ascii=False),
            order.fee_fen,
            order.tip_fen,
            order.distance_m,
            order.rider,
            json.dumps(order.log),
            None if order.abort is None else json.dumps(dict(order.abort), ensure_ascii=False),
            order.expires_ms,
            order.walk_at_ms,
        ),
    )


def find_order(tx: sqlite3.Connection, number: str) -> IshansongOrder | None:
    """By the provider's number; also an order that was only quoted so far."""
    row = tx.execute("SELECT * FROM ishansong_orders WHERE number = ?", (number,)).fetchone()
    return _order(row) if row else None


def placed_for(tx: sqlite3.Connection, third_no: str) -> list[IshansongOrder]:
    """The orders that were placed under the shop's own number, newest first: a rider for each of them."""
    rows = tx.execute(
        "SELECT * FROM ishansong_orders WHERE third_no = ? AND status > 0 ORDER BY rowid DESC LIMIT 20", (third_no,)
    )
    return [_order(row) for row in rows]


def walking(tx: sqlite3.Connection, real_now: datetime, limit: int = 100) -> list[IshansongOrder]:
    """Orders whose next automatic step is due."""
    rows = tx.execute("SELECT * FROM ishansong_orders WHERE walk_at_ms <= ? LIMIT ?", (to_ms(real_now), limit))
    return [_order(row) for row in rows]


def purge_quotes(tx: sqlite3.Connection, now: datetime) -> None:
    """Forget what was quoted and never placed, a day after it ran out."""
    tx.execute("DELETE FROM ishansong_orders WHERE status = 0 AND expires_ms < ?", (to_ms(now) - 86_400_000,))


def _order(row: sqlite3.Row) -> IshansongOrder:
    return IshansongOrder(
        number=row["number"],
        third_no=row["third_no"],
        status=row["status"],
        terms=json.loads(row["terms"]),
        fee_fen=row["fee_fen"],
        tip_fen=row["tip_fen"],
        distance_m=row["distance_m"],
        rider=row["rider"],
        log=tuple((status, at_ms) for status, at_ms in json.loads(row["log"])),
        abort=None if row["abort"] is None else json.loads(row["abort"]),
        expires_ms=row["expires_ms"],
        walk_at_ms=row["walk_at_ms"],
    )
