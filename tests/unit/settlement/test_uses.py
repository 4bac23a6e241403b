"""What may become of a use, and what its value is."""

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest

from services.settlement.domain.uses import (
    MOVES,
    Fact,
    RefundDoesNotFit,
    Use,
    UseState,
    Value,
    ValueDoesNotAddUp,
    Verdict,
    due_on,
    refunded_uses,
    value_of,
    verdict,
)
from shared.contracts.checkout import UseValue

UNIT = uuid4()


def a_use(state: UseState, paid_fen: int = 5_000, use_no: int = 1, unit_id: UUID = UNIT) -> Use:
    return Use(unit_id, use_no, uuid4(), uuid4(), state, Value(paid_fen, paid_fen))


def test_a_fact_about_a_use_whose_order_has_not_arrived_waits() -> None:
    assert {verdict(None, fact) for fact in Fact} == {Verdict.TOO_EARLY}


def test_a_use_is_not_final_before_it_is_used() -> None:
    assert verdict(UseState.HELD, Fact.FINAL) is Verdict.TOO_EARLY


@pytest.mark.parametrize("state", [UseState.CLAIMED, UseState.PAID, UseState.REFUNDED])
def test_no_fact_brings_a_claimed_paid_or_refunded_use_back_to_being_due(state: UseState) -> None:
    for fact in (Fact.USED, Fact.REVERSED, Fact.FINAL, Fact.RECEIVED, Fact.CLAIMED):
        assert verdict(state, fact) is Verdict.PAST


def test_nothing_moves_a_refunded_use() -> None:
    assert {verdict(UseState.REFUNDED, fact) for fact in Fact} == {Verdict.PAST}


def test_every_state_is_reached_by_some_fact() -> None:
    assert {move.target for move in MOVES.values()} == set(UseState)


def test_a_use_or_its_reversal_that_is_older_than_what_was_heard_is_history() -> None:
    for fact in (Fact.USED, Fact.REVERSED):
        assert {verdict(state, fact) for state in (UseState.HELD, UseState.USED)} == {Verdict.APPLIES}
        assert {verdict(state, fact, is_news=False) for state in UseState} == {Verdict.PAST}
        assert verdict(None, fact, is_news=False) is Verdict.TOO_EARLY


@pytest.mark.parametrize(
    ("used_at", "due"),
    [
        (datetime(2026, 11, 22, 4, 0, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 11, 22, 15, 59, 59, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 11, 22, 16, 0, tzinfo=UTC), date(2026, 11, 24)),
    ],
)
def test_a_use_is_due_on_the_day_after_its_day_in_shanghai(used_at: datetime, due: date) -> None:
    assert due_on(used_at) == due


def test_the_merchants_part_is_what_the_shares_leave() -> None:
    value = value_of(UseValue(paid_fen=10_000, commission_fen=500, creator_share_fen=300, agency_share_fen=200))
    assert value.merchant_fen == 9_000


def test_shares_beyond_what_was_paid_are_refused() -> None:
    with pytest.raises(ValueDoesNotAddUp):
        value_of(UseValue(paid_fen=100, commission_fen=101))


def test_a_refund_gives_back_the_uses_that_are_left_of_a_times_card() -> None:
    uses = [a_use(UseState.USED, use_no=1), a_use(UseState.HELD, use_no=2), a_use(UseState.HELD, use_no=3)]
    chosen = refunded_uses(uses, 10_000)
    assert chosen is not None
    assert [use.use_no for use in chosen] == [2, 3]


def test_a_refund_of_everything_after_use_gives_back_every_use() -> None:
    uses = [a_use(UseState.PAID, use_no=1), a_use(UseState.HELD, use_no=2)]
    chosen = refunded_uses(uses, 10_000)
    assert chosen is not None
    assert len(chosen) == 2


def test_a_refund_waits_while_a_use_of_the_card_has_not_been_heard_of() -> None:
    assert refunded_uses([a_use(UseState.HELD, use_no=1), a_use(UseState.HELD, use_no=2)], 5_000) is None


@pytest.mark.parametrize("amount_fen", [4_999, 5_001])
def test_another_amount_than_the_units_own_never_fits(amount_fen: int) -> None:
    with pytest.raises(RefundDoesNotFit):
        refunded_uses([a_use(UseState.HELD)], amount_fen)


def test_a_unit_is_not_refunded_twice() -> None:
    with pytest.raises(RefundDoesNotFit):
        refunded_uses([a_use(UseState.REFUNDED)], 5_000)
