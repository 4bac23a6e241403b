"""Who may become a merchant, and how far one has come on the way to the first deal."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from services.catalog.domain.deals import Rejection, ReviewTemplate
from services.catalog.domain.payout_accounts import LicenceKind, PayoutAccount, VerifiedSubject
from services.catalog.domain.refusals import AccountNotEnterprise, AccountTrial, LicenceExpiresSoon
from shared.clock import business_day
from shared.contracts.catalog import MerchantState, PayoutAccountState

LICENCE_DAYS = 15


class AccountKind(StrEnum):
    """Of the account on the video platform: 认证企业号, 试用企业号, 普通账号."""

    ENTERPRISE_VERIFIED = "ENTERPRISE_VERIFIED"
    ENTERPRISE_TRIAL = "ENTERPRISE_TRIAL"
    ORDINARY = "ORDINARY"


@dataclass(frozen=True, slots=True)
class Application:
    """What a merchant says about itself; the operator verifies it against the licence."""

    name: str
    phone: str
    account_kind: AccountKind
    licence_kind: LicenceKind
    licence_no: str
    subject_name: str
    legal_person: str
    licence_expires_on: date


@dataclass(frozen=True, slots=True)
class Merchant:
    """An application and what became of it. `reason` says why it was rejected or suspended."""

    merchant_id: UUID
    version: int
    application: Application
    state: MerchantState
    reason: str | None

    @property
    def subject(self) -> VerifiedSubject:
        """The licence's facts that decide about the payout account."""
        applied = self.application
        return VerifiedSubject(applied.licence_kind, applied.subject_name, applied.legal_person)


def check_application(application: Application, now: datetime) -> None:
    """Raise the reason why this account may not sell deals, if there is one."""
    if application.account_kind is AccountKind.ORDINARY:
        raise AccountNotEnterprise
    if application.account_kind is AccountKind.ENTERPRISE_TRIAL:
        raise AccountTrial
    if (application.licence_expires_on - business_day(now)).days <= LICENCE_DAYS:
        raise LicenceExpiresSoon(days=LICENCE_DAYS)


class Step(StrEnum):
    """The way to the first deal, in order."""

    ENTERPRISE_VERIFICATION = "ENTERPRISE_VERIFICATION"
    PAYOUT_ACCOUNT = "PAYOUT_ACCOUNT"
    STORE = "STORE"
    FIRST_DEAL = "FIRST_DEAL"


class StepState(StrEnum):
    DONE = "DONE"
    OPEN = "OPEN"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class ChecklistStep:
    """One step with the reason why it is not done."""

    step: Step
    state: StepState
    reason_zh: str = ""
    reason_en: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How many stores (or deals) of a merchant are through, wait for a decision, and why the last one was rejected."""

    done: int = 0
    waiting: int = 0
    rejected_because: str | None = None
    rejected_template: str | None = None


_WAITING = ("等待平台审核", "Waiting for the platform's decision")
_NO_ACCOUNT = ("尚未绑定支付宝账户", "No Alipay account yet")
_NO_STORE = ("尚未认领门店", "No store claimed yet")
_NO_DEAL = ("尚未创建团购", "No deal submitted yet")
_SUSPENDED = ("商家已被停业：{reason}", "The merchant is suspended: {reason}")
_PAYOUT_FAILED = (
    "打款失败（{code}），请核对支付宝账户后重新提交",
    "A payout failed ({code}): check the account, submit again",
)


def checklist(
    merchant: Merchant, account: PayoutAccount | None, stores: Progress, deals: Progress
) -> tuple[ChecklistStep, ...]:
    """The four steps of a merchant, each with its state and the reason why it is open."""
    return (
        _verification_step(merchant),
        _account_step(account),
        _progress_step(Step.STORE, stores, _NO_STORE),
        _progress_step(Step.FIRST_DEAL, deals, _NO_DEAL),
    )


def _verification_step(merchant: Merchant) -> ChecklistStep:
    step, reason = Step.ENTERPRISE_VERIFICATION, merchant.reason or ""
    if merchant.state is MerchantState.VERIFIED:
        return ChecklistStep(step, StepState.DONE)
    if merchant.state is MerchantState.APPLIED:
        return ChecklistStep(step, StepState.OPEN, *_WAITING)
    if merchant.state is MerchantState.SUSPENDED:
        return ChecklistStep(step, StepState.REFUSED, *(text.format(reason=reason) for text in _SUSPENDED))
    return ChecklistStep(step, StepState.REFUSED, reason, reason)


def _account_step(account: PayoutAccount | None) -> ChecklistStep:
    step = Step.PAYOUT_ACCOUNT
    if account is None:
        return ChecklistStep(step, StepState.OPEN, *_NO_ACCOUNT)
    if account.state is PayoutAccountState.VERIFIED:
        return ChecklistStep(step, StepState.DONE)
    if account.state is PayoutAccountState.SUBMITTED:
        return ChecklistStep(step, StepState.OPEN, *_WAITING)
    if account.failure_code:
        return ChecklistStep(
            step, StepState.REFUSED, *(text.format(code=account.failure_code) for text in _PAYOUT_FAILED)
        )
    return ChecklistStep(step, StepState.REFUSED, account.reason or "", account.reason or "")


def _progress_step(step: Step, progress: Progress, missing: tuple[str, str]) -> ChecklistStep:
    if progress.done:
        return ChecklistStep(step, StepState.DONE)
    if progress.waiting:
        return ChecklistStep(step, StepState.OPEN, *_WAITING)
    if progress.rejected_because is not None:
        template = ReviewTemplate(progress.rejected_template) if progress.rejected_template else None
        rejection = Rejection(template, progress.rejected_because)
        return ChecklistStep(step, StepState.REFUSED, rejection.zh, rejection.en)
    return ChecklistStep(step, StepState.OPEN, *missing)
