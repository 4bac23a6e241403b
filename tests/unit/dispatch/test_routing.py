"""Who may carry a parcel, what each would cost in all, and the reasons that are kept."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatch.domain.eligibility import Contract, Need, Question, Ranges, Standing, refusals
from services.dispatch.domain.routing import Candidate, GeoPoint, is_same_city, zone_of
from services.dispatch.domain.scoring import Considered, Offer, Record, Weights, assumed_offer, choose, score
from shared.contracts.catalog import DeliveryMode

SELF, INSTANT, COURIER = DeliveryMode.SELF, DeliveryMode.INSTANT, DeliveryMode.COURIER
OWN = Candidate("self", "merchant", SELF, 100_000)
DADA = Candidate("dada", "platform", INSTANT, 50_000, quotes=True)
FLASH = Candidate("ishansong", "platform", INSTANT, 50_000, quotes=True)
EXPRESS = Candidate("kuaidi100", "platform", COURIER, 100_000)

NEED = Need(
    mode=INSTANT, weight_g=2_000, category="fruit", distance_m=2_000, same_city=True, store_open=True,
    slack=timedelta(hours=4), hand_over_in=timedelta(hours=4),
)  # fmt: skip


def _asked(candidate: Candidate, need: dict[str, Any], standing: dict[str, Any], contract: dict[str, Any]) -> Question:
    return Question(replace(NEED, **need), candidate, Standing(**standing), Contract(**contract), Ranges())


@pytest.mark.parametrize(
    ("candidate", "need", "standing", "contract", "reasons"),
    [
        (DADA, {}, {}, {}, ()),
        (OWN, {}, {}, {}, ("other_mode",)),
        (OWN, {}, {}, {"own_riders": True}, ()),
        (OWN, {"distance_m": 3_001}, {}, {"own_riders": True}, ("out_of_range",)),
        (OWN, {"distance_m": 3_001, "mode": SELF}, {}, {}, ()),
        (OWN, {"mode": SELF}, {}, {"order": ("dada",)}, ()),
        (DADA, {"mode": SELF}, {}, {}, ("other_mode",)),
        (EXPRESS, {}, {}, {}, ("other_mode",)),
        (EXPRESS, {"distance_m": 20_001}, {}, {}, ()),
        (EXPRESS, {"same_city": False}, {}, {}, ()),
        (EXPRESS, {"same_city": False, "category": "Cake"}, {}, {}, ("spoils_on_the_way",)),
        (EXPRESS, {"mode": COURIER}, {}, {}, ()),
        (EXPRESS, {"mode": COURIER, "hand_over_in": timedelta(hours=1)}, {}, {}, ("promise_out_of_reach",)),
        (EXPRESS, {"mode": COURIER, "store_open": False}, {}, {}, ()),
        (DADA, {"mode": COURIER}, {}, {}, ("other_mode",)),
        (DADA, {"distance_m": 20_001}, {}, {}, ("out_of_range",)),
        (DADA, {"same_city": False}, {}, {}, ("out_of_range",)),
        (DADA, {"weight_g": 50_001}, {}, {}, ("overweight",)),
        (DADA, {"store_open": False}, {}, {}, ("store_closed",)),
        (DADA, {"slack": timedelta(0)}, {}, {}, ("promise_out_of_reach",)),
        (DADA, {}, {"balance_short": True}, {}, ("balance_short",)),
        (DADA, {}, {"disabled": True}, {}, ("account_disabled",)),
        (DADA, {}, {"breaker_open": True}, {}, ("breaker_open",)),
        (DADA, {}, {"refused_parcel": True}, {}, ("refused_this_parcel",)),
        (DADA, {}, {"stale_quotes": 1}, {}, ()),
        (DADA, {}, {"stale_quotes": 2}, {}, ("quote_stale",)),
        (DADA, {}, {}, {"order": ("ishansong",)}, ("not_contracted",)),
        (DADA, {"weight_g": 50_001, "store_open": False}, {}, {}, ("overweight", "store_closed")),
    ],
)  # fmt: skip
def test_every_reason_for_which_somebody_may_not_carry_it_is_told(
    candidate: Candidate, need: dict[str, Any], standing: dict[str, Any], contract: dict[str, Any],
    reasons: tuple[str, ...],
) -> None:  # fmt: skip
    assert refusals(_asked(candidate, need, standing, contract)) == reasons


def _offered(
    candidate: Candidate, fee_fen: int, eta_min: int = 30, record: Record | None = None, tries: int = 0
) -> Considered:  # fmt: skip
    offer = Offer(fee_fen, timedelta(minutes=eta_min), quoted=True)
    return Considered(candidate, offer=offer, score=score(offer, record or Record(), Weights()), tries=tries)


def test_a_score_is_the_fee_and_the_delay_and_the_expected_trouble() -> None:
    weights = Weights(promise=timedelta(minutes=60), late_fen_per_minute=20, failure_fen=800)
    late = score(Offer(700, timedelta(minutes=70, seconds=1)), Record(), weights)
    assert (late.fee_fen, late.late_fen, late.risk_fen) == (700, 11 * 20, 80)
    bad = score(Offer(700, timedelta(minutes=60)), Record(ended=80, failed=48), weights)
    assert (bad.late_fen, bad.risk_fen, bad.total_fen) == (0, 400, 1100)


def test_the_cheapest_wins_unless_it_is_late_or_fails_too_often() -> None:
    cheap, dear = _offered(DADA, 600), _offered(FLASH, 900)
    chosen = choose([dear, cheap], Contract()).chosen
    assert chosen is cheap
    assert choose([dear, _offered(DADA, 600, eta_min=90)], Contract()).chosen is dear
    assert choose([dear, _offered(DADA, 600, record=Record(80, 78))], Contract()).chosen is dear


def test_the_merchants_order_overrides_every_score() -> None:
    cheap, dear = _offered(DADA, 600), _offered(FLASH, 9_000)
    choice = choose([cheap, dear], Contract(order=("ishansong", "dada")))
    assert choice.chosen is dear
    assert (choice.policy, choice.record()["why"]) == ("merchants_order", "merchants_order")


def test_whoever_has_not_had_the_parcel_yet_comes_first() -> None:
    tried, fresh = _offered(DADA, 600, tries=1), _offered(FLASH, 9_000)
    choice = choose([tried, fresh], Contract(order=("dada", "ishansong")))
    assert (choice.chosen, choice.record()["why"]) == (fresh, "tried_less")


def test_a_decision_names_everybody_with_their_scores_or_reasons() -> None:
    refused = Considered(EXPRESS, ("other_mode",))
    record = choose([refused, _offered(FLASH, 900), _offered(DADA, 600)], Contract()).record()
    assert (record["chosen"], record["why"]) == ("dada", "lowest_expected_cost")
    assert [(one["provider"], one["rank"], one["refused"]) for one in record["candidates"]] == [
        ("dada", 1, []), ("ishansong", 2, []), ("kuaidi100", None, ["other_mode"]),
    ]  # fmt: skip
    assert record["candidates"][0]["total_fen"] == 600 + 80


def test_nobody_left_is_worth_another_look_only_if_the_reason_passes() -> None:
    passing = Considered(DADA, ("breaker_open",))
    lasting = Considered(FLASH, ("breaker_open", "overweight"))
    assert choose([passing, lasting], Contract()).may_pass
    assert not choose([lasting], Contract()).may_pass
    assert choose([], Contract()).chosen is None


@given(st.permutations([_offered(DADA, 600), _offered(FLASH, 600), _offered(EXPRESS, 601)]))
def test_the_choice_does_not_depend_on_who_answered_first(considered: list[Considered]) -> None:
    names = [one.candidate.provider for one in choose(considered, Contract()).ranked]
    assert names == ["dada", "ishansong", "kuaidi100"]


def test_who_names_no_price_is_taken_at_an_assumed_one_and_own_riders_cost_nothing() -> None:
    assert assumed_offer(EXPRESS, 2_500, Weights()).fee_fen == 800
    assert assumed_offer(OWN, 2_500, Weights()).fee_fen == 0


def test_a_zone_is_a_square_of_the_map() -> None:
    assert zone_of(GeoPoint(20.0231, 110.3485)) == zone_of(GeoPoint(20.0499, 110.3000)) == "20.00,110.30"
    assert zone_of(GeoPoint(20.0501, 110.3485)) == "20.05,110.30"


@pytest.mark.parametrize(
    ("store", "address", "same"),
    [("海口", "海口市", True), ("海口市", "海口", True), ("海口", " 海口 ", True), ("海口", "三亚市", False)],
)
def test_a_city_is_the_same_with_and_without_its_suffix(store: str, address: str, same: bool) -> None:
    assert is_same_city(store, address) is same
