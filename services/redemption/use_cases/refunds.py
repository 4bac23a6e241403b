"""The fence: a certificate is refunded or used, never both, and checkout is told which."""

from collections.abc import Sequence
from uuid import UUID

from services.redemption.domain import refusals as reasons
from services.redemption.domain.certificates import refusal_to_fence
from services.redemption.store import certificates, recalls, refunds
from services.redemption.store.refunds import Refund, RefundState
from services.redemption.use_cases import disputes
from services.redemption.use_cases.making_up import make_up
from shared.contracts.checkout import RefundAbandoned, RefundCause, RefundRequested, RefundSucceeded
from shared.contracts.redemption import FencedUnit, RefundFenced, RefundRefused
from shared.database import Transaction
from shared.errors import NotYet
from shared.messaging import outbox
from shared.observability import log


async def fence_refund(tx: Transaction, event: RefundRequested) -> None:
    """Fence all units of a refund, or hold its uses back, or refuse it, and answer. Ahead of the order, the request
    waits for it."""
    await certificates.lock_order(tx, event.order_id)
    after_use = event.cause is RefundCause.AFTER_USE
    refund = await refunds.add(
        tx, event.refund_id, event.order_id, event.unit_ids, RefundState.WAITING, after_use=after_use
    )
    if refund is None:
        await _answer_again(tx, await _known(tx, event.refund_id))
    elif await certificates.order_of(tx, event.order_id) is not None:
        await _decide(tx, refund)


async def answer_waiting(tx: Transaction, order_id: UUID) -> None:
    """Decide the refunds that were ahead of their order. The order is locked by the caller."""
    for refund in await refunds.waiting_for(tx, order_id):
        await _decide(tx, refund)


async def _decide(tx: Transaction, refund: Refund) -> None:
    if refund.after_use:
        code = await disputes.dispute(tx, refund)
        if code is not None:
            await _refuse(tx, refund, code)
        return
    fenced = await certificates.fence(tx, refund.refund_id, refund.order_id, refund.unit_ids)
    if fenced is not None:
        await refunds.move(tx, refund.refund_id, RefundState.WAITING, RefundState.FENCED)
        await _say_fenced(tx, refund, fenced)
        return
    code = refusal_to_fence(await certificates.certificates_of(tx, refund.order_id), refund.unit_ids)
    await _refuse(tx, refund, code)


async def _refuse(tx: Transaction, refund: Refund, code: str) -> None:
    await refunds.move(tx, refund.refund_id, RefundState.WAITING, RefundState.REFUSED, code)
    log.info("refund_refused", refund_id=str(refund.refund_id), code=code)
    await _say_refused(tx, refund, code)


async def _answer_again(tx: Transaction, refund: Refund) -> None:
    match refund.state:
        case RefundState.FENCED:
            await _say_fenced(tx, refund, await certificates.fenced_by(tx, refund.refund_id))
        case RefundState.DISPUTED:
            await disputes.say_disputed(tx, refund)
        case RefundState.REFUSED:
            assert refund.code is not None, "a refused refund has its code"
            await _say_refused(tx, refund, refund.code)
        case RefundState.ABANDONED:
            await _say_refused(tx, refund, reasons.RefundWasAbandoned.code)
        case RefundState.WAITING | RefundState.SUCCEEDED:
            return  # The answer is still to come, or was acted on long ago.


async def close_refund(tx: Transaction, event: RefundSucceeded) -> None:
    """The money is back with the buyer: the fenced or disputed certificates are over."""
    await certificates.lock_order(tx, event.order_id)
    if event.external:
        await _take_external(tx, event)
    if await refunds.move(tx, event.refund_id, RefundState.FENCED, RefundState.SUCCEEDED):
        await certificates.close_fence(tx, event.refund_id)
        return
    if await disputes.pay_back(tx, event.refund_id):
        return
    refund = await refunds.find(tx, event.refund_id)
    if refund is None or refund.state is RefundState.WAITING:
        raise NotYet("the refund's request is not here yet")
    if refund.state is not RefundState.SUCCEEDED:
        raise reasons.RefundNotFenced


async def _take_external(tx: Transaction, event: RefundSucceeded) -> None:
    """A refund that was made at the channel itself: nobody asked, so what is unused is fenced now, and what waits
    behind the fence of another refund is taken over. A used certificate stays used; that its money went back is
    settlement's to sort out with the merchant."""
    if await certificates.order_of(tx, event.order_id) is None:
        raise NotYet("the order of an external refund is not here yet")
    unit_ids = tuple(unit.unit_id for unit in event.units)
    if await refunds.add(tx, event.refund_id, event.order_id, unit_ids, RefundState.WAITING) is None:
        return
    for unit_id in sorted(unit_ids):
        await certificates.fence(tx, event.refund_id, event.order_id, [unit_id])
    await certificates.take_over(tx, event.refund_id, event.order_id, unit_ids)
    await refunds.move(tx, event.refund_id, RefundState.WAITING, RefundState.FENCED)


async def lift_fence(tx: Transaction, event: RefundAbandoned) -> None:
    """The refund was given up: its certificates are again what they were. A request that arrives later is refused.

    Certificates that the event does not name stay fenced: their money went back at the channel, and the news of that
    is on its way."""
    await certificates.lock_order(tx, event.order_id)
    if await refunds.add(tx, event.refund_id, event.order_id, event.unit_ids, RefundState.ABANDONED):
        return
    refund = await _known(tx, event.refund_id)
    if set(refund.unit_ids) > set(event.unit_ids):
        lifted = refund.state is RefundState.FENCED
    else:
        lifted = await refunds.move(tx, event.refund_id, RefundState.FENCED, RefundState.ABANDONED)
    if lifted:
        await _give_back(tx, event.order_id, event.refund_id, event.unit_ids)
        return
    await refunds.move(tx, event.refund_id, RefundState.WAITING, RefundState.ABANDONED)


async def _give_back(tx: Transaction, order_id: UUID, refund_id: UUID, unit_ids: Sequence[UUID]) -> None:
    order = await certificates.order_of(tx, order_id)
    assert order is not None, "what was fenced has an order"
    await recalls.share_merchant(tx, order.merchant_id)
    await make_up(tx, order, await certificates.lift_fence(tx, refund_id, unit_ids))


async def _known(tx: Transaction, refund_id: UUID) -> Refund:
    refund = await refunds.find(tx, refund_id)
    assert refund is not None, "another transaction has just added it"
    return refund


async def _say_fenced(tx: Transaction, refund: Refund, fenced: Sequence[tuple[UUID, Sequence[int]]]) -> None:
    units = tuple(
        FencedUnit(unit_id=unit_id, uses_left=len(left_nos), left_nos=tuple(left_nos)) for unit_id, left_nos in fenced
    )
    await outbox.emit(
        tx, RefundFenced(occurred_at=tx.now, refund_id=refund.refund_id, order_id=refund.order_id, units=units)
    )


async def _say_refused(tx: Transaction, refund: Refund, code: str) -> None:
    await outbox.emit(
        tx, RefundRefused(occurred_at=tx.now, refund_id=refund.refund_id, order_id=refund.order_id, code=code)
    )
