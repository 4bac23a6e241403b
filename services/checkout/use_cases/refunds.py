"""Refunds: asked for, fenced by whoever fulfils the units, sent to the channel, done, or given up."""

from collections.abc import Sequence
from uuid import UUID

from services.checkout.domain.orders import Order, OrderUnit, UnitState, value_of_uses_left
from services.checkout.domain.payments import Attempt, Stray
from services.checkout.domain.refunds import (
    STRAY_CAUSES,
    Refund,
    RefundAnswer,
    RefundOutcome,
    RefundState,
    pause_after_failure,
    pause_after_unknown,
)
from services.checkout.domain.refusals import (
    OrderNotPaid,
    RefundNotFound,
    RefundNotStuck,
    RefundOnExpiryOnly,
    RefundUnderWay,
    UnitNotOfOrder,
    UnitRefunded,
    WholeParcelOnly,
)
from services.checkout.domain.reviews import ReviewRules, cause_of, may_ask_for_a_part
from services.checkout.domain.timeline import What
from services.checkout.store import orders, payments, refunds, stock
from services.checkout.use_cases import after_use, automatic_refunds, schedule
from services.checkout.use_cases.fencing import fence
from shared.contracts.checkout import RefundAbandoned, RefundCause, RefundedUnit, RefundSucceeded
from shared.contracts.redemption import FencedUnit
from shared.database import Transaction
from shared.errors import IdTaken, NotYet
from shared.ids import derived_id
from shared.messaging import outbox, timers
from shared.observability import log

_WHY_NOT = {UnitState.REFUNDING: RefundUnderWay, UnitState.REFUNDED: UnitRefunded}


async def request_refund(
    tx: Transaction, rules: ReviewRules, refund_id: UUID, order: Order, unit_ids: Sequence[UUID], by: str, reason: str
) -> Refund:
    """The buyer wants the money of these units back; a repeated request returns the first one's refund. Used ones are
    reviewed by the merchant, and so are goods that dispatch says have left. The caller holds the order."""
    earlier = await refunds.find_refund(tx, refund_id)
    if earlier is not None:
        if (earlier.order_id, set(earlier.units), earlier.reason) != (order.order_id, set(unit_ids), reason):
            raise IdTaken
        return earlier
    if order.paid_at is None:
        raise OrderNotPaid
    units = {unit.unit_id: unit for unit in (await orders.units_of(tx, [order.order_id]))[order.order_id]}
    if not set(unit_ids) <= units.keys():
        raise UnitNotOfOrder
    asked = [units[unit_id] for unit_id in unit_ids]
    for unit in asked:
        if unit.state in _WHY_NOT:
            raise _WHY_NOT[unit.state]
    cause = cause_of(order, asked)
    if cause is RefundCause.AFTER_USE:
        await after_use.check(tx, rules, order, unit_ids)
    else:
        whole = {unit_id for unit_id, unit in units.items() if unit.state is not UnitState.REFUNDED}
        _check_unused(tx, order, whole=set(unit_ids) == whole)
        await after_use.check_unreviewed(tx, order, unit_ids, cause)
    return await fence(tx, refund_id, order, asked, cause, reason, by)


def _check_unused(tx: Transaction, order: Order, *, whole: bool) -> None:
    opens_at = order.refundable_from()
    if opens_at is not None and tx.now < opens_at:
        raise RefundOnExpiryOnly(refundable_from=opens_at.isoformat())
    if not whole and not may_ask_for_a_part(order):
        raise WholeParcelOnly


async def return_stray_money(tx: Transaction, attempt: Attempt, stray: Stray) -> None:
    """Money that bought nothing goes back by the same sender; there is nothing to fence."""
    refund = Refund(
        refund_id=derived_id(attempt.attempt_id, stray.value),
        order_id=attempt.order_id,
        attempt_id=attempt.attempt_id,
        cause=stray.value,
        state=RefundState.APPROVED,
        amount_fen=attempt.amount_fen,
        reason="late payment" if stray is Stray.LATE else "paid twice",
        requested_by=None,
        requested_at=tx.now,
        succeeded_at=None,
        refused_code=None,
        tries=0,
        units={},
    )
    if await refunds.add_refund(tx, refund):
        await schedule.send_refund(tx, refund.refund_id, tx.now)


async def held(tx: Transaction, refund_id: UUID) -> tuple[Refund, Order]:
    """A refund with its order held. Raises NotYet, as for any message about something that is not here."""
    found = await refunds.find_refund(tx, refund_id)
    if found is None:
        raise NotYet(f"refund {refund_id} is not here yet")
    order = await orders.lock_order(tx, found.order_id)
    refund = await refunds.find_refund(tx, refund_id)
    assert order is not None
    assert refund is not None
    return refund, order


async def approve(tx: Transaction, refund_id: UUID, fenced: Sequence[FencedUnit] | None) -> None:
    """The units are fenced: send the money of the uses that are left (`None`: all of them). An answer for a refund
    that has ended meanwhile changes nothing."""
    refund, order = await held(tx, refund_id)
    amounts = dict(refund.units)
    left = {unit.unit_id: unit for unit in fenced or ()}
    if fenced is not None:
        units = {unit.unit_id: unit for unit in (await orders.units_of(tx, [order.order_id]))[order.order_id]}
        for unit_id in amounts:
            amounts[unit_id] = _left_fen(units[unit_id], left.get(unit_id))
    use_nos = {unit_id: unit.left_nos for unit_id, unit in left.items() if unit.left_nos is not None}
    if await refunds.approve(tx, refund_id, amounts, use_nos):
        await timers.cancel(tx, schedule.FENCE_OVERDUE, refund_id)
        await schedule.send_refund(tx, refund_id, tx.now)


def _left_fen(unit: OrderUnit, fenced: FencedUnit | None) -> int:
    return 0 if fenced is None else value_of_uses_left(unit.uses, fenced.uses_left, fenced.left_nos)


async def refuse(tx: Transaction, refund_id: UUID, code: str) -> None:
    """The fence was not to be had. What has happened to the units meanwhile gets its own refund at once."""
    refund, order = await held(tx, refund_id)
    if await refunds.give_up(tx, refund_id, RefundState.REFUSED, (RefundState.FENCING,), code, None):
        await timers.cancel(tx, schedule.FENCE_OVERDUE, refund_id)
        await orders.add_entry(tx, order.order_id, What.REFUND_REFUSED, tx.now, refund_id)
        await complete(tx, order.order_id)
        await automatic_refunds.take_up(tx, order, refund.units)
        if order.parcel_state == automatic_refunds.PARCEL_FAILED:
            await automatic_refunds.refund_failed_parcel(tx, order)


async def start_sending(tx: Transaction, refund_id: UUID) -> tuple[Refund, Attempt, bool] | None:
    """Commit the intent to send. The refund, the attempt it goes back through, and whether the money may already be
    under way; None when there is nothing to send."""
    before = await refunds.start_sending(tx, refund_id)
    if before is None:
        await timers.cancel(tx, schedule.SEND_REFUND, refund_id)
        return None
    refund = await refunds.find_refund(tx, refund_id)
    assert refund is not None
    attempt = await payments.find_attempt(tx, refund.attempt_id)
    assert attempt is not None
    return refund, attempt, before in (RefundState.SENT, RefundState.UNKNOWN)


async def record_answer(tx: Transaction, refund_id: UUID, answer: RefundAnswer) -> None:
    """Take in what the channel said about a refund that was sent."""
    refund, order = await held(tx, refund_id)
    match answer.outcome:
        case RefundOutcome.SUCCEEDED:
            await timers.cancel(tx, schedule.SEND_REFUND, refund_id)
            for_sale = await refunds.succeed(tx, refund_id, tx.now)
            if for_sale is not None and refund.cause not in STRAY_CAUSES:
                await tell_success(tx, refund, order, for_sale)
        case RefundOutcome.REFUSED:
            pause = pause_after_failure(refund.tries, answer.code)
            log.warning("refund_failed", refund_id=str(refund_id), code=answer.code, final=pause is None)
            await refunds.mark_failed(tx, refund_id, answer.code, needs_operator=pause is None)
            if pause is None:
                await timers.cancel(tx, schedule.SEND_REFUND, refund_id)
            else:
                await schedule.send_refund(tx, refund_id, tx.now + pause)
        case RefundOutcome.UNKNOWN:
            await refunds.mark_unknown(tx, refund_id)
            await schedule.send_refund(tx, refund_id, tx.now + pause_after_unknown(refund.tries))
        case RefundOutcome.NOT_DONE:
            await schedule.send_refund(tx, refund_id, tx.now + pause_after_unknown(refund.tries))


async def tell_success(tx: Transaction, refund: Refund, order: Order, for_sale: int) -> None:
    """The money of this refund's units is back: stock and limit follow, and everybody hears. The caller holds the
    order."""
    await orders.add_entry(tx, order.order_id, What.REFUND_SUCCEEDED, tx.now, refund.refund_id)
    await complete(tx, order.order_id)
    returned = await stock.return_sold(tx, order.deal_id, order.buyer, len(refund.units), for_sale)
    await schedule.say_availability(tx, returned)
    await outbox.emit(
        tx,
        RefundSucceeded(
            occurred_at=tx.now,
            refund_id=refund.refund_id,
            order_id=order.order_id,
            kind=order.kind,
            units=tuple(
                RefundedUnit(unit_id=unit_id, amount_fen=amount_fen, use_nos=refund.use_nos.get(unit_id))
                for unit_id, amount_fen in refund.units.items()
            ),
            amount_fen=refund.amount_fen,
            cause=RefundCause(refund.cause),
            external=refund.cause == RefundCause.EXTERNAL,
        ),
    )


async def complete(tx: Transaction, order_id: UUID) -> None:
    """Complete the order if every unit is final or refunded now. The caller holds the order."""
    if await orders.complete_if_done(tx, order_id):
        await orders.add_entry(tx, order_id, What.COMPLETED, tx.now)


async def abandon(tx: Transaction, refund_id: UUID, operator: str, reason: str) -> Refund:
    """An operator gives up a refund that is stuck before any money moved. Money that bought nothing is never kept."""
    refund, order = await _for_operator(tx, refund_id)
    if refund.state is RefundState.ABANDONED:
        return refund
    stuck = (RefundState.FENCING, RefundState.FAILED)
    if refund.cause in STRAY_CAUSES or not await refunds.give_up(
        tx, refund_id, RefundState.ABANDONED, stuck, None, f"{operator}: {reason}"
    ):
        raise RefundNotStuck(state=refund.state.value)
    await timers.cancel(tx, schedule.FENCE_OVERDUE, refund_id)
    await timers.cancel(tx, schedule.SEND_REFUND, refund_id)
    await orders.add_entry(tx, order.order_id, What.REFUND_ABANDONED, tx.now, refund_id)
    await _say_abandoned(tx, refund, order)
    # Redemption says by itself, once its fence is lifted, what else is to be refunded; only its recalls, which came
    # while this refund lived, it does not say twice.
    await automatic_refunds.take_up(tx, order, refund.units, automatic_refunds.RECALLS)
    if order.parcel_state == automatic_refunds.PARCEL_FAILED:
        await automatic_refunds.refund_failed_parcel(tx, order)
    return (await _for_operator(tx, refund_id))[0]


async def _say_abandoned(tx: Transaction, refund: Refund, order: Order) -> None:
    if refund.is_disputed:
        # Nothing was fenced, and settlement holds the use back as well: they all hear that the dispute is over.
        await after_use.say_closed(tx, refund, order)
        return
    await outbox.emit(
        tx,
        RefundAbandoned(
            occurred_at=tx.now,
            refund_id=refund.refund_id,
            order_id=order.order_id,
            kind=order.kind,
            unit_ids=tuple(refund.units),
        ),
    )


async def retry(tx: Transaction, refund_id: UUID, operator: str, reason: str) -> Refund:
    """An operator has a failed refund sent again, under its old number."""
    refund, _ = await _for_operator(tx, refund_id)
    if refund.state is not RefundState.FAILED:
        raise RefundNotStuck(state=refund.state.value)
    log.info("refund_retried", refund_id=str(refund_id), operator=operator, reason=reason)
    await schedule.send_refund(tx, refund_id, tx.now)
    return refund


async def _for_operator(tx: Transaction, refund_id: UUID) -> tuple[Refund, Order]:
    try:
        return await held(tx, refund_id)
    except NotYet as error:
        raise RefundNotFound from error
