"""Refunds after use, or of goods that have left: who may ask, whose turn it is, what each answer makes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.checkout.domain.orders import Order, OrderUnit, UnitState
from services.checkout.domain.refunds import RefundState
from services.checkout.domain.refusals import UsedUnitsApart
from shared.contracts.catalog import DealKind
from shared.contracts.checkout import RefundCause


class Turn(StrEnum):
    """What may happen to a review, in the order of its life."""

    DISPUTED = "DISPUTED"
    """Whoever fulfilled the units holds them back."""
    AGREED = "AGREED"
    UNANSWERED = "UNANSWERED"
    """The merchant's time is over without an answer: that is a yes."""
    REFUSED = "REFUSED"
    APPEALED = "APPEALED"
    NOT_APPEALED = "NOT_APPEALED"
    UPHELD = "UPHELD"
    DISMISSED = "DISMISSED"


@dataclass(frozen=True, slots=True)
class Move:
    """The only state from which a turn moves a refund, and where to."""

    source: RefundState
    target: RefundState


MOVES: Mapping[Turn, Move] = {
    Turn.DISPUTED: Move(RefundState.FENCING, RefundState.IN_REVIEW),
    Turn.AGREED: Move(RefundState.IN_REVIEW, RefundState.APPROVED),
    Turn.UNANSWERED: Move(RefundState.IN_REVIEW, RefundState.APPROVED),
    Turn.REFUSED: Move(RefundState.IN_REVIEW, RefundState.CONTESTED),
    Turn.APPEALED: Move(RefundState.CONTESTED, RefundState.IN_ARBITRATION),
    Turn.NOT_APPEALED: Move(RefundState.CONTESTED, RefundState.REFUSED),
    Turn.UPHELD: Move(RefundState.IN_ARBITRATION, RefundState.APPROVED),
    Turn.DISMISSED: Move(RefundState.IN_ARBITRATION, RefundState.REFUSED),
}

OPEN_REVIEWS = (RefundState.IN_REVIEW, RefundState.CONTESTED, RefundState.IN_ARBITRATION)
"""Somebody's word is awaited. For goods that will not arrive nobody's is: the money goes back from any of these."""

MERCHANT_REFUSED = "merchant_refused"
ARBITRATION_REFUSED = "arbitration_refused"


@dataclass(frozen=True, slots=True)
class ReviewRules:
    """The periods that a deployment may set."""

    ask_within: timedelta = timedelta(days=15)
    answer_within: timedelta = timedelta(hours=24)
    appeal_within: timedelta = timedelta(hours=48)


def cause_of(order: Order, units: Sequence[OrderUnit]) -> RefundCause:
    """Whether these units, which are free to be refunded, are unused or used. Raises UsedUnitsApart for both at once:
    the one is refunded by itself, the other reviewed, and one answer cannot say both."""
    used = [_is_used(order, unit) for unit in units]
    if all(used):
        return RefundCause.AFTER_USE
    if any(used):
        raise UsedUnitsApart
    return RefundCause.BUYER


def _is_used(order: Order, unit: OrderUnit) -> bool:
    # Goods at the door can no longer be stopped, received or not.
    at_the_door = order.kind is DealKind.GOODS and order.parcel_state == "DELIVERED"
    return at_the_door or unit.state in (UnitState.USED, UnitState.FINAL)


def may_ask_for_a_part(order: Order) -> bool:
    """Whether single units may be asked for before use: goods that are packed are stopped whole; once a rider has them
    nothing is stopped, and the merchant reviews what is asked for."""
    return order.kind is not DealKind.GOODS or order.parcel_state == "HANDED_OVER"


def asked_fen(unit: OrderUnit, cause: RefundCause) -> int:
    """What a refund of this unit asks back: what is left of it, or all of it when its use itself is disputed."""
    return unit.paid_fen if cause is RefundCause.AFTER_USE else unit.left_fen


def whose_deadline(state: RefundState, due_at: datetime, appeal_until: datetime | None) -> datetime | None:
    """Until when whoever is to act next has time; None when nobody is, or it has no limit (the platform)."""
    if state is RefundState.IN_REVIEW:
        return due_at
    return appeal_until if state is RefundState.CONTESTED else None
