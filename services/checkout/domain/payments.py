"""Payment attempts and what the channel can say about them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.checkout.domain.offers import Payee


class AttemptState(StrEnum):
    """`OPEN → {PAID, CLOSING → {CLOSED, PAID}}`; a closed attempt that captures money stays closed."""

    OPEN = "OPEN"
    PAID = "PAID"
    CLOSING = "CLOSING"
    CLOSED = "CLOSED"


class Channel(StrEnum):
    """The ways to pay; the buyer's page chooses one per attempt."""

    ALIPAY_WAP = "ALIPAY_WAP"
    """A link for the browser of a phone."""
    ALIPAY_APP = "ALIPAY_APP"
    """A signed order for Alipay's own app."""
    ALIPAY_PAGE = "ALIPAY_PAGE"
    """A link for the browser of a desk."""
    ALIPAY_QR = "ALIPAY_QR"
    """A code to scan, which Alipay has to be asked for."""


LIVE = frozenset({AttemptState.OPEN, AttemptState.CLOSING})


class Stray(StrEnum):
    """Money that bought nothing and goes back: the order was closed, or was already paid."""

    LATE = "LATE_CAPTURE"
    SECOND = "SECOND_CAPTURE"


class IncidentKind(StrEnum):
    """What only an operator may decide."""

    AMOUNT_MISMATCH = "AMOUNT_MISMATCH"
    REFUNDED_ELSEWHERE = "REFUNDED_ELSEWHERE"
    EXTERNAL_REFUND = "EXTERNAL_REFUND"
    """Money went back at the channel, and no set of units is worth what it was."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to pay an order. `out_trade_no` is the attempt's id in hex; the payee is frozen."""

    attempt_id: UUID
    order_id: UUID
    channel: Channel
    amount_fen: int
    payee: Payee
    state: AttemptState
    opened_at: datetime
    expires_at: datetime
    trade_no: str | None
    captured_fen: int | None
    asked: int
    qr_code: str | None = None
    """What the buyer scans, once the channel has given it."""

    def lacks_code(self, now: datetime) -> bool:
        """Whether the channel is still to be asked for the code of this attempt."""
        return self.channel is Channel.ALIPAY_QR and self.qr_code is None and self.is_payable(now)

    def is_payable(self, now: datetime) -> bool:
        """Whether the buyer may be shown a way to pay."""
        return self.state is AttemptState.OPEN and now < self.expires_at

    @property
    def out_trade_no(self) -> str:
        """The number under which the channel knows this attempt."""
        return self.attempt_id.hex


class TradeState(StrEnum):
    """What the channel says about a trade. Only UNKNOWN is no fact."""

    NOT_THERE = "NOT_THERE"
    """The buyer has never opened the link."""
    WAITING = "WAITING"
    PAID = "PAID"
    CLOSED = "CLOSED"
    """Closed, and nothing was paid."""
    PAID_AND_RETURNED = "PAID_AND_RETURNED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Trade:
    """The channel's answer; amounts and numbers are there when it was paid."""

    state: TradeState
    trade_no: str = ""
    total_fen: int = 0
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WayToPay:
    """What the buyer needs for the attempt's channel; at most one is set."""

    pay_url: str | None = None
    app_order: str | None = None
    qr_code: str | None = None


@dataclass(frozen=True, slots=True)
class CodeAnswer:
    """The channel's answer to the request for a code: the code, or why there will be none; neither is no answer."""

    code: str | None = None
    refusal: str | None = None


# Seconds after opening at which the channel is asked in case its notify never comes. The cost, whatever the time to
# pay: at most six questions about an attempt that nobody pays (the sixth at its end, as a close), none about one whose
# notify arrives within ten seconds.
_ASK_AFTER_S = (10, 30, 60, 120, 300)
_CLOSING_PAUSE_MAX_S = 60
_CODE_PAUSE_MIN_S = 2
# Longer than any call takes: only then has whoever opened the attempt died before it recorded the code.
CODE_PATIENCE = timedelta(seconds=25)


def next_question(attempt: Attempt, now: datetime) -> datetime:
    """When to ask the channel about this attempt again: on the schedule while it is open, at its expiry at the
    latest, and with growing pauses once it is to be closed."""
    if attempt.state is AttemptState.CLOSING or now >= attempt.expires_at:
        return now + timedelta(seconds=min(2 ** min(attempt.asked, 6), _CLOSING_PAUSE_MAX_S))
    on_schedule = (attempt.opened_at + timedelta(seconds=after_s) for after_s in _ASK_AFTER_S)
    return min(next((moment for moment in on_schedule if moment > now), attempt.expires_at), attempt.expires_at)


def ask_for_code_again(attempt: Attempt, now: datetime) -> datetime:
    """When to ask once more for a code that did not come: after half the time that has passed, so that a channel that
    is away for the whole time to pay (15 minutes) is asked some twenty times."""
    waited_s = (now - attempt.opened_at).total_seconds()
    return now + timedelta(seconds=min(max(waited_s / 2, _CODE_PAUSE_MIN_S), _CLOSING_PAUSE_MAX_S))
