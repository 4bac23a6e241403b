"""Tells a carrier that goods it could not deliver are back in the store."""

from dataclasses import dataclass
from uuid import UUID

from services.dispatch.domain.parcels import submit_again_after
from services.dispatch.gateways.port import Carrier, Outcome, ProviderRef, Result
from services.dispatch.store import attempts, parcels
from services.dispatch.use_cases import clockwork
from services.dispatch.use_cases.shipments import reference
from services.dispatch.world import DispatchWorld
from shared.database import Transaction
from shared.messaging import timers


@dataclass(frozen=True, slots=True)
class Confirmation:
    carrier: Carrier
    ref: ProviderRef

    async def send(self) -> Result[None]:
        return await self.carrier.confirm_return(self.ref)


async def prepare(tx: Transaction, world: DispatchWorld, attempt_id: UUID) -> Confirmation | None:
    """Whom to tell; None if there is no such attempt."""
    attempt = await attempts.find_attempt(tx, attempt_id)
    parcel = await parcels.find_parcel(tx, attempt.parcel_id) if attempt else None
    if attempt is None or parcel is None:
        await timers.cancel(tx, clockwork.CONFIRM_RETURN, attempt_id)
        return None
    return Confirmation(world.carriers.of(attempt.provider, attempt.account), reference(world, parcel, attempt))


async def record(tx: Transaction, attempt_id: UUID, answer: Result[None], times_told: int) -> None:
    """An answer is the end of it, also a refusal (it knows already); silence is worth another try."""
    if answer.outcome in (Outcome.OK, Outcome.REJECTED):
        await timers.cancel(tx, clockwork.CONFIRM_RETURN, attempt_id)
        return
    pause = submit_again_after(times_told + 1)
    await timers.schedule(tx, clockwork.CONFIRM_RETURN, attempt_id, tx.now + pause, {"told": times_told + 1})
