"""Claiming a store, and the operator's decision."""

from datetime import datetime
from uuid import UUID

from services.catalog import store as database
from services.catalog.domain.refusals import AlreadyDecided, MerchantNotVerified, ReasonNeeded
from services.catalog.domain.stores import Store, StoreClaim, StoreState
from shared.auth import require_operator, require_staff
from shared.contracts.catalog import MerchantState, StaffRole, StoreChanged
from shared.database import Transaction
from shared.errors import IdTaken, NotFound, PreconditionFailed
from shared.messaging import outbox

_MAY_CLAIM = (MerchantState.APPLIED, MerchantState.VERIFIED)


async def claim_store(tx: Transaction, store_id: UUID, caller: str, claim: StoreClaim) -> Store:
    """Claim a store for one's merchant; after a rejection it may be claimed again."""
    await require_staff(tx, caller, claim.merchant_id, StaffRole.OWNER, StaffRole.MANAGER)
    merchant = await database.merchant(tx, claim.merchant_id)
    if merchant is None or merchant.state not in _MAY_CLAIM:
        raise MerchantNotVerified
    claimed = await database.add_store(tx, store_id, claim) or await database.claim_again(tx, store_id, claim)
    if claimed is not None:
        await _announce(tx, claimed)
        return claimed
    known = await database.store(tx, store_id)
    if known is None or known.claim != claim:
        raise IdTaken
    return known


async def decide_store(
    tx: Transaction, store_id: UUID, operator: str, *, approve: bool, reason: str | None, version: int | None
) -> Store:
    """The operator verifies a claim, which opens the store, or rejects it: once."""
    await require_operator(tx, operator)
    if not approve and not reason:
        raise ReasonNeeded
    wanted = StoreState.VERIFIED if approve else StoreState.REJECTED
    decided = await database.decide_claim(tx, store_id, wanted, None if approve else reason, operator, version)
    if decided is not None:
        await _announce(tx, decided)
        return decided
    known = await database.store(tx, store_id)
    if known is None:
        raise NotFound
    if known.state is StoreState.CLAIMED:
        raise PreconditionFailed
    if known.state is not wanted:
        raise AlreadyDecided(state=known.state.value)
    return known


async def _announce(tx: Transaction, store: Store) -> None:
    await outbox.emit(tx, store_changed(store, tx.now))


def store_changed(store: Store, now: datetime) -> StoreChanged:
    """What redemption and dispatch are told of a store."""
    claim = store.claim
    return StoreChanged(
        occurred_at=now,
        version=store.version,
        store_id=store.store_id,
        merchant_id=claim.merchant_id,
        name=claim.name,
        city=claim.city,
        address=claim.address,
        latitude=claim.latitude,
        longitude=claim.longitude,
        phone=claim.phone,
        open=store.open,
    )
