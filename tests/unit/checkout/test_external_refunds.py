"""For which units a refund made at the channel can have been."""

from collections.abc import Sequence
from itertools import chain, combinations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.checkout.domain.external_refunds import UNDER_WAY, WAITING, Candidate, Standing, amounts_of, units_for
from services.checkout.domain.refunds import RefundState

WAITS, OPEN, USED = Standing.WAITING, Standing.OPEN, Standing.USED


def unit(number: int, standing: Standing, left_fen: int, paid_fen: int | None = None) -> Candidate:
    return Candidate(UUID(int=number), standing, left_fen, paid_fen or left_fen)


def units(*facts: tuple[Standing, int]) -> list[Candidate]:
    return [unit(number, standing, fen) for number, (standing, fen) in enumerate(facts)]


# Few values and small ones, so that many sets are worth the same.
SOME = st.lists(st.tuples(st.sampled_from(Standing), st.integers(1, 6)), max_size=7).map(lambda facts: units(*facts))


def all_sets(found: Sequence[Candidate]) -> list[tuple[Candidate, ...]]:
    sizes = (combinations(found, size) for size in range(1, len(found) + 1))
    return list(chain.from_iterable(sizes))


def used(chosen: Sequence[Candidate]) -> int:
    return sum(one.standing is Standing.USED for one in chosen)


@given(SOME, st.integers(1, 30))
def test_the_units_are_worth_exactly_the_amount_and_are_found_whenever_there_are_any(
    found: list[Candidate], amount_fen: int
) -> None:
    fitting = [chosen for chosen in all_sets(found) if sum(one.left_fen for one in chosen) == amount_fen]
    parts = units_for(found, amount_fen)
    if parts is None:
        assert fitting == []
        return
    chosen = [one for one in found if one.unit_id in parts]
    assert parts == {one.unit_id: one.left_fen for one in chosen}
    assert sum(parts.values()) == amount_fen
    assert used(chosen) == min(map(used, fitting)), "a used unit only where it must be"
    rivals = [other for other in fitting if used(other) == used(chosen)]
    assert len(chosen) == min(map(len, rivals)), "the smallest set of those"


@given(SOME)
def test_everything_that_is_left_is_found_for_its_sum(found: list[Candidate]) -> None:
    total_fen = sum(one.left_fen for one in found)
    if found:
        assert units_for(found, total_fen) == {one.unit_id: one.left_fen for one in found}


@pytest.mark.parametrize(
    ("found", "amount_fen", "chosen"),
    [
        (units((OPEN, 100), (OPEN, 100)), 200, [0, 1]),
        (units((USED, 100), (OPEN, 100)), 100, [1]),
        (units((OPEN, 100), (WAITS, 100)), 100, [1]),
        (units((OPEN, 100), (OPEN, 100)), 100, [0]),
        (units((USED, 100), (OPEN, 50), (OPEN, 50)), 100, [1, 2]),
        (units((USED, 100)), 100, [0]),
        (units((OPEN, 100)), 99, None),
        (units((OPEN, 100)), 101, None),
        ([], 1, None),
    ],
)
def test_which_units_are_chosen(found: list[Candidate], amount_fen: int, chosen: list[int] | None) -> None:
    parts = units_for(found, amount_fen)
    assert parts == (None if chosen is None else {UUID(int=number): found[number].left_fen for number in chosen})


def test_an_operators_units_are_worth_what_is_left_of_them_or_all_that_was_paid_and_nothing_between() -> None:
    card = [unit(0, OPEN, 75, 100), unit(1, OPEN, 100)]
    assert amounts_of(card, 175) == {UUID(int=0): 75, UUID(int=1): 100}
    assert amounts_of(card, 200) == {UUID(int=0): 100, UUID(int=1): 100}
    assert amounts_of(card, 180) is None


def test_every_state_of_a_refund_is_waiting_or_under_way_or_ended() -> None:
    ended = {RefundState.SUCCEEDED, RefundState.REFUSED, RefundState.ABANDONED}
    assert {*WAITING, *UNDER_WAY, *ended} == set(RefundState)
    assert len(WAITING) + len(UNDER_WAY) + len(ended) == len(RefundState)
