"""Finds a carrier for an accepted parcel: looks around, asks for prices at once, and opens the attempt of the best."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.dispatch.domain.attempts import AttemptState
from services.dispatch.domain.parcels import DispatchState, ParcelState
from services.dispatch.domain.routing import Candidate
from services.dispatch.domain.scoring import Choice, Considered, Offer, Record, assumed_offer, choose, score
from services.dispatch.domain.timeline import What
from services.dispatch.gateways import native
from services.dispatch.gateways.guard import BREAKER_OPEN
from services.dispatch.gateways.port import Carrier, Outcome, Quote, Result, Shipment
from services.dispatch.store import attempts, decisions, happenings, parcel_changes, parcels, searches
from services.dispatch.store.attempts import Attempt, NewAttempt
from services.dispatch.store.parcels import Parcel
from services.dispatch.use_cases import clockwork, stopping
from services.dispatch.use_cases.accounts import leave_out
from services.dispatch.use_cases.candidates import Field, candidates_of, look_around
from services.dispatch.use_cases.following import ask_merchant
from services.dispatch.use_cases.shipments import shipment_of
from services.dispatch.world import DispatchWorld, token_hash
from shared.contracts.catalog import DeliveryMode
from shared.database import Transaction
from shared.ids import new_id
from shared.messaging import timers

_LOOK_AGAIN = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Asking:
    """One price to ask for. The attempt has its id already: at some carriers an offer is for one order only."""

    carrier: Carrier
    attempt_id: UUID
    callback_url: str


@dataclass(frozen=True, slots=True)
class Search:
    """All that asking for prices needs, so that no transaction is open during it."""

    parcel_id: UUID
    shipment: Shipment
    asking: Mapping[Candidate, Asking]

    async def quotes(self, deadline: timedelta) -> dict[Candidate, Result[Quote]]:
        """Every price that comes in time. One carrier's failure or silence is no other's."""
        tasks = {
            asyncio.create_task(one.carrier.quote(self.shipment, one.attempt_id.hex, one.callback_url)): candidate
            for candidate, one in self.asking.items()
            if candidate.quotes
        }
        if not tasks:
            return {}
        done, late = await asyncio.wait(tasks, timeout=deadline.total_seconds())
        for task in late:
            task.cancel()
        return {tasks[task]: task.result() for task in done if task.exception() is None}


async def prepare(tx: Transaction, world: DispatchWorld, parcel_id: UUID) -> Search | None:
    """Whom to ask; None if the parcel needs nobody, or nobody may carry it and a person decides."""
    parcel = await parcels.lock_parcel(tx, parcel_id)
    if parcel is None or not await _needs_carrier(tx, parcel):
        await timers.cancel(tx, clockwork.DISPATCH_PARCEL, parcel_id)
        return None
    if await searches.is_own_rider_next(tx, parcel_id):
        await timers.cancel(tx, clockwork.DISPATCH_PARCEL, parcel_id)
        await open_own_attempt(tx, world, parcel)
        return None
    field = await look_around(tx, world, parcel)
    if field.tries >= world.policy.most_attempts:
        await _give_to_merchant(tx, parcel, field)
        return None
    able = [one.candidate for one in field.considered if not one.refused]
    if not able:
        await _nobody(tx, parcel, choose(field.considered, field.contract), field)
        return None
    carriers = {(one.provider, one.account): one for one in world.carriers.of_merchant(parcel.merchant_id)}
    asking = {}
    for candidate in able:
        attempt_id = new_id()
        url = world.callback_url(candidate.provider, attempt_id)
        asking[candidate] = Asking(carriers[candidate.provider, candidate.account], attempt_id, url)
    return Search(parcel_id, await shipment_of(tx, world, parcel), asking)


async def decide(
    tx: Transaction, world: DispatchWorld, search: Search, quotes: Mapping[Candidate, Result[Quote]]
) -> Attempt | None:
    """Open the attempt of the best offer, if the parcel still needs one. Whoever is first decides; others find the
    parcel taken care of."""
    await timers.cancel(tx, clockwork.DISPATCH_PARCEL, search.parcel_id)
    parcel = await parcels.lock_parcel(tx, search.parcel_id)
    # In one order for everybody, since the rows of the accounts are locked.
    for candidate in sorted(quotes, key=lambda one: (one.provider, one.account)):
        await leave_out(tx, search.asking[candidate].carrier, search.parcel_id, quotes[candidate])
    if parcel is None or not await _needs_carrier(tx, parcel):
        return None
    field = await look_around(tx, world, parcel)
    choice = choose([_weighed(world, field, one, quotes) for one in field.considered], field.contract)
    chosen = choice.chosen
    asked = search.asking.get(chosen.candidate) if chosen else None
    if chosen is None or asked is None:
        await _nobody(tx, parcel, choice, field)
        return None
    attempt = await _open(tx, world, parcel, chosen, field, asked.attempt_id)
    await decisions.keep(tx, parcel.parcel_id, attempt.attempt_id, choice.record())
    return attempt


def _weighed(
    world: DispatchWorld, field: Field, one: Considered, quotes: Mapping[Candidate, Result[Quote]]
) -> Considered:
    if one.refused:
        return one
    refused, offer = _offer(world, field, one.candidate, quotes.get(one.candidate))
    if refused:
        return replace(one, refused=(refused,))
    assert offer is not None, "who is not refused has an offer"
    if field.contract.most_fee_fen is not None and offer.fee_fen > field.contract.most_fee_fen:
        return replace(one, refused=("above_cap",), offer=offer)
    record = field.records.get(one.candidate.provider)
    weights = world.policy.weights
    return replace(one, offer=offer, score=score(offer, record or Record(), weights))


def _offer(
    world: DispatchWorld, field: Field, candidate: Candidate, quote: Result[Quote] | None
) -> tuple[str | None, Offer | None]:
    assumed = assumed_offer(candidate, field.distance_m, world.policy.weights)
    if not candidate.quotes:
        return None, assumed
    if quote is not None and quote.value is not None:
        told = quote.value
        # An offer's end is the carrier's own time, which no sandbox moves on our side.
        if told.expires_at is not None and told.expires_at <= datetime.now(UTC):
            return "quote_expired", None
        return None, Offer(told.fee_fen, told.eta or assumed.eta, True, told.token, told.expires_at)
    if quote is not None and quote.outcome is Outcome.REJECTED:
        return f"quote_refused:{(quote.reason.value if quote.reason else 'other').lower()}", None
    if quote is not None and quote.code == BREAKER_OPEN:
        return "breaker_open", None
    # Silence says nothing about whether the order would be taken: who needs no quote may still have it.
    return ("quote_failed", None) if candidate.needs_quote else (None, assumed)


async def _nobody(tx: Transaction, parcel: Parcel, choice: Choice, field: Field) -> None:
    await decisions.keep(tx, parcel.parcel_id, None, choice.record())
    await timers.cancel(tx, clockwork.DISPATCH_PARCEL, parcel.parcel_id)
    if choice.chosen is not None:
        # Somebody may carry it since the prices were asked for, and was not asked.
        await timers.schedule(tx, clockwork.DISPATCH_PARCEL, parcel.parcel_id, tx.now)
    elif choice.may_pass and field.slack > _LOOK_AGAIN:
        await timers.schedule(tx, clockwork.DISPATCH_PARCEL, parcel.parcel_id, tx.now + _LOOK_AGAIN)
    else:
        await ask_merchant(tx, parcel)


async def _give_to_merchant(tx: Transaction, parcel: Parcel, field: Field) -> None:
    considered = [one if one.refused else replace(one, refused=("tries_used_up",)) for one in field.considered]
    await decisions.keep(tx, parcel.parcel_id, None, choose(considered, field.contract).record())
    await timers.cancel(tx, clockwork.DISPATCH_PARCEL, parcel.parcel_id)
    await ask_merchant(tx, parcel)


async def _needs_carrier(tx: Transaction, parcel: Parcel) -> bool:
    if parcel.state is not ParcelState.ACCEPTED or parcel.dispatch_state is DispatchState.MANUAL:
        return False
    if await attempts.live_attempt(tx, parcel.parcel_id) is not None:
        return False
    return not await stopping.is_stopping(tx, parcel)


async def _open(
    tx: Transaction, world: DispatchWorld, parcel: Parcel, chosen: Considered, field: Field, attempt_id: UUID
) -> Attempt:
    """The attempt, frozen to its account and quote. The merchant's own rider needs no order; any other carrier is
    called at once, by a timer of its own."""
    candidate, offer = chosen.candidate, chosen.offer
    own = candidate.provider == native.PROVIDER
    quoted = offer is not None and offer.quoted
    attempt = await attempts.open_attempt(
        tx,
        NewAttempt(
            attempt_id=attempt_id,
            parcel_id=parcel.parcel_id,
            provider=candidate.provider,
            account=candidate.account,
            carried_as=candidate.mode,
            state=AttemptState.ASSIGNED if own else AttemptState.CREATED,
            token_hash=token_hash(world.webhook_token(attempt_id)),
            zone=field.zone,
            hour=field.hour,
            quote_token=offer.token if offer else None,
            quote_fee_fen=offer.fee_fen if offer and quoted else None,
            quote_expires_at=offer.expires_at if offer else None,
        ),
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
    field = await look_around(tx, world, parcel)
    (own,) = (
        one for one in candidates_of(world.carriers.of_merchant(parcel.merchant_id)) if one.mode is DeliveryMode.SELF
    )
    choice = Choice("merchants_choice", (Considered(own),), ())
    await searches.own_rider_next(tx, parcel.parcel_id, wanted=False)
    await happenings.note(tx, parcel.parcel_id, What.OWN_RIDER)
    attempt = await _open(tx, world, parcel, Considered(own), field, new_id())
    await decisions.keep(tx, parcel.parcel_id, attempt.attempt_id, choice.record())
    return attempt
