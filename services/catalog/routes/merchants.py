"""Applying as a merchant, binding the payout account, and what the operator says to both."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints

from services.catalog import use_cases
from services.catalog.domain.merchants import AccountKind, Application, Step, StepState
from services.catalog.domain.payout_accounts import AccountHolder, LicenceKind, PayoutAccount, PayoutAccountKind
from services.catalog.domain.text import Phone, ShortLine
from services.catalog.routes.common import Decision, Seen
from services.catalog.use_cases import MerchantFile
from shared.auth import Caller
from shared.contracts.catalog import MerchantState, PayoutAccountState, Rail
from shared.http import Db
from shared.service import World

router = APIRouter(tags=["merchants"])

AccountText = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^\s\x00-\x1f\x7f]{4,100}$")]


class ApplyAsMerchant(BaseModel):
    name: ShortLine
    phone: Phone
    account_kind: AccountKind
    licence_kind: LicenceKind
    licence_no: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{8,30}$")]
    subject_name: ShortLine
    legal_person: ShortLine
    licence_expires_on: date


class SubmitPayoutAccount(BaseModel):
    kind: PayoutAccountKind
    account: AccountText
    holder_name: ShortLine
    real_name_verified: bool = False


class PayoutAccountDecision(Decision):
    """With an approval: the rail, and on the 直付通 rail the sub-merchant id that Alipay gave."""

    rail: Rail = Rail.ZHIFUTONG
    sub_merchant_id: Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{4,64}$")] | None = None


class PayoutAccountView(BaseModel):
    version: int
    state: PayoutAccountState
    kind: PayoutAccountKind
    masked_account: str
    holder_name: str
    rail: Rail
    sub_merchant_id: str | None


class ChecklistStepView(BaseModel):
    step: Step
    state: StepState
    reason_zh: str
    reason_en: str


class MerchantView(BaseModel):
    merchant_id: UUID
    version: int
    name: str
    phone: str
    state: MerchantState
    payout_account: PayoutAccountView | None
    checklist: list[ChecklistStepView]


def _account_view(account: PayoutAccount) -> PayoutAccountView:
    return PayoutAccountView(
        version=account.version,
        state=account.state,
        kind=account.holder.kind,
        masked_account=account.masked_account,
        holder_name=account.holder.holder_name,
        rail=account.rail,
        sub_merchant_id=account.sub_merchant_id,
    )


def _view(file: MerchantFile) -> MerchantView:
    merchant = file.merchant
    return MerchantView(
        merchant_id=merchant.merchant_id,
        version=merchant.version,
        name=merchant.application.name,
        phone=merchant.application.phone,
        state=merchant.state,
        payout_account=_account_view(file.account) if file.account else None,
        checklist=[
            ChecklistStepView(step=one.step, state=one.state, reason_zh=one.reason_zh, reason_en=one.reason_en)
            for one in file.checklist
        ],
    )


@router.put("/merchants/{merchant_id}", status_code=201)
async def apply_as_merchant(merchant_id: UUID, body: ApplyAsMerchant, caller: Caller, db: Db) -> MerchantView:
    """Apply to sell deals; the caller becomes the owner."""
    async with db.transaction() as tx:
        file = await use_cases.apply_as_merchant(tx, merchant_id, caller, Application(**dict(body)))
    return _view(file)


@router.put("/merchants/{merchant_id}/verification")
async def decide_application(merchant_id: UUID, body: Decision, caller: Caller, db: Db, seen: Seen) -> MerchantView:
    """The operator verifies or rejects an application."""
    async with db.transaction() as tx:
        file = await use_cases.decide_application(
            tx, merchant_id, caller, approve=body.approve, reason=body.reason, version=seen
        )
    return _view(file)


@router.get("/merchants/{merchant_id}")
async def show_merchant(merchant_id: UUID, caller: Caller, db: Db) -> MerchantView:
    """A merchant, for its staff and operators."""
    async with db.transaction(read_only=True) as tx:
        file = await use_cases.merchant_file(tx, merchant_id, caller)
    return _view(file)


@router.put("/merchants/{merchant_id}/payout-account")
async def submit_payout_account(
    merchant_id: UUID, body: SubmitPayoutAccount, caller: Caller, db: Db, world: World
) -> MerchantView:
    """Bind, or change, the Alipay account to which the merchant is paid."""
    holder = AccountHolder(body.kind, body.holder_name, body.real_name_verified)
    async with db.transaction() as tx:
        file = await use_cases.submit_payout_account(tx, merchant_id, caller, holder, body.account, world.seals)
    return _view(file)


@router.put("/merchants/{merchant_id}/payout-account/verification")
async def decide_payout_account(
    merchant_id: UUID, body: PayoutAccountDecision, caller: Caller, db: Db, seen: Seen
) -> MerchantView:
    """The operator verifies or rejects a payout account; `If-Match` quotes the account's version."""
    async with db.transaction() as tx:
        file = await use_cases.decide_payout_account(
            tx,
            merchant_id,
            caller,
            approve=body.approve,
            rail=body.rail,
            sub_merchant_id=body.sub_merchant_id,
            reason=body.reason,
            version=seen,
        )
    return _view(file)
