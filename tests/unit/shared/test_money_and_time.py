"""Money never loses a fen; the business day ends at midnight in Shanghai."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import business_day, end_of_day
from shared.money import fee_fen, fen, split_by_weight, split_evenly, yuan

AMOUNTS = st.integers(min_value=0, max_value=10**11)


@given(AMOUNTS, st.integers(min_value=1, max_value=100))
def test_an_even_split_loses_nothing_and_differs_by_one_fen_at_most(total: int, parts: int) -> None:
    shares = split_evenly(total, parts)
    assert sum(shares) == total
    assert max(shares) - min(shares) <= 1


@given(AMOUNTS, st.lists(st.integers(min_value=1, max_value=10_000), min_size=1, max_size=20))
def test_a_weighted_split_loses_nothing_and_only_the_first_share_takes_the_remainder(
    total: int, weights: list[int]
) -> None:
    shares = split_by_weight(total, weights)
    assert sum(shares) == total
    assert all(share == total * weight // sum(weights) for share, weight in list(zip(shares, weights, strict=True))[1:])


@given(st.integers(min_value=-(10**11), max_value=10**11))
def test_yuan_and_fen_are_inverse(amount: int) -> None:
    assert fen(yuan(amount)) == amount


@pytest.mark.parametrize("text", ["1.234", "", "1e3", "１2", "1,000", "--1", "1.-2"])
def test_what_is_no_amount_in_yuan_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        fen(text)


@pytest.mark.parametrize(("amount", "fee"), [(0, 0), (83, 0), (84, 1), (12800, 77), (10000, 60), (250, 2), (249, 1)])
def test_the_payment_fee_is_60_basis_points_rounded_half_up(amount: int, fee: int) -> None:
    assert fee_fen(amount) == fee


def test_the_business_day_is_shanghais() -> None:
    late = datetime(2026, 11, 22, 15, 59, 59, tzinfo=UTC)
    assert business_day(late) == date(2026, 11, 22)
    assert end_of_day(late) == datetime(2026, 11, 22, 16, tzinfo=UTC)
    assert business_day(datetime(2026, 11, 22, 16, tzinfo=UTC)) == date(2026, 11, 23)
