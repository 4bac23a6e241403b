"""Every trap of Alipay as it really behaves (domain.md §5), each as a case of our real service at the real sandbox.

==============================================================  ======================================================
The trap                                                        The case
==============================================================  ======================================================
the timestamp is of Shanghai, and real                          here: request_is_dated
RSA2 over every non-empty parameter but `sign`                  here: request_is_dated; unit/shared/test_alipay
                                                                (each against python-alipay-sdk); sandbox/
                                                                test_alipay_payment: did_not_sign, changed_amount
the signature covers the raw text, braces within values         here: braces; unit/shared/test_alipay: raw_text
10000 is ok; 40004 means its sub_code, never its text           here: sub_code_decides; unit/shared/test_alipay: codes
20000 and silence mean unknown: ask                             here: silence; test_paying: cannot_be_trusted;
                                                                test_refund_sending: spoiled_answer
four ways to pay, each with its product                         test_channels; sandbox/test_alipay_ways_to_pay
the trade is not there until the buyer opens it                 here: not_there_until; test_unpaid: live_attempt
always a last moment to pay                                     here: last_moment; test_channels: each_way
TRADE_CLOSED: not paid, or all returned                         here: closed_means; test_paying: returned_elsewhere
TRADE_SUCCESS survives partial refunds                          here: partial_refund
out_trade_no: at most 64 letters, digits, underscores           here: numbers
a refund again: ok, and no money moves (fund_change=N)          here: refund_again; test_refund_sending: two_processes
refund.query: 10000 does not mean refunded                      here: refund_query
a notify comes again, same id, until exactly `success`          here: until_success; test_notify: after_the_commit;
                                                                sandbox/test_alipay_payment: same_id
a notify is verified whole, unknown fields and all              test_notify: leaves_nothing (a table), believed
then application, seller, number, amount                        test_notify: leaves_nothing, another_amount
notifies come in any order, twice, late, tampered               test_any_order
the return to the shop proves nothing                           here: return_proves_nothing
payee and settlement go into the creation, and are frozen       here: payee_is_frozen; test_channels: names_product
a refund after the confirm may find the merchant's purse empty  here: empty_purse; test_refund_sending: may_pass
settle.confirm: its own number, parts, never too much           settlement/test_zhifutong; sandbox/test_alipay_money
bills: by day, after ten, 30 seconds, GBK                       sandbox/test_alipay_money: days_bill, bill_link
==============================================================  ======================================================

Of 分账 (`trade.order.settle`) and `fund.trans.uni.transfer` checkout says nothing: the rails are settlement's.
"""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from services.checkout.domain.payments import Attempt, TradeState
from services.checkout.domain.refunds import Refund, RefundOutcome
from services.checkout.store import payments as payment_store
from services.checkout.store import refunds as refund_store
from shared.alipay import Outcome, read_wire_time
from shared.contracts.catalog import DealKind
from shared.contracts.checkout import OrderPaid
from shared.ids import new_id
from shared.money import yuan
from shared.sealed import Seals
from tests.integration.checkout.catalog_side import Deal
from tests.integration.checkout.redemption_side import fenced
from tests.integration.checkout.stage import Purchase, Stage
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("alipay_sandbox")

SMID = "2088123412341234"


async def attempt_of(stage: Stage, purchase: Purchase) -> Attempt:
    async with stage.db.transaction() as tx:
        found = await payment_store.find_attempt(tx, purchase.attempt_id)
    assert found is not None
    return found


async def refund_of(stage: Stage, purchase: Purchase) -> Refund:
    """A refund that is approved and not sent."""
    refund_id = await fenced(stage, purchase)
    async with stage.db.transaction() as tx:
        found = await refund_store.find_refund(tx, refund_id)
    assert found is not None
    return found


async def pays_at_alipay(purchase: Purchase) -> None:
    """The buyer pays, and we have not heard of it."""
    await purchase.at_cashier(await purchase.pay_url(), "no_notify")


async def test_a_request_is_dated_by_the_real_clock_of_shanghai_whatever_business_time_says(stage: Stage) -> None:
    purchase = await stage.placed(await stage.sell())
    stage.later(minutes=10)
    before = datetime.now(UTC).replace(microsecond=0)

    link = await purchase.pay_url()

    fields = dict(parse_qsl(urlsplit(link).query, strict_parsing=True))
    assert before <= read_wire_time(fields["timestamp"]) <= datetime.now(UTC)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", fields["timestamp"])
    assert (fields["charset"], fields["sign_type"], fields["version"]) == ("utf-8", "RSA2", "1.0")
    # The sandbox, with code of its own, takes the signature for ours, and for no other text.
    assert (await stage.sandbox.get(link)).status_code == 302
    assert "isv.invalid-signature" in (await stage.sandbox.get(link.replace("128.00", "1.00"))).text


async def test_braces_quotes_and_escapes_within_a_value_do_not_break_a_signature(stage: Stage) -> None:
    purchase = await stage.placed(await stage.sell())
    fields = dict(parse_qsl(urlsplit(await purchase.pay_url()).query, strict_parsing=True))
    nasty = '{"a":"}\\"{","sign":"\\\\","alipay_trade_query_response":{"code":"40004"}}/火锅'
    content: dict[str, Any] = {**json.loads(fields["biz_content"]), "passback_params": nasty}
    alipay = stage.world.alipay
    await purchase.at_cashier(alipay.page_url("alipay.trade.wap.pay", content, fields["return_url"]), "success")

    answer = await alipay.call("alipay.trade.query", {"out_trade_no": purchase.out_trade_no})
    assert (answer.outcome, answer.fields["passback_params"]) == (Outcome.OK, nasty)
    await eventually(lambda: purchase.is_in("PAID"), what="the notify with the same value is believed")


@pytest.mark.parametrize(
    ("sub_code", "state"),
    [
        ("ACQ.TRADE_NOT_EXIST", TradeState.NOT_THERE),
        ("ACQ.SYSTEM_ERROR", TradeState.UNKNOWN),
        ("aop.ACQ.SYSTEM_ERROR", TradeState.UNKNOWN),
        ("ACQ.INVALID_PARAMETER", TradeState.UNKNOWN),
        ("ACQ.A_CODE_OF_NEXT_YEAR", TradeState.UNKNOWN),
    ],
)
async def test_of_a_failure_the_sub_code_decides_and_its_text_says_nothing(
    stage: Stage, sub_code: str, state: TradeState
) -> None:
    """The sandbox words all of these alike."""
    purchase = await stage.placed(await stage.sell())
    await pays_at_alipay(purchase)
    await stage.faults("business_error", "trade.query", code=sub_code)

    assert (await stage.world.payments.query(await attempt_of(stage, purchase))).state is state


async def test_after_silence_the_outcome_is_asked_for_and_nothing_is_sent_twice(stage: Stage) -> None:
    purchase = await stage.paid()
    refund_id = await fenced(stage, purchase)
    await stage.faults("commit_then_timeout", "trade.refund", seconds=0)

    await stage.act("send_refund", refund_id)
    assert await purchase.refund_state(refund_id) == "UNKNOWN"
    await stage.faults("http_500", "trade.refund")  # whoever sent it again would stay in the dark
    await stage.act_when_due("send_refund", refund_id)
    await stage.no_faults()

    assert await purchase.refund_state(refund_id) == "SUCCEEDED"
    assert await stage.book(purchase.out_trade_no) == [("payment", 12_800), ("refund", 12_800)]


async def test_a_trade_is_not_there_until_the_buyer_opens_it(stage: Stage) -> None:
    purchase = await stage.placed(await stage.sell())
    link = await purchase.pay_url()
    attempt, gateway = await attempt_of(stage, purchase), stage.world.payments

    assert (await gateway.query(attempt)).state is TradeState.NOT_THERE
    assert (await gateway.close(attempt)).state is TradeState.NOT_THERE
    await stage.sandbox.get(link)  # a link that was only followed to the cashier's door is not opened
    assert (await gateway.query(attempt)).state is TradeState.NOT_THERE
    # An open attempt is not closed by this: the buyer may be on the way.
    stage.later(seconds=11)
    await stage.act("ask_channel", purchase.attempt_id)
    assert (await purchase.open_payment()).json()["state"] == "OPEN"
    await purchase.at_cashier(link, "fail")
    assert (await gateway.query(attempt)).state is TradeState.WAITING


async def test_past_the_last_moment_to_pay_the_channel_takes_nothing(stage: Stage) -> None:
    purchase = await stage.placed(await stage.sell())
    await purchase.pay_url()
    over = replace(await attempt_of(stage, purchase), expires_at=datetime.now(UTC) - timedelta(seconds=1))

    link = stage.world.payments.way_to_pay(over, "火锅").pay_url
    answer = await stage.sandbox.post("/_sim/alipay/pay", json={"pay_url": link})

    assert answer.json()["alipay_sub_code"] == "ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR"
    assert await stage.book(purchase.out_trade_no) == []


async def test_closed_means_not_paid_or_all_returned(stage: Stage) -> None:
    deal = await stage.sell()
    unpaid, returned = await stage.placed(deal), await stage.placed(deal)
    await unpaid.at_cashier(await unpaid.pay_url(), "fail")
    await pays_at_alipay(returned)
    body = {"out_trade_no": returned.out_trade_no, "amount_fen": 12_800}
    assert (await stage.sandbox.post("/_sim/alipay/external-refund", json=body)).status_code == 200
    gateway = stage.world.payments

    assert (await gateway.close(await attempt_of(stage, unpaid))).state is TradeState.CLOSED
    for purchase, state in ((unpaid, TradeState.CLOSED), (returned, TradeState.PAID_AND_RETURNED)):
        status = (await stage.sandbox.get(f"/_sim/alipay/trades/{purchase.out_trade_no}")).json()["trade_status"]
        assert status == "TRADE_CLOSED"
        assert (await gateway.query(await attempt_of(stage, purchase))).state is state


async def test_a_partial_refund_leaves_the_trade_and_the_order_paid_until_the_last_one(stage: Stage) -> None:
    purchase = await stage.paid(quantity=2)
    attempt, gateway = await attempt_of(stage, purchase), stage.world.payments
    first, second = await purchase.unit_ids()

    refund_id = await fenced(stage, purchase, first)
    await stage.act("send_refund", refund_id)
    assert (await gateway.query(attempt)).state is TradeState.PAID
    assert (await purchase.state(), (await purchase.view())["refunded_fen"]) == ("PAID", 12_800)

    last_id = await fenced(stage, purchase, second)
    await stage.act("send_refund", last_id)
    assert (await gateway.query(attempt)).state is TradeState.PAID_AND_RETURNED
    assert (await purchase.view())["refunded_fen"] == 25_600
    # The notifies of the two refunds have said SUCCESS and CLOSED; neither pays, closes or opens anything again.
    await eventually(lambda: all_notified(stage, purchase, 2), what="both are told")
    assert len(await stage.said(OrderPaid, purchase.order_id)) == 1
    assert await stage.incident_of(purchase.order_id) is None


async def test_numbers_are_what_alipay_takes_for_one(stage: Stage) -> None:
    purchase = await stage.paid()
    refund = await refund_of(stage, purchase)

    for number in (purchase.out_trade_no, refund.out_request_no):
        assert re.fullmatch(r"[A-Za-z0-9_]{1,64}", number)


async def test_the_same_refund_again_moves_no_money_and_is_a_success(stage: Stage) -> None:
    purchase = await stage.paid(quantity=2)
    refund = replace(await refund_of(stage, purchase), amount_fen=12_800)
    attempt, gateway = await attempt_of(stage, purchase), stage.world.payments

    assert [(await gateway.refund(refund, attempt)).outcome for _ in range(3)] == [RefundOutcome.SUCCEEDED] * 3
    assert await stage.book(purchase.out_trade_no) == [("payment", 25_600), ("refund", 12_800)]
    other_amount = await gateway.refund(replace(refund, amount_fen=1), attempt)
    assert (other_amount.outcome, other_amount.code) == (RefundOutcome.REFUSED, "ACQ.DISCORDANT_REPEAT_REQUEST")


async def test_a_refund_query_that_answers_ok_and_nothing_else_has_found_no_refund(stage: Stage) -> None:
    purchase = await stage.paid()
    refund, attempt = await refund_of(stage, purchase), await attempt_of(stage, purchase)
    gateway = stage.world.payments

    assert (await gateway.query_refund(refund, attempt)).outcome is RefundOutcome.NOT_DONE
    await gateway.refund(refund, attempt)
    assert (await gateway.query_refund(refund, attempt)).outcome is RefundOutcome.SUCCEEDED


async def test_a_notify_comes_again_under_the_same_id_until_success_and_pays_once(stage: Stage) -> None:
    purchase = await stage.placed(await stage.sell(Deal(kind=DealKind.GOODS)))
    seals = stage.world.seals
    # Without dispatch's key the payment cannot be recorded as a whole.
    object.__setattr__(stage.world, "seals", Seals({"checkout": {"k": "A" * 43 + "="}}))
    await purchase.at_cashier(await purchase.pay_url(), "success")

    async def was_refused_twice() -> bool:
        return int((await notifies_of(stage, purchase))[0]["attempts"]) >= 2

    await eventually(was_refused_twice, what="Alipay tells it again")
    assert await purchase.state() == "PLACED"
    object.__setattr__(stage.world, "seals", seals)
    await eventually(lambda: all_notified(stage, purchase, 1), what="Alipay reads `success`")

    (notify,) = await notifies_of(stage, purchase)
    assert (notify["last_answer"], notify["attempts"] >= 3) == ("200 success", True)
    assert await purchase.state() == "PAID"
    assert len(await stage.said(OrderPaid, purchase.order_id)) == 1


async def test_the_return_to_the_shop_proves_nothing_even_signed_by_alipay(stage: Stage) -> None:
    purchase = await stage.placed(await stage.sell())
    trade = await purchase.at_cashier(await purchase.pay_url(), "no_notify")
    back = dict(parse_qsl(urlsplit(trade["return_url"]).query, strict_parsing=True))
    assert stage.world.alipay.verify_notify(back), "Alipay has signed it"

    answer: httpx.Response = await stage.http.post("/alipay/notify", data=back)

    assert answer.text == "fail"
    assert await purchase.state() == "PLACED"


async def test_the_payee_is_frozen_when_the_attempt_is_opened(stage: Stage) -> None:
    deal = await stage.sell()
    purchase, later = await stage.placed(deal), await stage.placed(deal)
    await purchase.pay_url()
    await stage.keep_account(deal, version=2, sub_merchant_id="2088999988887777")

    trade = await purchase.at_cashier(await purchase.pay_url(), "cancel")
    assert trade["smid"] == SMID
    assert (await later.at_cashier(await later.pay_url(), "cancel"))["smid"] == "2088999988887777"


async def test_a_refund_after_the_confirm_waits_for_the_merchants_purse_and_then_for_an_operator(stage: Stage) -> None:
    merchant = f"2088{new_id().int % 10**12:012d}"
    deal = await stage.sell()
    await stage.keep_account(deal, version=2, sub_merchant_id=merchant)
    purchase = await stage.paid(deal)
    await settle(stage, purchase)
    await withdraw(stage, merchant)

    refund_id = await fenced(stage, purchase)
    await stage.act("send_refund", refund_id)
    assert await purchase.refund_state(refund_id) == "FAILED"
    for _ in range(4):
        await stage.act_when_due("send_refund", refund_id)
    assert await stage.timer("send_refund", refund_id) is None, "now it is an operator's turn"
    operator = await stage.operator()
    stuck = (await stage.get(operator, "/admin/refunds")).json()["items"]
    assert [one["refused_code"] for one in stuck if one["refund_id"] == str(refund_id)] == [
        "ACQ.SELLER_BALANCE_NOT_ENOUGH"
    ]
    assert await stage.book(purchase.out_trade_no) == [("payment", 12_800), ("settle", 12_800)]

    for _ in range(2):  # one is not enough: of each the fee is kept
        await settle(stage, await stage.paid(deal))
    body = {"reason": "the merchant has sold more"}
    assert (await stage.put(operator, f"/admin/refunds/{refund_id}/retry", body)).status_code == 202
    await stage.act("send_refund", refund_id)
    assert await purchase.refund_state(refund_id) == "SUCCEEDED"
    assert await stage.book(purchase.out_trade_no) == [
        ("payment", 12_800), ("settle", 12_800), ("refund", 12_800), ("clawback", 12_800),
    ]  # fmt: skip


async def settle(stage: Stage, purchase: Purchase) -> None:
    """What settlement does on T+1: the held money goes to the sub-merchant, less the fee."""
    attempt = await attempt_of(stage, purchase)
    detail = {"trans_in_type": "defaultSettle", "amount": yuan(attempt.amount_fen)}
    content = {
        "trade_no": attempt.trade_no,
        "out_request_no": new_id().hex,
        "settle_info": {"settle_detail_infos": [detail]},
    }
    assert (await stage.world.alipay.call("alipay.trade.settle.confirm", content)).outcome is Outcome.OK


async def withdraw(stage: Stage, merchant: str) -> None:
    """The merchant empties its purse."""
    path = f"/_sim/alipay/merchants/{merchant}/withdraw"
    left = (await stage.sandbox.post(path, json={"amount_fen": 1})).json()["balance_fen"]
    assert (await stage.sandbox.post(path, json={"amount_fen": left})).json() == {"balance_fen": 0}


async def notifies_of(stage: Stage, purchase: Purchase) -> list[dict[str, Any]]:
    trade = (await stage.sandbox.get(f"/_sim/alipay/trades/{purchase.out_trade_no}")).json()
    found: list[dict[str, Any]] = trade["notifies"]
    return found


async def all_notified(stage: Stage, purchase: Purchase, count: int) -> bool:
    return [one["state"] for one in await notifies_of(stage, purchase)] == ["done"] * count
