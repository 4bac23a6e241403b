"""One reversal: what was asked for, what came of it, and why it is refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from services.redemption.domain.certificates import CertificateState
from services.redemption.domain.redemptions import Use
from services.redemption.domain.refusals import ChangedMeanwhile, NotStaffOfStore, shanghai_text
from shared.errors import Conflict, DomainError, NotFound

REVERSALS_MAX = 10
"""How often the uses of one certificate can be undone, so that nobody plays with it."""
REVERSIBLE = (CertificateState.VALID, CertificateState.USED, CertificateState.EXPIRED)
"""What a certificate may be when a use of it is undone. A card that has expired with other uses left stays so."""


class UseState(StrEnum):
    USED = "USED"
    FINAL = "FINAL"
    SETTLED = "SETTLED"
    REVERSED = "REVERSED"


@dataclass(frozen=True, slots=True)
class ReversalAttempt:
    """What a member of staff asks for: these uses of a redemption, sorted, or (None) all that were not undone yet. Two
    attempts with the same id are the same one only if all of this is equal."""

    reversal_id: UUID
    redemption_id: UUID
    operator: str
    device_id: str
    reason: str
    use_ids: tuple[UUID, ...] | None


@dataclass(frozen=True, slots=True)
class Reversal:
    """An attempt that was granted."""

    attempt: ReversalAttempt
    order_id: UUID
    merchant_id: UUID
    store_id: UUID
    used_at: datetime
    reversed_at: datetime
    uses: tuple[Use, ...]


@dataclass(frozen=True, slots=True)
class Undoable:
    """One use of a redemption as it stands, with its certificate."""

    use_id: UUID
    unit_id: UUID
    state: UseState
    certificate: CertificateState
    reversals: int
    money_back: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """A redemption's uses, until when they can be undone, and whether the caller may."""

    order_id: UUID
    merchant_id: UUID
    store_id: UUID
    reversible_until: datetime
    may_reverse: bool
    uses: tuple[Undoable, ...]

    def named(self, attempt: ReversalAttempt) -> tuple[UUID, ...]:
        """The uses that the attempt is about."""
        if attempt.use_ids is not None:
            return attempt.use_ids
        return tuple(use.use_id for use in self.uses if use.state is not UseState.REVERSED)


class RedemptionUnknown(NotFound):
    """Also what a stranger is told."""

    code = "redemption_unknown"
    zh = "没有找到这笔核销"
    en = "There is no such redemption"


class UseUnknown(NotFound):
    code = "use_unknown"
    zh = "这笔核销中没有这张券"
    en = "This redemption has no such use"


class UseReversedBefore(Conflict):
    code = "use_reversed"
    zh = "该核销已撤销"
    en = "This redemption was already undone"


class ReversedTooLate(Conflict):
    code = "reversed_too_late"
    zh = "已超过可撤销时间（{until_text}），不能撤销"
    en = "This could be undone until {until_text}; that has passed"

    @classmethod
    def at(cls, until: datetime) -> Self:
        return cls(until=until.isoformat(), until_text=shanghai_text(until))


class UseIsFinal(Conflict):
    code = "use_final"
    zh = "该核销已生效入账，不能撤销"
    en = "This use is final; it can no longer be undone"


class UseIsDisputed(Conflict):
    code = "use_disputed"
    zh = "顾客已对该券申请退款，正在审核，不能撤销"
    en = "The customer has asked for a refund of this use; it cannot be undone during the review"


class RestRefunding(Conflict):
    code = "rest_refunding"
    zh = "该券剩余次数正在退款，不能撤销"
    en = "What is left of this card is being refunded; this use cannot be undone"


class Refunded(Conflict):
    code = "refunded"
    zh = "该券已退款，不能撤销"
    en = "This certificate was refunded; this use cannot be undone"


class TooManyReversals(Conflict):
    code = "too_many_reversals"
    zh = "该券撤销次数已达上限（{limit} 次）"
    en = "This certificate was undone {limit} times already, which is the limit"


_BY_CERTIFICATE: Mapping[CertificateState, type[DomainError]] = {
    CertificateState.DISPUTED: UseIsDisputed,
    CertificateState.REFUNDING: RestRefunding,
    CertificateState.REFUNDED: Refunded,
    CertificateState.SETTLED: UseIsFinal,
}


def refusal_to_reverse(attempt: ReversalAttempt, situation: Situation, now: datetime) -> DomainError:
    """Why these uses cannot be undone: what concerns the caller first, then the gravest about any of them."""
    if not situation.may_reverse:
        return NotStaffOfStore()
    uses = {use.use_id: use for use in situation.uses}
    named = situation.named(attempt)
    if not set(named) <= uses.keys():
        return UseUnknown()
    return _refusal_by_uses([uses[use_id] for use_id in named], situation.reversible_until, now)


def _refusal_by_uses(asked: Sequence[Undoable], until: datetime, now: datetime) -> DomainError:
    if not asked or any(use.state is UseState.REVERSED for use in asked):
        return UseReversedBefore()
    held = [why for use in asked if (why := _held(use)) is not None]
    if held:
        return held[0]()
    return _refusal_by_time(asked, until, now)


def _refusal_by_time(asked: Sequence[Undoable], until: datetime, now: datetime) -> DomainError:
    if now >= until:
        return ReversedTooLate.at(until)
    if any(use.state is not UseState.USED for use in asked):
        return UseIsFinal()
    if any(use.reversals >= REVERSALS_MAX for use in asked):
        return TooManyReversals(limit=REVERSALS_MAX)
    return ChangedMeanwhile()


def _held(use: Undoable) -> type[DomainError] | None:
    return Refunded if use.money_back else _BY_CERTIFICATE.get(use.certificate)
