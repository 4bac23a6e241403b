"""Reverse: undo uses of a redemption, all that are named or none, and give the certificates back."""

from services.redemption.domain.guessing import Guesser
from services.redemption.domain.redemptions import Use
from services.redemption.domain.reversals import (
    RedemptionUnknown,
    Reversal,
    ReversalAttempt,
    Situation,
    refusal_to_reverse,
)
from services.redemption.store import certificates, recalls, refusals, reversals
from services.redemption.store.refusals import Step
from services.redemption.use_cases.making_up import make_up
from shared.contracts.redemption import UseReversed
from shared.database import Transaction
from shared.errors import DomainError, IdTaken
from shared.messaging import outbox
from shared.observability import log


async def reverse(tx: Transaction, attempt: ReversalAttempt) -> Reversal | DomainError:
    """Undo the uses of the attempt. Asked again with the same id, the first result is given again.

    A refusal is returned, not raised, so that its record is committed."""
    situation = await reversals.situation(tx, attempt.redemption_id, attempt.operator)
    if situation is None:
        return RedemptionUnknown()
    # A refund at the channel leaves what is used alone: it comes before us and we see it, or after and finds it back.
    await certificates.lock_order(tx, situation.order_id)
    # Likewise whoever closes a store finds its certificates back, or we find it closed.
    await recalls.share_merchant(tx, situation.merchant_id)
    came_back = await reversals.decide(tx, attempt, situation.named(attempt))
    if came_back is None:
        # The same attempt may have been decided before, or while this one waited for it.
        situation = await reversals.situation(tx, attempt.redemption_id, attempt.operator) or situation
        refusal = await _done_before(tx, attempt) or refusal_to_reverse(attempt, situation, tx.now)
        return await _noted(tx, attempt, situation, refusal) if isinstance(refusal, DomainError) else refusal
    done = await reversals.find(tx, attempt.reversal_id)
    order = await certificates.order_of(tx, situation.order_id)
    assert done is not None, "decided in this transaction"
    assert order is not None, "what was used has an order"
    await outbox.emit(tx, *(_reversed(done, use) for use in done.uses))
    await make_up(tx, order, came_back)
    log.info("uses_reversed", count=len(done.uses), redemption_id=str(attempt.redemption_id))
    return done


async def _done_before(tx: Transaction, attempt: ReversalAttempt) -> Reversal | DomainError | None:
    earlier = await reversals.find(tx, attempt.reversal_id)
    if earlier is None:
        return None
    return earlier if earlier.attempt == attempt else IdTaken()


async def _noted(tx: Transaction, attempt: ReversalAttempt, situation: Situation, refusal: DomainError) -> DomainError:
    unit_ids = [use.unit_id for use in situation.uses if attempt.use_ids is None or use.use_id in attempt.use_ids]
    await refusals.record(
        tx,
        Step.REVERSE,
        refusal.code,
        Guesser(attempt.operator, situation.store_id, attempt.device_id),
        unit_ids,
        attempt.redemption_id,
    )
    log.info("reversal_refused", code=refusal.code, redemption_id=str(attempt.redemption_id))
    return refusal


def _reversed(done: Reversal, use: Use) -> UseReversed:
    return UseReversed(
        occurred_at=done.reversed_at,
        version=2,
        use_id=use.use_id,
        unit_id=use.unit_id,
        use_no=use.use_no,
        order_id=done.order_id,
        merchant_id=done.merchant_id,
        store_id=done.store_id,
        used_at=done.used_at,
        reversed_at=done.reversed_at,
        cycle=use.cycle,
    )
