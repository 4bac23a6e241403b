"""What a parcel's state means for a refund, and from which store it leaves."""

from datetime import timedelta
from uuid import UUID

import pytest

from services.dispatch.domain.parcels import (
    HAS_LEFT,
    FenceAnswer,
    ParcelState,
    Policy,
    answer_fence,
    ask_again_after,
    refusal_to_dispute,
)
from services.dispatch.domain.receive_codes import matches, new_receive_code
from services.dispatch.domain.routing import GeoPoint, StorePlace, departure, distance_m
from services.dispatch.domain.timeline import TEXTS, What
from shared.contracts.catalog import DeliveryMode


@pytest.mark.parametrize("state", [ParcelState.PLACED, ParcelState.ACCEPTED])
def test_goods_that_have_not_left_are_fenced_whole_or_not_at_all(state: ParcelState) -> None:
    assert answer_fence(state, whole=True, carrier_involved=False, by_buyer=True) == (FenceAnswer.FENCE, "")
    assert answer_fence(state, whole=True, carrier_involved=True, by_buyer=True) == (
        FenceAnswer.STOP_CARRIER_FIRST,
        "",
    )
    assert answer_fence(state, whole=False, carrier_involved=False, by_buyer=True) == (
        FenceAnswer.REFUSE,
        "whole_parcel_only",
    )


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (ParcelState.HANDED_OVER, "parcel_handed_over"),
        (ParcelState.DELIVERED, "parcel_delivered"),
        (ParcelState.RECEIVED, "parcel_received"),
        (ParcelState.DISPUTED, "parcel_received"),
        (ParcelState.REFUNDED, "already_refunded"),
    ],
)
def test_goods_that_have_left_are_not_refunded_without_the_merchant(state: ParcelState, code: str) -> None:
    assert answer_fence(state, whole=True, carrier_involved=False, by_buyer=False) == (FenceAnswer.REFUSE, code)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("state", sorted(HAS_LEFT))
def test_a_buyer_whose_goods_have_left_is_answered_by_the_merchant(state: ParcelState, whole: bool) -> None:
    assert answer_fence(state, whole=whole, carrier_involved=True, by_buyer=True) == (FenceAnswer.REVIEW, "")
    assert refusal_to_dispute(state) is None


@pytest.mark.parametrize("state", sorted(set(ParcelState) - HAS_LEFT))
def test_goods_that_are_not_away_are_nothing_to_review(state: ParcelState) -> None:
    assert answer_fence(state, whole=True, carrier_involved=True, by_buyer=True)[0] is not FenceAnswer.REVIEW
    assert refusal_to_dispute(state) is not None


@pytest.mark.parametrize("state", [ParcelState.FAILED, ParcelState.RETURNED, ParcelState.LOST])
def test_goods_that_will_not_arrive_may_be_refunded_in_parts(state: ParcelState) -> None:
    answer, _ = answer_fence(state, whole=False, carrier_involved=False, by_buyer=True)
    assert answer is FenceAnswer.ALREADY_STOPPED


def test_distances_are_great_circles() -> None:
    metres = distance_m(GeoPoint(40.049058, 116.379594), GeoPoint(40.043612, 116.361199))
    assert metres == pytest.approx(1678.85, abs=1)


def test_goods_leave_from_the_nearest_open_store() -> None:
    here = GeoPoint(30.65, 104.08)
    near_closed = StorePlace(UUID(int=1), here, open=False)
    far_open = StorePlace(UUID(int=2), GeoPoint(30.70, 104.20), open=True)
    near_open = StorePlace(UUID(int=3), GeoPoint(30.66, 104.09), open=True)
    assert departure([near_closed, far_open, near_open], here) == near_open
    assert departure([near_closed], here) == near_closed
    assert departure([], here) is None


def test_a_couriers_parcel_has_days_where_a_riders_has_minutes() -> None:
    policy = Policy()
    assert policy.to_accept(DeliveryMode.INSTANT) == timedelta(minutes=15)
    assert policy.to_accept(DeliveryMode.COURIER) == timedelta(hours=48)
    assert policy.to_object(DeliveryMode.SELF) == timedelta(hours=24)
    assert policy.to_object(DeliveryMode.COURIER) == timedelta(days=7)


def test_an_unknown_outcome_is_asked_about_after_2_5_15_and_then_every_45_seconds() -> None:
    assert [ask_again_after(n).total_seconds() for n in range(6)] == [2, 5, 15, 45, 45, 45]


def test_a_receive_code_is_six_digits() -> None:
    code = new_receive_code()
    assert len(code) == 6
    assert code.isdigit()
    assert matches(code, code)
    assert not matches(code, "x" * 6)


def test_everything_that_happens_has_words_in_both_languages() -> None:
    assert set(TEXTS) == set(What)
    assert all(text.zh and text.en for text in TEXTS.values())
