"""Conversations with the payment channel: the intent committed, the call made, its answer recorded."""

from uuid import UUID

from services.checkout.domain.payments import AttemptState
from services.checkout.domain.refunds import RefundAnswer, RefundOutcome
from services.checkout.gateways import PaymentGateway
from services.checkout.use_cases import payments, refunds
from shared.database import Database
from shared.sealed import Seals


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
