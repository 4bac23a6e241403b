"""Refunds after the use: the certificates are held as they are until checkout says how the review ended."""

from uuid import UUID

from services.redemption.domain.certificates import refusal_to_dispute
from services.redemption.store import certificates, disputes, refunds
from services.redemption.store.refunds import Refund, RefundState
from shared.contracts.checkout import DisputeClosed
from shared.contracts.redemption import UseDisputed
from shared.database import Transaction
from shared.messaging import outbox


async def dispute(tx: Transaction, refund: Refund) -> str | None:
    """Hold all uses of a refund back and say so, or the code of why not. The order is locked by the caller."""
    if await disputes.hold(tx, refund.refund_id, refund.order_id, refund.unit_ids):
        await refunds.move(tx, refund.refund_id, RefundState.WAITING, RefundState.DISPUTED)
        await say_disputed(tx, refund)
        return None
    return refusal_to_dispute(await certificates.certificates_of(tx, refund.order_id), refund.unit_ids)


async def say_disputed(tx: Transaction, refund: Refund) -> None:
    """Checkout opens the review, settlement holds the payout back."""
    order = await certificates.order_of(tx, refund.order_id)
    assert order is not None, "what is disputed has an order"
    await outbox.emit(
        tx,
        UseDisputed(
            occurred_at=tx.now,
            refund_id=refund.refund_id,
            order_id=refund.order_id,
            merchant_id=order.merchant_id,
            unit_ids=refund.unit_ids,
        ),
    )


async def pay_back(tx: Transaction, refund_id: UUID) -> bool:
    """The money of disputed uses is back with the buyer; False if this refund disputes none."""
    if not await refunds.move(tx, refund_id, RefundState.DISPUTED, RefundState.SUCCEEDED):
        return False
    await disputes.refund(tx, refund_id)
    return True


async def close_dispute(tx: Transaction, event: DisputeClosed) -> None:
    """The review ended without money: the certificates are again what they were. A request that arrives later is
    refused."""
    await certificates.lock_order(tx, event.order_id)
    given_up = RefundState.ABANDONED
    if await refunds.add(tx, event.refund_id, event.order_id, event.unit_ids, given_up, after_use=True):
        return
    if await refunds.move(tx, event.refund_id, RefundState.DISPUTED, given_up):
        await disputes.let_go(tx, event.refund_id)
        return
    await refunds.move(tx, event.refund_id, RefundState.WAITING, given_up)
