"""Refunds in the channel's book that nobody here asked for."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.database import Row, Transaction


@dataclass(frozen=True, slots=True)
class ExternalRefund:
    """One of them, by the numbers of the channel's book."""

    refund_id: UUID
    order_id: UUID
    out_trade_no: str
    channel_refund_no: str
    amount_fen: int
    refunded_at: datetime
    found_by: str


_COLUMNS = "refund_id, order_id, out_trade_no, channel_refund_no, amount_fen, refunded_at, found_by"


async def trade(tx: Transaction, out_trade_no: str) -> tuple[UUID, int] | None:
    """The order that a trade has paid, and what it paid."""
    row = await tx.row("select order_id, paid_fen from orders where out_trade_no = $1", out_trade_no)
    return (row["order_id"], row["paid_fen"]) if row else None


async def add(tx: Transaction, found: ExternalRefund) -> bool:
    """Write it down; False if it is here already."""
    return bool(
        await tx.execute(
            f"""insert into external_refunds ({_COLUMNS}, found_at) values ($1, $2, $3, $4, $5, $6, $7, $8)
                on conflict do nothing""",
            found.refund_id,
            found.order_id,
            found.out_trade_no,
            found.channel_refund_no,
            found.amount_fen,
            found.refunded_at,
            found.found_by,
            tx.now,
        )
    )


async def find(tx: Transaction, out_trade_no: str, channel_refund_no: str) -> ExternalRefund | None:
    """The refund with these numbers, if it was found before."""
    return _read(
        await tx.row(
            f"select {_COLUMNS} from external_refunds where out_trade_no = $1 and channel_refund_no = $2",
            out_trade_no,
            channel_refund_no,
        )
    )


def _read(row: Row | None) -> ExternalRefund | None:
    return ExternalRefund(**dict(row)) if row else None
