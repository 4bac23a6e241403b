"""The merchant promises riders more. Once per order: carriers differ in whether a second tip adds to the first."""

from dataclasses import dataclass
from uuid import UUID

from services.dispatch.domain.attempts import AttemptState
from services.dispatch.domain.refusals import NoSuchAttempt, TippedAlready, TipsNotTaken
from services.dispatch.domain.timeline import What
from services.dispatch.gateways.port import Carrier, Outcome, ProviderRef, Result
from services.dispatch.store import attempts, happenings, tips
from services.dispatch.use_cases.accounts import leave_out_by
from services.dispatch.use_cases.permissions import HANDLES_ORDERS, held_for_staff
from services.dispatch.use_cases.shipments import reference
from services.dispatch.world import DispatchWorld
from shared.database import Transaction
from shared.errors import DomainError

_TIPPABLE = frozenset({AttemptState.SEARCHING})


@dataclass(frozen=True, slots=True)
class Tip:
    """All that the call needs."""

    attempt_id: UUID
    carrier: Carrier
    ref: ProviderRef
    tip_fen: int

    async def send(self) -> Result[None]:
        return await self.carrier.tip(self.ref, self.tip_fen)


async def prepare(
    tx: Transaction, world: DispatchWorld, caller: str, parcel_id: UUID, attempt_id: UUID, tip_fen: int
) -> Tip | None:
    """Note the intent; None if this very tip was offered before."""
    parcel = await held_for_staff(tx, caller, parcel_id, HANDLES_ORDERS)
    attempt = await attempts.lock_attempt(tx, attempt_id)
    if attempt is None or attempt.parcel_id != parcel_id:
        raise NoSuchAttempt
    if attempt.tip_wanted_fen is not None:
        if attempt.tip_wanted_fen != tip_fen:
            raise TippedAlready
        return None
    carrier = world.carriers.of(attempt.provider, attempt.account)
    if not carrier.caps.tips or attempt.state not in _TIPPABLE:
        raise TipsNotTaken
    await tips.want(tx, attempt_id, tip_fen)
    return Tip(attempt_id, carrier, reference(world, parcel, attempt), tip_fen)


async def record(tx: Transaction, parcel_id: UUID, tip: Tip, answer: Result[None]) -> DomainError | None:
    """What the carrier said; without an answer the tip stays offered and unconfirmed. Returns the refusal for the
    caller to raise after the commit."""
    await leave_out_by(tx, tip.carrier, tip.attempt_id, answer)
    if answer.outcome is Outcome.OK:
        await tips.taken(tx, tip.attempt_id, tip.tip_fen)
        await happenings.note(tx, parcel_id, What.TIPPED, tip.attempt_id)
    elif answer.outcome is not Outcome.UNKNOWN:
        await tips.not_taken(tx, tip.attempt_id)
        return TipsNotTaken()
    return None
