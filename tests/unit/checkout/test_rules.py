"""Checkout's pure rules: values, phones, moments to ask, refunds' patience and working days."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.checkout.domain.addresses import e164, masked_phone
from services.checkout.domain.offers import Payee, form_of, payee
from services.checkout.domain.orders import new_order_no, unit_values, value_of_uses_left
from services.checkout.domain.payments import Attempt, AttemptState, Channel, ask_for_code_again, next_question
from services.checkout.domain.refunds import expected_by, pause_after_failure, pause_after_unknown
from services.checkout.domain.refusals import PhoneInvalid
from services.checkout.domain.timeline import TEXTS, What
from services.settlement.domain.uses import Use, UseState, refunded_uses, value_of
from shared.contracts.catalog import DealForm, DealKind, Rail
from shared.contracts.checkout import UseValue
from shared.contracts.split import over_uses
from shared.ids import new_id

NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)


@given(st.integers(1, 10_000_000), st.integers(0, 100_000), st.integers(1, 10))
def test_no_fen_is_lost_or_made_when_a_delivery_fee_is_spread(price_fen: int, fee_fen: int, quantity: int) -> None:
    values = [value for (value,) in unit_values(price_fen, fee_fen, quantity)]

    assert sum(value.paid_fen for value in values) == price_fen * quantity + fee_fen
    assert sum(value.delivery_fen for value in values) == fee_fen
    assert max(value.paid_fen for value in values) - min(value.paid_fen for value in values) <= 1


@st.composite
def a_value_with_uses(draw: st.DrawFn) -> tuple[UseValue, int]:
    """A unit worth at least a fen per use, of which others may get any part, up to all of it."""
    uses = draw(st.integers(1, 100))
    paid_fen = draw(st.integers(uses, 100_000))
    cuts = sorted(draw(st.lists(st.integers(0, paid_fen), min_size=3, max_size=3)))
    value = UseValue(
        paid_fen=paid_fen,
        delivery_fen=draw(st.integers(0, paid_fen)),
        merchant_subsidy_fen=draw(st.integers(0, 1_000)),
        platform_subsidy_fen=draw(st.integers(0, 1_000)),
        commission_fen=cuts[0],
        creator_share_fen=cuts[1] - cuts[0],
        agency_share_fen=cuts[2] - cuts[1],
    )
    return value, uses


@given(a_value_with_uses())
def test_a_card_is_worth_the_sum_of_its_uses_and_every_use_something(case: tuple[UseValue, int]) -> None:
    unit, count = case
    uses = over_uses(unit, count)

    assert len(uses) == count
    for name in UseValue.model_fields:
        assert sum(getattr(use, name) for use in uses) == getattr(unit, name), name
    for use in uses:
        assert use.paid_fen > 0
        assert 0 <= use.delivery_fen <= use.paid_fen
        assert use.commission_fen + use.creator_share_fen + use.agency_share_fen <= use.paid_fen


@given(a_value_with_uses(), st.data())
def test_what_was_used_and_what_is_left_of_a_card_make_the_whole(
    case: tuple[UseValue, int], data: st.DataObject
) -> None:
    unit, count = case
    left = data.draw(st.integers(0, count))
    uses = over_uses(unit, count)

    used_fen = sum(use.paid_fen for use in uses[: count - left])

    assert used_fen + value_of_uses_left(uses, left) == unit.paid_fen


@given(a_value_with_uses(), st.data())
def test_a_refund_of_a_part_used_card_takes_the_uses_that_settlement_holds(
    case: tuple[UseValue, int], data: st.DataObject
) -> None:
    unit, count = case
    left = data.draw(st.integers(1, count))
    id, uses = new_id(), over_uses(unit, count)
    booked = [
        Use(id, no, id, id, UseState.USED if no <= count - left else UseState.HELD, value_of(use))
        for no, use in enumerate(uses, start=1)
    ]

    given_back = refunded_uses(booked, value_of_uses_left(uses, left))

    assert given_back == tuple(booked[count - left :])


def test_the_first_uses_of_a_card_carry_the_remainder() -> None:
    assert [use.paid_fen for use in over_uses(UseValue(paid_fen=10_000), 3)] == [3_334, 3_333, 3_333]
    assert [len(uses) for uses in unit_values(9_900, 0, 2, 10)] == [10, 10]


@pytest.mark.parametrize(
    ("said", "kind", "form"),
    [
        (None, DealKind.VOUCHER, DealForm.SET),
        (None, DealKind.GOODS, DealForm.GOODS),
        ("TIMES_CARD", DealKind.VOUCHER, DealForm.TIMES_CARD),
    ],
)
def test_a_deal_from_before_forms_existed_has_the_form_of_its_kind(
    said: str | None, kind: DealKind, form: DealForm
) -> None:
    assert form_of(said, kind) is form


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
        new_id(), new_id(), Channel.ALIPAY_WAP, 1, Payee(Rail.ZHIFUTONG, "2088"), state, NOON,
        NOON + timedelta(minutes=15), None, None, asked,
    )  # fmt: skip


def test_the_channel_is_asked_on_a_schedule_that_ends_at_the_expiry() -> None:
    asked: list[float] = []
    now = NOON
    while now < attempt().expires_at:
        now = next_question(attempt(), now)
        asked.append((now - NOON).total_seconds())

    assert asked == [10, 30, 60, 120, 300, 900]


def test_a_code_that_never_comes_is_asked_for_some_twenty_times_in_the_time_to_pay() -> None:
    asked: list[float] = []
    now = NOON
    while (now := ask_for_code_again(attempt(), now)) < attempt().expires_at:
        asked.append((now - NOON).total_seconds())

    assert asked[:5] == [2, 4, 6, 9, 13.5]
    assert len(asked) == 23
    assert max(later - earlier for earlier, later in pairwise(asked)) == 60


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
        ("APPLIED", "VERIFIED", "ZHIFUTONG", "2088", None),
        ("REJECTED", "VERIFIED", "ZHIFUTONG", "2088", None),
        ("SUSPENDED", "VERIFIED", "ZHIFUTONG", "2088", None),
        ("VERIFIED", "SUBMITTED", "ZHIFUTONG", "2088", None),
        ("VERIFIED", "REJECTED", "ZHIFUTONG", "2088", None),
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
