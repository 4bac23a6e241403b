"""What redemption says: certificates issued, used, reversed, final, recalled; refunds fenced or refused."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.contracts.base import Contract, Count, Event

UseNo = Annotated[int, Field(strict=True, ge=1)]
Cycle = Annotated[
    int,
    Field(
        strict=True,
        ge=0,
        description="How many uses of the certificate had been reversed before this one: of two uses with one number, "
        "the later has the higher cycle",
    ),
]


def version_of_use(cycle: int, *, is_reversed: bool = False) -> int:
    """The version of what is known about one number of a certificate: the uses with that number follow each other by
    their cycle, and each is made before it is reversed. Whoever keeps the highest may hear of them in any order."""
    return 2 * cycle + (2 if is_reversed else 1)


class CertificatesIssued(Event):
    """These units of an order have their certificates. Codes of a third party may come in several events."""

    topic = "redemption.certificates_issued.v1"
    aggregate = "order_id"
    readers = ("checkout.record_issued",)

    order_id: UUID
    unit_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=10)]


class CertificateIssueFailed(Event):
    """No code came for this unit in time: it is refunded."""

    topic = "redemption.certificate_issue_failed.v1"
    aggregate = "unit_id"
    readers = ("checkout.refund_issue_failed",)

    unit_id: UUID
    order_id: UUID


class RecallReason(StrEnum):
    STORE_CLOSED = "store_closed"
    MERCHANT_SUSPENDED = "merchant_suspended"


class CertificateRecalled(Event):
    """No store is left that takes this certificate: it is fenced for the refund `derived_id(unit_id, "RECALLED")`."""

    topic = "redemption.certificate_recalled.v1"
    aggregate = "unit_id"
    readers = ("checkout.refund_recalled",)

    unit_id: UUID
    order_id: UUID
    merchant_id: UUID
    reason: RecallReason
    uses_left: Annotated[int, Field(strict=True, ge=1)]


class CertificateExpired(Event):
    """The time to use this certificate is over with uses left: it is refunded by itself."""

    topic = "redemption.certificate_expired.v1"
    aggregate = "unit_id"
    readers = ("checkout.refund_expired",)

    unit_id: UUID
    order_id: UUID
    merchant_id: UUID
    uses_left: Annotated[int, Field(strict=True, ge=1)]
    expired_at: AwareDatetime


class CertificateExpiring(Event):
    """The time to use this certificate ends in some days, and it has uses left. Told once for each such day."""

    topic = "redemption.certificate_expiring.v1"
    aggregate = "unit_id"
    readers = ("checkout.note_expiring",)

    unit_id: UUID
    order_id: UUID
    merchant_id: UUID
    uses_left: Annotated[int, Field(strict=True, ge=1)]
    expires_at: AwareDatetime
    days_left: Annotated[int, Field(strict=True, ge=1)]


class CertificateUsed(Event):
    """One use of one certificate, reversible until the moment named."""

    topic = "redemption.certificate_used.v1"
    aggregate = "use_id"
    readers = ("checkout.record_use", "settlement.record_use")

    use_id: UUID
    unit_id: UUID
    use_no: UseNo
    order_id: UUID
    merchant_id: UUID
    store_id: UUID
    used_at: AwareDatetime
    reversible_until: AwareDatetime
    cycle: Cycle = 0


class UseReversed(Event):
    """A use was undone: it counts as never made, and its number may be used again, by another use of a later cycle."""

    topic = "redemption.use_reversed.v1"
    aggregate = "use_id"
    readers = ("checkout.record_reversed_use", "settlement.record_reversed_use")

    use_id: UUID
    unit_id: UUID
    use_no: UseNo
    order_id: UUID
    merchant_id: UUID
    store_id: UUID
    used_at: AwareDatetime
    reversed_at: AwareDatetime
    cycle: Cycle = 0


class UseFinal(Event):
    """A use that can no longer be reversed: due for payout on the next business day after `used_at`."""

    topic = "redemption.use_final.v1"
    aggregate = "use_id"
    readers = ("checkout.record_final_use", "settlement.finalise_use")

    use_id: UUID
    unit_id: UUID
    use_no: UseNo
    order_id: UUID
    merchant_id: UUID
    store_id: UUID
    used_at: AwareDatetime
    cycle: Cycle = 0


class FencedUnit(Contract):
    """`left_nos`: the numbers of the uses that are left; when absent, they are the last ones."""

    unit_id: UUID
    uses_left: Count
    left_nos: Annotated[tuple[UseNo, ...], Field(max_length=100)] | None = None


class RefundFenced(Event):
    """These certificates can no longer be used: the refund may go ahead for the uses that are left."""

    topic = "redemption.refund_fenced.v1"
    aggregate = "refund_id"
    readers = ("checkout.approve_voucher_refund",)

    refund_id: UUID
    order_id: UUID
    units: Annotated[tuple[FencedUnit, ...], Field(min_length=1, max_length=10)]


class RefundRefused(Event):
    """The fence was not to be had: `code` says why, for instance `certificate_used`."""

    topic = "redemption.refund_refused.v1"
    aggregate = "refund_id"
    readers = ("checkout.refuse_voucher_refund",)

    refund_id: UUID
    order_id: UUID
    code: str


class UseDisputed(Event):
    """These certificates are used and their buyer wants the money back: not paid out until the review ends."""

    topic = "redemption.use_disputed.v1"
    aggregate = "refund_id"
    readers = ("checkout.review_refund", "settlement.hold_disputed")

    refund_id: UUID
    order_id: UUID
    merchant_id: UUID
    unit_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=10)]


EVENTS: tuple[type[Event], ...] = (
    CertificatesIssued,
    CertificateIssueFailed,
    CertificateRecalled,
    CertificateExpired,
    CertificateExpiring,
    CertificateUsed,
    UseReversed,
    UseFinal,
    RefundFenced,
    RefundRefused,
    UseDisputed,
)
