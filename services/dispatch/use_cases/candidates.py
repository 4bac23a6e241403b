"""Who could carry a parcel: every account of the deployment, how each stands, and what the merchant wants."""

from dataclasses import dataclass
from datetime import timedelta

from services.dispatch.domain.eligibility import Contract, Need, Question, Standing, refusals
from services.dispatch.domain.routing import Candidate, GeoPoint, distance_m, is_same_city, zone_of
from services.dispatch.domain.scoring import Considered, Record
from services.dispatch.gateways.port import Carrier
from services.dispatch.store import accounts, copies, preferences, scorecards, searches
from services.dispatch.store.copies import Store
from services.dispatch.store.parcels import Parcel
from services.dispatch.use_cases.following import slack_of
from services.dispatch.world import DispatchWorld
from shared.clock import SHANGHAI
from shared.contracts.hours import within
from shared.database import Transaction

# Who accepted an order just now is in the store, whatever its hours say.
_THERE_AFTER_ACCEPTING = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Field:
    """All candidates as they were looked at, and what their offers are weighed with."""

    considered: tuple[Considered, ...]
    contract: Contract
    records: dict[str, Record]
    distance_m: float
    zone: str
    hour: int
    tries: int
    slack: timedelta


async def look_around(tx: Transaction, world: DispatchWorld, parcel: Parcel) -> Field:
    """Check every candidate for a parcel whose lock the caller holds."""
    since = await searches.begin(tx, parcel.parcel_id)
    store = await copies.find_store(tx, parcel.store_id)
    assert store is not None, "a parcel's store was known when the parcel was opened"
    address = world.address(parcel.sealed_address)
    metres = distance_m(store.place, GeoPoint(address.latitude, address.longitude))
    slack = slack_of(world.policy, parcel, since, tx.now)
    need = Need(
        mode=parcel.mode,
        weight_g=parcel.weight_g,
        category=parcel.category,
        distance_m=metres,
        same_city=is_same_city(store.city, address.city),
        store_open=await _is_somebody_there(tx, store, parcel),
        slack=slack,
        hand_over_in=parcel.hand_over_by - tx.now,
    )
    contract = (await preferences.find(tx, parcel.merchant_id)).contract
    tried = await searches.tried(tx, parcel.parcel_id, since)
    left_out = {(one.provider, one.account): one for one in await accounts.alerts(tx)}
    considered = []
    carriers = world.carriers.of_merchant(parcel.merchant_id)
    for carrier, candidate in zip(carriers, candidates_of(carriers), strict=True):
        key = (candidate.provider, candidate.account)
        before, alert = tried.get(key), left_out.get(key)
        standing = Standing(
            balance_short=alert is not None and alert.balance_short_since is not None,
            disabled=alert is not None and alert.disabled_since is not None,
            breaker_open=await carrier.holds_back(),
            refused_parcel=before is not None and before.refused,
            stale_quotes=before.stale_quotes if before else 0,
            tries=before.tries if before else 0,
        )
        question = Question(need, candidate, standing, contract, world.policy.ranges)
        considered.append(Considered(candidate, refusals(question), tries=standing.tries))
    zone, hour = zone_of(store.place), tx.now.astimezone(SHANGHAI).hour
    names = [one.candidate.provider for one in considered if not one.refused]
    return Field(
        considered=tuple(considered),
        contract=contract,
        records=await scorecards.records(tx, names, zone, hour),
        distance_m=metres,
        zone=zone,
        hour=hour,
        tries=sum(one.tries for one in tried.values()),
        slack=slack,
    )


def candidates_of(carriers: tuple[Carrier, ...]) -> tuple[Candidate, ...]:
    """Carrier accounts as the rules see them."""
    return tuple(
        Candidate(
            carrier.provider,
            carrier.account,
            carrier.caps.mode,
            carrier.caps.max_weight_g,
            quotes=carrier.caps.quotes,
            needs_quote=carrier.caps.needs_quote,
            tips=carrier.caps.tips,
        )
        for carrier in carriers
    )


async def _is_somebody_there(tx: Transaction, store: Store, parcel: Parcel) -> bool:
    if tx.now - await searches.accepted_at(tx, parcel.parcel_id) < _THERE_AFTER_ACCEPTING:
        return True
    return store.open and (not store.hours or within(store.hours, tx.now))
