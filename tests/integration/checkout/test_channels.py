"""The four ways to pay with Alipay, each at a real sandbox that checks our signature with code of its own."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from services.checkout.domain.payments import CodeAnswer
from services.checkout.use_cases import payments
from shared.clock import SHANGHAI
from shared.contracts.checkout import OrderPaid
from shared.ids import derived_id, new_id
from tests.integration.checkout.stage import Purchase, Stage, code_of
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("alipay_sandbox")

WAYS = ["ALIPAY_WAP", "ALIPAY_APP", "ALIPAY_PAGE", "ALIPAY_QR"]
FIELD = {"ALIPAY_WAP": "pay_url", "ALIPAY_PAGE": "pay_url", "ALIPAY_APP": "app_order", "ALIPAY_QR": "qr_code"}


async def opened(purchase: Purchase, way: str, attempt_id: Any = None) -> str:
    """What the buyer gets to pay by, which must be all that the answer has."""
    answer = await purchase.open_payment(attempt_id, way)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert [name for name in ("pay_url", "app_order", "qr_code") if body[name]] == [FIELD[way]]
    assert (body["qr_svg"] is not None) is (way == "ALIPAY_QR")
    return str(body[FIELD[way]])


async def pay(stage: Stage, purchase: Purchase, way: str, by: str, scenario: str = "no_notify") -> dict[str, Any]:
    """The buyer opens what they were given, and finishes as the scenario says; the trade at Alipay."""
    trade: dict[str, Any]
    if way == "ALIPAY_APP":
        answer = await stage.sandbox.post("/_sim/alipay/app", json={"order_string": by, "scenario": scenario})
        assert answer.status_code == 200, answer.text
        trade = answer.json()
    elif way == "ALIPAY_QR":
        assert (await stage.sandbox.get(by)).status_code == 200
        assert (await stage.sandbox.post(by, data={"scenario": scenario})).status_code in (200, 303)
        number = (await stage.value("select attempt_id from payment_attempts where qr_code = $1", by)).hex
        trade = (await stage.sandbox.get(f"/_sim/alipay/trades/{number}")).json()
    else:
        trade = await purchase.at_cashier(by, scenario)
    return trade


@pytest.mark.parametrize("way", WAYS)
async def test_each_way_takes_the_money_to_the_sub_merchant_before_the_orders_end(stage: Stage, way: str) -> None:
    deal = await stage.sell()
    purchase = await stage.placed(deal)

    trade = await pay(stage, purchase, way, await opened(purchase, way))
    stage.later(seconds=11)
    await stage.act("ask_channel", purchase.attempt_id)

    assert await purchase.state() == "PAID"
    assert trade["smid"] == "2088123412341234"
    assert trade["expires_at"][:19] == (await purchase.view())["expires_at"][:19]
    (paid,) = await stage.said(OrderPaid, purchase.order_id)
    assert (paid.out_trade_no, paid.paid_fen) == (purchase.out_trade_no, 12_800)
    assert await stage.misfits(purchase.order_id, purchase.attempt_id, deal.deal_id) == []


@pytest.mark.parametrize("way", WAYS)
async def test_the_notify_of_each_way_reaches_us(stage: Stage, way: str) -> None:
    purchase = await stage.placed(await stage.sell())

    trade = await pay(stage, purchase, way, await opened(purchase, way), "success")

    assert trade["notifies"], "the trade knows where to announce its payment"
    await eventually(lambda: purchase.is_in("PAID"), what="the notify pays the order")


@pytest.mark.parametrize(
    ("way", "product", "method"),
    [
        ("ALIPAY_WAP", "QUICK_WAP_PAY", "alipay.trade.wap.pay"),
        ("ALIPAY_PAGE", "FAST_INSTANT_TRADE_PAY", "alipay.trade.page.pay"),
        ("ALIPAY_APP", "QUICK_MSECURITY_PAY", "alipay.trade.app.pay"),
    ],
)
async def test_what_the_buyer_opens_names_product_payee_and_end(
    stage: Stage, way: str, product: str, method: str
) -> None:
    purchase = await stage.placed(await stage.sell())
    given = await opened(purchase, way)

    fields = dict(parse_qsl(given if way == "ALIPAY_APP" else urlsplit(given).query, strict_parsing=True))
    content = json.loads(fields["biz_content"])
    assert (fields["method"], content["product_code"]) == (method, product)
    assert content["sub_merchant"] == {"merchant_id": "2088123412341234"}
    assert content["settle_info"] == {
        "settle_detail_infos": [{"trans_in_type": "defaultSettle", "amount": content["total_amount"]}]
    }
    expires_at = datetime.fromisoformat((await purchase.view())["expires_at"])
    assert content["time_expire"] == f"{expires_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"
    assert fields["notify_url"].endswith("/alipay/notify")
    assert ("return_url" in fields) is (way != "ALIPAY_APP")
    assert ("quit_url" in content) is (way == "ALIPAY_WAP")


@pytest.mark.parametrize("first", WAYS)
async def test_another_way_closes_the_first_at_the_channel(stage: Stage, first: str) -> None:
    deal = await stage.sell()
    second = WAYS[(WAYS.index(first) + 1) % len(WAYS)]
    purchase, other = await stage.placed(deal), new_id()
    await pay(stage, purchase, first, await opened(purchase, first), "fail")

    given = await opened(purchase, second, other)

    closed = (await stage.sandbox.get(f"/_sim/alipay/trades/{purchase.out_trade_no}")).json()
    assert closed["trade_status"] == "TRADE_CLOSED"
    again = (await purchase.open_payment(None, first)).json()
    assert (again["state"], again[FIELD[first]]) == ("CLOSED", None)
    await pay(stage, purchase, second, given)
    stage.later(seconds=11)
    await stage.act("ask_channel", other)
    assert await purchase.state() == "PAID"


async def test_an_attempt_keeps_its_way(stage: Stage) -> None:
    purchase = await stage.placed(await stage.sell())
    await opened(purchase, "ALIPAY_QR")

    assert code_of(await purchase.open_payment(channel="ALIPAY_APP")) == (409, "id_taken")
    assert (await purchase.open_payment(channel="BY_POST")).status_code == 422


async def test_the_same_code_is_shown_again_and_nothing_once_the_time_is_over(stage: Stage) -> None:
    purchase = await stage.placed(await stage.sell())

    assert await opened(purchase, "ALIPAY_QR") == await opened(purchase, "ALIPAY_QR")
    assert await stage.timer("fetch_code", purchase.attempt_id) is None
    stage.later(minutes=15)
    late = (await purchase.open_payment(channel="ALIPAY_QR")).json()
    assert (late["state"], late["qr_code"], late["qr_svg"]) == ("OPEN", None, None)


@pytest.mark.parametrize(
    "fault", ["commit_then_http_500", "unknown_code", "html_body", "bad_signature", "throttle", "http_500"]
)
@pytest.mark.parametrize("who", ["buyer", "timer"])
async def test_a_code_that_did_not_come_is_asked_for_again_under_the_same_number(
    stage: Stage, fault: str, who: str
) -> None:
    purchase = await stage.placed(await stage.sell())
    await stage.faults(fault, "trade.precreate")

    answer = (await purchase.open_payment(channel="ALIPAY_QR")).json()
    assert (answer["state"], answer["qr_code"]) == ("OPEN", None)
    due = await stage.timer("fetch_code", purchase.attempt_id)
    assert due is not None
    assert due <= stage.now() + timedelta(seconds=3)
    if who == "timer":
        await stage.act_when_due("fetch_code", purchase.attempt_id)
        assert await stage.timer("fetch_code", purchase.attempt_id) is None
    await pay(stage, purchase, "ALIPAY_QR", await opened(purchase, "ALIPAY_QR"))

    stage.later(seconds=11)
    await stage.act("ask_channel", purchase.attempt_id)
    assert await purchase.state() == "PAID"
    assert await stage.book(purchase.out_trade_no) == [("payment", 12_800)]


async def test_a_code_that_never_comes_is_given_up_at_the_orders_end(stage: Stage) -> None:
    deal = await stage.sell()
    purchase = await stage.placed(deal)
    await stage.faults("unknown_code", "trade.precreate")
    await purchase.open_payment(channel="ALIPAY_QR")

    stage.later(minutes=15, seconds=1)
    await stage.act("fetch_code", purchase.attempt_id)
    assert await stage.timer("fetch_code", purchase.attempt_id) is None
    ask = "select count(*) from payment_attempts where attempt_id = $1 and qr_code is null"
    assert await stage.value(ask, purchase.attempt_id) == 1, "nobody was asked any more"
    await stage.act("order_expired", purchase.order_id)
    await stage.act("ask_channel", purchase.attempt_id)

    assert await purchase.state() == "CLOSED"
    assert await stage.stock(deal) == (0, 0)


async def test_a_refused_code_says_so_and_another_way_is_open(stage: Stage) -> None:
    purchase = await stage.placed(await stage.sell())
    await stage.faults("business_error", "trade.precreate", code="ACQ.TOTAL_FEE_EXCEED")

    refused = await purchase.open_payment(channel="ALIPAY_QR")
    assert code_of(refused) == (409, "payment_not_offered")
    assert refused.json()["reason"] == "ACQ.TOTAL_FEE_EXCEED"
    assert await stage.timer("fetch_code", purchase.attempt_id) is None
    assert await stage.timer("ask_channel", purchase.attempt_id) is not None

    await opened(purchase, "ALIPAY_WAP", new_id())
    assert (await purchase.open_payment(channel="ALIPAY_QR")).json()["state"] == "CLOSED"


async def test_a_refusal_because_it_is_paid_already_ends_as_a_payment(stage: Stage) -> None:
    purchase = await stage.placed(await stage.sell())
    await stage.faults("commit_then_http_500", "trade.precreate")
    await purchase.open_payment(channel="ALIPAY_QR")
    # Somebody scanned the code of the lost answer.
    body = {"out_trade_no": purchase.out_trade_no, "scenario": "no_notify"}
    assert (await stage.sandbox.post("/_sim/alipay/pay", json=body)).status_code == 200

    refused = await purchase.open_payment(channel="ALIPAY_QR")
    assert (code_of(refused), refused.json()["reason"]) == ((409, "payment_not_offered"), "ACQ.TRADE_HAS_SUCCESS")
    await stage.act("ask_channel", purchase.attempt_id)
    assert await purchase.state() == "PAID"


async def test_an_answer_about_a_code_does_not_close_the_attempt_that_came_after(stage: Stage) -> None:
    purchase, later = await stage.placed(await stage.sell()), new_id()
    gateway = stage.world.payments
    await stage.faults("unknown_code", "trade.precreate")
    await purchase.open_payment(channel="ALIPAY_QR")
    async with stage.db.transaction() as tx:
        fetching = await payments.start_fetching(tx, purchase.attempt_id)
    assert fetching is not None
    await opened(purchase, "ALIPAY_PAGE", later)
    await stage.faults("business_error", "trade.precreate", code="ACQ.TRADE_HAS_CLOSE")
    answer = await gateway.fetch_code(fetching[0], fetching[1].title)

    async with stage.db.transaction() as tx:
        await payments.record_code(tx, fetching[0], answer)

    assert answer.refusal == "ACQ.TRADE_HAS_CLOSE"
    assert (await purchase.open_payment(later, "ALIPAY_PAGE")).json()["state"] == "OPEN"


async def test_any_number_may_ask_for_a_code_and_all_see_the_same(stage: Stage) -> None:
    purchase = await stage.placed(await stage.sell())
    await stage.faults("unknown_code", "trade.precreate")
    await purchase.open_payment(channel="ALIPAY_QR")
    async with stage.db.transaction() as tx:
        fetching = await payments.start_fetching(tx, purchase.attempt_id)
    assert fetching is not None

    shown = await opened(purchase, "ALIPAY_QR")
    async with stage.db.transaction() as tx:
        await payments.record_code(tx, fetching[0], CodeAnswer(code=f"{shown}?of=a-slow-process"))
    at_once = await asyncio.gather(*(opened(purchase, "ALIPAY_QR") for _ in range(4)))

    assert {shown, *at_once} == {shown}
    assert await stage.value("select count(*) from payment_attempts where order_id = $1", purchase.order_id) == 1


async def test_a_code_scanned_after_its_attempt_was_given_up_gives_the_money_back(stage: Stage) -> None:
    purchase = await stage.placed(await stage.sell())
    code = await opened(purchase, "ALIPAY_QR")
    await opened(purchase, "ALIPAY_WAP", new_id())  # nobody had scanned, so the channel knew nothing to close

    await pay(stage, purchase, "ALIPAY_QR", code, "success")
    refund_id = derived_id(purchase.attempt_id, "LATE_CAPTURE")
    await eventually(lambda: stage.timer("send_refund", refund_id), what="the return is scheduled")
    await stage.act("send_refund", refund_id)

    assert await stage.book(purchase.out_trade_no) == [("payment", 12_800), ("refund", 12_800)]
    assert await purchase.state() == "PLACED"
