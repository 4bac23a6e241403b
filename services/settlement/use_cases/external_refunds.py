"""A refund that only the channel's book shows: found once, and checkout is told."""

from datetime import datetime

from services.settlement.domain.refusals import ExternalRefundUnknown, RefundExceedsTrade, TradeUnknown
from services.settlement.store import external_refunds as store
from services.settlement.store.external_refunds import ExternalRefund
from shared.contracts.settlement import ExternalRefundFound
from shared.database import Transaction
from shared.errors import IdTaken
from shared.ids import derived_id
from shared.messaging import outbox


async def find(
    tx: Transaction, out_trade_no: str, channel_refund_no: str, amount_fen: int, refunded_at: datetime, found_by: str
) -> ExternalRefund:
    """Take a refund over from the channel's book. The same one again is the one found before."""
    trade = await store.trade(tx, out_trade_no)
    if trade is None:
        raise TradeUnknown
    order_id, paid_fen = trade
    if amount_fen > paid_fen:
        raise RefundExceedsTrade(paid_fen=paid_fen)
    found = ExternalRefund(
        refund_id=derived_id(order_id, f"external/{out_trade_no}/{channel_refund_no}"),
        order_id=order_id,
        out_trade_no=out_trade_no,
        channel_refund_no=channel_refund_no,
        amount_fen=amount_fen,
        refunded_at=refunded_at,
        found_by=found_by,
    )
    if not await store.add(tx, found):
        return await _found_before(tx, found)
    await outbox.emit(
        tx,
        ExternalRefundFound(
            occurred_at=tx.now,
            refund_id=found.refund_id,
            order_id=order_id,
            out_trade_no=out_trade_no,
            channel_refund_no=channel_refund_no,
            amount_fen=amount_fen,
            refunded_at=refunded_at,
        ),
    )
    return found


async def _found_before(tx: Transaction, found: ExternalRefund) -> ExternalRefund:
    earlier = await read(tx, found.out_trade_no, found.channel_refund_no)
    if (earlier.amount_fen, earlier.refunded_at) != (found.amount_fen, found.refunded_at):
        raise IdTaken
    return earlier


async def read(tx: Transaction, out_trade_no: str, channel_refund_no: str) -> ExternalRefund:
    """One that was found before. Raises ExternalRefundUnknown."""
    found = await store.find(tx, out_trade_no, channel_refund_no)
    if found is None:
        raise ExternalRefundUnknown
    return found
