"""Applying as a merchant, changing the licence, the operator's decision, and the end of a licence."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from services.catalog import store
from services.catalog.domain.checklist import Found
from services.catalog.domain.merchants import Application, Licence, Merchant, check_application
from services.catalog.domain.refusals import AlreadyDecided, LicenceExpired, ReasonNeeded
from services.catalog.domain.staff import Place
from services.catalog.use_cases.merchant_files import MerchantFile, announce_merchant, file_of, known_merchant
from services.catalog.use_cases.payout_accounts import check_account_anew
from services.catalog.use_cases.staff import announce_place
from shared.auth import require_operator, require_staff
from shared.clock import business_day, start_of_day
from shared.contracts.catalog import MerchantState, StaffRole
from shared.database import Transaction
from shared.errors import IdTaken, PreconditionFailed
from shared.ids import derived_id
from shared.messaging import timers

LICENCE_EXPIRED = "licence_expired"


async def apply_as_merchant(tx: Transaction, merchant_id: UUID, caller: str, application: Application) -> MerchantFile:
    """Apply to sell deals; the applicant becomes the owner. After a rejection the same merchant may apply again."""
    check_application(application, tx.now)
    merchant = await store.add_merchant(tx, merchant_id, application, caller)
    if merchant is not None:
        await store.open_fee(tx, merchant_id)
        await announce_merchant(tx, merchant)
        await _make_owner(tx, merchant_id, caller)
    else:
        merchant = await _apply_again(tx, merchant_id, caller, application)
    return await file_of(tx, merchant)


async def _make_owner(tx: Transaction, merchant_id: UUID, subject: str) -> None:
    owner = Place(derived_id(merchant_id, "first owner"), subject, merchant_id, StaffRole.OWNER, (), active=True)
    placed = await store.put_place(tx, owner)
    assert placed is not None
    await announce_place(tx, placed)


async def _apply_again(tx: Transaction, merchant_id: UUID, caller: str, application: Application) -> Merchant:
    await store.lock_merchant(tx, merchant_id)
    merchant = await store.merchant(tx, merchant_id)
    owner = await store.is_active_owner(tx, merchant_id, caller)
    if merchant is None or not owner:
        raise IdTaken
    if merchant.standing is MerchantState.REJECTED:
        return await _wait_again(tx, merchant, application, caller)
    if merchant.application != application:
        raise IdTaken
    return merchant


async def change_licence(
    tx: Transaction, merchant_id: UUID, caller: str, licence: Licence, version: int | None
) -> MerchantFile:
    """Another licence waits for verification again, and sales and payouts with it; the same one changes nothing.
    `version` (If-Match) is that of the merchant who was seen."""
    # A decision at the same moment comes before or after; an owner who quotes no version need not look again.
    await store.lock_merchant(tx, merchant_id)
    await require_staff(tx, caller, merchant_id, StaffRole.OWNER)
    merchant = await known_merchant(tx, merchant_id)
    application = replace(merchant.application, licence=licence)
    if application != merchant.application or merchant.standing is MerchantState.REJECTED:
        if version is not None and version != merchant.version:
            raise PreconditionFailed(current=merchant.version)
        check_application(application, tx.now)
        merchant = await _wait_again(tx, merchant, application, caller)
    return await file_of(tx, merchant)


async def _wait_again(tx: Transaction, merchant: Merchant, application: Application, caller: str) -> Merchant:
    applied = await store.apply_again(tx, merchant, application, caller)
    if applied is None:
        raise PreconditionFailed
    await announce_merchant(tx, applied)
    return applied


async def decide_application(
    tx: Transaction, merchant_id: UUID, operator: str, *, approve: bool, reason: str | None, version: int | None
) -> MerchantFile:
    """The operator verifies or rejects an application: once."""
    await require_operator(tx, operator)
    if not approve and not reason:
        raise ReasonNeeded
    merchant = await known_merchant(tx, merchant_id)
    wanted = MerchantState.VERIFIED if approve else MerchantState.REJECTED
    if approve and merchant.standing is MerchantState.APPLIED:
        # The licence may have run short while the application waited.
        check_application(merchant.application, tx.now)
    seen, reason = merchant.version if version is None else version, None if approve else reason
    decided = await store.decide_application(tx, merchant_id, wanted, reason, operator, seen)
    if decided is None:
        return await file_of(tx, await _already(tx, merchant_id, wanted, reason))
    if approve:
        # Said before the merchant is verified, so that no payout goes to the account in between.
        await check_account_anew(tx, decided, operator)
        await _watch_licence(tx, decided)
    await announce_merchant(tx, decided)
    return await file_of(tx, decided)


async def _watch_licence(tx: Transaction, merchant: Merchant) -> None:
    """A licence holds until the end of its last day."""
    ends_at = start_of_day(merchant.application.licence.licence_expires_on + timedelta(days=1))
    await timers.schedule(tx, LICENCE_EXPIRED, merchant.merchant_id, ends_at)


async def _already(tx: Transaction, merchant_id: UUID, wanted: MerchantState, reason: str | None) -> Merchant:
    """The merchant, if it was decided just like this before; else say what stands in the way."""
    merchant = await known_merchant(tx, merchant_id)
    if merchant.standing is MerchantState.APPLIED:
        raise PreconditionFailed(current=merchant.version)
    if merchant.standing is not wanted or merchant.reason != reason:
        raise AlreadyDecided(state=merchant.standing.value)
    return merchant


async def expire_licences(tx: Transaction, merchant_ids: Sequence[UUID]) -> None:
    """Licences have ended: those merchants are verified no longer, unless theirs was renewed meanwhile."""
    why = Found.of(LicenceExpired)
    for merchant in await store.expire_licences(tx, merchant_ids, business_day(tx.now), why):
        await announce_merchant(tx, merchant)
