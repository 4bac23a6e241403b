"""SQL of 快递100's orders, tracks and subscriptions."""

import json
import sqlite3
from datetime import UTC, datetime

from services.sandbox.domain.kuaidi100 import KuaidiOrder, Subscription, Trace
from services.sandbox.domain.times import from_ms, to_ms

_EVER = datetime.fromtimestamp(0, UTC)

TABLES = (
    """
    CREATE TABLE IF NOT EXISTS kuaidi_orders (
        order_id TEXT PRIMARY KEY, task_id TEXT NOT NULL, third_order_id TEXT NOT NULL, kuaidicom TEXT NOT NULL,
        kuaidinum TEXT NOT NULL, status INTEGER NOT NULL, terms TEXT NOT NULL, fee_fen INTEGER NOT NULL,
        created_ms INTEGER NOT NULL, walk_at_ms INTEGER
    ) STRICT
    """,
    "CREATE INDEX IF NOT EXISTS kuaidi_orders_by_third ON kuaidi_orders (third_order_id, created_ms)",
    "CREATE INDEX IF NOT EXISTS kuaidi_orders_by_task ON kuaidi_orders (task_id)",
    "CREATE INDEX IF NOT EXISTS kuaidi_walking ON kuaidi_orders (walk_at_ms) WHERE walk_at_ms IS NOT NULL",
    """
    CREATE TABLE IF NOT EXISTS kuaidi_subscriptions (
        number TEXT PRIMARY KEY, company TEXT NOT NULL, callback_url TEXT NOT NULL, salt TEXT NOT NULL,
        active INTEGER NOT NULL, created_ms INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE IF NOT EXISTS kuaidi_traces (
        number TEXT NOT NULL, seq INTEGER NOT NULL, state TEXT NOT NULL, context TEXT NOT NULL, at_ms INTEGER NOT NULL,
        PRIMARY KEY (number, seq)
    ) STRICT
    """,
)


def save_order(tx: sqlite3.Connection, order: KuaidiOrder) -> None:
    """Insert or overwrite."""
    tx.execute(
        "INSERT OR REPLACE INTO kuaidi_orders (order_id, task_id, third_order_id, kuaidicom, kuaidinum, status, terms, "
        "fee_fen, created_ms, walk_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            order.order_id,
            order.task_id,
            order.third_order_id,
            order.kuaidicom,
            order.kuaidinum,
            order.status,
            json.dumps(dict(order.terms), ensure_ascii=False),
            order.fee_fen,
            to_ms(order.created_at),
            order.walk_at_ms,
        ),
    )


def find_order(tx: sqlite3.Connection, order_id: str) -> KuaidiOrder | None:
    row = tx.execute("SELECT * FROM kuaidi_orders WHERE order_id = ?", (order_id,)).fetchone()
    return _order(row) if row else None


def find_by_task(tx: sqlite3.Connection, task_id: str) -> KuaidiOrder | None:
    row = tx.execute("SELECT * FROM kuaidi_orders WHERE task_id = ?", (task_id,)).fetchone()
    return _order(row) if row else None


def find_by_third(tx: sqlite3.Connection, third_order_id: str, since: datetime = _EVER) -> KuaidiOrder | None:
    """The newest order placed under the shop's own number, of those placed after `since`."""
    row = tx.execute(
        "SELECT * FROM kuaidi_orders WHERE third_order_id = ? AND created_ms > ? ORDER BY created_ms DESC LIMIT 1",
        (third_order_id, to_ms(since)),
    ).fetchone()
    return _order(row) if row else None


def count_by_third(tx: sqlite3.Connection, third_order_id: str) -> int:
    """How many orders were placed under the shop's own number: a courier for each of them."""
    row = tx.execute("SELECT COUNT(*) FROM kuaidi_orders WHERE third_order_id = ?", (third_order_id,)).fetchone()
    return int(row[0])


def walking(tx: sqlite3.Connection, real_now: datetime, limit: int = 100) -> list[KuaidiOrder]:
    """Orders whose next automatic step is due."""
    rows = tx.execute("SELECT * FROM kuaidi_orders WHERE walk_at_ms <= ? LIMIT ?", (to_ms(real_now), limit))
    return [_order(row) for row in rows]


def add_trace(tx: sqlite3.Connection, number: str, trace: Trace) -> None:
    tx.execute(
        "INSERT INTO kuaidi_traces (number, seq, state, context, at_ms) "
        "SELECT ?1, COALESCE(MAX(seq), 0) + 1, ?2, ?3, ?4 FROM kuaidi_traces WHERE number = ?1",
        (number, trace.state, trace.context, to_ms(trace.at)),
    )


def traces(tx: sqlite3.Connection, number: str, limit: int = 100) -> list[Trace]:
    """Newest first, as the provider lists them."""
    rows = tx.execute("SELECT * FROM kuaidi_traces WHERE number = ? ORDER BY seq DESC LIMIT ?", (number, limit))
    return [Trace(row["state"], row["context"], from_ms(row["at_ms"])) for row in rows]


def save_subscription(tx: sqlite3.Connection, subscription: Subscription, now: datetime) -> None:
    tx.execute(
        "INSERT OR REPLACE INTO kuaidi_subscriptions (number, company, callback_url, salt, active, created_ms) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (
            subscription.number,
            subscription.company,
            subscription.callback_url,
            subscription.salt,
            int(subscription.active),
            to_ms(now),
        ),
    )


def find_subscription(tx: sqlite3.Connection, number: str) -> Subscription | None:
    row = tx.execute("SELECT * FROM kuaidi_subscriptions WHERE number = ?", (number,)).fetchone()
    if row is None:
        return None
    return Subscription(row["number"], row["company"], row["callback_url"], row["salt"], bool(row["active"]))


def _order(row: sqlite3.Row) -> KuaidiOrder:
    return KuaidiOrder(
        order_id=row["order_id"],
        task_id=row["task_id"],
        third_order_id=row["third_order_id"],
        kuaidicom=row["kuaidicom"],
        kuaidinum=row["kuaidinum"],
        status=row["status"],
        terms=json.loads(row["terms"]),
        fee_fen=row["fee_fen"],
        created_at=from_ms(row["created_ms"]),
        walk_at_ms=row["walk_at_ms"],
    )
