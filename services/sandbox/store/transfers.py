"""SQL of the transfers from the platform's own account."""

import sqlite3

from services.sandbox.domain.times import from_ms, to_ms
from services.sandbox.domain.transfers import Transfer


def add_transfer(tx: sqlite3.Connection, transfer: Transfer) -> None:
    tx.execute(
        "INSERT INTO transfers (out_biz_no, order_id, amount_fen, identity, at_ms) VALUES (?, ?, ?, ?, ?)",
        (transfer.out_biz_no, transfer.order_id, transfer.amount_fen, transfer.identity, to_ms(transfer.at)),
    )


def find_transfer(tx: sqlite3.Connection, out_biz_no: str) -> Transfer | None:
    row = tx.execute("SELECT * FROM transfers WHERE out_biz_no = ?", (out_biz_no,)).fetchone()
    if row is None:
        return None
    return Transfer(row["out_biz_no"], row["order_id"], row["amount_fen"], row["identity"], from_ms(row["at_ms"]))
