"""SQL of Alipay's book: every movement of money, in the order in which it happened."""

import sqlite3
from datetime import datetime

from services.sandbox.domain.book import Entry, Sums
from services.sandbox.domain.times import from_ms, to_ms


def add_entry(
    tx: sqlite3.Connection,
    kind: str,
    *,
    amount_fen: int,
    now: datetime,
    trade_no: str = "",
    out_trade_no: str = "",
    out_request_no: str = "",
    fee_fen: int = 0,
    smid: str | None = None,
) -> None:
    tx.execute(
        "INSERT INTO book (kind, trade_no, out_trade_no, out_request_no, amount_fen, fee_fen, smid, at_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (kind, trade_no, out_trade_no, out_request_no, amount_fen, fee_fen, smid, to_ms(now)),
    )


def sums(tx: sqlite3.Connection) -> Sums:
    rows = tx.execute("SELECT kind, SUM(amount_fen) AS amount_fen, SUM(fee_fen) AS fee_fen FROM book GROUP BY kind")
    by_kind = {row["kind"]: (row["amount_fen"], row["fee_fen"]) for row in rows}
    settled_fen, fee_fen = by_kind.get("settle", (0, 0))
    return Sums(
        received_fen=by_kind.get("payment", (0, 0))[0],
        refunded_fen=by_kind.get("refund", (0, 0))[0],
        clawed_back_fen=by_kind.get("clawback", (0, 0))[0],
        settled_fen=settled_fen - fee_fen + by_kind.get("transfer", (0, 0))[0],
        fee_fen=fee_fen,
    )


def entries_after(tx: sqlite3.Connection, seq: int, limit: int) -> list[Entry]:
    rows = tx.execute("SELECT * FROM book WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit))
    return [_entry(row) for row in rows]


def entries_between(tx: sqlite3.Connection, start: datetime, end: datetime) -> list[Entry]:
    """Entries of one day, for its bill."""
    rows = tx.execute("SELECT * FROM book WHERE at_ms >= ? AND at_ms < ? ORDER BY seq", (to_ms(start), to_ms(end)))
    return [_entry(row) for row in rows]


def balance_before(tx: sqlite3.Connection, moment: datetime) -> int:
    """What the platform's Alipay account held just before `moment`, in fen."""
    row = tx.execute(
        "SELECT COALESCE(SUM(CASE kind WHEN 'payment' THEN amount_fen WHEN 'clawback' THEN amount_fen "
        "WHEN 'refund' THEN -amount_fen WHEN 'settle' THEN -amount_fen WHEN 'transfer' THEN -amount_fen "
        "ELSE 0 END), 0) AS fen FROM book WHERE at_ms < ?",
        (to_ms(moment),),
    ).fetchone()
    return int(row["fen"])


def own_balance(tx: sqlite3.Connection) -> int:
    """What the platform may transfer, in fen: its own trades' money. That of sub-merchants' trades is not its own."""
    row = tx.execute(
        "SELECT COALESCE(SUM(CASE kind WHEN 'payment' THEN amount_fen WHEN 'refund' THEN -amount_fen "
        "WHEN 'transfer' THEN -amount_fen ELSE 0 END), 0) AS fen FROM book WHERE smid IS NULL"
    ).fetchone()
    return int(row["fen"])


def merchant_balance(tx: sqlite3.Connection, smid: str) -> int:
    """What a sub-merchant can still be asked to return, in fen."""
    row = tx.execute(
        "SELECT COALESCE(SUM(CASE kind WHEN 'settle' THEN amount_fen - fee_fen WHEN 'clawback' THEN -amount_fen "
        "WHEN 'withdrawal' THEN -amount_fen ELSE 0 END), 0) AS fen FROM book WHERE smid = ?",
        (smid,),
    ).fetchone()
    return int(row["fen"])


def _entry(row: sqlite3.Row) -> Entry:
    return Entry(
        seq=row["seq"],
        kind=row["kind"],
        trade_no=row["trade_no"],
        out_trade_no=row["out_trade_no"],
        out_request_no=row["out_request_no"],
        amount_fen=row["amount_fen"],
        fee_fen=row["fee_fen"],
        smid=row["smid"],
        at=from_ms(row["at_ms"]),
    )
