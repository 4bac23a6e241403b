"""Where a merchant's money goes: an account is submitted, verified, and looked at again after a failed payout."""

from datetime import datetime
from uuid import UUID

from services.catalog import store
from services.catalog.domain.checklist import Found
from services.catalog.domain.merchants import Merchant
from services.catalog.domain.payout_accounts import AccountHolder, PayoutAccount, masked_account, why_account_refused
from services.catalog.domain.refusals import AlreadyDecided, MerchantNotVerified, ReasonNeeded, SubMerchantNeeded
from services.catalog.store.payout_accounts import SealedAccount
from services.catalog.use_cases.merchant_files import MerchantFile, merchant_file
from shared.auth import require_operator, require_staff
from shared.contracts.catalog import MerchantState, PayoutAccountChanged, PayoutAccountState, Rail, StaffRole
from shared.database import Transaction
from shared.errors import NotFound, PreconditionFailed
from shared.messaging import outbox
from shared.sealed import Seals


async def submit_payout_account(
    tx: Transaction,
    merchant_id: UUID,
    caller: str,
    holder: AccountHolder,
    account: str,
    seals: Seals,
    version: int | None,
) -> MerchantFile:
    """Bind an Alipay account that the subject rule allows; payouts and sales wait until an operator verified it.
    `version` (If-Match) is that of the account which was seen, 0 for none."""
    await require_staff(tx, caller, merchant_id, StaffRole.OWNER)
    await _check_subject(tx, merchant_id, holder)
    before = await store.locked_account(tx, merchant_id)
    submitted = await store.submit_account(tx, merchant_id, holder, _sealed(account, holder, seals))
    if submitted is not None:
        if version is not None and version != (before.version if before else 0):
            raise PreconditionFailed(current=before.version if before else 0)
        await _announce(tx, submitted)
    return await merchant_file(tx, merchant_id, caller)


async def _check_subject(tx: Transaction, merchant_id: UUID, holder: AccountHolder) -> None:
    # Held until the account is in: a licence that changes meanwhile is then checked against this account, too.
    merchant = await store.held_merchant(tx, merchant_id)
    if merchant is None or merchant.state is not MerchantState.VERIFIED:
        raise MerchantNotVerified
    refusal = why_account_refused(merchant.subject, holder)
    if refusal is not None:
        raise refusal


def _sealed(account: str, holder: AccountHolder, seals: Seals) -> SealedAccount:
    return SealedAccount(
        for_catalog=seals.seal("catalog", account),
        for_settlement=seals.seal("settlement", account),
        holder_for_settlement=seals.seal("settlement", holder.holder_name),
        lookup=seals.lookup("catalog", account),
        masked=masked_account(account),
    )


async def decide_payout_account(
    tx: Transaction,
    merchant_id: UUID,
    operator: str,
    *,
    approve: bool,
    rail: Rail,
    sub_merchant_id: str | None,
    reason: str | None,
    version: int | None,
) -> MerchantFile:
    """The operator verifies an account, with the sub-merchant id that Alipay gave it, or rejects it."""
    await require_operator(tx, operator)
    wanted: dict[str, object]
    if approve:
        if rail is Rail.ZHIFUTONG and not sub_merchant_id:
            raise SubMerchantNeeded
        wanted = {"state": PayoutAccountState.VERIFIED, "rail": rail, "sub_merchant_id": sub_merchant_id}
        decided = await store.approve_account(tx, merchant_id, rail, sub_merchant_id, operator, version)
    else:
        if not reason:
            raise ReasonNeeded
        wanted = {"state": PayoutAccountState.REJECTED, "reason": reason}
        decided = await store.reject_account(tx, merchant_id, reason, operator, version)
    if decided is None:
        await _require_already(tx, merchant_id, **wanted)
    else:
        await _announce(tx, decided)
    return await merchant_file(tx, merchant_id, operator)


async def _require_already(tx: Transaction, merchant_id: UUID, **wanted: object) -> None:
    """Say what stands in the way, unless the account was decided just like this before."""
    account = await store.payout_account(tx, merchant_id)
    if account is None:
        raise NotFound
    if account.state is PayoutAccountState.SUBMITTED:
        raise PreconditionFailed(current=account.version)
    if any(getattr(account, name) != value for name, value in wanted.items()):
        raise AlreadyDecided(state=account.state.value)


async def check_account_anew(tx: Transaction, merchant: Merchant, operator: str) -> None:
    """The licence was verified anew: an account that its subject may not be paid to is bound no longer."""
    account = await store.locked_account(tx, merchant.merchant_id)
    if account is None:
        return
    refusal = why_account_refused(merchant.subject, account.holder)
    if refusal is None:
        return
    refused = await store.refuse_account(tx, account, Found.of(refusal), operator)
    if refused is not None:
        await _announce(tx, refused)


async def reopen_payout_account(tx: Transaction, merchant_id: UUID, code: str, failed_at: datetime) -> None:
    """A payout was definitely refused: the account needs another look, unless it has had one since."""
    reopened = await store.reopen_account(tx, merchant_id, code, failed_at)
    if reopened is not None:
        await _announce(tx, reopened)


async def _announce(tx: Transaction, account: PayoutAccount) -> None:
    await outbox.emit(tx, payout_account_changed(account, tx.now))


def payout_account_changed(account: PayoutAccount, now: datetime) -> PayoutAccountChanged:
    """What settlement and checkout are told of an account."""
    return PayoutAccountChanged(
        occurred_at=now,
        version=account.version,
        merchant_id=account.merchant_id,
        state=account.state,
        rail=account.rail,
        sub_merchant_id=account.sub_merchant_id,
        sealed_account=account.sealed_for_settlement,
        sealed_holder=account.sealed_holder_for_settlement,
    )
