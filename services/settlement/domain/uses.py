"""One use of one bought unit: its frozen value, its states, and which facts may move it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from shared.clock import business_day
from shared.contracts.checkout import UseValue
from shared.contracts.split import merchant_part_fen
from shared.errors import Conflict


class UseState(StrEnum):
    """Where the money of a use is: with the buyer's purchase, earned, claimed by a run, paid, or given back."""

    HELD = "HELD"
    USED = "USED"
    FINAL = "FINAL"
    CLAIMED = "CLAIMED"
    PAID = "PAID"
    REFUNDED = "REFUNDED"


class Fact(StrEnum):
    """What may be said about a use, in the order of its life."""

    USED = "USED"
    REVERSED = "REVERSED"
    FINAL = "FINAL"
    RECEIVED = "RECEIVED"
    CLAIMED = "CLAIMED"
    PAID = "PAID"
    REFUNDED = "REFUNDED"


class Verdict(StrEnum):
    APPLIES = "APPLIES"
    TOO_EARLY = "TOO_EARLY"
    PAST = "PAST"


@dataclass(frozen=True, slots=True)
class Move:
    """The states from which a fact moves a use, and where to."""

    sources: frozenset[UseState]
    target: UseState


MOVES: Mapping[Fact, Move] = {
    Fact.USED: Move(frozenset({UseState.HELD, UseState.USED}), UseState.USED),
    Fact.REVERSED: Move(frozenset({UseState.HELD, UseState.USED}), UseState.HELD),
    Fact.FINAL: Move(frozenset({UseState.USED}), UseState.FINAL),
    Fact.RECEIVED: Move(frozenset({UseState.HELD}), UseState.FINAL),
    Fact.CLAIMED: Move(frozenset({UseState.FINAL}), UseState.CLAIMED),
    Fact.PAID: Move(frozenset({UseState.CLAIMED}), UseState.PAID),
    Fact.REFUNDED: Move(frozenset(UseState) - {UseState.REFUNDED}, UseState.REFUNDED),
}


def verdict(state: UseState | None, fact: Fact, *, is_news: bool = True) -> Verdict:
    """Whether a fact moves a use now, comes before its predecessor (None: the order is not here), or is history.

    A use may be made, reversed and made again under one number; of these facts only one that is newer than the newest
    heard is news, whatever the order in which they come."""
    if state is None or (fact is Fact.FINAL and state is UseState.HELD):
        return Verdict.TOO_EARLY
    if not is_news:
        return Verdict.PAST
    return Verdict.APPLIES if state in MOVES[fact].sources else Verdict.PAST


def due_on(earned_at: datetime) -> date:
    """T+1: the business day on which a use of this moment is due for payout."""
    return business_day(earned_at) + timedelta(days=1)


class ValueDoesNotAddUp(Conflict):
    code = "value_does_not_add_up"
    zh = "订单金额与各份金额不一致"
    en = "The order's amount is not the sum of its uses"


class RefundDoesNotFit(Conflict):
    code = "refund_does_not_fit"
    zh = "退款金额超过该份剩余金额"
    en = "The refund exceeds what is left of the unit"


@dataclass(frozen=True, slots=True)
class Value:
    """The frozen value of a use in fen. What the buyer paid is the merchant's part plus the three shares."""

    paid_fen: int
    merchant_fen: int
    commission_fen: int = 0
    creator_fen: int = 0
    agency_fen: int = 0
    subsidy_fen: int = 0
    """What the platform adds for the merchant, on top of what the buyer paid."""


def value_of(use: UseValue) -> Value:
    """The value that checkout froze. Raises ValueDoesNotAddUp when the shares exceed what was paid."""
    merchant_fen = merchant_part_fen(use)
    if merchant_fen < 0:
        raise ValueDoesNotAddUp(paid_fen=use.paid_fen, shares_fen=use.paid_fen - merchant_fen)
    return Value(
        paid_fen=use.paid_fen,
        merchant_fen=merchant_fen,
        commission_fen=use.commission_fen,
        creator_fen=use.creator_share_fen,
        agency_fen=use.agency_share_fen,
        subsidy_fen=use.platform_subsidy_fen,
    )


@dataclass(frozen=True, slots=True)
class Use:
    """One use as it stands in the books."""

    unit_id: UUID
    use_no: int
    order_id: UUID
    merchant_id: UUID
    state: UseState
    value: Value
    instruction_id: UUID | None = None
    refund_id: UUID | None = None


def refunded_uses(uses: Sequence[Use], amount_fen: int, use_nos: Sequence[int] | None = None) -> tuple[Use, ...] | None:
    """Which uses of one unit a refund of `amount_fen` gives back: those with the numbers that were named, whatever has
    been heard of them; where none were, those still held, else every one that is left.

    None when neither fits yet, because a use of a times-card has not been heard of. Raises RefundDoesNotFit when
    it never will.
    """
    left = tuple(use for use in uses if use.state is not UseState.REFUNDED)
    held = tuple(use for use in left if use.state is UseState.HELD)
    named = tuple(use for use in left if use.use_no in (use_nos or ()))
    for candidates in (named, held, left):
        if candidates and sum(use.value.paid_fen for use in candidates) == amount_fen:
            return candidates
    if amount_fen > sum(use.value.paid_fen for use in left) or len(left) <= 1:
        raise RefundDoesNotFit(amount_fen=amount_fen)
    return None
