"""What a certificate is, when it may be used or fenced, and until when a use may be undone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.redemption.domain import refusals
from shared.clock import end_of_day
from shared.contracts.catalog import CodeSource, StaffRole
from shared.contracts.use_rules import NotUsable, UseRules, UseWindow, why_not_usable
from shared.errors import DomainError

REVERSIBLE_FOR = timedelta(hours=1)
REDEEMERS = (StaffRole.OWNER, StaffRole.MANAGER, StaffRole.CLERK)
READERS = (*REDEEMERS, StaffRole.FINANCE)


class CertificateState(StrEnum):
    ISSUING = "ISSUING"
    ISSUE_FAILED = "ISSUE_FAILED"
    VALID = "VALID"
    USED = "USED"
    EXPIRED = "EXPIRED"
    SETTLED = "SETTLED"
    DISPUTED = "DISPUTED"
    """Used, and its buyer wants the money back: it waits for checkout's last word."""
    REFUNDING = "REFUNDING"
    REFUNDED = "REFUNDED"


FENCEABLE = (
    CertificateState.ISSUING,
    CertificateState.ISSUE_FAILED,
    CertificateState.VALID,
    CertificateState.EXPIRED,
)
DISPUTABLE = (CertificateState.USED, CertificateState.SETTLED)


@dataclass(frozen=True, slots=True)
class Store:
    """Redemption's copy of a store; `suspended` is its merchant."""

    store_id: UUID
    merchant_id: UUID
    name: str
    open: bool
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """What every certificate of an order shares, frozen when it was paid."""

    order_id: UUID
    merchant_id: UUID
    buyer: str
    title: str
    store_ids: frozenset[UUID]
    window: UseWindow
    rules: UseRules
    deal_id: UUID
    codes_due_at: datetime | None = None
    code_source: CodeSource | None = None
    """Whether a third party makes the codes, and how they come."""


@dataclass(frozen=True, slots=True)
class PastUse:
    """When and where a certificate was used last."""

    used_at: datetime
    store_name: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """One bought unit. A times-card has more than one use."""

    unit_id: UUID
    order_id: UUID
    state: CertificateState
    uses_left: int
    sealed_code: str | None
    last_use: PastUse | None


def refusal_to_use(
    certificate: Certificate, order: Order, store: Store, now: datetime, count: int = 1
) -> DomainError | None:
    """The first reason why this certificate cannot be used in this store now, as one of `count`, or None when it
    can."""
    return _refusal_by_state(certificate, order) or _refusal_by_rules(order, store, now, count)


def _refusal_by_state(certificate: Certificate, order: Order) -> DomainError | None:
    match certificate.state:
        case CertificateState.VALID:
            return None
        case CertificateState.USED | CertificateState.SETTLED | CertificateState.DISPUTED:
            assert certificate.last_use is not None, "a used certificate has a use"
            return refusals.CertificateUsed.at(certificate.last_use.used_at, certificate.last_use.store_name)
        case CertificateState.REFUNDING:
            return refusals.CertificateRefunding()
        case CertificateState.REFUNDED:
            return refusals.CertificateRefunded()
        case CertificateState.EXPIRED:
            return refusals.Expired.at(order.window.until)
        case CertificateState.ISSUING | CertificateState.ISSUE_FAILED:
            return refusals.NotIssued()


def _refusal_by_rules(order: Order, store: Store, now: datetime, count: int) -> DomainError | None:
    closed = () if store.open else (store.store_id,)
    reason = why_not_usable(order.rules, order.window, order.store_ids, store.store_id, now, count, closed=closed)
    if reason is None:
        return refusals.MerchantSuspended() if store.suspended else None
    if reason is NotUsable.NOT_YET_VALID:
        return refusals.NotYetValid.until(order.window.starts_at)
    if reason is NotUsable.EXPIRED:
        return refusals.Expired.at(order.window.until)
    return refusals.BY_RULE[reason]()


def refusal_to_fence(certificates: Sequence[Certificate], unit_ids: Sequence[UUID]) -> str:
    """The code of why these units of an order cannot be fenced for a refund, the gravest reason first."""
    states = {certificate.unit_id: certificate.state for certificate in certificates}
    found = {states.get(unit_id) for unit_id in unit_ids}
    if None in found:
        return refusals.CertificateUnknown.code
    if found & {*DISPUTABLE, CertificateState.DISPUTED}:
        return refusals.CertificateUsed.code
    if CertificateState.REFUNDED in found:
        return refusals.CertificateRefunded.code
    if CertificateState.REFUNDING in found:
        return refusals.CertificateRefunding.code
    return refusals.ChangedMeanwhile.code


def refusal_to_dispute(certificates: Sequence[Certificate], unit_ids: Sequence[UUID]) -> str:
    """The code of why the uses of these units of an order cannot be disputed, the gravest reason first."""
    states = {certificate.unit_id: certificate.state for certificate in certificates}
    found = {states.get(unit_id) for unit_id in unit_ids}
    if None in found:
        return refusals.CertificateUnknown.code
    if CertificateState.REFUNDED in found:
        return refusals.CertificateRefunded.code
    if found & {CertificateState.REFUNDING, CertificateState.DISPUTED}:
        return refusals.CertificateRefunding.code
    return refusals.CertificateNotUsed.code


def shown_state(certificate: Certificate, order: Order, now: datetime) -> CertificateState:
    """The state as the buyer sees it: a certificate is over when its time is, whether or not a timer has said so."""
    if certificate.state is CertificateState.VALID and now >= order.window.until:
        return CertificateState.EXPIRED
    return certificate.state


def moments_to_remind(until: datetime, days: Sequence[int], now: datetime) -> list[datetime]:
    """When the buyer is reminded that `until` comes: so many days before, as far as that is not over already."""
    moments = sorted(until - timedelta(days=count) for count in set(days))
    return [moment for moment in moments if moment > now]


def reversible_until(used_at: datetime) -> datetime:
    """The moment from which a use stands: an hour later, or midnight in Shanghai if that comes first."""
    return min(used_at + REVERSIBLE_FOR, end_of_day(used_at))
