"""Fees, the moments of runs, and the states of payouts."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.settlement.domain.payouts import (
    InstructionState,
    fee_shares,
    next_attempt,
    next_run_moment,
    offsets,
    payout_state,
)
from shared.money import fee_fen

GROSSES = st.lists(st.integers(0, 10_000_000), min_size=1, max_size=40)
NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
CUT_OFF = time(0, 30)
BEFORE_THE_RUN = datetime(2026, 11, 21, 16, 20, tzinfo=UTC)


@given(GROSSES, st.integers(0, 10_000))
def test_the_shares_of_the_fee_sum_to_the_fee_on_the_sum(grosses: list[int], basis_points: int) -> None:
    assert sum(fee_shares(grosses, basis_points)) == fee_fen(sum(grosses), basis_points)


@given(GROSSES, st.integers(0, 10_000))
def test_no_use_bears_more_fee_than_its_value_or_a_negative_one(grosses: list[int], basis_points: int) -> None:
    shares = fee_shares(grosses, basis_points)
    assert all(0 <= share <= gross for share, gross in zip(shares, grosses, strict=True))


def test_the_fee_is_rounded_once_per_confirm_and_not_once_per_use() -> None:
    assert fee_shares([6_400, 6_400], 60) == (38, 39)


@given(st.data())
def test_transfers_pay_off_the_same_in_whatever_order_they_leave(data: st.DataObject) -> None:
    nets = sorted(data.draw(st.lists(st.integers(10, 300), min_size=1, max_size=8)), reverse=True)
    debt_fen, minimum_fen = data.draw(st.integers(0, 1_000)), data.draw(st.integers(1, 30))
    planned = offsets(nets, debt_fen, minimum_fen)
    waiting, left_fen = list(range(len(nets))), debt_fen
    for leaving in data.draw(st.permutations(waiting)):
        larger = [nets[one] for one in waiting if one < leaving]
        part_fen = offsets([*larger, nets[leaving]], left_fen, minimum_fen)[-1]
        assert part_fen == planned[leaving]
        assert nets[leaving] - part_fen == 0 or nets[leaving] - part_fen >= min(minimum_fen, nets[leaving])
        waiting.remove(leaving)
        left_fen -= part_fen
    assert left_fen == debt_fen - sum(planned) >= 0


@pytest.mark.parametrize(
    ("last_run", "now", "expected"),
    [
        (None, NOON, datetime(2026, 11, 21, 16, 30, tzinfo=UTC)),
        (date(2026, 11, 19), NOON, datetime(2026, 11, 21, 16, 30, tzinfo=UTC)),
        (date(2026, 11, 22), NOON, datetime(2026, 11, 22, 16, 30, tzinfo=UTC)),
        (date(2026, 11, 21), BEFORE_THE_RUN, datetime(2026, 11, 21, 16, 30, tzinfo=UTC)),
        (date(2026, 11, 19), BEFORE_THE_RUN, datetime(2026, 11, 20, 16, 30, tzinfo=UTC)),
        (None, BEFORE_THE_RUN, datetime(2026, 11, 20, 16, 30, tzinfo=UTC)),
        (date(2026, 11, 22), NOON + timedelta(hours=12, minutes=10), datetime(2026, 11, 22, 16, 30, tzinfo=UTC)),
    ],
)
def test_a_missed_run_is_due_at_once_and_a_made_one_the_day_after(
    last_run: date | None, now: datetime, expected: datetime
) -> None:
    assert next_run_moment(last_run, now, CUT_OFF) == expected


def test_asking_again_slows_down_to_every_ten_minutes() -> None:
    pauses = [next_attempt(attempts, NOON) - NOON for attempts in range(1, 40)]
    assert pauses[0] == timedelta(seconds=2)
    assert pauses == sorted(pauses)
    assert pauses[-1] == timedelta(minutes=10)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ({InstructionState.PAID}, InstructionState.PAID),
        ({InstructionState.PAID, InstructionState.WITHDRAWN}, InstructionState.PAID),
        ({InstructionState.PAID, InstructionState.DUE}, InstructionState.DUE),
        ({InstructionState.SENT, InstructionState.UNKNOWN, InstructionState.PAID}, InstructionState.UNKNOWN),
        ({InstructionState.UNKNOWN, InstructionState.FAILED}, InstructionState.FAILED),
        ({InstructionState.WITHDRAWN}, InstructionState.WITHDRAWN),
    ],
)
def test_a_payout_is_in_the_state_of_its_most_troubled_instruction(
    states: set[InstructionState], expected: InstructionState
) -> None:
    assert payout_state(states) is expected
