"""A merchant as its staff and operators see it."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel

from services.catalog.domain.checklist import ChecklistStep, Step, StepState
from services.catalog.domain.fees import Fee, FeeKind, FeeState
from services.catalog.domain.merchants import AccountKind, Licence
from services.catalog.domain.payout_accounts import LicenceKind, PayoutAccount, PayoutAccountKind
from services.catalog.domain.support import Enrolment
from services.catalog.use_cases import MerchantFile
from shared.contracts.catalog import MerchantState, PayoutAccountState, Rail


class PayoutAccountView(BaseModel):
    version: int
    state: PayoutAccountState
    kind: PayoutAccountKind
    masked_account: str
    holder_name: str
    rail: Rail
    sub_merchant_id: str | None


class ChecklistStepView(BaseModel):
    """A step that is done has a reason only when it will soon be open again."""

    step: Step
    state: StepState
    reason_zh: str
    reason_en: str


class FeeView(BaseModel):
    kind: FeeKind
    amount_fen: int
    state: FeeState
    reference: str | None


class SupportView(BaseModel):
    """`version` is the enrolment's own, for `If-Match`."""

    version: int
    weight: int
    starts_at: datetime
    ends_at: datetime


class LicenceView(BaseModel):
    licence_kind: LicenceKind
    licence_no: str
    subject_name: str
    legal_person: str
    licence_expires_on: date
    licence_evidence: str


class MerchantView(BaseModel):
    merchant_id: UUID
    version: int
    name: str
    phone: str
    account_kind: AccountKind
    state: MerchantState
    licence: LicenceView
    opened_at: datetime | None
    suspension_reason: str | None
    fees: list[FeeView]
    support: SupportView | None
    payout_account: PayoutAccountView | None
    checklist: list[ChecklistStepView]


def licence_view(licence: Licence) -> LicenceView:
    """What the licence says."""
    return LicenceView(**{name: getattr(licence, name) for name in LicenceView.model_fields})


def fee_view(fee: Fee) -> FeeView:
    """One item to pay, or paid."""
    return FeeView(kind=fee.kind, amount_fen=fee.amount_fen, state=fee.state, reference=fee.reference)


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


def _support_view(enrolment: Enrolment) -> SupportView:
    support = enrolment.support
    return SupportView(
        version=enrolment.version, weight=support.weight, starts_at=support.starts_at, ends_at=support.ends_at
    )


def _step_view(one: ChecklistStep) -> ChecklistStepView:
    return ChecklistStepView(step=one.step, state=one.state, reason_zh=one.reason_zh, reason_en=one.reason_en)


def merchant_view(file: MerchantFile) -> MerchantView:
    """The whole file."""
    merchant = file.merchant
    suspended = merchant.state is MerchantState.SUSPENDED
    return MerchantView(
        merchant_id=merchant.merchant_id,
        version=merchant.version,
        name=merchant.application.name,
        phone=merchant.application.phone,
        account_kind=merchant.application.account_kind,
        state=merchant.state,
        licence=licence_view(merchant.application.licence),
        opened_at=merchant.opened_at,
        suspension_reason=merchant.suspension_reason if suspended else None,
        fees=[fee_view(file.fee)],
        support=_support_view(file.support) if file.support else None,
        payout_account=_account_view(file.account) if file.account else None,
        checklist=[_step_view(one) for one in file.checklist],
    )
