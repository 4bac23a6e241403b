"""How amounts, counts and moments read."""

from datetime import UTC, datetime, timedelta

import pytest

from services.web import formats

NOON = datetime(2026, 11, 22, 6, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fen", "shown"), [(0, "¥0.00"), (12800, "¥128.00"), (5, "¥0.05"), (123456789, "¥1,234,567.89"), (-77, "-¥0.77")]
)
def test_prices_have_two_decimals_and_groups(fen: int, shown: str) -> None:
    assert formats.price(fen) == shown


@pytest.mark.parametrize(
    ("price", "original", "zh", "en"),
    [
        (12800, 26800, "4.8折", "52% off"),
        (5000, 10000, "5折", "50% off"),
        (39900, 88800, "4.5折", "55% off"),
        (9990, 10000, "9.9折", "1% off"),
        (1, 100000, "0.1折", "99% off"),
        (10000, 10000, "", ""),
        (10000, 0, "", ""),
    ],
)
def test_a_discount_never_promises_more_than_it_is(price: int, original: int, zh: str, en: str) -> None:
    assert formats.discount(price, original, "zh") == zh
    assert formats.discount(price, original, "en") == en


@pytest.mark.parametrize(
    ("number", "zh", "en"),
    [
        (862, "862", "862"),
        (1286, "1,286", "1,286"),
        (12_000, "1.2万", "12k"),
        (32_999, "3.2万", "32.9k"),
        (20_000, "2万", "20k"),
        (1_500_000, "150万", "1.5M"),
        (230_000_000, "2.3亿", "230M"),
    ],
)
def test_counts_are_short_in_both_languages(number: int, zh: str, en: str) -> None:
    assert (formats.count(number, "zh"), formats.count(number, "en")) == (zh, en)


def test_moments_are_shown_in_shanghai_time() -> None:
    assert formats.moment(NOON, "zh") == "11月22日 14:02"
    assert formats.moment(NOON, "en") == "22 Nov 14:02"
    assert formats.clock_time(NOON) == "14:02"
    assert formats.day(datetime(2026, 11, 22, 16, 0, tzinfo=UTC)) == "2026-11-23"


def test_the_last_day_is_the_day_before_a_midnight_end() -> None:
    assert formats.last_day(datetime(2027, 2, 20, 16, 0, tzinfo=UTC)) == "2027-02-20"


@pytest.mark.parametrize(
    ("age", "zh", "en"),
    [
        (timedelta(seconds=20), "刚刚", "just now"),
        (timedelta(minutes=5), "5分钟前", "5 min ago"),
        (timedelta(hours=26), "1天前", "1 d ago"),
        (timedelta(seconds=-9), "刚刚", "just now"),
    ],
)
def test_age_is_in_the_largest_fitting_unit(age: timedelta, zh: str, en: str) -> None:
    assert (formats.ago(NOON - age, NOON, "zh"), formats.ago(NOON - age, NOON, "en")) == (zh, en)


def test_a_countdown_shows_days_only_when_there_are_any() -> None:
    assert formats.duration(2 * 86400 + 11 * 3600 + 42 * 60 + 8, "zh") == "02 天 11:42:08"
    assert formats.duration(2 * 86400 + 61, "en") == "2 d 00:01:01"
    assert formats.duration(59, "zh") == "00:00:59"
    assert formats.duration(-5, "en") == "00:00:00"


def test_a_code_is_read_in_groups_of_four() -> None:
    assert formats.code_groups("837146205519") == "8371 4620 5519"
