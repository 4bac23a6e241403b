"""A parcel: its states, what its attempts mean for it, and who may still stop it."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from services.dispatch.domain.attempts import ENDED_WITHOUT_GOODS, AttemptState
from services.dispatch.domain.eligibility import Ranges
from services.dispatch.domain.scoring import Weights
from shared.contracts.catalog import DeliveryMode


class ParcelState(StrEnum):
    PLACED = "PLACED"
    ACCEPTED = "ACCEPTED"
    HANDED_OVER = "HANDED_OVER"
    DELIVERED = "DELIVERED"
    RECEIVED = "RECEIVED"
    DISPUTED = "DISPUTED"
    """It arrived, and its buyer wants money back: it stands still until checkout's last word. What is
    reviewed on its way stays HANDED_OVER till it arrives."""
    FAILED = "FAILED"
    RETURNED = "RETURNED"
    LOST = "LOST"
    REFUNDING = "REFUNDING"
    REFUNDED = "REFUNDED"


BEFORE_HAND_OVER = frozenset({ParcelState.PLACED, ParcelState.ACCEPTED})
ARRIVED = frozenset({ParcelState.DELIVERED, ParcelState.RECEIVED, ParcelState.DISPUTED})
HAS_LEFT = ARRIVED | {ParcelState.HANDED_OVER}
WILL_NOT_ARRIVE = frozenset({ParcelState.FAILED, ParcelState.RETURNED, ParcelState.LOST})


class DispatchState(StrEnum):
    """How the search for a carrier stands. MANUAL: the merchant decides (deliver it themselves, or refuse)."""

    PLANNED = "PLANNED"
    DISPATCHING = "DISPATCHING"
    ACTIVE = "ACTIVE"
    MANUAL = "MANUAL"
    COMPLETED = "COMPLETED"
    RETURNED = "RETURNED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class Stop(StrEnum):
    """Why a parcel that may have a carrier is being stopped, other than by a refund request."""

    NOT_HANDED_OVER = "NOT_HANDED_OVER"
    NO_CARRIER = "NO_CARRIER"
    REFUSED_BY_MERCHANT = "REFUSED_BY_MERCHANT"
    REFUNDED = "REFUNDED"
    """The money went back without asking us (a refund made at the channel)."""


class Step(StrEnum):
    """What an attempt's progress does to its parcel."""

    HAND_OVER = "HAND_OVER"
    DELIVER = "DELIVER"
    RETURN = "RETURN"
    LOSE = "LOSE"
    REPLACE = "REPLACE"
    """The carrier is gone without the goods: finish a stop that waited for this, or find another carrier."""
    ASK_MERCHANT = "ASK_MERCHANT"
    """The carrier gave up with the goods in hand: a person has to say what becomes of them."""


def steps(parcel: ParcelState, attempt: AttemptState, *, picked_up: bool, was_live: bool) -> tuple[Step, ...]:
    """What follows for a parcel from where its attempt is now. Nothing moves a parcel that is finished."""
    following: list[Step] = []
    if picked_up and parcel is ParcelState.ACCEPTED:
        following.append(Step.HAND_OVER)
    on_the_way = bool(following) or parcel is ParcelState.HANDED_OVER
    if on_the_way and attempt in _ENDINGS:
        following.append(_ENDINGS[attempt])
    if was_live and attempt in ENDED_WITHOUT_GOODS:
        if on_the_way:
            following.append(Step.ASK_MERCHANT)
        elif parcel is ParcelState.ACCEPTED:
            following.append(Step.REPLACE)
    return tuple(following)


_ENDINGS = {
    AttemptState.DELIVERED: Step.DELIVER,
    AttemptState.RETURNED: Step.RETURN,
    AttemptState.LOST: Step.LOSE,
}


class FenceAnswer(StrEnum):
    """How a request to refund a parcel's units can be answered now."""

    FENCE = "FENCE"
    STOP_CARRIER_FIRST = "STOP_CARRIER_FIRST"
    ALREADY_STOPPED = "ALREADY_STOPPED"
    """The goods will not arrive anyway: the refund may go ahead, and the parcel stays what it is."""
    OTHER_REFUND_FIRST = "OTHER_REFUND_FIRST"
    REVIEW = "REVIEW"
    """The goods have left, so only their merchant can agree to give the money back."""
    REFUSE = "REFUSE"


_REFUSALS = {
    ParcelState.HANDED_OVER: "parcel_handed_over",
    ParcelState.DELIVERED: "parcel_delivered",
    ParcelState.RECEIVED: "parcel_received",
    ParcelState.DISPUTED: "parcel_received",
    ParcelState.REFUNDED: "already_refunded",
}


def answer_fence(
    parcel: ParcelState, *, whole: bool, carrier_involved: bool, by_buyer: bool
) -> tuple[FenceAnswer, str]:
    """The answer to a refund request, and the code when it is a refusal. What its buyer asks too late to stop is
    reviewed; a refund that nobody asked for (a campaign that was called off) is not."""
    if by_buyer and parcel in HAS_LEFT:
        return FenceAnswer.REVIEW, ""
    if parcel in _REFUSALS:
        return FenceAnswer.REFUSE, _REFUSALS[parcel]
    if parcel in WILL_NOT_ARRIVE:
        return FenceAnswer.ALREADY_STOPPED, ""
    if parcel is ParcelState.REFUNDING:
        return FenceAnswer.OTHER_REFUND_FIRST, ""
    if not whole:
        return FenceAnswer.REFUSE, "whole_parcel_only"
    return (FenceAnswer.STOP_CARRIER_FIRST if carrier_involved else FenceAnswer.FENCE), ""


def refusal_to_dispute(parcel: ParcelState) -> str | None:
    """The code of why the refund of a parcel's goods is nothing to review; None when it is."""
    if parcel in HAS_LEFT:
        return None
    return "already_refunded" if parcel is ParcelState.REFUNDED else "parcel_not_delivered"


_LEAST_WAIT = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Policy:
    """The periods and limits that a deployment may set."""

    accept_within: timedelta = timedelta(minutes=15)
    hand_over_within: timedelta = timedelta(hours=24)
    courier_hand_over_within: timedelta = timedelta(hours=48)
    receive_within: timedelta = timedelta(hours=24)
    courier_receive_within: timedelta = timedelta(days=7)
    most_attempts: int = 3
    most_submissions: int = 6
    most_unsent: int = 3
    search_within: timedelta = timedelta(minutes=30)
    quote_within: timedelta = timedelta(seconds=2.5)
    no_rider_within: timedelta = timedelta(minutes=8)
    ranges: Ranges = field(default_factory=Ranges)
    weights: Weights = field(default_factory=Weights)
    not_found_grace: timedelta = timedelta(seconds=90)
    photo_up_to_fen: int = 20_000
    code_tries: int = 5
    code_lock: timedelta = timedelta(minutes=15)

    def without_rider(self, slack: timedelta) -> timedelta:
        """How long an errand runner may look for a rider before something is done about it."""
        return max(min(self.no_rider_within, slack / 4), _LEAST_WAIT)

    def to_accept(self, mode: DeliveryMode) -> timedelta:
        """How long the merchant has to take an order on: a courier's parcel until it must be handed over."""
        return self.courier_hand_over_within if mode is DeliveryMode.COURIER else self.accept_within

    def to_hand_over(self, mode: DeliveryMode) -> timedelta:
        """How long after the payment the goods must have left the merchant."""
        return self.courier_hand_over_within if mode is DeliveryMode.COURIER else self.hand_over_within

    def to_object(self, carried_as: DeliveryMode) -> timedelta:
        """How long after delivery the buyer may speak up before receipt counts as confirmed."""
        return self.courier_receive_within if carried_as is DeliveryMode.COURIER else self.receive_within


_ASK_AFTER_S = (2.0, 5.0, 15.0, 45.0)


def ask_again_after(times_asked: int) -> timedelta:
    """The pause before an unknown outcome is asked about again."""
    return timedelta(seconds=_ASK_AFTER_S[min(times_asked, len(_ASK_AFTER_S) - 1)])


def submit_again_after(submissions: int) -> timedelta:
    """The pause before an order that certainly did not arrive is sent again."""
    return timedelta(seconds=min(5 * 2 ** max(submissions - 1, 0), 300))
