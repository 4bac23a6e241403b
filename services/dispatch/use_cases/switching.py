"""The merchant takes an order back from a carrier: what that costs is asked first, and confirmed when it may hurt."""

from dataclasses import dataclass
from uuid import UUID

from services.dispatch.domain.attempts import WITH_CARRIER, AttemptState
from services.dispatch.domain.parcels import ParcelState
from services.dispatch.domain.refusals import CancelFeeUnconfirmed, NoSuchAttempt, NothingToCancel
from services.dispatch.domain.timeline import What
from services.dispatch.gateways.port import CancelReason, CancelTerms, Carrier, ProviderRef, Result
from services.dispatch.store import attempts, happenings, parcels, preferences, searches, tips
from services.dispatch.store.attempts import Attempt
from services.dispatch.use_cases import clockwork, stopping
from services.dispatch.use_cases.accounts import leave_out_by
from services.dispatch.use_cases.permissions import HANDLES_ORDERS, held_for_staff
from services.dispatch.use_cases.shipments import reference
from services.dispatch.world import DispatchWorld
from shared.contracts.catalog import DeliveryMode
from shared.database import Transaction
from shared.errors import DomainError
from shared.messaging import timers

_RIDER_CAME = frozenset(
    {AttemptState.ASSIGNED, AttemptState.AT_PICKUP, AttemptState.CANCELLING, AttemptState.EXCEPTION}
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What taking an attempt back costs now. `fee_fen` None: the carrier does not say, and nobody knows."""

    attempt_id: UUID
    provider: str
    fee_fen: int | None
    needs_confirmation: bool


@dataclass(frozen=True, slots=True)
class Consent:
    """What the merchant agreed to pay: up to `most_fee_fen`, and whether also what nobody knows."""

    most_fee_fen: int = 0
    also_unknown: bool = False

    def covers(self, terms: Terms) -> bool:
        if not terms.needs_confirmation:
            return True
        return self.also_unknown if terms.fee_fen is None else terms.fee_fen <= self.most_fee_fen


@dataclass(frozen=True, slots=True)
class Asking:
    """All that asking for the terms needs."""

    attempt_id: UUID
    carrier: Carrier
    ref: ProviderRef

    async def ask(self) -> Result[CancelTerms]:
        return await self.carrier.cancel_terms(self.ref)


async def prepare(tx: Transaction, world: DispatchWorld, caller: str, parcel_id: UUID) -> Asking | None:
    """Whom to ask; None while nothing is at any carrier, so that leaving is free."""
    parcel = await held_for_staff(tx, caller, parcel_id, HANDLES_ORDERS)
    live = await attempts.live_attempt(tx, parcel_id)
    if live is None or live.carried_as is DeliveryMode.SELF or live.state not in WITH_CARRIER:
        return None
    carrier = world.carriers.of(live.provider, live.account)
    return Asking(live.attempt_id, carrier, reference(world, parcel, live))


async def learn(
    tx: Transaction, parcel_id: UUID, asked: Asking | None, answer: Result[CancelTerms] | None
) -> Terms | None:
    """Keep what the carrier said, and whether the merchant has to confirm it."""
    if asked is None or answer is None:
        return None
    await leave_out_by(tx, asked.carrier, asked.attempt_id, answer)
    attempt = await attempts.find_attempt(tx, asked.attempt_id)
    parcel = await parcels.lock_parcel(tx, parcel_id)
    if attempt is None or parcel is None or attempt.state not in WITH_CARRIER:
        return None
    fee_fen = answer.value.fee_fen if answer.value is not None else None
    await tips.learn_terms(tx, attempt.attempt_id, fee_fen)
    limit = (await preferences.find(tx, parcel.merchant_id)).contract.confirm_above_fen
    # While no rider was found nobody has come for nothing.
    hurts = attempt.state in _RIDER_CAME if fee_fen is None else fee_fen > limit
    return Terms(attempt.attempt_id, attempt.provider, fee_fen, hurts)


async def switch(
    tx: Transaction, caller: str, parcel_id: UUID, attempt_id: UUID, terms: Terms | None, consent: Consent, *,
    own_rider: bool,
) -> DomainError | None:  # fmt: skip
    """Take the attempt back; when the carrier confirms, the next one (or the merchant's own rider) gets the parcel.
    Returns the refusal of a fee that nobody agreed to: the caller commits what was learned, then raises it."""
    parcel = await held_for_staff(tx, caller, parcel_id, HANDLES_ORDERS)
    attempt = await attempts.find_attempt(tx, attempt_id)
    if attempt is None or attempt.parcel_id != parcel_id:
        raise NoSuchAttempt
    if _is_done(attempt):
        return None
    if parcel.state is not ParcelState.ACCEPTED or attempt.carried_as is DeliveryMode.SELF or attempt.picked_up:
        raise NothingToCancel
    if terms is not None and not consent.covers(terms):
        return CancelFeeUnconfirmed(fee_fen=terms.fee_fen)
    await happenings.note(tx, parcel_id, What.SWITCHED, attempt_id)
    await searches.own_rider_next(tx, parcel_id, wanted=own_rider)
    if await stopping.call_off(tx, attempt, CancelReason.MERCHANT):
        await timers.schedule(tx, clockwork.DISPATCH_PARCEL, parcel_id, tx.now)
    return None


def _is_done(attempt: Attempt) -> bool:
    wanted = attempt.cancel_reason == CancelReason.MERCHANT
    return wanted and (attempt.state in WITH_CARRIER or attempt.state is AttemptState.CANCELLED)
