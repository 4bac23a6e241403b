"""Paying at a real sandbox: notify and query in every order, late and double money, and what is left to an operator."""

import asyncio
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from alipay import AliPay

from services.checkout.domain.payments import Trade, TradeState
from services.checkout.use_cases import payments
from shared.contracts.address import Address
from shared.contracts.catalog import DealKind, MerchantState, Rail
from shared.contracts.checkout import OrderPaid
from shared.ids import derived_id, new_id
from shared.sealed import Seals
from tests.integration.checkout.stage import Deal, Purchase, Stage, a_buyer, code_of
from tests.support.environment import Environment
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("alipay_sandbox")


async def test_a_genuine_notify_pays_the_order_and_says_everything_others_need(stage: Stage) -> None:
    deal = await stage.sell()
    purchase = await stage.placed(deal, quantity=2)

    await purchase.at_cashier(await purchase.pay_url(), "success")
    await eventually(lambda: _is(purchase, "PAID"), what="the notify pays the order")

    (paid,) = await stage.said(OrderPaid, purchase.order_id)
    assert paid.paid_fen == 2 * 12_800 == sum(use.paid_fen for unit in paid.units for use in unit.uses)
    assert [unit.unit_id for unit in paid.units] == await purchase.unit_ids()
    assert (paid.rail, paid.sub_merchant_id) == (Rail.ZHIFUTONG, "2088123412341234")
    assert (paid.out_trade_no, paid.buyer, paid.kind) == (purchase.out_trade_no, purchase.buyer, DealKind.VOUCHER)
    assert await stage.stock(deal) == (0, 2)
    assert await stage.timer("order_expired", purchase.order_id) is None
    assert await stage.timer("ask_channel", purchase.attempt_id) is None
    assert [entry["what"] for entry in (await purchase.view())["timeline"]] == ["PLACED", "PAID"]


async def test_the_link_carries_expiry_and_payee(stage: Stage) -> None:
    purchase = await stage.placed(await stage.sell())
    trade = await purchase.at_cashier(await purchase.pay_url(), "cancel")

    expires_at = (await purchase.view())["expires_at"]
    assert trade["smid"] == "2088123412341234"
    assert trade["expires_at"][:19] == expires_at[:19]
    assert f"/orders/{purchase.order_id}/result?" in trade["return_url"]


async def test_the_address_goes_out_sealed_for_dispatch_only(stage: Stage) -> None:
    purchase = await stage.paid(await stage.sell(Deal(kind=DealKind.GOODS, fee_fen=600)))

    (paid,) = await stage.said(OrderPaid, purchase.order_id)

    assert paid.delivery is not None
    assert paid.delivery.sealed_address.startswith("1.dispatch.")
    address = Address.model_validate_json(stage.world.seals.open(paid.delivery.sealed_address))
    assert (address.phone, address.district) == ("+8613800138000", "锦江区")
    assert paid.delivery.fee_fen == 600
    assert "春熙路" not in paid.model_dump_json()


async def test_a_notify_three_times_pays_once(stage: Stage) -> None:
    deal = await stage.sell()
    purchase = await stage.placed(deal)

    await purchase.at_cashier(await purchase.pay_url(), "duplicated")
    await eventually(lambda: _notified(stage, purchase), what="all copies are delivered")

    assert await purchase.state() == "PAID"
    assert len(await stage.said(OrderPaid, purchase.order_id)) == 1
    assert await stage.stock(deal) == (0, 1)


async def test_a_tampered_notify_is_refused_and_the_genuine_one_pays(stage: Stage) -> None:
    purchase = await stage.placed(await stage.sell())

    await purchase.at_cashier(await purchase.pay_url(), "tampered")
    await eventually(lambda: _is(purchase, "PAID"), what="the genuine notify arrives after the tampered one")

    (paid,) = await stage.said(OrderPaid, purchase.order_id)
    assert paid.paid_fen == 12_800


async def test_without_any_notify_the_channel_is_asked_on_schedule(stage: Stage) -> None:
    purchase = await stage.placed(await stage.sell())
    pay_url = await purchase.pay_url()
    opened_at = stage.now()

    stage.later(seconds=11)
    await stage.act("ask_channel", purchase.attempt_id)
    due = await stage.timer("ask_channel", purchase.attempt_id)
    assert due is not None
    assert 25 < (due - opened_at).total_seconds() < 31
    assert await purchase.state() == "PLACED"

    await purchase.at_cashier(pay_url, "no_notify")
    stage.later(seconds=20)
    await stage.act("ask_channel", purchase.attempt_id)
    assert await purchase.state() == "PAID"


async def test_an_answer_that_cannot_be_trusted_settles_nothing(stage: Stage) -> None:
    purchase = await stage.placed(await stage.sell())
    await purchase.at_cashier(await purchase.pay_url(), "no_notify")

    for fault in ("http_500", "html_body", "bad_signature", "unknown_code", "throttle"):
        await stage.faults(fault, "trade.query")
        await stage.act_when_due("ask_channel", purchase.attempt_id)
        assert await purchase.state() == "PLACED", fault

    await stage.act_when_due("ask_channel", purchase.attempt_id)
    assert await purchase.state() == "PAID"


async def test_an_amount_that_differs_is_left_to_an_operator_and_issues_nothing(stage: Stage) -> None:
    deal = await stage.sell()
    purchase = await stage.placed(deal)

    await purchase.at_cashier(await purchase.pay_url(), "amount_mismatch")
    operator = await stage.operator()
    incident = await eventually(lambda: _incident(stage, operator, purchase), what="the incident is recorded")

    assert (incident["kind"], incident["amount_fen"], incident["claimed_fen"]) == ("AMOUNT_MISMATCH", 12_800, 12_799)
    assert await purchase.state() == "PLACED"
    assert await stage.said(OrderPaid, purchase.order_id) == []
    # Neither the buyer nor time can get around the operator.
    assert code_of(await purchase.open_payment(new_id())) == (409, "previous_payment_open")
    stage.later(minutes=16)
    await stage.act("order_expired", purchase.order_id)
    await stage.act("ask_channel", purchase.attempt_id)
    assert await purchase.state() == "PLACED"
    in_flight = (await stage.get(operator, "/admin/money")).json()["in_flight"]
    assert incident["incident_id"] in [one["id"] for one in in_flight if one["what"] == "amount_mismatch"]

    path = f"/admin/incidents/{incident['incident_id']}/resolution"
    assert code_of(await stage.put(a_buyer(), path, {"reason": "x"})) == (403, "forbidden")
    assert (await stage.put(operator, path, {"reason": "cleared with Alipay"})).status_code == 204
    await stage.act("ask_channel", purchase.attempt_id)
    assert await purchase.state() == "PAID"
    assert await stage.misfits(purchase.order_id, deal.deal_id) == []


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
    await eventually(lambda: _due(stage, "send_refund", refund_id), what="the return is scheduled")
    await stage.act("send_refund", refund_id)

    order = await purchase.view()
    assert (order["state"], order["refunded_fen"]) == ("CLOSED", 0)
    assert [(one["cause"], one["state"]) for one in order["refunds"]] == [("LATE_CAPTURE", "SUCCEEDED")]
    assert await stage.book(purchase.out_trade_no) == [("payment", 12_800), ("refund", 12_800)]
    assert await stage.said(OrderPaid, purchase.order_id) == []
    assert await stage.misfits(purchase.attempt_id, deal.deal_id) == []
    money = await _money_of(stage, purchase)
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
    await eventually(lambda: _due(stage, "send_refund", refund_id), what="the return is scheduled")
    await purchase.at_cashier(second_url, "success")
    await eventually(lambda: _is(purchase, "PAID"), what="the second attempt pays")
    await stage.act("send_refund", refund_id)

    (paid,) = await stage.said(OrderPaid, purchase.order_id)
    assert paid.out_trade_no == second.hex
    assert await stage.book(purchase.out_trade_no) == [("payment", 12_800), ("refund", 12_800)]
    money = await _money_of(stage, purchase)
    assert (money["received_fen"], money["outside_fen"], money["refunded_fen"]) == (25_600, 12_800, 12_800)
    assert money["out_trade_nos"] == sorted([purchase.out_trade_no, second.hex])
    assert await stage.misfits(purchase.order_id, purchase.attempt_id, second, deal.deal_id) == []


async def test_what_the_channel_says_may_come_in_any_order_and_any_number(stage: Stage) -> None:
    said = {
        "waiting": Trade(TradeState.WAITING, "t1", 12_800),
        "paid": Trade(TradeState.PAID, "t1", 12_800),
        "refunded": Trade(TradeState.PAID_AND_RETURNED, "t1", 12_800),
        "unknown": Trade(TradeState.UNKNOWN),
        "not there": Trade(TradeState.NOT_THERE),
    }
    deal = await stage.sell()
    for order in (["paid", "waiting", "refunded"], ["waiting", "not there", "paid", "paid"], ["unknown", "paid"]):
        purchase = await stage.placed(deal)
        await purchase.open_payment()
        await asyncio.gather(*(_hear(stage, purchase, said[one]) for one in [*order[:-1], "unknown"]))
        for one in order:
            await _hear(stage, purchase, said[one])
        assert await purchase.state() == "PAID", order
        assert len(await stage.said(OrderPaid, purchase.order_id)) == 1


async def test_money_returned_elsewhere_before_we_knew_of_it_is_left_to_an_operator(stage: Stage) -> None:
    purchase = await stage.placed(await stage.sell())
    await purchase.at_cashier(await purchase.pay_url(), "no_notify")
    body = {"out_trade_no": purchase.out_trade_no, "amount_fen": 12_800}
    assert (await stage.sandbox.post("/_sim/alipay/external-refund", json=body)).status_code == 200

    stage.later(minutes=16)
    await stage.act("order_expired", purchase.order_id)
    await stage.act("ask_channel", purchase.attempt_id)

    incident = await _incident(stage, await stage.operator(), purchase)
    assert incident is not None
    assert incident["kind"] == "REFUNDED_ELSEWHERE"
    assert await stage.said(OrderPaid, purchase.order_id) == []
    assert await purchase.state() == "CLOSED"


async def test_a_suspended_merchant_takes_no_money(stage: Stage) -> None:
    deal = await stage.sell()
    purchase = await stage.placed(deal)
    await stage.keep_merchant(deal, MerchantState.SUSPENDED, version=2)

    assert code_of(await purchase.open_payment()) == (409, "merchant_cannot_sell")


async def test_only_the_buyer_opens_a_payment_and_an_attempt_belongs_to_one_order(stage: Stage) -> None:
    deal = await stage.sell()
    purchase, other = await stage.placed(deal), await stage.placed(deal)
    stranger = Purchase(stage, deal, a_buyer(), purchase.order_id)

    assert code_of(await stranger.open_payment()) == (404, "order_not_found")
    await purchase.pay_url()
    assert code_of(await other.open_payment(purchase.attempt_id)) == (409, "id_taken")


async def test_the_independent_sdk_signs_a_notify_that_we_take_and_every_change_to_it_is_refused(
    stage: Stage, environment: Environment
) -> None:
    purchase = await stage.placed(await stage.sell())
    await purchase.pay_url()
    keys = environment.local.keys
    itself = AliPay(
        "2021000000000001", None, (keys / "alipay_private.pem").read_text(), (keys / "app_public.pem").read_text()
    )
    facts = {
        "app_id": "2021000000000001",
        "seller_id": "2088000000000001",
        "out_trade_no": purchase.out_trade_no,
        "trade_no": "2026112222001",
        "total_amount": "128.00",
        "trade_status": "TRADE_SUCCESS",
        "gmt_payment": "2036-11-22 12:00:00",
        "notify_id": "n1",
        "a_field_of_next_year": "新=字段&",
    }

    def signed(**changes: str) -> dict[str, str]:
        content = facts | changes
        text = "&".join(f"{name}={content[name]}" for name in sorted(content))
        return {**content, "sign_type": "RSA2", "sign": itself._sign(text)}

    async def post(form: dict[str, str]) -> str:
        answer = await stage.http.post("/alipay/notify", data=form)
        return answer.text

    assert await post(signed() | {"total_amount": "0.01"}) == "fail"
    assert await post(signed() | {"a_field_of_next_year": "other"}) == "fail"
    assert await post({name: value for name, value in signed().items() if name != "sign"}) == "fail"
    assert await post(signed(app_id="2021000000000002")) == "fail"
    assert await post(signed(seller_id="2088000000000009")) == "fail"
    assert await post(signed(out_trade_no=new_id().hex)) == "fail"
    assert await post(signed(out_trade_no="not-a-number")) == "fail"
    assert await post(signed(trade_status="SOMETHING_NEW")) == "fail"
    assert (await stage.http.post("/alipay/notify", content=b"\xff\xfe")).text == "fail"
    twice = urlencode([*signed().items(), ("total_amount", "0.01")])
    assert (await stage.http.post("/alipay/notify", content=twice.encode())).text == "fail"
    assert await purchase.state() == "PLACED"

    assert await post(signed(trade_status="WAIT_BUYER_PAY")) == "success"
    assert await purchase.state() == "PLACED"
    assert await post(signed()) == "success"
    assert await purchase.state() == "PAID"
    assert await post(signed()) == "success"
    (paid,) = await stage.said(OrderPaid, purchase.order_id)
    assert paid.paid_at.isoformat() == "2036-11-22T04:00:00+00:00"


async def test_success_is_answered_only_after_the_commit(stage: Stage, environment: Environment) -> None:
    deal = await stage.sell(Deal(kind=DealKind.GOODS))
    purchase = await stage.placed(deal)
    await purchase.at_cashier(await purchase.pay_url(), "no_notify")
    genuine = await _genuine_notify(stage, purchase, environment)
    seals = stage.world.seals
    # Without dispatch's key the order cannot be told, so the transaction fails as a whole.
    object.__setattr__(stage.world, "seals", Seals({"checkout": {"k": "A" * 43 + "="}}))

    answer = await stage.http.post("/alipay/notify", data=genuine)
    assert (answer.status_code, "success" in answer.text) == (500, False)
    assert await purchase.state() == "PLACED"

    object.__setattr__(stage.world, "seals", seals)
    assert (await stage.http.post("/alipay/notify", data=genuine)).text == "success"
    assert await purchase.state() == "PAID"


async def _genuine_notify(stage: Stage, purchase: Purchase, environment: Environment) -> dict[str, str]:
    trade = (await stage.sandbox.get(f"/_sim/alipay/trades/{purchase.out_trade_no}")).json()
    keys = environment.local.keys
    itself = AliPay(
        "2021000000000001", None, (keys / "alipay_private.pem").read_text(), (keys / "app_public.pem").read_text()
    )
    facts = {
        "app_id": "2021000000000001",
        "seller_id": "2088000000000001",
        "out_trade_no": purchase.out_trade_no,
        "trade_no": trade["trade_no"],
        "total_amount": f"{trade['total_fen'] / 100:.2f}",
        "trade_status": "TRADE_SUCCESS",
    }
    text = "&".join(f"{name}={facts[name]}" for name in sorted(facts))
    return {**facts, "sign_type": "RSA2", "sign": itself._sign(text)}


async def test_a_pay_link_is_signed_anew_each_time_for_the_same_attempt(stage: Stage) -> None:
    purchase = await stage.placed(await stage.sell())

    first, second = await purchase.pay_url(), await purchase.pay_url()

    for link in (first, second):
        fields = dict(parse_qsl(urlsplit(link).query))
        assert purchase.out_trade_no in fields["biz_content"]
    assert await stage.value("select count(*) from payment_attempts where order_id = $1", purchase.order_id) == 1


async def _is(purchase: Purchase, state: str) -> bool:
    return await purchase.state() == state


async def _due(stage: Stage, kind: str, key: object) -> bool:
    return await stage.timer(kind, key) is not None


async def _hear(stage: Stage, purchase: Purchase, trade: Trade) -> None:
    async with stage.db.transaction() as tx:
        await payments.hear(tx, stage.world.seals, purchase.attempt_id, trade)


async def _notified(stage: Stage, purchase: Purchase) -> bool:
    trade = (await stage.sandbox.get(f"/_sim/alipay/trades/{purchase.out_trade_no}")).json()
    states = [one["state"] for one in trade["notifies"]]
    return states == ["done"] * 3


async def _incident(stage: Stage, operator: str, purchase: Purchase) -> dict[str, Any] | None:
    items = (await stage.get(operator, "/admin/incidents")).json()["items"]
    return next((one for one in items if one["order_id"] == str(purchase.order_id)), None)


async def _money_of(stage: Stage, purchase: Purchase) -> dict[str, Any]:
    before = purchase.order_id.int - 1
    page = await stage.get(
        await stage.operator(), f"/admin/money/orders?limit=1&after={purchase.order_id.__class__(int=before)}"
    )
    (found,) = page.json()["items"]
    assert found["order_id"] == str(purchase.order_id)
    money: dict[str, Any] = found
    return money
