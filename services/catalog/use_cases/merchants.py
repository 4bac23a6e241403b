"""Applying as a merchant, and the operator's decision."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.catalog import store
from services.catalog.domain.merchants import Application, ChecklistStep, Merchant, check_application, checklist
from services.catalog.domain.payout_accounts import PayoutAccount
from services.catalog.domain.refusals import AlreadyDecided, ReasonNeeded
from services.catalog.domain.staff import Place
from services.catalog.use_cases.staff import announce_place
from shared.auth import is_operator, require_operator, require_staff
from shared.contracts.catalog import MerchantChanged, MerchantState, StaffRole
from shared.database import Transaction
from shared.errors import IdTaken, NotFound, PreconditionFailed
from shared.ids import derived_id
from shared.messaging import outbox


@dataclass(frozen=True, slots=True)
class MerchantFile:
    """A merchant with its payout account and the checklist to the first deal."""

    merchant: Merchant
    account: PayoutAccount | None
    checklist: tuple[ChecklistStep, ...]


async def apply_as_merchant(tx: Transaction, merchant_id: UUID, caller: str, application: Application) -> MerchantFile:
    """Apply to sell deals; the applicant becomes the owner. After a rejection the same merchant may apply again."""
    check_application(application, tx.now)
    merchant = await store.add_merchant(tx, merchant_id, application, caller)
    if merchant is not None:
        await _announce(tx, merchant)
        await _make_owner(tx, merchant_id, caller)
    else:
        merchant = await _apply_again(tx, merchant_id, caller, application)
    return await _file(tx, merchant)


async def _make_owner(tx: Transaction, merchant_id: UUID, subject: str) -> None:
    owner = Place(derived_id(merchant_id, "first owner"), subject, merchant_id, StaffRole.OWNER, (), active=True)
    placed = await store.put_place(tx, owner)
    assert placed is not None
    await announce_place(tx, *placed)


async def _apply_again(tx: Transaction, merchant_id: UUID, caller: str, application: Application) -> Merchant:
    merchant = await store.merchant(tx, merchant_id)
    owner = await store.is_active_owner(tx, merchant_id, caller)
    if merchant is None or not owner:
        raise IdTaken
    applied = await store.apply_again(tx, merchant_id, application, caller)
    if applied is not None:
        await _announce(tx, applied)
        return applied
    if merchant.application != application:
        raise IdTaken
    return merchant


async def decide_application(
    tx: Transaction, merchant_id: UUID, operator: str, *, approve: bool, reason: str | None, version: int | None
) -> MerchantFile:
    """The operator verifies or rejects an application: once."""
    await require_operator(tx, operator)
    if not approve and not reason:
        raise ReasonNeeded
    merchant = await store.merchant(tx, merchant_id)
    if merchant is None:
        raise NotFound
    wanted = MerchantState.VERIFIED if approve else MerchantState.REJECTED
    if approve and merchant.state is MerchantState.APPLIED:
        # The licence may have run short while the application waited.
        check_application(merchant.application, tx.now)
    decided = await store.decide_application(tx, merchant_id, wanted, None if approve else reason, operator, version)
    if decided is None:
        return await _file(tx, await _already(tx, merchant_id, wanted))
    await _announce(tx, decided)
    return await _file(tx, decided)


async def _already(tx: Transaction, merchant_id: UUID, wanted: MerchantState) -> Merchant:
    """The merchant, if it was decided just like this before; else say what stands in the way."""
    merchant = await store.merchant(tx, merchant_id)
    assert merchant is not None
    if merchant.state is MerchantState.APPLIED:
        raise PreconditionFailed
    if merchant.state is not wanted:
        raise AlreadyDecided(state=merchant.state.value)
    return merchant


async def merchant_file(tx: Transaction, merchant_id: UUID, caller: str) -> MerchantFile:
    """A merchant for its own staff or an operator."""
    if not await is_operator(tx, caller):
        await require_staff(tx, caller, merchant_id)
    merchant = await store.merchant(tx, merchant_id)
    if merchant is None:
        raise NotFound
    return await _file(tx, merchant)


async def _file(tx: Transaction, merchant: Merchant) -> MerchantFile:
    merchant_id = merchant.merchant_id
    account = await store.payout_account(tx, merchant_id)
    stores, deals = await store.store_progress(tx, merchant_id), await store.deal_progress(tx, merchant_id)
    return MerchantFile(merchant, account, checklist(merchant, account, stores, deals))


async def _announce(tx: Transaction, merchant: Merchant) -> None:
    await outbox.emit(tx, merchant_changed(merchant, tx.now))


def merchant_changed(merchant: Merchant, now: datetime) -> MerchantChanged:
    """What everybody is told of a merchant."""
    return MerchantChanged(
        occurred_at=now,
        version=merchant.version,
        merchant_id=merchant.merchant_id,
        name=merchant.application.name,
        phone=merchant.application.phone,
        state=merchant.state,
    )
