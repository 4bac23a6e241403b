"""A store from its registration on: what is said of it, who gives it back, who closes it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from services.catalog import store as database
from services.catalog.domain.claims import GIVEN_BACK, Claim, ClaimState
from services.catalog.domain.refusals import (
    AlreadyClosed,
    PositionIncomplete,
    ReasonNeeded,
    StoreFactsFixed,
    StoreNotHeld,
)
from services.catalog.domain.staff import EDITORS
from services.catalog.domain.stores import Store, StoreFacts
from services.catalog.use_cases.claims import decide_claim, file_claim, hold_claimant
from services.catalog.use_cases.deal_sales import announce_deals
from services.catalog.use_cases.store_events import DEALS_CHANGED, announce_change, announce_store
from shared.auth import is_operator, require_operator, require_staff
from shared.contracts.catalog import StaffRole, StoreClosure
from shared.database import Transaction
from shared.errors import Forbidden, IdTaken, NotFound, PreconditionFailed
from shared.ids import derived_id
from shared.messaging.timers import Due, schedule

_BY_STAFF = frozenset({"phone", "hours"})
DEALS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class StoreFile:
    """A store beside one merchant's claim to it (None: nobody asked in this connection)."""

    store: Store
    claim: Claim | None


async def claim_store(
    tx: Transaction, store_id: UUID, caller: str, merchant_id: UUID, facts: StoreFacts, evidence: str
) -> StoreFile:
    """Register a place and claim it for one's merchant; after a rejection the same merchant may do so again."""
    await require_staff(tx, caller, merchant_id, *EDITORS)
    await hold_claimant(tx, merchant_id)
    said = database.registration(facts, evidence)
    added = await database.add_store(tx, store_id, merchant_id, facts, said)
    if added is not None:
        claim = await file_claim(tx, _first_claim_id(store_id, merchant_id), store_id, merchant_id, evidence)
        await announce_store(tx, added)
        return StoreFile(added, claim)
    return await _register_again(tx, store_id, merchant_id, facts, said)


def _first_claim_id(store_id: UUID, merchant_id: UUID) -> UUID:
    return derived_id(store_id, str(merchant_id))


async def _register_again(
    tx: Transaction, store_id: UUID, merchant_id: UUID, facts: StoreFacts, said: dict[str, Any]
) -> StoreFile:
    known = await _locked(tx, store_id)
    claim = await database.claim_of(tx, store_id, merchant_id)
    if known.registered_for != merchant_id or claim is None:
        raise IdTaken
    if await database.registered_as(tx, store_id) == said:
        return StoreFile(known, claim)
    # Whoever else asks for the place asked for it as it is described now.
    if claim.state is not ClaimState.REJECTED or await database.live_claims_on(tx, [store_id]):
        raise IdTaken
    registered = await database.register_again(tx, store_id, facts, said)
    if registered is None:
        raise IdTaken
    next_id = derived_id(claim.claim_id, "again")
    again = await file_claim(tx, next_id, store_id, merchant_id, said["licence_evidence"])
    await announce_store(tx, registered)
    return StoreFile(registered, again)


async def decide_store(
    tx: Transaction, store_id: UUID, operator: str, *, approve: bool, reason: str | None, version: int | None
) -> StoreFile:
    """The operator decides the claim of the merchant that registered the place; `version` is the claim's."""
    await require_operator(tx, operator)
    known = await _store(tx, store_id)
    claim = await database.claim_of(tx, store_id, known.registered_for)
    if claim is None:
        raise NotFound
    decided = await decide_claim(tx, claim.claim_id, operator, approve=approve, reason=reason, version=version)
    return StoreFile(await _store(tx, store_id), decided)


async def release_store(tx: Transaction, store_id: UUID, caller: str, version: int | None) -> StoreFile:
    """The owner gives the store back: it sells for nobody until an operator awards it again."""
    known = await _locked(tx, store_id)
    holder = known.merchant_id or known.last_held_by
    if holder is None:
        raise StoreNotHeld
    await require_staff(tx, caller, holder, StaffRole.OWNER)
    if known.merchant_id is None:
        return await _released_before(tx, known, holder)
    _match(known, version)
    claim = await database.end_holding(tx, store_id, ClaimState.RELEASED, GIVEN_BACK, caller)
    released = await database.hand_over(tx, store_id, None)
    await announce_change(tx, released, StoreClosure.RELEASED, holder, GIVEN_BACK)
    return StoreFile(released, claim)


async def _released_before(tx: Transaction, store: Store, holder: UUID) -> StoreFile:
    claim = await database.claim_of(tx, store.store_id, holder)
    if claim is None or claim.state is not ClaimState.RELEASED:
        raise StoreNotHeld
    return StoreFile(store, claim)


async def close_store(
    tx: Transaction, store_id: UUID, operator: str, *, closed: bool, reason: str | None, version: int | None
) -> StoreFile:
    """The operator closes a store, or opens it again; saying so twice changes nothing."""
    await require_operator(tx, operator)
    if closed and not reason:
        raise ReasonNeeded
    switched = await database.switch_closed(tx, store_id, reason if closed else None, operator, version)
    if switched is None:
        return await _with_holder(tx, await _already(tx, store_id, reason if closed else None))
    if closed:
        await announce_change(tx, switched, StoreClosure.CLOSED, switched.last_merchant_id, reason or "")
    else:
        await announce_change(tx, switched)
    return await _with_holder(tx, switched)


async def _already(tx: Transaction, store_id: UUID, reason: str | None) -> Store:
    """The store, if it is closed for just this reason (or open, without one); else say what stands in the way."""
    store = await _store(tx, store_id)
    if (store.closed_reason is None) is not (reason is None):
        raise PreconditionFailed(current=store.version)
    if store.closed_reason != reason:
        raise AlreadyClosed(reason=store.closed_reason)
    return store


async def change_details(
    tx: Transaction, store_id: UUID, caller: str, changes: dict[str, Any], version: int | None
) -> StoreFile:
    """Phone and hours by the holder's owner or manager, everything by an operator; nothing of it is reviewed."""
    known = await _store(tx, store_id)
    await _require_may_describe(tx, known, caller, changes)
    facts = replace(known.facts, **changes)
    if facts == known.facts:
        return await _with_holder(tx, known)
    _match(known, version)
    changed = await database.change_facts(tx, store_id, known.version, facts)
    if changed is None:
        raise PreconditionFailed
    await announce_store(tx, changed)
    return await _with_holder(tx, changed)


async def _require_may_describe(tx: Transaction, store: Store, caller: str, changes: dict[str, Any]) -> None:
    if ("latitude" in changes) is not ("longitude" in changes):
        raise PositionIncomplete
    if await is_operator(tx, caller):
        return
    if store.merchant_id is None:
        raise Forbidden
    await require_staff(tx, caller, store.merchant_id, *EDITORS)
    fixed = {name for name, value in changes.items() if value != getattr(store.facts, name)} - _BY_STAFF
    if fixed:
        raise StoreFactsFixed


async def stores_of_merchant(
    tx: Transaction, merchant_id: UUID, caller: str, after: UUID | None, limit: int
) -> Sequence[StoreFile]:
    """The stores that a merchant holds, held or asked for, for its staff and operators."""
    if not await is_operator(tx, caller):
        await require_staff(tx, caller, merchant_id)
    found = await database.stores_of_merchant(tx, merchant_id, after, limit)
    return [StoreFile(store, claim) for store, claim in found]


async def say_deals_again(tx: Transaction, due: Sequence[Due]) -> None:
    """The deals of stores that opened, closed or changed hands are said anew, about two hundred a transaction."""
    deal_ids: set[UUID] = set()
    for one in due:
        if len(deal_ids) >= DEALS_AT_ONCE:
            await schedule(tx, DEALS_CHANGED, one.key, tx.now, one.payload)
            continue
        after = UUID(one.payload["after"]) if "after" in one.payload else None
        found = await database.deals_naming(tx, UUID(one.key), after, DEALS_AT_ONCE)
        deal_ids.update(found)
        if len(found) == DEALS_AT_ONCE:
            await schedule(tx, DEALS_CHANGED, one.key, tx.now, {"after": str(found[-1])})
    await announce_deals(tx, sorted(deal_ids))


async def _with_holder(tx: Transaction, store: Store) -> StoreFile:
    return StoreFile(store, await database.claim_of(tx, store.store_id, store.last_merchant_id))


def _match(store: Store, version: int | None) -> None:
    if version is not None and version != store.version:
        raise PreconditionFailed(current=store.version)


async def _store(tx: Transaction, store_id: UUID) -> Store:
    store = await database.store(tx, store_id)
    if store is None:
        raise NotFound
    return store


async def _locked(tx: Transaction, store_id: UUID) -> Store:
    store = await database.lock_store(tx, store_id)
    if store is None:
        raise NotFound
    return store
