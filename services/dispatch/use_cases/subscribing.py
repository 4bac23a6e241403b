"""Has the track of a waybill pushed that became known only after the order: some couriers number it when they come."""

from dataclasses import dataclass
from uuid import UUID

from services.dispatch.domain.attempts import WITH_CARRIER
from services.dispatch.domain.parcels import ask_again_after
from services.dispatch.gateways.port import Carrier, Outcome, ProviderRef, Result
from services.dispatch.use_cases import clockwork
from services.dispatch.use_cases.following import hold
from services.dispatch.use_cases.shipments import reference
from services.dispatch.world import DispatchWorld
from shared.database import Transaction
from shared.messaging import timers
from shared.observability import log

# A number may be subscribed to four times a month; what is not pushed is asked about anyway.
_MOST_TRIES = 4


@dataclass(frozen=True, slots=True)
class Subscription:
    """All that the call needs."""

    carrier: Carrier
    ref: ProviderRef
    callback_url: str

    async def send(self) -> Result[None]:
        """Ask for the track."""
        return await self.carrier.subscribe(self.ref, self.callback_url)


async def prepare(tx: Transaction, world: DispatchWorld, attempt_id: UUID) -> Subscription | None:
    """What to subscribe to; None if the attempt is over or has no waybill."""
    held = await hold(tx, attempt_id)
    if held is None or held[1].state not in WITH_CARRIER or held[1].waybill is None:
        await timers.cancel(tx, clockwork.SUBSCRIBE_TRACK, attempt_id)
        return None
    parcel, attempt = held
    carrier = world.carriers.of(attempt.provider, attempt.account)
    url = world.callback_url(attempt.provider, attempt.attempt_id)
    return Subscription(carrier, reference(world, parcel, attempt), url)


async def record(tx: Transaction, attempt_id: UUID, answer: Result[None], tries: int) -> None:
    """Subscribed, refused, or once more."""
    if answer.outcome in (Outcome.OK, Outcome.REJECTED) or tries + 1 >= _MOST_TRIES:
        if answer.outcome is not Outcome.OK:
            log.warning("track_not_subscribed", attempt_id=str(attempt_id), code=answer.code)
        await timers.cancel(tx, clockwork.SUBSCRIBE_TRACK, attempt_id)
        return
    again = tx.now + ask_again_after(tries)
    await timers.schedule(tx, clockwork.SUBSCRIBE_TRACK, attempt_id, again, {"tries": tries + 1})
