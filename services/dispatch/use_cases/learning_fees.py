"""Asks what a cancelled order cost until its carrier says so, or a person has to find out: unknown is not zero."""

from dataclasses import dataclass
from uuid import UUID

from services.dispatch.domain.attempts import AttemptState, Snapshot
from services.dispatch.domain.penalties import ask_fee_again_after
from services.dispatch.domain.refusals import FeeKnown, NoSuchAttempt, NotCancelled
from services.dispatch.domain.timeline import What
from services.dispatch.gateways.port import Carrier, ProviderRef, Result
from services.dispatch.store import attempts, cancel_fees, happenings, scorecards
from services.dispatch.store.attempts import Attempt
from services.dispatch.use_cases import clockwork
from services.dispatch.use_cases.accounts import leave_out_by
from services.dispatch.use_cases.following import QUERY, hold, take_report
from services.dispatch.use_cases.shipments import reference
from services.dispatch.world import DispatchWorld
from shared.contracts.catalog import DeliveryMode
from shared.database import Transaction
from shared.messaging import timers
from shared.observability import log


@dataclass(frozen=True, slots=True)
class Question:
    carrier: Carrier
    ref: ProviderRef

    async def ask(self) -> Result[Snapshot]:
        """Where the order is, and what it cost."""
        return await self.carrier.query(self.ref)


async def prepare(tx: Transaction, world: DispatchWorld, attempt_id: UUID) -> Question | None:
    """Whom to ask; None if the fee is known by now."""
    held = await hold(tx, attempt_id)
    if held is None or not _is_open(held[1]):
        await timers.cancel(tx, clockwork.LEARN_FEE, attempt_id)
        return None
    parcel, attempt = held
    return Question(world.carriers.of(attempt.provider, attempt.account), reference(world, parcel, attempt))


async def record(
    tx: Transaction, world: DispatchWorld, attempt_id: UUID, question: Question, answer: Result[Snapshot]
) -> None:
    """What the carrier said. Whatever keeps it from naming the fee counts, so that asking has an end."""
    await leave_out_by(tx, question.carrier, attempt_id, answer)
    if answer.value is not None:
        await take_report(tx, world, attempt_id, answer.value, QUERY, asked=True)
    attempt = await attempts.find_attempt(tx, attempt_id)
    if attempt is None or not _is_open(attempt):
        await timers.cancel(tx, clockwork.LEARN_FEE, attempt_id)
        return
    pause = ask_fee_again_after(await cancel_fees.count_asked(tx, attempt_id))
    if pause is not None:
        await timers.schedule(tx, clockwork.LEARN_FEE, attempt_id, tx.now + pause)
        return
    await timers.cancel(tx, clockwork.LEARN_FEE, attempt_id)
    if await cancel_fees.give_up(tx, attempt_id):
        log.error("cancel_fee_given_up", provider=attempt.provider, attempt_id=str(attempt_id))
        await happenings.note(tx, attempt.parcel_id, What.CANCEL_FEE_UNKNOWN, attempt_id)


def _is_open(attempt: Attempt) -> bool:
    return attempt.state is AttemptState.CANCELLED and attempt.cancel_fee_fen is None


async def settle(tx: Transaction, attempt_id: UUID, fee_fen: int) -> None:
    """An operator says what it cost. Saying the same again changes nothing."""
    held = await hold(tx, attempt_id)
    if held is None:
        raise NoSuchAttempt
    attempt = held[1]
    if attempt.state is not AttemptState.CANCELLED or attempt.carried_as is DeliveryMode.SELF:
        raise NotCancelled
    if await cancel_fees.settle(tx, attempt_id, fee_fen):
        await timers.cancel(tx, clockwork.LEARN_FEE, attempt_id)
        await scorecards.add_penalty(tx, attempt, fee_fen)
    elif attempt.cancel_fee_fen != fee_fen:
        raise FeeKnown
