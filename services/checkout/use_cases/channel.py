"""Conversations with the payment channel: the intent committed, the call made, its answer recorded."""

from uuid import UUID

from services.checkout.domain.orders import Order
from services.checkout.domain.payments import Attempt, AttemptState, Channel, CodeAnswer
from services.checkout.domain.refunds import RefundAnswer, RefundOutcome
from services.checkout.domain.refusals import PaymentNotOffered, PreviousPaymentOpen
from services.checkout.gateways import PaymentGateway
from services.checkout.use_cases import payments, refunds
from shared.database import Database
from shared.sealed import Seals


async def open_attempt(
    db: Database, channel: PaymentGateway, seals: Seals, attempt_id: UUID, order_id: UUID, buyer: str, way: Channel
) -> tuple[Attempt, Order]:
    """Open an attempt to pay, or return the one with this id. An earlier one is closed at the channel first, so that
    only one can take money; a code to scan is asked for, and missing in the result if the channel gave no answer."""
    attempt, order = await _intend(db, attempt_id, order_id, buyer, way)
    if attempt.attempt_id != attempt_id:
        await ask(db, channel, seals, attempt.attempt_id)
        attempt, order = await _intend(db, attempt_id, order_id, buyer, way)
    if attempt.attempt_id != attempt_id:
        raise PreviousPaymentOpen
    if way is Channel.ALIPAY_QR and attempt.state is AttemptState.OPEN and attempt.qr_code is None:
        answer = await fetch_code(db, channel, attempt_id)
        if answer.refusal is not None:
            raise PaymentNotOffered(reason=answer.refusal)
        return await _intend(db, attempt_id, order_id, buyer, way)
    return attempt, order


async def _intend(db: Database, attempt_id: UUID, order_id: UUID, buyer: str, way: Channel) -> tuple[Attempt, Order]:
    async with db.transaction() as tx:
        return await payments.open_attempt(tx, attempt_id, order_id, buyer, way)


async def fetch_code(db: Database, channel: PaymentGateway, attempt_id: UUID) -> CodeAnswer:
    """Ask for the code of an attempt that has none. Any number may ask: every code leads to the same trade."""
    async with db.transaction() as tx:
        fetching = await payments.start_fetching(tx, attempt_id)
    if fetching is None:
        return CodeAnswer()
    attempt, order = fetching
    answer = await channel.fetch_code(attempt, order.title)
    async with db.transaction() as tx:
        await payments.record_code(tx, attempt, answer)
    return answer


async def ask(
    db: Database, channel: PaymentGateway, seals: Seals, attempt_id: UUID, *, even_if_closed: bool = False
) -> None:
    """Ask about an open attempt, or close one whose time is over; only the channel's answer settles it."""
    async with db.transaction() as tx:
        attempt = await payments.start_question(tx, attempt_id, even_if_closed=even_if_closed)
    if attempt is None:
        return
    closing = attempt.state is AttemptState.CLOSING
    trade = await (channel.close(attempt) if closing else channel.query(attempt))
    async with db.transaction() as tx:
        await payments.hear(tx, seals, attempt_id, trade)
        await payments.ask_again_if_unsettled(tx, attempt_id, trade, even_if_closed=even_if_closed)


async def send_refund(db: Database, channel: PaymentGateway, refund_id: UUID) -> None:
    """Send a refund. Where an earlier call may have done it, the channel is asked before the same number is sent."""
    async with db.transaction() as tx:
        sending = await refunds.start_sending(tx, refund_id)
    if sending is None:
        return
    refund, attempt, may_be_done = sending
    answer = await channel.query_refund(refund, attempt) if may_be_done else RefundAnswer(RefundOutcome.NOT_DONE)
    if answer.outcome is RefundOutcome.NOT_DONE:
        answer = await channel.refund(refund, attempt)
    async with db.transaction() as tx:
        await refunds.record_answer(tx, refund_id, answer)
