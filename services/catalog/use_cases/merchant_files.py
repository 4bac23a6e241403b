"""A merchant with all that its checklist needs, and what everybody is told of it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.catalog import store
from services.catalog.domain.checklist import ChecklistStep, checklist
from services.catalog.domain.fees import Fee, FeeKind
from services.catalog.domain.merchants import Merchant
from services.catalog.domain.payout_accounts import PayoutAccount
from services.catalog.domain.support import Enrolment
from shared.auth import is_operator, require_staff
from shared.contracts.catalog import MerchantChanged
from shared.database import Transaction
from shared.errors import NotFound
from shared.messaging import outbox


@dataclass(frozen=True, slots=True)
class MerchantFile:
    """A merchant with its payout account and the checklist to the first deal."""

    merchant: Merchant
    fee: Fee
    account: PayoutAccount | None
    support: Enrolment | None
    checklist: tuple[ChecklistStep, ...]


async def merchant_file(tx: Transaction, merchant_id: UUID, caller: str) -> MerchantFile:
    """A merchant for its own staff or an operator."""
    if not await is_operator(tx, caller):
        await require_staff(tx, caller, merchant_id)
    return await file_of(tx, await known_merchant(tx, merchant_id))


async def known_merchant(tx: Transaction, merchant_id: UUID) -> Merchant:
    """One merchant, which must be there."""
    merchant = await store.merchant(tx, merchant_id)
    if merchant is None:
        raise NotFound
    return merchant


async def file_of(tx: Transaction, merchant: Merchant) -> MerchantFile:
    """The whole file of a merchant."""
    merchant_id = merchant.merchant_id
    account = await store.payout_account(tx, merchant_id)
    fee = await store.fee(tx, merchant_id, FeeKind.VERIFICATION)
    assert fee is not None
    stores, deals = await store.store_progress(tx, merchant_id), await store.deal_progress(tx, merchant_id)
    steps = checklist(merchant, fee, account, stores, deals, tx.now)
    return MerchantFile(merchant, fee, account, await store.support(tx, merchant_id), steps)


def merchant_changed(merchant: Merchant, now: datetime) -> MerchantChanged:
    """A merchant as everybody may know it."""
    return MerchantChanged(
        occurred_at=now,
        version=merchant.version,
        merchant_id=merchant.merchant_id,
        name=merchant.application.name,
        phone=merchant.application.phone,
        state=merchant.state,
    )


async def announce_merchant(tx: Transaction, merchant: Merchant) -> None:
    """Tell every service what became of a merchant."""
    await outbox.emit(tx, merchant_changed(merchant, tx.now))
