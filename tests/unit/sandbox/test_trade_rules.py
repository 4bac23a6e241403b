"""How the money of one trade divides, whatever is refunded and confirmed in whatever order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sandbox.domain.refusals import AlipayRefusal
from services.sandbox.domain.trade import Trade, TradeState, aged, check_closable, fee_of_confirm, split_refund

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def paid_trade(total_fen: int = 12800) -> Trade:
    return Trade(
        trade_no="2026112222001000000000000001",
        out_trade_no="a",
        subject="套餐",
        total_fen=total_fen,
        state=TradeState.TRADE_SUCCESS,
        smid="2088123412341234",
        settle_info="",
        passback_params="",
        notify_url="",
        return_url="",
        quit_url="",
        buyer_id="2088",
        created_at=NOW,
        expires_at=NOW + timedelta(minutes=15),
        paid_at=NOW,
        closed_at=None,
        refunded_fen=0,
        clawed_back_fen=0,
        confirmed_fen=0,
    )


def unpaid_trade() -> Trade:
    return replace(paid_trade(), state=TradeState.WAIT_BUYER_PAY, paid_at=None)


def refusal_of_refund(trade: Trade, amount_fen: int, balance_fen: int = 0) -> str:
    with pytest.raises(AlipayRefusal) as refused:
        split_refund(trade, amount_fen, balance_fen)
    return refused.value.sub_code


def test_an_unpaid_trade_closes_when_its_time_is_over() -> None:
    assert aged(unpaid_trade(), NOW + timedelta(minutes=14, seconds=59), 365) is TradeState.WAIT_BUYER_PAY
    assert aged(unpaid_trade(), NOW + timedelta(minutes=15), 365) is TradeState.TRADE_CLOSED


def test_a_paid_trade_finishes_when_its_refund_term_is_over() -> None:
    assert aged(paid_trade(), NOW + timedelta(days=364), 365) is TradeState.TRADE_SUCCESS
    assert aged(paid_trade(), NOW + timedelta(days=365), 365) is TradeState.TRADE_FINISHED
    finished = replace(paid_trade(), state=TradeState.TRADE_FINISHED)
    assert refusal_of_refund(finished, 1) == "ACQ.TRADE_HAS_FINISHED"


def test_only_an_unpaid_trade_can_be_closed() -> None:
    check_closable(unpaid_trade())
    with pytest.raises(AlipayRefusal):
        check_closable(paid_trade())


def test_a_refund_takes_held_money_first_and_then_the_merchants_own() -> None:
    half_settled = replace(paid_trade(), confirmed_fen=10000)
    split = split_refund(half_settled, 5000, merchant_balance_fen=9940)
    assert (split.from_held_fen, split.from_merchant_fen, split.closes_trade) == (2800, 2200, False)


def test_a_refund_that_the_merchants_balance_cannot_pay_is_refused() -> None:
    settled = replace(paid_trade(), confirmed_fen=12800)
    assert refusal_of_refund(settled, 12800, balance_fen=12723) == "ACQ.SELLER_BALANCE_NOT_ENOUGH"


def test_more_than_was_paid_is_never_refunded() -> None:
    assert refusal_of_refund(paid_trade(), 12801) == "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"
    assert refusal_of_refund(unpaid_trade(), 1) == "ACQ.TRADE_STATUS_ERROR"


def test_a_trade_without_a_sub_merchant_cannot_be_confirmed() -> None:
    with pytest.raises(AlipayRefusal) as refused:
        fee_of_confirm(replace(paid_trade(), smid=None), 100, 60, partial_allowed=True)
    assert refused.value.sub_code == "ACQ.TRADE_SETTLE_ERROR"


def test_without_partial_confirms_only_the_whole_held_sum_is_confirmed() -> None:
    trade = replace(paid_trade(), refunded_fen=800)
    assert fee_of_confirm(trade, 12000, 60, partial_allowed=False) == 72
    with pytest.raises(AlipayRefusal):
        fee_of_confirm(trade, 6000, 60, partial_allowed=False)


@given(st.lists(st.tuples(st.sampled_from(["refund", "confirm"]), st.integers(1, 3000)), max_size=30))
def test_no_order_of_refunds_and_confirms_lets_out_more_than_came_in(steps: list[tuple[str, int]]) -> None:
    trade, net_to_merchant_fen, fees_fen = paid_trade(5000), 0, 0
    for kind, amount_fen in steps:
        try:
            if kind == "refund":
                split = split_refund(trade, amount_fen, net_to_merchant_fen)
                net_to_merchant_fen -= split.from_merchant_fen
                trade = replace(
                    trade,
                    refunded_fen=trade.refunded_fen + amount_fen,
                    clawed_back_fen=trade.clawed_back_fen + split.from_merchant_fen,
                    state=TradeState.TRADE_CLOSED if split.closes_trade else trade.state,
                )
            else:
                fee_fen = fee_of_confirm(trade, amount_fen, 60, partial_allowed=True)
                fees_fen += fee_fen
                net_to_merchant_fen += amount_fen - fee_fen
                trade = replace(trade, confirmed_fen=trade.confirmed_fen + amount_fen)
        except AlipayRefusal:
            continue
        assert trade.held_fen >= 0
        assert net_to_merchant_fen >= 0
        assert trade.total_fen == trade.refunded_fen + net_to_merchant_fen + fees_fen + trade.held_fen
