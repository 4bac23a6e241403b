"""Asks about live attempts from which nothing was heard for too long: a lost webhook must not leave a parcel behind."""

from dataclasses import dataclass
from uuid import UUID

from services.dispatch.domain.attempts import WITH_CARRIER, AttemptState, Snapshot
from services.dispatch.gateways.port import Carrier, ProviderRef, Result, RiderPosition
from services.dispatch.store import riders
from services.dispatch.use_cases import clockwork
from services.dispatch.use_cases.accounts import leave_out_by
from services.dispatch.use_cases.following import QUERY, hold, sealed_place, take_report
from services.dispatch.use_cases.shipments import reference
from services.dispatch.world import DispatchWorld
from shared.contracts.catalog import DeliveryMode
from shared.database import Transaction
from shared.messaging import timers

_SEEN = frozenset(
    {AttemptState.ASSIGNED, AttemptState.AT_PICKUP, AttemptState.IN_TRANSIT, AttemptState.OUT_FOR_DELIVERY}
)


@dataclass(frozen=True, slots=True)
class Poll:
    carrier: Carrier
    ref: ProviderRef
    has_rider: bool

    async def ask(self) -> Result[Snapshot]:
        """Where the order is."""
        return await self.carrier.query(self.ref)

    async def where(self) -> Result[RiderPosition] | None:
        """Where the rider is; None when there is nobody to be seen, or nobody who would say."""
        if not self.has_rider or not self.carrier.caps.position:
            return None
        return await self.carrier.position(self.ref)


async def prepare(tx: Transaction, world: DispatchWorld, attempt_id: UUID) -> Poll | None:
    """Whom to ask about a silent attempt; None if it is over, or carried by the merchant."""
    held = await hold(tx, attempt_id)
    if held is None or held[1].state not in WITH_CARRIER or held[1].carried_as is DeliveryMode.SELF:
        await timers.cancel(tx, clockwork.POLL_ATTEMPT, attempt_id)
        return None
    parcel, attempt = held
    carrier = world.carriers.of(attempt.provider, attempt.account)
    return Poll(carrier, reference(world, parcel, attempt), attempt.state in _SEEN)


async def record(
    tx: Transaction, world: DispatchWorld, attempt_id: UUID, poll: Poll, answer: Result[Snapshot],
    where: Result[RiderPosition] | None,
) -> None:  # fmt: skip
    """What the carrier said, if anything; the next question is set either way."""
    if where is not None and where.value is not None:
        sealed = sealed_place(world, where.value.place)
        assert sealed is not None, "a place was told"
        await riders.move_to(tx, attempt_id, sealed)
    await leave_out_by(tx, poll.carrier, attempt_id, answer)
    await timers.schedule(tx, clockwork.POLL_ATTEMPT, attempt_id, tx.now + poll.carrier.caps.silence)
    if answer.value is not None:
        await take_report(tx, world, attempt_id, answer.value, QUERY, asked=True)
