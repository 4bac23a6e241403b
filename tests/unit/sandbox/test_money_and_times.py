"""Amounts and times as the providers write them."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sandbox.domain.money import format_yuan, parse_yuan, share_half_up
from services.sandbox.domain.times import day_bounds, parse_timeout, parse_wire_time, wire_time


@given(st.integers(min_value=0, max_value=10**11 - 1))
def test_every_amount_survives_being_written_in_yuan(fen: int) -> None:
    assert parse_yuan(format_yuan(fen)) == fen


@pytest.mark.parametrize("text", ["", "1.234", "-1.00", "1e3", "１.00", "1,000.00", None, True, [], "0x10", " 1"])
def test_what_is_not_an_amount_in_fen_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="amount"):
        parse_yuan(text)


def test_a_json_number_is_an_amount_too() -> None:
    assert parse_yuan(128.5) == 12850
    assert parse_yuan(128) == 12800


@pytest.mark.parametrize(("fen", "fee"), [(12800, 77), (9900, 59), (83, 0), (84, 1), (12750, 77), (12749, 76)])
def test_the_fee_is_rounded_half_up(fen: int, fee: int) -> None:
    assert share_half_up(fen, 60) == fee


def test_wire_times_are_shanghai_wall_clock() -> None:
    moment = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)
    assert wire_time(moment) == "2026-11-23 00:30:00"
    assert parse_wire_time("2026-11-23 00:30:00") == moment
    assert parse_wire_time("2026-11-23 00:30") == moment


def test_a_business_day_begins_at_midnight_in_shanghai() -> None:
    start, end = day_bounds(date(2026, 11, 23))
    assert start == datetime(2026, 11, 22, 16, tzinfo=UTC)
    assert end == datetime(2026, 11, 23, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", datetime(2026, 11, 22, 13, 30, tzinfo=UTC)),
        ("2h", datetime(2026, 11, 22, 14, tzinfo=UTC)),
        ("15d", datetime(2026, 12, 7, 12, tzinfo=UTC)),
        ("1c", datetime(2026, 11, 22, 16, tzinfo=UTC)),
    ],
)
def test_timeouts_count_as_alipay_documents_them(text: str, expected: datetime) -> None:
    assert parse_timeout(text, datetime(2026, 11, 22, 12, tzinfo=UTC)) == expected


@pytest.mark.parametrize("text", ["", "0m", "90", "1y", "-1m", "1.5h"])
def test_a_malformed_timeout_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="timeout"):
        parse_timeout(text, datetime(2026, 11, 22, tzinfo=UTC))
