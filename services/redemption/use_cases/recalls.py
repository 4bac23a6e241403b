"""Recall: certificates that no store takes any more are fenced, and checkout pays them back."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from services.redemption.store import copies, recalls
from shared.contracts.catalog import MerchantSuspended, StoreClosed
from shared.contracts.checkout import RefundCause
from shared.contracts.redemption import CertificateRecalled, RecallReason
from shared.database import Transaction
from shared.ids import derived_id
from shared.messaging import outbox, timers
from shared.messaging.timers import Due
from shared.observability import log

RECALL = "recall"
ORDERS_AT_ONCE = 100


async def recall_at_closed_store(tx: Transaction, event: StoreClosed) -> None:
    """A store no longer serves what this merchant sold for it."""
    await recalls.lock_merchant(tx, event.merchant_id)
    await copies.close_store(tx, event)
    await timers.schedule(tx, RECALL, event.merchant_id, tx.now)


async def recall_of_suspended_merchant(tx: Transaction, event: MerchantSuspended) -> None:
    """Nothing that this merchant sold can be used any more."""
    await recalls.lock_merchant(tx, event.merchant_id)
    await copies.keep_merchant(tx, event)
    await timers.schedule(tx, RECALL, event.merchant_id, tx.now)


async def recall_next(tx: Transaction, due: Sequence[Due]) -> None:
    """Recall among the next orders of the first merchant; the other merchants, and the rest, wait for their turn."""
    first, *others = due
    for other in others:
        await timers.schedule(tx, RECALL, other.key, other.due_at, other.payload)
    merchant_id, after = UUID(first.key), first.payload.get("after")
    last, unit_ids = await recalls.fenceable_after(tx, merchant_id, after and UUID(after), ORDERS_AT_ONCE)
    await recall_units(tx, unit_ids)
    if last is not None:
        await timers.schedule(tx, RECALL, merchant_id, tx.now, {**first.payload, "after": str(last)})


async def recall_units(tx: Transaction, unit_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Fence and announce those of these certificates that no store takes any more. Returns which."""
    refund_ids = {unit_id: derived_id(unit_id, RefundCause.RECALLED.value) for unit_id in unit_ids}
    if not refund_ids:
        return frozenset()
    recalled = await recalls.recall(tx, refund_ids)
    if recalled:
        log.info("certificates_recalled", count=len(recalled), merchant_id=str(recalled[0].merchant_id))
    await outbox.emit(
        tx,
        *(
            CertificateRecalled(
                occurred_at=tx.now,
                unit_id=one.unit_id,
                order_id=one.order_id,
                merchant_id=one.merchant_id,
                reason=RecallReason.MERCHANT_SUSPENDED if one.suspended else RecallReason.STORE_CLOSED,
                uses_left=one.uses_left,
            )
            for one in recalled
        ),
    )
    return frozenset(one.unit_id for one in recalled)
