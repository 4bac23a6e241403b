"""Orders nobody paid in time, attempts that replace each other, and money that comes too late or twice."""

import pytest

from shared.contracts.checkout import OrderPaid
from shared.ids import derived_id, new_id
from tests.integration.checkout.catalog_side import Deal
from tests.integration.checkout.stage import Stage, a_buyer, code_of
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("alipay_sandbox")


async def test_an_unopened_order_is_closed_at_its_time_and_gives_its_stock_back(stage: Stage) -> None:
    deal, buyer = await stage.sell(Deal(limit=1)), a_buyer()
    purchase = await stage.placed(deal, buyer)

    stage.later(minutes=15, seconds=1)
    await stage.act("order_expired", purchase.order_id)

    assert await purchase.state() == "CLOSED"
    assert await stage.stock(deal) == (0, 0)
    assert code_of(await purchase.open_payment()) == (409, "order_not_payable")
    assert (await stage.place(deal, buyer)).status_code == 201


@pytest.mark.parametrize("opened", [True, False])
async def test_an_order_with_a_live_attempt_is_closed_only_by_the_channels_word(stage: Stage, opened: bool) -> None:
    deal = await stage.sell()
    purchase = await stage.placed(deal)
    pay_url = await purchase.pay_url()
    if opened:
        await purchase.at_cashier(pay_url, "fail")

    stage.later(minutes=16)
    await stage.act("order_expired", purchase.order_id)
    assert await purchase.state() == "PLACED"
    assert await stage.stock(deal) == (1, 0)

    await stage.faults("http_500", "trade.close", "trade.query")
    await stage.act("ask_channel", purchase.attempt_id)
    assert await purchase.state() == "PLACED"

    stage.later(minutes=1)
    await stage.act("ask_channel", purchase.attempt_id)
    assert await purchase.state() == "CLOSED"
    assert await stage.stock(deal) == (0, 0)


async def test_money_that_arrived_before_the_close_pays_the_order_even_past_its_time(stage: Stage) -> None:
    purchase = await stage.placed(await stage.sell())
    await purchase.at_cashier(await purchase.pay_url(), "no_notify")

    stage.later(minutes=16)
    await stage.act("order_expired", purchase.order_id)
    await stage.act("ask_channel", purchase.attempt_id)

    assert await purchase.state() == "PAID"


async def test_money_after_the_close_goes_back_and_the_order_stays_closed(stage: Stage) -> None:
    deal = await stage.sell()
    purchase = await stage.placed(deal)
    pay_url = await purchase.pay_url()
    stage.later(minutes=16)
    await stage.act("order_expired", purchase.order_id)
    await stage.act("ask_channel", purchase.attempt_id)
    assert await purchase.state() == "CLOSED"

    await purchase.at_cashier(pay_url, "duplicated")
    refund_id = derived_id(purchase.attempt_id, "LATE_CAPTURE")
    await eventually(lambda: stage.timer("send_refund", refund_id), what="the return is scheduled")
    await stage.act("send_refund", refund_id)

    order = await purchase.view()
    assert (order["state"], order["refunded_fen"]) == ("CLOSED", 0)
    assert [(one["cause"], one["state"]) for one in order["refunds"]] == [("LATE_CAPTURE", "SUCCEEDED")]
    assert await stage.book(purchase.out_trade_no) == [("payment", 12_800), ("refund", 12_800)]
    assert await stage.said(OrderPaid, purchase.order_id) == []
    assert await stage.misfits(purchase.attempt_id, deal.deal_id) == []
    money = await stage.money_of(purchase.order_id)
    assert (money["received_fen"], money["outside_fen"], money["refunded_fen"]) == (12_800, 12_800, 12_800)
    assert money["state"] == "CLOSED"


async def test_an_earlier_attempt_is_closed_at_the_channel_before_the_next(stage: Stage) -> None:
    purchase = await stage.placed(await stage.sell())
    await purchase.at_cashier(await purchase.pay_url(), "fail")

    second = new_id()
    answer = await purchase.open_payment(second)

    assert (answer.status_code, answer.json()["state"]) == (201, "OPEN")
    first = await stage.sandbox.get(f"/_sim/alipay/trades/{purchase.out_trade_no}")
    assert first.json()["trade_status"] == "TRADE_CLOSED"
    assert (await purchase.open_payment()).json()["state"] == "CLOSED"


async def test_an_earlier_attempt_that_was_paid_meanwhile_pays_the_order(stage: Stage) -> None:
    purchase = await stage.placed(await stage.sell())
    await purchase.at_cashier(await purchase.pay_url(), "no_notify")

    assert code_of(await purchase.open_payment(new_id())) == (409, "order_not_payable")
    assert await purchase.state() == "PAID"


async def test_a_channel_that_does_not_answer_opens_no_second_attempt(stage: Stage) -> None:
    purchase = await stage.placed(await stage.sell())
    await purchase.pay_url()
    await stage.faults("unknown_code", "trade.close", "trade.query")

    assert code_of(await purchase.open_payment(new_id())) == (409, "previous_payment_open")


async def test_money_on_an_attempt_that_was_given_up_goes_back_while_the_next_pays(stage: Stage) -> None:
    deal = await stage.sell()
    purchase = await stage.placed(deal)
    first_url = await purchase.pay_url()  # never opened, so the channel knows nothing to close
    second = new_id()
    second_url = await purchase.pay_url(second)

    await purchase.at_cashier(first_url, "success")
    refund_id = derived_id(purchase.attempt_id, "LATE_CAPTURE")
    await eventually(lambda: stage.timer("send_refund", refund_id), what="the return is scheduled")
    await purchase.at_cashier(second_url, "success")
    await eventually(lambda: purchase.is_in("PAID"), what="the second attempt pays")
    await stage.act("send_refund", refund_id)

    (paid,) = await stage.said(OrderPaid, purchase.order_id)
    assert paid.out_trade_no == second.hex
    assert await stage.book(purchase.out_trade_no) == [("payment", 12_800), ("refund", 12_800)]
    money = await stage.money_of(purchase.order_id)
    assert (money["received_fen"], money["outside_fen"], money["refunded_fen"]) == (25_600, 12_800, 12_800)
    assert money["out_trade_nos"] == sorted([purchase.out_trade_no, second.hex])
    assert await stage.misfits(purchase.order_id, purchase.attempt_id, second, deal.deal_id) == []


async def test_an_order_paid_twice_keeps_the_first_payment_and_returns_the_second(stage: Stage) -> None:
    deal = await stage.sell()
    purchase, second = await stage.placed(deal), new_id()
    first_url = await purchase.pay_url()  # never opened, so the channel knows nothing to close
    await purchase.at_cashier(await purchase.pay_url(second), "success")
    await eventually(lambda: purchase.is_in("PAID"), what="the second attempt pays")

    await purchase.at_cashier(first_url, "duplicated")
    refund_id = derived_id(purchase.attempt_id, "SECOND_CAPTURE")
    await eventually(lambda: stage.timer("send_refund", refund_id), what="the return is scheduled")
    await stage.act("send_refund", refund_id)

    (paid,) = await stage.said(OrderPaid, purchase.order_id)
    assert paid.out_trade_no == second.hex
    order = await purchase.view()
    assert (order["state"], order["refunded_fen"]) == ("PAID", 0)
    assert [(one["cause"], one["state"]) for one in order["refunds"]] == [("SECOND_CAPTURE", "SUCCEEDED")]
    assert await stage.book(purchase.out_trade_no) == [("payment", 12_800), ("refund", 12_800)]
    assert await stage.book(second.hex) == [("payment", 12_800)]
    assert await stage.stock(deal) == (0, 1)
    assert await stage.misfits(purchase.order_id, purchase.attempt_id, second, deal.deal_id) == []
