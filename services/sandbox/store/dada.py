"""SQL of 达达's quotes and orders."""

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime

from services.sandbox.domain.dada import DadaOrder
from services.sandbox.domain.times import to_ms

TABLES = (
    """
    CREATE TABLE IF NOT EXISTS dada_quotes (
        delivery_no TEXT PRIMARY KEY, terms TEXT NOT NULL, fee_fen INTEGER NOT NULL, distance_m INTEGER NOT NULL,
        expires_ms INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE IF NOT EXISTS dada_orders (
        origin_id TEXT PRIMARY KEY, client_id TEXT NOT NULL, status INTEGER NOT NULL, terms TEXT NOT NULL,
        fee_fen INTEGER NOT NULL, tip_fen INTEGER NOT NULL DEFAULT 0, deduct_fen INTEGER NOT NULL DEFAULT 0,
        distance_m INTEGER NOT NULL, finish_code TEXT NOT NULL, rider INTEGER NOT NULL DEFAULT 0,
        times TEXT NOT NULL, walk_at_ms INTEGER
    ) STRICT
    """,
    "CREATE INDEX IF NOT EXISTS dada_walking ON dada_orders (walk_at_ms) WHERE walk_at_ms IS NOT NULL",
)


def add_quote(
    tx: sqlite3.Connection,
    delivery_no: str,
    terms: Mapping[str, object],
    fee_fen: int,
    distance_m: int,
    expires_at: datetime,
) -> None:
    tx.execute(
        "INSERT INTO dada_quotes (delivery_no, terms, fee_fen, distance_m, expires_ms) VALUES (?, ?, ?, ?, ?)",
        (delivery_no, json.dumps(terms, ensure_ascii=False), fee_fen, distance_m, to_ms(expires_at)),
    )


def take_quote(tx: sqlite3.Connection, delivery_no: str, now: datetime) -> tuple[dict[str, object], int, int] | None:
    """Terms, fee and distance of a quote that still holds; it is used up."""
    row = tx.execute(
        "DELETE FROM dada_quotes WHERE delivery_no = ? AND expires_ms > ? RETURNING *", (delivery_no, to_ms(now))
    ).fetchone()
    return (json.loads(row["terms"]), row["fee_fen"], row["distance_m"]) if row else None


def purge_quotes(tx: sqlite3.Connection, now: datetime) -> None:
    tx.execute("DELETE FROM dada_quotes WHERE expires_ms <= ?", (to_ms(now),))


def save_order(tx: sqlite3.Connection, order: DadaOrder) -> None:
    """Insert or overwrite."""
    tx.execute(
        "INSERT OR REPLACE INTO dada_orders (origin_id, client_id, status, terms, fee_fen, tip_fen, deduct_fen, "
        "distance_m, finish_code, rider, times, walk_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            order.origin_id,
            order.client_id,
            order.status,
            json.dumps(dict(order.terms), ensure_ascii=False),
            order.fee_fen,
            order.tip_fen,
            order.deduct_fen,
            order.distance_m,
            order.finish_code,
            order.rider,
            json.dumps(dict(order.times)),
            order.walk_at_ms,
        ),
    )


def find_order(tx: sqlite3.Connection, origin_id: str) -> DadaOrder | None:
    row = tx.execute("SELECT * FROM dada_orders WHERE origin_id = ?", (origin_id,)).fetchone()
    return _order(row) if row else None


def walking(tx: sqlite3.Connection, real_now: datetime, limit: int = 100) -> list[DadaOrder]:
    """Orders whose next automatic step is due."""
    rows = tx.execute("SELECT * FROM dada_orders WHERE walk_at_ms <= ? LIMIT ?", (to_ms(real_now), limit))
    return [_order(row) for row in rows]


def _order(row: sqlite3.Row) -> DadaOrder:
    return DadaOrder(
        origin_id=row["origin_id"],
        client_id=row["client_id"],
        status=row["status"],
        terms=json.loads(row["terms"]),
        fee_fen=row["fee_fen"],
        tip_fen=row["tip_fen"],
        deduct_fen=row["deduct_fen"],
        distance_m=row["distance_m"],
        finish_code=row["finish_code"],
        rider=row["rider"],
        times=json.loads(row["times"]),
        walk_at_ms=row["walk_at_ms"],
    )
