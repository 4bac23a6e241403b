"""An operator stops a merchant, and lets it go on."""

from uuid import UUID

from services.catalog import store
from services.catalog.domain.merchants import Merchant
from services.catalog.domain.refusals import AlreadySuspended, ReasonNeeded
from services.catalog.use_cases.merchant_files import (
    MerchantFile,
    announce_merchant,
    file_of,
    known_merchant,
    merchant_changed,
)
from shared.auth import require_operator
from shared.contracts.catalog import MerchantState, MerchantSuspended
from shared.database import Transaction
from shared.errors import PreconditionFailed
from shared.messaging import outbox


async def suspend_merchant(
    tx: Transaction, merchant_id: UUID, operator: str, reason: str | None, version: int | None
) -> MerchantFile:
    """Sales stop, payouts freeze, and what was sold and not used goes back to the buyers."""
    await require_operator(tx, operator)
    if not reason:
        raise ReasonNeeded
    suspended = await store.suspend(tx, merchant_id, reason, operator, version)
    if suspended is None:
        return await file_of(tx, await _already_suspended(tx, merchant_id, reason))
    await outbox.emit(tx, merchant_changed(suspended, tx.now), _merchant_suspended(tx, suspended, reason))
    return await file_of(tx, suspended)


async def _already_suspended(tx: Transaction, merchant_id: UUID, reason: str) -> Merchant:
    merchant = await known_merchant(tx, merchant_id)
    if merchant.state is not MerchantState.SUSPENDED:
        raise PreconditionFailed(current=merchant.version)
    if merchant.suspension_reason != reason:
        raise AlreadySuspended(reason=merchant.suspension_reason)
    return merchant


async def lift_suspension(
    tx: Transaction, merchant_id: UUID, operator: str, reason: str | None, version: int | None
) -> MerchantFile:
    """The merchant is again what it was, or what it has become underneath."""
    await require_operator(tx, operator)
    lifted = await store.lift_suspension(tx, merchant_id, reason, operator, version)
    if lifted is None:
        merchant = await known_merchant(tx, merchant_id)
        if merchant.state is MerchantState.SUSPENDED:
            raise PreconditionFailed(current=merchant.version)
        return await file_of(tx, merchant)
    await announce_merchant(tx, lifted)
    return await file_of(tx, lifted)


def _merchant_suspended(tx: Transaction, merchant: Merchant, reason: str) -> MerchantSuspended:
    return MerchantSuspended(
        occurred_at=tx.now,
        version=merchant.version,
        merchant_id=merchant.merchant_id,
        name=merchant.application.name,
        phone=merchant.application.phone,
        state=merchant.state,
        reason=reason,
    )
