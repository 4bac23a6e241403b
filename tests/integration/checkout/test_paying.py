"""Paying at a real sandbox: notify and query in every order, and what is left to an operator."""

import asyncio
from urllib.parse import parse_qsl, urlsplit

import pytest

from services.checkout.domain.payments import Trade, TradeState
from services.checkout.use_cases import payments
from shared.contracts.address import Address
from shared.contracts.catalog import DealKind, MerchantState
from shared.contracts.checkout import OrderPaid
from shared.ids import new_id
from tests.integration.checkout.catalog_side import Deal
from tests.integration.checkout.stage import Purchase, Stage, a_buyer, code_of
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("alipay_sandbox")


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
    await eventually(lambda: purchase.is_in("PAID"), what="the genuine notify arrives after the tampered one")

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
    incident = await eventually(lambda: stage.incident_of(purchase.order_id), what="the incident is recorded")

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

    incident = await stage.incident_of(purchase.order_id)
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


async def test_a_pay_link_is_signed_anew_each_time_for_the_same_attempt(stage: Stage) -> None:
    purchase = await stage.placed(await stage.sell())

    first, second = await purchase.pay_url(), await purchase.pay_url()

    for link in (first, second):
        fields = dict(parse_qsl(urlsplit(link).query))
        assert purchase.out_trade_no in fields["biz_content"]
    assert await stage.value("select count(*) from payment_attempts where order_id = $1", purchase.order_id) == 1


async def _hear(stage: Stage, purchase: Purchase, trade: Trade) -> None:
    async with stage.db.transaction() as tx:
        await payments.hear(tx, stage.world.seals, purchase.attempt_id, trade)


async def _notified(stage: Stage, purchase: Purchase) -> bool:
    trade = (await stage.sandbox.get(f"/_sim/alipay/trades/{purchase.out_trade_no}")).json()
    states = [one["state"] for one in trade["notifies"]]
    return states == ["done"] * 3
