"""SQL of Alipay's trades, refunds and confirms."""

import sqlite3
from datetime import datetime

from services.sandbox.domain.requests import TradeKey
from services.sandbox.domain.times import from_ms, to_ms
from services.sandbox.domain.trade import Trade, TradeState


def add_link(tx: sqlite3.Connection, token: str, out_trade_no: str, params: str, now: datetime) -> None:
    """Keep a verified pay link; the same link again is the same row."""
    tx.execute(
        "INSERT INTO pay_links (token, out_trade_no, params, seen_ms) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (token) DO UPDATE SET seen_ms = excluded.seen_ms",
        (token, out_trade_no, params, to_ms(now)),
    )


def find_link(tx: sqlite3.Connection, token: str) -> str | None:
    row = tx.execute("SELECT params FROM pay_links WHERE token = ?", (token,)).fetchone()
    return str(row["params"]) if row else None


def latest_link(tx: sqlite3.Connection, out_trade_no: str) -> str | None:
    """Token of the newest pay link of an out_trade_no."""
    row = tx.execute(
        "SELECT token FROM pay_links WHERE out_trade_no = ? ORDER BY seen_ms DESC, token LIMIT 1", (out_trade_no,)
    ).fetchone()
    return str(row["token"]) if row else None


def purge_links(tx: sqlite3.Connection, before: datetime) -> None:
    tx.execute("DELETE FROM pay_links WHERE seen_ms < ?", (to_ms(before),))


def add_trade(tx: sqlite3.Connection, trade: Trade) -> None:
    tx.execute(
        "INSERT INTO trades (trade_no, out_trade_no, subject, total_fen, state, smid, settle_info, passback_params, "
        "notify_url, return_url, quit_url, buyer_id, created_ms, expires_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            trade.trade_no,
            trade.out_trade_no,
            trade.subject,
            trade.total_fen,
            trade.state,
            trade.smid,
            trade.settle_info,
            trade.passback_params,
            trade.notify_url,
            trade.return_url,
            trade.quit_url,
            trade.buyer_id,
            to_ms(trade.created_at),
            to_ms(trade.expires_at),
        ),
    )


def find_trade(tx: sqlite3.Connection, key: TradeKey) -> Trade | None:
    """The trade meant by `key`; the trade_no wins."""
    column, value = ("trade_no", key.trade_no) if key.trade_no else ("out_trade_no", key.out_trade_no)
    row = tx.execute(f"SELECT * FROM trades WHERE {column} = ?", (value,)).fetchone()
    return _trade(row) if row else None


def overdue_trades(tx: sqlite3.Connection, now: datetime, paid_before: datetime, limit: int = 200) -> list[Trade]:
    """Trades that time alone closes or finishes."""
    rows = tx.execute(
        "SELECT * FROM trades WHERE state = 'WAIT_BUYER_PAY' AND expires_ms <= ?1 "
        "UNION ALL SELECT * FROM trades WHERE state = 'TRADE_SUCCESS' AND paid_ms <= ?2 LIMIT ?3",
        (to_ms(now), to_ms(paid_before), limit),
    )
    return [_trade(row) for row in rows]


def set_state(tx: sqlite3.Connection, trade_no: str, state: TradeState, now: datetime) -> None:
    closed_ms = to_ms(now) if state is TradeState.TRADE_CLOSED else None
    tx.execute(
        "UPDATE trades SET state = ?, closed_ms = COALESCE(?, closed_ms) WHERE trade_no = ?",
        (state, closed_ms, trade_no),
    )


def set_paid(tx: sqlite3.Connection, trade_no: str, buyer_id: str, now: datetime) -> bool:
    """WAIT_BUYER_PAY → TRADE_SUCCESS; False if it was not waiting."""
    changed = tx.execute(
        "UPDATE trades SET state = 'TRADE_SUCCESS', paid_ms = ?, buyer_id = ? "
        "WHERE trade_no = ? AND state = 'WAIT_BUYER_PAY'",
        (to_ms(now), buyer_id, trade_no),
    )
    return changed.rowcount == 1


def add_refund(
    tx: sqlite3.Connection, trade_no: str, out_request_no: str, amount_fen: int, clawed_back_fen: int, now: datetime
) -> None:
    tx.execute(
        "INSERT INTO refunds (trade_no, out_request_no, amount_fen, at_ms) VALUES (?, ?, ?, ?)",
        (trade_no, out_request_no, amount_fen, to_ms(now)),
    )
    tx.execute(
        "UPDATE trades SET refunded_fen = refunded_fen + ?, clawed_back_fen = clawed_back_fen + ? WHERE trade_no = ?",
        (amount_fen, clawed_back_fen, trade_no),
    )


def find_refund(tx: sqlite3.Connection, trade_no: str, out_request_no: str) -> tuple[int, datetime] | None:
    """Amount in fen and time of an accepted refund."""
    row = tx.execute(
        "SELECT amount_fen, at_ms FROM refunds WHERE trade_no = ? AND out_request_no = ?", (trade_no, out_request_no)
    ).fetchone()
    return (row["amount_fen"], from_ms(row["at_ms"])) if row else None


def add_confirm(
    tx: sqlite3.Connection, trade_no: str, out_request_no: str, amount_fen: int, fee_fen: int, now: datetime
) -> None:
    tx.execute(
        "INSERT INTO confirms (out_request_no, trade_no, amount_fen, fee_fen, at_ms) VALUES (?, ?, ?, ?, ?)",
        (out_request_no, trade_no, amount_fen, fee_fen, to_ms(now)),
    )
    tx.execute("UPDATE trades SET confirmed_fen = confirmed_fen + ? WHERE trade_no = ?", (amount_fen, trade_no))


def find_confirm(tx: sqlite3.Connection, out_request_no: str) -> tuple[str, int] | None:
    """Trade number and amount in fen of an accepted confirm."""
    row = tx.execute("SELECT trade_no, amount_fen FROM confirms WHERE out_request_no = ?", (out_request_no,)).fetchone()
    return (row["trade_no"], row["amount_fen"]) if row else None


def confirms_of(tx: sqlite3.Connection, trade_no: str) -> list[tuple[int, int, datetime]]:
    """Serial number, amount in fen and time of every confirm of a trade."""
    rows = tx.execute("SELECT rowid AS no, amount_fen, at_ms FROM confirms WHERE trade_no = ? ORDER BY no", (trade_no,))
    return [(row["no"], row["amount_fen"], from_ms(row["at_ms"])) for row in rows]


def _trade(row: sqlite3.Row) -> Trade:
    return Trade(
        trade_no=row["trade_no"],
        out_trade_no=row["out_trade_no"],
        subject=row["subject"],
        total_fen=row["total_fen"],
        state=TradeState(row["state"]),
        smid=row["smid"],
        settle_info=row["settle_info"],
        passback_params=row["passback_params"],
        notify_url=row["notify_url"],
        return_url=row["return_url"],
        quit_url=row["quit_url"],
        buyer_id=row["buyer_id"],
        created_at=from_ms(row["created_ms"]),
        expires_at=from_ms(row["expires_ms"]),
        paid_at=from_ms(row["paid_ms"]) if row["paid_ms"] is not None else None,
        closed_at=from_ms(row["closed_ms"]) if row["closed_ms"] is not None else None,
        refunded_fen=row["refunded_fen"],
        clawed_back_fen=row["clawed_back_fen"],
        confirmed_fen=row["confirmed_fen"],
    )
