"""Refunds that were made at the channel itself: for which units the money can have been."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from itertools import combinations
from uuid import UUID

from services.checkout.domain.orders import OrderUnit, UnitState
from services.checkout.domain.refunds import RefundState

UNDER_WAY = (RefundState.SENT, RefundState.UNKNOWN)
"""Money of these may be moving: only their end tells whether a refund found at the channel is another one."""
_ENDED = (RefundState.SUCCEEDED, RefundState.REFUSED, RefundState.ABANDONED)
WAITING = tuple(state for state in RefundState if state not in (*UNDER_WAY, *_ENDED))
"""Nothing was sent for these, or it was definitely refused: they can still be ended."""


@dataclass(frozen=True, slots=True)
class ExternalRefund:
    """One refund in the channel's book that nobody here asked for. `allocated_to` is the refund here that records it,
    None while an operator is to say for which units it was."""

    refund_id: UUID
    order_id: UUID
    attempt_id: UUID
    channel_refund_no: str
    amount_fen: int
    refunded_at: datetime
    allocated_to: UUID | None = None


class Standing(IntEnum):
    """How likely the money of a refund found at the channel was for a unit, the likeliest first."""

    WAITING = 0
    """A refund of it was asked for, and nothing has been sent yet."""
    OPEN = 1
    USED = 2


@dataclass(frozen=True, slots=True)
class Candidate:
    """A unit whose money has not gone back. `left_fen`: what the uses that are left were paid, or for a used one all
    of them; `paid_fen`: all of them."""

    unit_id: UUID
    standing: Standing
    left_fen: int
    paid_fen: int


_STANDINGS = {
    UnitState.REFUNDING: Standing.WAITING,
    UnitState.OPEN: Standing.OPEN,
    UnitState.USED: Standing.USED,
    UnitState.FINAL: Standing.USED,
}


def candidates(units: Sequence[OrderUnit]) -> list[Candidate]:
    """The units of an order whose money has not gone back."""
    return [
        Candidate(unit.unit_id, _STANDINGS[unit.state], unit.left_fen or unit.paid_fen, unit.paid_fen)
        for unit in units
        if unit.state is not UnitState.REFUNDED
    ]


def units_for(units: Sequence[Candidate], amount_fen: int) -> dict[UUID, int] | None:
    """The units that are worth exactly this amount, each with its part; None if no set of them is.

    Of several sets the one with the fewest used units, then the smallest, then the one with the most units that wait
    for a refund, then the first by position. At most ten units: a thousand sets are soon looked at.
    """
    fitting = (
        chosen
        for size in range(1, len(units) + 1)
        for chosen in combinations(range(len(units)), size)
        if sum(units[index].left_fen for index in chosen) == amount_fen
    )
    best = min(fitting, key=lambda chosen: _dislike(units, chosen), default=None)
    return None if best is None else {units[index].unit_id: units[index].left_fen for index in best}


def _dislike(units: Sequence[Candidate], chosen: tuple[int, ...]) -> tuple[int, int, int, tuple[int, ...]]:
    standings = [units[index].standing for index in chosen]
    return standings.count(Standing.USED), len(chosen), -standings.count(Standing.WAITING), chosen


def amounts_of(units: Sequence[Candidate], amount_fen: int) -> dict[UUID, int] | None:
    """The parts of these units, all of them, in this amount: what is left of each, or all that each was paid. None if
    the amount is neither."""
    left = {unit.unit_id: unit.left_fen for unit in units}
    paid = {unit.unit_id: unit.paid_fen for unit in units}
    return next((parts for parts in (left, paid) if sum(parts.values()) == amount_fen), None)
