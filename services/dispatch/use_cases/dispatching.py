"""Finds a carrier for an accepted parcel and opens the attempt that will be submitted to it."""

from uuid import UUID

from services.dispatch.domain.attempts import AttemptState
from services.dispatch.domain.parcels import DispatchState, ParcelState
from services.dispatch.domain.routing import Routing, route
from services.dispatch.domain.timeline import What
from services.dispatch.gateways import native
from services.dispatch.store import attempts, happenings, parcel_changes, parcels
from services.dispatch.store.attempts import Attempt
from services.dispatch.store.parcels import Parcel
from services.dispatch.use_cases import clockwork, stopping
from services.dispatch.use_cases.following import ask_merchant
from services.dispatch.world import DispatchWorld, token_hash
from shared.contracts.catalog import DeliveryMode
from shared.database import Transaction
from shared.ids import new_id
from shared.messaging import timers


async def dispatch_parcel(tx: Transaction, world: DispatchWorld, parcel_id: UUID) -> None:
    """Open the next attempt of a parcel that has none; a person decides when every try is used up."""
    parcel = await parcels.lock_parcel(tx, parcel_id)
    if parcel is None or not await _needs_carrier(tx, parcel):
        return
    routing = route(parcel.mode, parcel.weight_g, world.candidates())
    tried = await attempts.count_carrier_attempts(tx, parcel_id)
    if routing.chosen is None or tried >= world.policy.most_attempts:
        await ask_merchant(tx, parcel)
        return
    await open_attempt(tx, world, parcel, routing)


async def _needs_carrier(tx: Transaction, parcel: Parcel) -> bool:
    if parcel.state is not ParcelState.ACCEPTED or parcel.dispatch_state is DispatchState.MANUAL:
        return False
    if await attempts.live_attempt(tx, parcel.parcel_id) is not None:
        return False
    return not await stopping.is_stopping(tx, parcel)


async def open_attempt(tx: Transaction, world: DispatchWorld, parcel: Parcel, routing: Routing) -> Attempt:
    """The attempt, frozen to its account. The merchant's own rider needs no order; any other carrier is called at
    once, by a timer of its own."""
    assert routing.chosen is not None, "somebody was chosen"
    chosen = routing.chosen
    own = chosen.provider == native.PROVIDER
    attempt_id = new_id()
    attempt = await attempts.open_attempt(
        tx,
        attempt_id,
        parcel.parcel_id,
        chosen.provider,
        chosen.account,
        chosen.mode,
        AttemptState.ASSIGNED if own else AttemptState.CREATED,
        token_hash(world.webhook_token(attempt_id)),
        routing.record(),
    )
    if own:
        await parcel_changes.set_dispatch_state(tx, parcel.parcel_id, DispatchState.ACTIVE)
        return attempt
    await parcel_changes.set_dispatch_state(tx, parcel.parcel_id, DispatchState.DISPATCHING)
    await timers.schedule(tx, clockwork.SUBMIT_ATTEMPT, attempt_id, tx.now)
    await happenings.note(tx, parcel.parcel_id, What.CARRIER_CALLED, attempt_id)
    return attempt


async def open_own_attempt(tx: Transaction, world: DispatchWorld, parcel: Parcel) -> Attempt:
    """The merchant delivers the goods themselves, whatever was asked for."""
    return await open_attempt(tx, world, parcel, route(DeliveryMode.SELF, parcel.weight_g, world.candidates()))
