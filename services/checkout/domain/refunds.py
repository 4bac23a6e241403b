"""Refunds: states, causes, when to try again, and when the money is expected back."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

import chinese_calendar

from services.checkout.domain.payments import Stray
from shared.clock import business_day
from shared.contracts.checkout import RefundCause

STRAY_CAUSES = frozenset(cause.value for cause in Stray)
UNIT_CAUSES = frozenset(cause.value for cause in RefundCause)


class RefundState(StrEnum):
    """`FENCING → {APPROVED, IN_REVIEW, REFUSED, ABANDONED}`, `APPROVED → SENT → {SUCCEEDED, UNKNOWN, FAILED}`; after
    a use, or once goods have left, `IN_REVIEW → {APPROVED, CONTESTED}`, `CONTESTED → {IN_ARBITRATION, REFUSED}`,
    `IN_ARBITRATION → {APPROVED, REFUSED}` (domain.reviews); goods that will not arrive end any review: `→ APPROVED`.

    Asking for a refund and asking for its fence are one step, so nothing ever rests in REQUESTED. Money that came too
    late or twice starts at APPROVED: there is nothing to fence.
    """

    FENCING = "FENCING"
    IN_REVIEW = "IN_REVIEW"
    CONTESTED = "CONTESTED"
    IN_ARBITRATION = "IN_ARBITRATION"
    APPROVED = "APPROVED"
    SENT = "SENT"
    UNKNOWN = "UNKNOWN"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    REFUSED = "REFUSED"
    ABANDONED = "ABANDONED"


ENDED_WITHOUT_MONEY = frozenset({RefundState.REFUSED, RefundState.ABANDONED})


@dataclass(frozen=True, slots=True)
class Review:
    """What was said about a refund that the merchant reviews, and until when the next word is due. An answer of null is
    none yet, or none at all."""

    opened_at: datetime
    due_at: datetime
    agreed: bool | None = None
    answer_reason: str | None = None
    answered_at: datetime | None = None
    appeal_until: datetime | None = None
    appeal_text: str | None = None
    appealed_at: datetime | None = None
    upheld: bool | None = None
    arbitration_reason: str | None = None
    arbitrated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refund:
    """Money on its way back. `units` maps unit id to amount and is empty for money that bought nothing."""

    refund_id: UUID
    order_id: UUID
    attempt_id: UUID
    cause: str
    state: RefundState
    amount_fen: int
    reason: str
    requested_by: str | None
    requested_at: datetime
    succeeded_at: datetime | None
    refused_code: str | None
    tries: int
    units: dict[UUID, int]
    approved_at: datetime | None = None
    """When nothing stood in the way of the money any more."""
    review: Review | None = None
    use_nos: dict[UUID, tuple[int, ...]] = field(default_factory=dict)
    """Per unit the uses that the amount is for, where redemption has named them."""

    @property
    def is_disputed(self) -> bool:
        """Whether what it is for was held back for a review instead of being fenced: used, or with a rider."""
        return self.cause == RefundCause.AFTER_USE or self.review is not None

    @property
    def undelivered(self) -> bool:
        """Whether a review ended without anybody's yes, and before silence was one: its goods will not arrive."""
        if self.review is None or self.approved_at is None:
            return False
        said = self.review
        if said.agreed is None:
            return self.approved_at < said.due_at
        return not said.agreed and not said.upheld

    @property
    def sent_from(self) -> datetime:
        """The moment from which the channel's working days count: while a review lasts, when silence would end it."""
        if self.review is None:
            return self.requested_at
        return self.approved_at or self.review.due_at

    @property
    def out_request_no(self) -> str:
        """The number that makes repeating the refund at the channel safe."""
        return self.refund_id.hex


class RefundOutcome(StrEnum):
    """What the channel says about a refund. Only SUCCEEDED, REFUSED and NOT_DONE are facts."""

    SUCCEEDED = "SUCCEEDED"
    REFUSED = "REFUSED"
    NOT_DONE = "NOT_DONE"
    """The channel knows of no refund under this number (it never got it, or has not done it)."""
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class RefundAnswer:
    outcome: RefundOutcome
    code: str = ""


FENCE_PATIENCE = timedelta(minutes=30)
_UNKNOWN_PAUSES_S = (2, 5, 15, 30, 60, 120, 300)
_FAILED_PAUSES_S = (10, 60, 300, 1800)
# Repeating these never helps; the others (a merchant's empty balance above all) may pass with time.
_HOPELESS = frozenset(
    {
        "ACQ.TRADE_HAS_FINISHED",
        "ACQ.TRADE_HAS_CLOSE",
        "ACQ.TRADE_NOT_EXIST",
        "ACQ.TRADE_NOT_ALLOW_REFUND",
        "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL",
        "ACQ.REASON_TRADE_REFUND_FEE_ERR",
        "ACQ.DISCORDANT_REPEAT_REQUEST",
        "ACQ.INVALID_PARAMETER",
    }
)


def pause_after_unknown(tries: int) -> timedelta:
    """How long to wait before asking about a refund whose outcome is unknown."""
    return timedelta(seconds=_UNKNOWN_PAUSES_S[min(max(tries, 1), len(_UNKNOWN_PAUSES_S)) - 1])


def pause_after_failure(tries: int, code: str) -> timedelta | None:
    """How long to wait before a refused refund is sent again; None when it is an operator's turn."""
    if code in _HOPELESS or tries > len(_FAILED_PAUSES_S):
        return None
    return timedelta(seconds=_FAILED_PAUSES_S[max(tries, 1) - 1])


def money_back_by(refund: Refund) -> date | None:
    """By when the buyer's bank or balance has the money: within 1–3 working days after the channel gave it back, or,
    until that is done, after nothing stood in its way. None while somebody decides, or has refused."""
    if refund.state in ENDED_WITHOUT_MONEY:
        return None
    since = refund.succeeded_at or refund.approved_at
    return expected_by(since) if since else None


def expected_by(since: datetime, working_days: int = 3) -> date:
    """The last of the 1–3 working days after a moment, by China's working-day calendar. The day itself does not count.

    The calendar knows the years whose holidays are decreed, from 2004 on; in others a working day is a weekday, so a
    date over a holiday of such a year comes out too early, and right once the decree is in the calendar."""
    day = business_day(since)
    while working_days:
        day += timedelta(days=1)
        working_days -= _is_working_day(day)
    return day


def _is_working_day(day: date) -> bool:
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        # The holidays of a year are decreed in the autumn before it; until they are known, weekends are.
        return day.weekday() < 5
