"""GCJ-02 to Baidu's BD-09 and back, on the vector that the design documents give."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatch.domain.routing import GeoPoint, distance_m
from services.dispatch.gateways.coordinates import from_baidu, to_baidu


def test_the_known_vector_holds() -> None:
    there = to_baidu(GeoPoint(latitude=39.915, longitude=116.404))
    assert there.longitude == pytest.approx(116.4103694937, abs=1e-9)
    assert there.latitude == pytest.approx(39.9213369935, abs=1e-9)


@given(st.floats(18, 53), st.floats(74, 135))
def test_there_and_back_is_the_same_place_to_within_two_metres(latitude: float, longitude: float) -> None:
    place = GeoPoint(latitude, longitude)
    assert distance_m(from_baidu(to_baidu(place)), place) < 2


def test_an_unconverted_place_would_be_a_kilometre_off() -> None:
    place = GeoPoint(39.915, 116.404)
    assert 500 < distance_m(to_baidu(place), place) < 1500
