"""Who may become a merchant, and what its licence says of it."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from services.catalog.domain.payout_accounts import LicenceKind, VerifiedSubject
from services.catalog.domain.refusals import AccountNotEnterprise, AccountTrial, LicenceExpiresSoon
from shared.clock import business_day
from shared.contracts.catalog import MerchantState
from shared.errors import DomainError

LICENCE_DAYS = 15


class AccountKind(StrEnum):
    """Of the account on the video platform: 认证企业号, 试用企业号, 普通账号."""

    ENTERPRISE_VERIFIED = "ENTERPRISE_VERIFIED"
    ENTERPRISE_TRIAL = "ENTERPRISE_TRIAL"
    ORDINARY = "ORDINARY"


@dataclass(frozen=True, slots=True)
class Licence:
    """The business licence as its holder describes it; `licence_evidence` names the scan that proves it."""

    licence_kind: LicenceKind
    licence_no: str
    subject_name: str
    legal_person: str
    licence_expires_on: date
    licence_evidence: str


@dataclass(frozen=True, slots=True)
class Application:
    """What a merchant says about itself; the operator verifies it against the licence."""

    name: str
    phone: str
    account_kind: AccountKind
    licence: Licence


@dataclass(frozen=True, slots=True)
class Merchant:
    """An application and what became of it.

    `reason` says why it was rejected, and `reason_code` that the platform itself found it. A suspended merchant was
    `suspended_from` a state, in which it still stands underneath.
    """

    merchant_id: UUID
    version: int
    application: Application
    state: MerchantState
    reason: str | None = None
    reason_code: str | None = None
    opened_at: datetime | None = None
    suspended_from: MerchantState | None = None
    suspension_reason: str | None = None

    @property
    def standing(self) -> MerchantState:
        """What the verification came to, whether or not the merchant is suspended besides."""
        return self.suspended_from or self.state

    @property
    def subject(self) -> VerifiedSubject:
        """The licence's facts that decide about the payout account."""
        licence = self.application.licence
        return VerifiedSubject(licence.licence_kind, licence.subject_name, licence.legal_person)


_REFUSED_ACCOUNTS: dict[AccountKind, type[DomainError]] = {
    AccountKind.ORDINARY: AccountNotEnterprise,
    AccountKind.ENTERPRISE_TRIAL: AccountTrial,
}


def why_account_kind_refused(kind: AccountKind) -> type[DomainError] | None:
    """Why such an account on the video platform may not sell deals, or None when it may."""
    return _REFUSED_ACCOUNTS.get(kind)


def days_left(licence: Licence, now: datetime) -> int:
    """How many days a licence is valid after today; negative when it has expired."""
    return (licence.licence_expires_on - business_day(now)).days


def check_application(application: Application, now: datetime) -> None:
    """Raise the reason why this account may not sell deals, if there is one."""
    refusal = why_account_kind_refused(application.account_kind)
    if refusal is not None:
        raise refusal
    if days_left(application.licence, now) <= LICENCE_DAYS:
        raise LicenceExpiresSoon(days=LICENCE_DAYS)
