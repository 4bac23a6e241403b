"""Refunds after use, or of goods that have left: the merchant answers within its time or has agreed, the buyer may
appeal, the platform decides. Goods that will not arrive settle it without anybody's word."""

from collections.abc import Sequence
from uuid import UUID

from services.checkout.domain.orders import Order
from services.checkout.domain.refunds import ENDED_WITHOUT_MONEY, Refund
from services.checkout.domain.refusals import (
    AppealNotOpen,
    ArbitrationNotOpen,
    RefundNotFound,
    ReviewNotOpen,
    ReviewReasonNeeded,
)
from services.checkout.domain.reviews import ARBITRATION_REFUSED, MERCHANT_REFUSED, MOVES, ReviewRules, Turn
from services.checkout.domain.timeline import What
from services.checkout.store import orders, reviews
from services.checkout.store import refunds as refund_store
from services.checkout.use_cases import after_use, automatic_refunds, refunds, schedule
from shared.auth import require_staff
from shared.database import Transaction
from shared.errors import Forbidden, NotYet
from shared.messaging import timers
from shared.observability import log


async def open_review(tx: Transaction, rules: ReviewRules, refund_id: UUID) -> None:
    """The uses or goods are held back: from now the merchant's time runs. An answer for a refund that has ended
    meanwhile changes nothing here; whoever holds goods back for one that nobody knew to be disputed is told its end."""
    refund, order = await refunds.held(tx, refund_id)
    if refund.state in ENDED_WITHOUT_MONEY:
        if not refund.is_disputed:
            await after_use.say_closed(tx, refund, order)
        return
    if order.parcel_state == automatic_refunds.PARCEL_FAILED:
        # They were with a rider when they were asked about, and have come back or are lost since.
        await refunds.approve(tx, refund_id, None)
        return
    due_at = tx.now + rules.answer_within
    if await reviews.open_review(tx, refund_id, order.merchant_id, due_at):
        await timers.cancel(tx, schedule.FENCE_OVERDUE, refund_id)
        await schedule.end_review(tx, refund_id, due_at)
        await orders.add_entry(tx, order.order_id, What.REVIEW_OPENED, tx.now, refund_id)


async def end_undelivered(tx: Transaction, order: Order) -> None:
    """The goods will not arrive: what is reviewed of them is paid back, whoever was to speak. The caller holds the
    order."""
    for refund in (await refund_store.refunds_of(tx, [order.order_id]))[order.order_id]:
        if await reviews.approve_undelivered(tx, refund.refund_id):
            for kind in (schedule.REVIEW_DUE, schedule.APPEAL_DUE):
                await timers.cancel(tx, kind, refund.refund_id)
            await _approved(tx, refund, order, What.REVIEW_UNDELIVERED)


async def answer(
    tx: Transaction, rules: ReviewRules, refund_id: UUID, by: str, *, agreed: bool, reason: str | None
) -> Refund:
    """The merchant's word; the same one again changes nothing."""
    if not agreed and reason is None:
        raise ReviewReasonNeeded
    refund, order = await _found(tx, refund_id)
    await _require_colleague(tx, by, order)
    if refund.review and (refund.review.agreed, refund.review.answer_reason) == (agreed, reason):
        return refund
    turn = Turn.AGREED if agreed else Turn.REFUSED
    appeal_until = None if agreed else tx.now + rules.appeal_within
    if not await reviews.answer(tx, refund_id, turn, by, reason, appeal_until):
        if not await reviews.may_answer(tx, by, order.order_id):
            raise Forbidden
        raise ReviewNotOpen(state=refund.state.value)
    await timers.cancel(tx, schedule.REVIEW_DUE, refund_id)
    if appeal_until is None:
        await _approved(tx, refund, order, What.REVIEW_AGREED)
    else:
        await schedule.end_appeal(tx, refund_id, appeal_until)
        await orders.add_entry(tx, order.order_id, What.REVIEW_REFUSED, tx.now, refund_id)
    return await _as_it_is(tx, refund_id)


async def approve_unanswered(tx: Transaction, refund_ids: Sequence[UUID]) -> None:
    """The merchants' time to answer is over: their silence is a yes."""
    for refund_id in await reviews.by_order(tx, refund_ids):
        refund, order = await refunds.held(tx, refund_id)
        if await reviews.approve_unanswered(tx, refund_id):
            await _approved(tx, refund, order, What.REVIEW_UNANSWERED)


async def appeal(tx: Transaction, refund_id: UUID, buyer: str, text: str) -> Refund:
    """The buyer asks the platform to decide; the same appeal again changes nothing."""
    refund, order = await _found(tx, refund_id)
    if order.buyer != buyer:
        raise RefundNotFound
    if refund.review and refund.review.appeal_text == text:
        return refund
    if not await reviews.appeal(tx, refund_id, text):
        raise AppealNotOpen(state=refund.state.value)
    await timers.cancel(tx, schedule.APPEAL_DUE, refund_id)
    await orders.add_entry(tx, order.order_id, What.APPEALED, tx.now, refund_id)
    return await _as_it_is(tx, refund_id)


async def close_unappealed(tx: Transaction, refund_ids: Sequence[UUID]) -> None:
    """The buyers' time to appeal is over: the merchants' word stands."""
    for refund_id in await reviews.by_order(tx, refund_ids):
        refund, order = await refunds.held(tx, refund_id)
        await _refused(tx, refund, order, Turn.NOT_APPEALED, What.NOT_APPEALED)


async def arbitrate(tx: Transaction, refund_id: UUID, operator: str, *, upheld: bool, reason: str) -> Refund:
    """The platform's last word; the same one again changes nothing. The caller has seen that it is an operator's."""
    refund, order = await _found(tx, refund_id)
    if refund.review and (refund.review.upheld, refund.review.arbitration_reason) == (upheld, reason):
        return refund
    if upheld and await reviews.uphold(tx, refund_id, operator, reason):
        await _approved(tx, refund, order, What.APPEAL_UPHELD)
    elif not upheld and await _refused(tx, refund, order, Turn.DISMISSED, What.APPEAL_DISMISSED):
        await reviews.note_dismissal(tx, refund_id, operator, reason)
    else:
        raise ArbitrationNotOpen(state=refund.state.value)
    log.info("refund_arbitrated", refund_id=str(refund_id), operator=operator, upheld=upheld)
    return await _as_it_is(tx, refund_id)


async def _approved(tx: Transaction, refund: Refund, order: Order, what: What) -> None:
    """The row says so already: the money goes by the sender of every refund."""
    await orders.add_entry(tx, order.order_id, what, tx.now, refund.refund_id)
    await schedule.send_refund(tx, refund.refund_id, tx.now)


_CODES = {Turn.NOT_APPEALED: MERCHANT_REFUSED, Turn.DISMISSED: ARBITRATION_REFUSED}


async def _refused(tx: Transaction, refund: Refund, order: Order, turn: Turn, what: What) -> bool:
    move = MOVES[turn]
    if not await refund_store.give_up(tx, refund.refund_id, move.target, (move.source,), _CODES[turn], None):
        return False
    await orders.add_entry(tx, order.order_id, what, tx.now, refund.refund_id)
    await after_use.say_closed(tx, refund, order)
    await refunds.complete(tx, order.order_id)
    await automatic_refunds.take_up(tx, order, refund.units)
    return True


async def _require_colleague(tx: Transaction, caller: str, order: Order) -> None:
    """Who does not work there learns nothing, not even that there is such a refund."""
    try:
        await require_staff(tx, caller, order.merchant_id)
    except Forbidden as error:
        raise RefundNotFound from error


async def _found(tx: Transaction, refund_id: UUID) -> tuple[Refund, Order]:
    try:
        return await refunds.held(tx, refund_id)
    except NotYet as error:
        raise RefundNotFound from error


async def _as_it_is(tx: Transaction, refund_id: UUID) -> Refund:
    refund = await refund_store.find_refund(tx, refund_id)
    assert refund is not None
    return refund
