"""Checkout's pure rules: values, phones, moments to ask, refunds' patience and working days."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.checkout.domain.addresses import e164, masked_phone
from services.checkout.domain.offers import Payee, payee
from services.checkout.domain.orders import new_order_no, unit_values, value_of_uses_left
from services.checkout.domain.payments import Attempt, AttemptState, next_question
from services.checkout.domain.refunds import expected_by, pause_after_failure, pause_after_unknown
from services.checkout.domain.refusals import PhoneInvalid
from services.checkout.domain.timeline import TEXTS, What
from services.checkout.routes.paging import CursorInvalid, cursor, read_cursor
from shared.contracts.catalog import Rail
from shared.contracts.checkout import UseValue
from shared.ids import new_id

NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)


@given(st.integers(1, 10_000_000), st.integers(0, 100_000), st.integers(1, 10))
def test_no_fen_is_lost_or_made_when_a_delivery_fee_is_spread(price_fen: int, fee_fen: int, quantity: int) -> None:
    values = unit_values(price_fen, fee_fen, quantity)

    assert sum(value.paid_fen for value in values) == price_fen * quantity + fee_fen
    assert sum(value.delivery_fen for value in values) == fee_fen
    assert max(value.paid_fen for value in values) - min(value.paid_fen for value in values) <= 1


def test_the_uses_that_are_left_are_the_last_ones() -> None:
    uses = tuple(UseValue(paid_fen=fen) for fen in (5, 4, 3))

    assert [value_of_uses_left(uses, left) for left in (0, 1, 2, 3, 9)] == [0, 3, 7, 12, 12]


@pytest.mark.parametrize("typed", ["13800138000", "138 0013 8000", "+86 138-0013-8000", "0086 13800138000"])
def test_a_phone_is_kept_in_one_form(typed: str) -> None:
    assert e164(typed) == "+8613800138000"


@pytest.mark.parametrize("typed", ["", "12345", "not a phone", "138001380001234", "+1 555"])
def test_a_phone_that_cannot_be_called_is_refused(typed: str) -> None:
    with pytest.raises(PhoneInvalid):
        e164(typed)


def test_a_shown_phone_hides_its_middle() -> None:
    assert masked_phone("+8613800138000") == "138****8000"


def attempt(state: AttemptState = AttemptState.OPEN, asked: int = 0) -> Attempt:
    return Attempt(
        new_id(), new_id(), "ALIPAY_WAP", 1, Payee(Rail.ZHIFUTONG, "2088"), state, NOON, NOON + timedelta(minutes=15),
        None, None, asked,
    )  # fmt: skip


def test_the_channel_is_asked_on_a_schedule_that_ends_at_the_expiry() -> None:
    asked: list[float] = []
    now = NOON
    while now < attempt().expires_at:
        now = next_question(attempt(), now)
        asked.append((now - NOON).total_seconds())

    assert asked == [10, 30, 60, 120, 300, 900]


def test_a_close_without_an_answer_is_repeated_with_growing_pauses() -> None:
    pauses = [
        (next_question(attempt(AttemptState.CLOSING, asked), NOON) - NOON).total_seconds() for asked in range(1, 9)
    ]

    assert pauses == [2, 4, 8, 16, 32, 60, 60, 60]


def test_a_refund_is_tried_again_only_while_that_can_help() -> None:
    assert [pause_after_failure(tries, "ACQ.SELLER_BALANCE_NOT_ENOUGH") for tries in (1, 4, 5)] == [
        timedelta(seconds=10),
        timedelta(seconds=1800),
        None,
    ]
    assert pause_after_failure(1, "ACQ.TRADE_HAS_FINISHED") is None
    assert pause_after_unknown(1) < pause_after_unknown(3) < pause_after_unknown(99) == timedelta(minutes=5)


@pytest.mark.parametrize(
    ("asked_on", "back_by"),
    [
        (datetime(2026, 11, 18, 4, tzinfo=UTC), date(2026, 11, 23)),  # Wednesday → over the weekend
        (datetime(2026, 9, 30, 4, tzinfo=UTC), date(2026, 10, 10)),  # the National Day week, and a worked Saturday
        (datetime(2026, 11, 18, 17, tzinfo=UTC), date(2026, 11, 24)),  # already Thursday in Shanghai
        (datetime(2030, 1, 4, 4, tzinfo=UTC), date(2030, 1, 9)),  # a year whose holidays nobody knows yet
    ],
)
def test_money_is_expected_by_chinas_working_days(asked_on: datetime, back_by: date) -> None:
    assert expected_by(asked_on) == back_by


@pytest.mark.parametrize(
    ("merchant", "account", "rail", "sub_merchant", "found"),
    [
        ("VERIFIED", "VERIFIED", "ZHIFUTONG", "2088", Payee(Rail.ZHIFUTONG, "2088")),
        ("VERIFIED", "VERIFIED", "TRANSFER", None, Payee(Rail.TRANSFER, None)),
        ("VERIFIED", "VERIFIED", "ZHIFUTONG", None, None),
        ("SUSPENDED", "VERIFIED", "ZHIFUTONG", "2088", None),
        ("VERIFIED", "SUBMITTED", "ZHIFUTONG", "2088", None),
        (None, None, None, None, None),
    ],
)
def test_a_merchant_is_paid_only_when_everything_is_verified(
    merchant: str | None, account: str | None, rail: str | None, sub_merchant: str | None, found: Payee | None
) -> None:
    assert payee(merchant, account, rail, sub_merchant) == found


def test_order_numbers_start_with_the_day_in_shanghai() -> None:
    number = new_order_no(datetime(2026, 11, 20, 17, tzinfo=UTC))

    assert number.startswith("261121")
    assert (len(number), number.isdigit()) == (20, True)


def test_every_entry_of_a_timeline_has_words_in_both_languages() -> None:
    assert set(TEXTS) == set(What)
    assert all(zh and en for zh, en in TEXTS.values())


def test_a_cursor_names_the_row_where_a_page_ended() -> None:
    id = new_id()
    assert read_cursor(cursor(NOON, id)) == (NOON, id)
    assert read_cursor(None) is None
    for text in ("", "x", "%%%", cursor(NOON, id)[:-4], "ümlaut", cursor(NOON.replace(tzinfo=None), id)):
        with pytest.raises(CursorInvalid):
            read_cursor(text)
