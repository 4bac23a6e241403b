"""No fen of a price is lost or made between the uses of a unit and everybody who has a part in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.settlement.domain import ledger
from services.settlement.domain.uses import value_of
from shared.contracts.checkout import UseValue
from shared.contracts.split import ShareTerms, merchant_part_fen, split_unit

AMOUNTS = ("paid_fen", "delivery_fen", "merchant_subsidy_fen", "platform_subsidy_fen")
SHARES = ("commission_fen", "creator_share_fen", "agency_share_fen")


@st.composite
def terms(draw: st.DrawFn) -> ShareTerms:
    commission = draw(st.integers(0, 10_000))
    creator = draw(st.integers(0, 10_000 - commission))
    return ShareTerms(commission, creator, draw(st.integers(0, 10_000 - commission - creator)))


@st.composite
def splits(draw: st.DrawFn) -> tuple[dict[str, int], ShareTerms, tuple[UseValue, ...]]:
    paid_fen = draw(st.integers(0, 10_000_000))
    wanted = {
        "paid_fen": paid_fen,
        "delivery_fen": draw(st.integers(0, paid_fen)),
        "merchant_subsidy_fen": draw(st.integers(0, 100_000)),
        "platform_subsidy_fen": draw(st.integers(0, 100_000)),
    }
    shares, uses = draw(terms()), draw(st.integers(1, 100))
    others = {name: amount for name, amount in wanted.items() if name != "paid_fen"}
    return wanted, shares, split_unit(paid_fen, uses, shares, **others)


@given(splits())
def test_every_amount_falls_on_the_uses_without_a_fen_lost(
    split: tuple[dict[str, int], ShareTerms, tuple[UseValue, ...]],
) -> None:
    wanted, _, uses = split
    for name in AMOUNTS:
        assert sum(getattr(use, name) for use in uses) == wanted[name]


@given(splits())
def test_each_share_is_rounded_down_once_and_the_remainder_is_the_merchants(
    split: tuple[dict[str, int], ShareTerms, tuple[UseValue, ...]],
) -> None:
    wanted, shares, uses = split
    base_fen = wanted["paid_fen"] - wanted["delivery_fen"]
    points = (shares.commission_bp, shares.creator_bp, shares.agency_bp)
    taken = [sum(getattr(use, name) for use in uses) for name in SHARES]
    assert taken == [base_fen * bp // 10_000 for bp in points]
    assert sum(merchant_part_fen(use) for use in uses) == wanted["paid_fen"] - sum(taken)


@given(splits())
def test_nobody_gets_less_than_nothing_of_any_use_and_its_postings_balance(
    split: tuple[dict[str, int], ShareTerms, tuple[UseValue, ...]],
) -> None:
    for use in split[2]:
        assert merchant_part_fen(use) >= 0
        assert sum(entry.amount_fen for entry in ledger.earned(value_of(use), ledger.PLATFORM)) == 0


@given(splits())
def test_two_uses_of_a_unit_differ_by_at_most_a_fen(
    split: tuple[dict[str, int], ShareTerms, tuple[UseValue, ...]],
) -> None:
    paid = [use.paid_fen for use in split[2]]
    assert max(paid) - min(paid) <= 1
    assert paid == sorted(paid, reverse=True)


@pytest.mark.parametrize("parts", [(10_001, 0, 0), (5_000, 3_000, 2_001), (-1, 0, 0)])
def test_shares_beyond_the_whole_are_no_terms(parts: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="basis points"):
        ShareTerms(*parts)
