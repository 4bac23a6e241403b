"""The notify endpoint against an independent signer: every change refused, and no word before the commit."""

from urllib.parse import urlencode

import pytest
from alipay import AliPay

from shared.contracts.catalog import DealKind, Rail
from shared.contracts.checkout import OrderPaid
from shared.ids import new_id
from shared.sealed import Seals
from tests.integration.checkout.catalog_side import Deal
from tests.integration.checkout.stage import Purchase, Stage
from tests.support.environment import Environment
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("alipay_sandbox")


async def test_a_genuine_notify_pays_the_order_and_says_everything_others_need(stage: Stage) -> None:
    deal = await stage.sell()
    purchase = await stage.placed(deal, quantity=2)

    await purchase.at_cashier(await purchase.pay_url(), "success")
    await eventually(lambda: purchase.is_in("PAID"), what="the notify pays the order")

    (paid,) = await stage.said(OrderPaid, purchase.order_id)
    assert paid.paid_fen == 2 * 12_800 == sum(use.paid_fen for unit in paid.units for use in unit.uses)
    assert [unit.unit_id for unit in paid.units] == await purchase.unit_ids()
    assert (paid.rail, paid.sub_merchant_id) == (Rail.ZHIFUTONG, "2088123412341234")
    assert (paid.out_trade_no, paid.buyer, paid.kind) == (purchase.out_trade_no, purchase.buyer, DealKind.VOUCHER)
    assert await stage.stock(deal) == (0, 2)
    assert await stage.timer("order_expired", purchase.order_id) is None
    assert await stage.timer("ask_channel", purchase.attempt_id) is None
    assert [entry["what"] for entry in (await purchase.view())["timeline"]] == ["PLACED", "PAID"]


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
