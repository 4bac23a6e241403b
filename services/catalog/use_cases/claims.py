"""Competing for a store: claims, the operator's decision, and one appeal of each.

Locks are always taken in this order: the claimant's merchant, the store, its claims.
"""

from collections.abc import Sequence
from uuid import UUID

from services.catalog import store as database
from services.catalog.domain.claims import (
    AWARDED_TO_ANOTHER,
    LIVE,
    WAITING,
    Appeal,
    Claim,
    ClaimState,
    check_appealable,
    check_room,
)
from services.catalog.domain.refusals import AlreadyDecided, ClaimExists, MerchantNotVerified, ReasonNeeded
from services.catalog.domain.staff import EDITORS
from services.catalog.use_cases.store_events import announce_change
from shared.auth import is_operator, require_operator, require_staff
from shared.contracts.catalog import MerchantState, StoreClosure
from shared.database import Transaction
from shared.errors import Forbidden, IdTaken, NotFound, PreconditionFailed

_MAY_CLAIM = (MerchantState.APPLIED, MerchantState.VERIFIED)


async def hold_claimant(tx: Transaction, merchant_id: UUID) -> None:
    """Raise unless this merchant may claim stores; its claims take turns, so that their number stays limited."""
    await database.lock_merchant(tx, merchant_id)
    merchant = await database.merchant(tx, merchant_id)
    if merchant is None or merchant.state not in _MAY_CLAIM:
        raise MerchantNotVerified


async def file_claim(tx: Transaction, claim_id: UUID, store_id: UUID, merchant_id: UUID, evidence: str) -> Claim:
    """A new claim that waits for the operator; merchant and store are locked."""
    check_room(await database.count_waiting(tx, store_id, merchant_id))
    claim = await database.add_claim(tx, claim_id, store_id, merchant_id, evidence)
    if claim is None:
        raise IdTaken
    return claim


async def compete(
    tx: Transaction, store_id: UUID, claim_id: UUID, caller: str, merchant_id: UUID, evidence: str
) -> Claim:
    """Claim a store that somebody else registered, whether or not it is held."""
    await require_staff(tx, caller, merchant_id, *EDITORS)
    await hold_claimant(tx, merchant_id)
    if await database.lock_store(tx, store_id) is None:
        raise NotFound
    known = await database.claim(tx, claim_id)
    if known is not None:
        if (known.store_id, known.merchant_id, known.licence_evidence) != (store_id, merchant_id, evidence):
            raise IdTaken
        return known
    await _require_no_other(tx, store_id, merchant_id)
    return await file_claim(tx, claim_id, store_id, merchant_id, evidence)


async def _require_no_other(tx: Transaction, store_id: UUID, merchant_id: UUID) -> None:
    other = await database.claim_of(tx, store_id, merchant_id)
    if other is not None and other.state in LIVE:
        raise ClaimExists(state=other.state.value)


async def decide_claim(
    tx: Transaction, claim_id: UUID, operator: str, *, approve: bool, reason: str | None, version: int | None
) -> Claim:
    """The operator awards the store to a claimant, or rejects the claim: once."""
    await require_operator(tx, operator)
    if not approve and not reason:
        raise ReasonNeeded
    seen = await _claim(tx, claim_id)
    if approve and seen.state in WAITING:
        await hold_claimant(tx, seen.merchant_id)
    # Decisions about the claims of one store take turns here; each reads what the one before left.
    await database.lock_store(tx, seen.store_id)
    claim = await _claim(tx, claim_id)
    wanted, reason = (ClaimState.APPROVED, None) if approve else (ClaimState.REJECTED, reason)
    if claim.state not in WAITING:
        if claim.state is not wanted or claim.reason != reason:
            raise AlreadyDecided(state=claim.state.value)
        return claim
    if version is not None and version != claim.version:
        raise PreconditionFailed(current=claim.version)
    if approve:
        return await _award(tx, claim, operator)
    return await _decided(tx, claim, ClaimState.REJECTED, reason, operator)


async def _award(tx: Transaction, claim: Claim, operator: str) -> Claim:
    lost = await database.end_holding(tx, claim.store_id, ClaimState.LOST, AWARDED_TO_ANOTHER, operator)
    await database.reject_others(tx, claim, AWARDED_TO_ANOTHER, operator)
    won = await _decided(tx, claim, ClaimState.APPROVED, None, operator)
    store = await database.hand_over(tx, claim.store_id, claim.merchant_id)
    if lost is None:
        await announce_change(tx, store)
    else:
        await announce_change(tx, store, StoreClosure.TRANSFERRED, lost.merchant_id, AWARDED_TO_ANOTHER)
    return won


async def _decided(tx: Transaction, claim: Claim, state: ClaimState, reason: str | None, operator: str) -> Claim:
    decided = await database.decide_claim(tx, claim.claim_id, state, reason, operator, claim.version)
    if decided is None:
        raise PreconditionFailed
    return decided


async def appeal_claim(tx: Transaction, claim_id: UUID, caller: str, said: Appeal) -> Claim:
    """The claimant asks the operator to look again at a refused or lost claim: once."""
    seen = await _claim(tx, claim_id)
    await require_staff(tx, caller, seen.merchant_id, *EDITORS)
    await hold_claimant(tx, seen.merchant_id)
    await database.lock_store(tx, seen.store_id)
    claim = await _claim(tx, claim_id)
    if claim.appeal == said:
        return claim
    check_appealable(claim)
    await _require_no_other(tx, claim.store_id, claim.merchant_id)
    check_room(await database.count_waiting(tx, claim.store_id, claim.merchant_id))
    appealed = await database.appeal(tx, claim_id, said)
    if appealed is None:
        raise PreconditionFailed
    return appealed


async def claims_on(
    tx: Transaction, store_id: UUID, caller: str, after: int | None, limit: int
) -> Sequence[tuple[int, Claim]]:
    """Every claim to a store for an operator, a claimant's own for its owner or manager; with the place in the list."""
    if await database.store(tx, store_id) is None:
        raise NotFound
    operator = await is_operator(tx, caller)
    found = await database.claims_on(tx, store_id, None if operator else caller, after, limit)
    if not found and not operator and after is None:
        raise Forbidden
    return found


async def _claim(tx: Transaction, claim_id: UUID) -> Claim:
    claim = await database.claim(tx, claim_id)
    if claim is None:
        raise NotFound
    return claim
