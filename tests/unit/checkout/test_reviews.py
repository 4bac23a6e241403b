"""The machine of a refund after use, and which units it is for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.checkout.domain.addresses import masked_subject
from services.checkout.domain.orders import Order, OrderUnit, UnitState
from services.checkout.domain.refunds import Refund, RefundState, Review
from services.checkout.domain.refusals import UsedUnitsApart
from services.checkout.domain.reviews import MOVES, Turn, asked_fen, cause_of, may_ask_for_a_part, whose_deadline
from shared.contracts.catalog import DealForm, DealKind, RefundPolicy
from shared.contracts.checkout import RefundCause, UseValue
from shared.contracts.use_rules import UseRules
from shared.ids import new_id

NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)
LEADS_TO = {
    (RefundState.FENCING, Turn.DISPUTED): RefundState.IN_REVIEW,
    (RefundState.IN_REVIEW, Turn.AGREED): RefundState.APPROVED,
    (RefundState.IN_REVIEW, Turn.UNANSWERED): RefundState.APPROVED,
    (RefundState.IN_REVIEW, Turn.REFUSED): RefundState.CONTESTED,
    (RefundState.CONTESTED, Turn.APPEALED): RefundState.IN_ARBITRATION,
    (RefundState.CONTESTED, Turn.NOT_APPEALED): RefundState.REFUSED,
    (RefundState.IN_ARBITRATION, Turn.UPHELD): RefundState.APPROVED,
    (RefundState.IN_ARBITRATION, Turn.DISMISSED): RefundState.REFUSED,
}


@pytest.mark.parametrize("turn", Turn)
@pytest.mark.parametrize("state", RefundState)
def test_each_turn_moves_a_refund_from_one_state_only(state: RefundState, turn: Turn) -> None:
    move = MOVES[turn]
    assert (move.target if move.source is state else None) == LEADS_TO.get((state, turn))


def order(kind: DealKind = DealKind.VOUCHER, parcel_state: str | None = None) -> Order:
    facts: dict[str, Any] = dict.fromkeys(Order.__slots__)
    return Order(**facts | {
        "kind": kind, "form": DealForm.SET, "parcel_state": parcel_state, "rules": UseRules(valid_days=30),
        "refund_policy": RefundPolicy.ANY_TIME, "paid_at": NOON,
    })  # fmt: skip


def unit(state: UnitState = UnitState.OPEN, uses_left: int = 1, uses: int = 1) -> OrderUnit:
    return OrderUnit(new_id(), 0, state, 900, 1_000, (UseValue(paid_fen=900 // uses),) * uses, uses_left)


@pytest.mark.parametrize(
    ("kind", "parcel_state", "states", "cause"),
    [
        (DealKind.VOUCHER, None, ("OPEN", "OPEN"), RefundCause.BUYER),
        (DealKind.VOUCHER, None, ("USED", "FINAL"), RefundCause.AFTER_USE),
        (DealKind.VOUCHER, None, ("OPEN", "USED"), None),
        (DealKind.VOUCHER, None, ("FINAL", "OPEN"), None),
        (DealKind.GOODS, None, ("OPEN", "OPEN"), RefundCause.BUYER),
        (DealKind.GOODS, "HANDED_OVER", ("OPEN", "OPEN"), RefundCause.BUYER),
        (DealKind.GOODS, "DELIVERED", ("OPEN", "OPEN"), RefundCause.AFTER_USE),
        (DealKind.GOODS, "RECEIVED", ("FINAL",), RefundCause.AFTER_USE),
        (DealKind.GOODS, "FAILED", ("OPEN",), RefundCause.BUYER),
    ],
)
def test_what_was_used_or_delivered_is_reviewed_and_never_together_with_what_was_not(
    kind: DealKind, parcel_state: str | None, states: tuple[str, ...], cause: RefundCause | None
) -> None:
    units = [unit(UnitState(state)) for state in states]
    if cause is None:
        with pytest.raises(UsedUnitsApart):
            cause_of(order(kind, parcel_state), units)
    else:
        assert cause_of(order(kind, parcel_state), units) is cause


def test_a_dispute_asks_for_the_whole_unit_and_a_refund_before_use_for_what_is_left() -> None:
    card = unit(uses_left=1, uses=3)
    assert asked_fen(card, RefundCause.BUYER) == 300
    assert asked_fen(replace(card, state=UnitState.USED, uses_left=0), RefundCause.AFTER_USE) == 900


@pytest.mark.parametrize("state", RefundState)
def test_only_merchant_and_buyer_have_a_deadline(state: RefundState) -> None:
    due, until = NOON, NOON + timedelta(days=2)
    expected = {RefundState.IN_REVIEW: due, RefundState.CONTESTED: until}.get(state)
    assert whose_deadline(state, due, until) == expected


def test_working_days_count_from_the_word_that_let_the_money_go() -> None:
    due = NOON + timedelta(hours=24)
    late = NOON + timedelta(days=5)
    before_use = Refund(
        new_id(), new_id(), new_id(), "BUYER", RefundState.APPROVED, 1, "", None, NOON, None, None, 0, {}
    )
    assert before_use.sent_from == NOON
    reviewed = replace(before_use, review=Review(opened_at=NOON, due_at=due))
    assert reviewed.sent_from == due, "silence would let it go"
    assert replace(reviewed, approved_at=late).sent_from == late


@pytest.mark.parametrize(
    ("said", "approved_after", "undelivered"),
    [
        ({}, None, False),
        ({}, timedelta(hours=1), True),
        ({}, timedelta(hours=24), False),
        ({"agreed": True}, timedelta(hours=1), False),
        ({"agreed": False}, timedelta(hours=30), True),
        ({"agreed": False, "upheld": True}, timedelta(hours=30), False),
    ],
)
def test_a_review_that_nobodys_yes_ended_was_ended_by_goods_that_will_not_arrive(
    said: dict[str, Any], approved_after: timedelta | None, undelivered: bool
) -> None:
    refund = Refund(
        new_id(), new_id(), new_id(), "BUYER", RefundState.APPROVED, 1, "", None, NOON, None, None, 0, {},
        approved_at=None if approved_after is None else NOON + approved_after,
        review=Review(opened_at=NOON, due_at=NOON + timedelta(hours=24), **said),
    )  # fmt: skip
    assert refund.undelivered is undelivered
    assert not replace(refund, review=None).undelivered


@pytest.mark.parametrize(
    ("parcel_state", "apart"), [(None, False), ("ACCEPTED", False), ("HANDED_OVER", True), ("FAILED", False)]
)
def test_goods_are_asked_for_one_by_one_once_a_rider_has_them(parcel_state: str | None, apart: bool) -> None:
    assert may_ask_for_a_part(order(DealKind.GOODS, parcel_state)) is apart
    assert may_ask_for_a_part(order())


@pytest.mark.parametrize(
    ("buyer", "shown"), [("buyer-an", "b***an"), ("buyers", "b***rs"), ("buyer", "***"), ("a", "***")]
)
def test_a_buyer_is_masked(buyer: str, shown: str) -> None:
    assert masked_subject(buyer) == shown
