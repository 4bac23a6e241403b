"""Which Alipay account a merchant may be paid to: the subject rule and the individual business's exception."""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from services.catalog.domain.refusals import (
    LegalPersonMismatch,
    PersonalAccountNotAllowed,
    RealNameMissing,
    SubjectMismatch,
)
from shared.contracts.catalog import PayoutAccountState, Rail
from shared.errors import DomainError


class LicenceKind(StrEnum):
    """Of the business licence: 企业, 个体工商户."""

    ENTERPRISE = "ENTERPRISE"
    INDIVIDUAL_BUSINESS = "INDIVIDUAL_BUSINESS"


class PayoutAccountKind(StrEnum):
    """企业支付宝, 个人支付宝."""

    ENTERPRISE = "ENTERPRISE"
    PERSONAL = "PERSONAL"


@dataclass(frozen=True, slots=True)
class VerifiedSubject:
    """Whom the operator found on the licence."""

    licence_kind: LicenceKind
    subject_name: str
    legal_person: str


@dataclass(frozen=True, slots=True)
class AccountHolder:
    """Whose Alipay account it is, as Alipay shows it."""

    kind: PayoutAccountKind
    holder_name: str
    real_name_verified: bool


@dataclass(frozen=True, slots=True)
class PayoutAccount:
    """A merchant's account as catalog keeps it: sealed for itself and for settlement, masked for people.

    A rejected one has an operator's `reason`, the `reason_code` of what the platform found when the licence changed, or
    the `failure_code` of a payout.
    """

    merchant_id: UUID
    version: int
    holder: AccountHolder
    masked_account: str
    sealed_for_settlement: str
    state: PayoutAccountState
    rail: Rail
    sub_merchant_id: str | None
    reason: str | None
    failure_code: str | None
    reason_code: str | None = None
    sealed_holder_for_settlement: str | None = None


def why_account_refused(subject: VerifiedSubject, holder: AccountHolder) -> type[DomainError] | None:
    """Why a merchant may not be paid to this account, or None when it may.

    An enterprise account must belong to the verified subject. A personal one is only for an individual business, must
    belong to its legal person and be real-name verified.
    """
    if holder.kind is PayoutAccountKind.ENTERPRISE:
        return None if _same_name(holder.holder_name, subject.subject_name) else SubjectMismatch
    if subject.licence_kind is not LicenceKind.INDIVIDUAL_BUSINESS:
        return PersonalAccountNotAllowed
    if not _same_name(holder.holder_name, subject.legal_person):
        return LegalPersonMismatch
    if not holder.real_name_verified:
        return RealNameMissing
    return None


def _same_name(one: str, other: str) -> bool:
    return _comparable(one) == _comparable(other)


def _comparable(name: str) -> str:
    """The same company is written with full-width or ASCII brackets, and with or without spaces."""
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()


def masked_account(account: str) -> str:
    """What a person may see of an account: `138****8000`, `la****@example.com`."""
    name, at, domain = account.partition("@")
    if at:
        return f"{name[:2]}****@{domain}"
    return f"{name[:3]}****{name[-4:]}" if len(name) > 8 else f"{name[:1]}****"
