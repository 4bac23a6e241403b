"""Paying merchants: the day's run, one call per instruction, and what each answer means."""

from dataclasses import replace
from uuid import UUID

from services.settlement.domain import ledger
from services.settlement.domain.incidents import Incident, IncidentKind
from services.settlement.domain.ledger import PostingKind, PostingSet, posting_set
from services.settlement.domain.payouts import (
    Instruction,
    InstructionState,
    Terms,
    next_attempt,
    offsets,
)
from services.settlement.gateways import RailAnswer
from services.settlement.store import instructions as store
from services.settlement.store.incidents import open_incidents
from services.settlement.store.ledger import post
from services.settlement.store.runs import SEND_INSTRUCTION
from shared.alipay import Outcome
from shared.contracts.catalog import Rail
from shared.contracts.settlement import PayoutFailed, PayoutPaid
from shared.database import Transaction
from shared.errors import Conflict, NotFound
from shared.ids import derived_id, new_id
from shared.messaging import outbox, timers
from shared.observability import log


class InstructionNotFailed(Conflict):
    code = "instruction_not_failed"
    zh = "只有明确失败的付款才能重试"
    en = "Only a payment that definitely failed can be made again"


class InstructionNotPaid(Conflict):
    code = "instruction_not_paid"
    zh = "付款尚未成功，无法更正手续费"
    en = "The payment has not succeeded, so its fee cannot be corrected"


class FeeExceedsGross(Conflict):
    code = "fee_exceeds_gross"
    zh = "手续费不能超过结算金额"
    en = "The fee cannot exceed the amount paid out"


async def begin_sending(tx: Transaction, instruction_id: UUID, minimum_fen: int = 1) -> Instruction | None:
    """Commit to a call before it is made: its payee, and what of it pays off a debt. None if there is nothing to send
    now; a frozen one is looked at again."""
    instruction = await store.begin_sending(tx, instruction_id)
    if instruction is not None:
        if instruction.rail is Rail.TRANSFER and instruction.attempts == 1:
            return replace(instruction, offset_fen=await _take_offset(tx, instruction, minimum_fen))
        return instruction
    found = await store.find_instruction(tx, instruction_id)
    if found is not None and found.state in (InstructionState.DUE, InstructionState.SENT, InstructionState.UNKNOWN):
        await timers.schedule(tx, SEND_INSTRUCTION, instruction_id, next_attempt(found.attempts + 9, tx.now))
    else:
        await timers.cancel(tx, SEND_INSTRUCTION, instruction_id)
    return None


async def _take_offset(tx: Transaction, instruction: Instruction, minimum_fen: int) -> int:
    """Its part of the merchant's debt. Larger transfers come first, so that the preview can say what they take
    whatever the order in which they leave."""
    debt_fen = await store.lock_debt(tx, instruction.merchant_id)
    if debt_fen <= 0:
        return 0
    before = await store.unsent_transfers(tx, instruction.merchant_id, instruction)
    offset_fen = offsets([*before, instruction.gross_fen - instruction.fee_fen], debt_fen, minimum_fen)[-1]
    if offset_fen == 0 or not await store.set_offset(tx, instruction.instruction_id, offset_fen):
        return 0
    return offset_fen


async def record_answer(tx: Transaction, sent: Instruction, answer: RailAnswer, terms: Terms) -> None:
    """Make the channel's answer to one call a fact, once, whoever else has heard it too.

    A payment that is denied again and again is asked for `terms.denials_max` times. That many denials of one number
    are as good as a refusal, since a number under which money has moved is answered with yes; then it is for an
    operator to mend the cause and to pay under a new number.
    """
    await store.lock_uses(tx, sent.instruction_id)
    if answer.denied and await store.count_denial(tx, sent.instruction_id) >= terms.denials_max:
        await _record_failed(tx, sent, answer, IncidentKind.PAYOUT_DENIED)
        return
    match answer.outcome:
        case Outcome.OK:
            await _record_paid(tx, sent, answer)
        case Outcome.REFUSED:
            await _record_failed(tx, sent, answer, IncidentKind.PAYOUT_REFUSED)
        case Outcome.NOT_SENT | Outcome.UNKNOWN:
            await _ask_again(tx, sent, answer)


async def _record_paid(tx: Transaction, sent: Instruction, answer: RailAnswer) -> None:
    paid = await store.mark_paid(tx, sent.instruction_id, answer.fee_fen)
    await timers.cancel(tx, SEND_INSTRUCTION, sent.instruction_id)
    if paid is None:
        return
    uses = await store.settle_uses(tx, paid.instruction_id)
    fee_fen = paid.fee_fen if answer.fee_fen is None else answer.fee_fen
    sets = [_payout_set(tx, paid)]
    if fee_fen != paid.fee_fen:
        sets.append(_correction_set(tx, paid, fee_fen - paid.fee_fen))
    await post(tx, sets)
    await outbox.emit(
        tx,
        PayoutPaid(
            occurred_at=tx.now,
            instruction_id=paid.instruction_id,
            payout_id=paid.payout_id,
            merchant_id=paid.merchant_id,
            order_id=paid.order_id,
            gross_fen=paid.gross_fen,
            fee_fen=fee_fen,
            net_fen=paid.gross_fen - fee_fen - paid.offset_fen,
            paid_at=tx.now,
            uses=tuple(uses),
        ),
    )


async def _record_failed(tx: Transaction, sent: Instruction, answer: RailAnswer, kind: IncidentKind) -> None:
    failed = await store.mark_failed(tx, sent.instruction_id, answer.code, answer.text)
    await timers.cancel(tx, SEND_INSTRUCTION, sent.instruction_id)
    if failed is None:
        return
    owed_fen = await store.forgive_owed(tx, failed.instruction_id)
    if owed_fen:
        set_id = derived_id(failed.instruction_id, PostingKind.PAYOUT_FAILED)
        entries = ledger.no_longer_owed(failed.merchant_id, owed_fen)
        await post(tx, [posting_set(set_id, PostingKind.PAYOUT_FAILED, failed.order_id, tx.now, entries)])
    subject, detail = str(failed.instruction_id), f"{answer.code} {answer.text}".strip()[:500]
    incident_id = derived_id(failed.instruction_id, kind)
    await open_incidents(tx, [Incident(incident_id, kind, subject, detail or "no reason given", failed.gross_fen)])
    log.error("payout_refused", instruction_id=str(failed.instruction_id), code=answer.code)
    await outbox.emit(
        tx,
        PayoutFailed(
            occurred_at=tx.now,
            instruction_id=failed.instruction_id,
            payout_id=failed.payout_id,
            merchant_id=failed.merchant_id,
            code=answer.code,
        ),
    )


async def _ask_again(tx: Transaction, sent: Instruction, answer: RailAnswer) -> None:
    # Only the very first call can be known not to have left; after an unknown one, a call that never left says nothing.
    untouched = answer.outcome is Outcome.NOT_SENT and sent.attempts == 1
    state = InstructionState.DUE if untouched else InstructionState.UNKNOWN
    if await store.mark_undecided(tx, sent.instruction_id, state, answer.code, answer.text):
        await timers.schedule(tx, SEND_INSTRUCTION, sent.instruction_id, next_attempt(sent.attempts, tx.now))
    else:
        await timers.cancel(tx, SEND_INSTRUCTION, sent.instruction_id)


async def retry(tx: Transaction, failed_id: UUID) -> Instruction:
    """Pay what a failed instruction still has to pay, under a new number. Asking again finds the same one.

    Raises NotFound, or InstructionNotFailed while the first one may still pay or nothing is left of it.
    """
    if await store.find_instruction(tx, failed_id) is None:
        raise NotFound
    fresh_id = derived_id(failed_id, "retry")
    if await store.renew(tx, failed_id, fresh_id):
        await timers.schedule(tx, SEND_INSTRUCTION, fresh_id, tx.now)
    fresh = await store.retry_of(tx, failed_id)
    if fresh is None:
        raise InstructionNotFailed
    return fresh


async def correct_fee(tx: Transaction, instruction_id: UUID, taken_fen: int) -> None:
    """Make the fee that the channel's bill shows the one in the books; the difference is a posting of its own."""
    found = await store.find_instruction(tx, instruction_id)
    if found is None:
        raise NotFound
    if found.state is not InstructionState.PAID:
        raise InstructionNotPaid
    if taken_fen > found.gross_fen:
        raise FeeExceedsGross(gross_fen=found.gross_fen)
    changed = await store.correct_fee(tx, instruction_id, taken_fen)
    if changed is not None:
        instruction, by_fen = changed
        await post(tx, [_correction_set(tx, instruction, by_fen)])


def _payout_set(tx: Transaction, paid: Instruction) -> PostingSet:
    set_id = derived_id(paid.instruction_id, PostingKind.PAYOUT)
    entries = ledger.paid_out(paid.merchant_id, paid.gross_fen, paid.fee_fen, paid.offset_fen)
    return posting_set(set_id, PostingKind.PAYOUT, paid.order_id, tx.now, entries)


def _correction_set(tx: Transaction, paid: Instruction, by_fen: int) -> PostingSet:
    # Its own new id: a fee may be corrected there and back, and the guarded change of the instruction is what
    # makes one correction one.
    return posting_set(new_id(), PostingKind.FEE_CORRECTION, paid.order_id, tx.now, ledger.fee_corrected(by_fen))
