"""How far a merchant has come on the way to its first deal, and what each open step waits for."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.catalog.domain.deals import Rejection, ReviewTemplate
from services.catalog.domain.fees import Fee
from services.catalog.domain.merchants import (
    LICENCE_DAYS,
    AccountKind,
    Merchant,
    days_left,
    why_account_kind_refused,
)
from services.catalog.domain.payout_accounts import PayoutAccount
from services.catalog.domain.refusals import (
    LegalPersonMismatch,
    LicenceExpired,
    OpeningNotReady,
    PersonalAccountNotAllowed,
    RealNameMissing,
    SubjectMismatch,
)
from shared.contracts.catalog import MerchantState, PayoutAccountState
from shared.errors import DomainError


class Step(StrEnum):
    """The way to the first deal, in order."""

    ACCOUNT_KIND = "ACCOUNT_KIND"
    ENTERPRISE_VERIFICATION = "ENTERPRISE_VERIFICATION"
    VERIFICATION_FEE = "VERIFICATION_FEE"
    PAYOUT_ACCOUNT = "PAYOUT_ACCOUNT"
    OPENING = "OPENING"
    STORE = "STORE"
    FIRST_DEAL = "FIRST_DEAL"


NEEDED_TO_OPEN = (Step.ACCOUNT_KIND, Step.ENTERPRISE_VERIFICATION, Step.VERIFICATION_FEE, Step.PAYOUT_ACCOUNT)
_NAMES = {
    Step.ACCOUNT_KIND: ("认证企业号", "a verified enterprise account"),
    Step.ENTERPRISE_VERIFICATION: ("企业认证", "the enterprise verification"),
    Step.VERIFICATION_FEE: ("认证审核费", "the verification fee"),
    Step.PAYOUT_ACCOUNT: ("收款支付宝账户", "the Alipay account"),
}


class StepState(StrEnum):
    DONE = "DONE"
    OPEN = "OPEN"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class ChecklistStep:
    """One step with the reason why it is not done; a step that is done has one when it will soon be open again."""

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


@dataclass(frozen=True, slots=True)
class Found:
    """What the platform itself finds against a merchant or its account: kept by its code, beside a text for tools."""

    code: str
    text: str

    @classmethod
    def of(cls, refusal: type[DomainError]) -> "Found":
        """A refusal that nobody asked for."""
        return cls(refusal.code, refusal.zh)


Texts = tuple[str, str]
_WAITING = ("等待平台审核", "Waiting for the platform's decision")
_NO_ACCOUNT = ("尚未绑定支付宝账户", "No Alipay account yet")
_NOT_PAID = ("等待缴纳认证审核费 {yuan} 元", "The verification fee of {yuan} yuan is not paid yet")
_NOT_READY = ("请先完成以上步骤", "The steps before come first")
_NOT_ASKED = ("以上步骤已完成，请申请开通团购", "All is ready: apply to open group-buy")
_NO_STORE = ("尚未认领门店", "No store claimed yet")
_NO_DEAL = ("尚未创建团购", "No deal submitted yet")
_SUSPENDED = ("商家已被停业：{reason}", "The merchant is suspended: {reason}")
_EXPIRES = (
    "营业执照将于 {day} 到期（剩余 {days} 天），请及时更换",
    "The business licence expires on {day} (in {days} days): renew it in time",
)
_PAYOUT_FAILED = (
    "打款失败（{code}），请核对支付宝账户后重新提交",
    "A payout failed ({code}): check the account, submit again",
)
# What the platform itself finds, rather than an operator who writes a reason.
_FOUND: dict[str, type[DomainError]] = {
    refusal.code: refusal
    for refusal in (
        LicenceExpired,
        SubjectMismatch,
        PersonalAccountNotAllowed,
        LegalPersonMismatch,
        RealNameMissing,
    )
}


def checklist(
    merchant: Merchant,
    fee: Fee,
    account: PayoutAccount | None,
    stores: Progress,
    deals: Progress,
    now: datetime,
) -> tuple[ChecklistStep, ...]:
    """Every step of a merchant, each with its state and the reason why it is open."""
    before = (
        _account_kind_step(merchant.application.account_kind),
        _verification_step(merchant, now),
        _fee_step(fee),
        _account_step(account),
    )
    return (
        *before,
        _opening_step(merchant, before),
        _progress_step(Step.STORE, stores, _NO_STORE),
        _progress_step(Step.FIRST_DEAL, deals, _NO_DEAL),
    )


def why_not_ready(steps: tuple[ChecklistStep, ...]) -> OpeningNotReady | None:
    """The refusal that names the first step which keeps group-buy from being opened, or None."""
    for one in steps:
        if one.step in NEEDED_TO_OPEN and one.state is not StepState.DONE:
            name_zh, name_en = _NAMES[one.step]
            return OpeningNotReady(
                step=one.step.value,
                name_zh=name_zh,
                name_en=name_en,
                reason_zh=one.reason_zh,
                reason_en=one.reason_en,
            )
    return None


def _said(texts: Texts, **facts: object) -> Texts:
    return texts[0].format(**facts), texts[1].format(**facts)


def _because(reason: str | None, code: str | None) -> Texts:
    """An operator's words as they are, or the texts of what the platform found."""
    found = _FOUND.get(code or "")
    return (found.zh, found.en) if found else (reason or "", reason or "")


def _account_kind_step(kind: AccountKind) -> ChecklistStep:
    refusal = why_account_kind_refused(kind)
    if refusal is None:
        return ChecklistStep(Step.ACCOUNT_KIND, StepState.DONE)
    return ChecklistStep(Step.ACCOUNT_KIND, StepState.REFUSED, refusal.zh, refusal.en)


def _verification_step(merchant: Merchant, now: datetime) -> ChecklistStep:
    step = Step.ENTERPRISE_VERIFICATION
    if merchant.state is MerchantState.VERIFIED:
        licence = merchant.application.licence
        left = days_left(licence, now)
        warning = _said(_EXPIRES, day=licence.licence_expires_on, days=left) if left <= LICENCE_DAYS else ("", "")
        return ChecklistStep(step, StepState.DONE, *warning)
    if merchant.state is MerchantState.APPLIED:
        return ChecklistStep(step, StepState.OPEN, *_WAITING)
    if merchant.state is MerchantState.SUSPENDED:
        return ChecklistStep(step, StepState.REFUSED, *_said(_SUSPENDED, reason=merchant.suspension_reason or ""))
    return ChecklistStep(step, StepState.REFUSED, *_because(merchant.reason, merchant.reason_code))


def _fee_step(fee: Fee) -> ChecklistStep:
    if fee.settled:
        return ChecklistStep(Step.VERIFICATION_FEE, StepState.DONE)
    return ChecklistStep(Step.VERIFICATION_FEE, StepState.OPEN, *_said(_NOT_PAID, yuan=fee.amount_fen // 100))


def _account_step(account: PayoutAccount | None) -> ChecklistStep:
    step = Step.PAYOUT_ACCOUNT
    if account is None:
        return ChecklistStep(step, StepState.OPEN, *_NO_ACCOUNT)
    if account.state is PayoutAccountState.VERIFIED:
        return ChecklistStep(step, StepState.DONE)
    if account.state is PayoutAccountState.SUBMITTED:
        return ChecklistStep(step, StepState.OPEN, *_WAITING)
    if account.failure_code:
        return ChecklistStep(step, StepState.REFUSED, *_said(_PAYOUT_FAILED, code=account.failure_code))
    return ChecklistStep(step, StepState.REFUSED, *_because(account.reason, account.reason_code))


def _opening_step(merchant: Merchant, before: tuple[ChecklistStep, ...]) -> ChecklistStep:
    if merchant.opened_at is not None:
        return ChecklistStep(Step.OPENING, StepState.DONE)
    return ChecklistStep(Step.OPENING, StepState.OPEN, *(_NOT_READY if why_not_ready(before) else _NOT_ASKED))


def _progress_step(step: Step, progress: Progress, missing: Texts) -> ChecklistStep:
    if progress.done:
        return ChecklistStep(step, StepState.DONE)
    if progress.waiting:
        return ChecklistStep(step, StepState.OPEN, *_WAITING)
    if progress.rejected_because is not None:
        template = ReviewTemplate(progress.rejected_template) if progress.rejected_template else None
        rejection = Rejection(template, progress.rejected_because)
        return ChecklistStep(step, StepState.REFUSED, rejection.zh, rejection.en)
    return ChecklistStep(step, StepState.OPEN, *missing)
