"""A refund at a real sandbox: whatever happens between intent, call and result, it is paid once."""

import asyncio

import pytest

from shared.contracts.checkout import RefundSucceeded
from tests.integration.checkout.redemption_side import fenced
from tests.integration.checkout.stage import Stage, code_of

pytestmark = pytest.mark.usefixtures("alipay_sandbox")

FAULTS = ["commit_then_http_500", "commit_then_html_body", "commit_then_unknown_code", "bad_signature"]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_refund_done_behind_a_spoiled_answer_is_found_by_asking_and_not_sent_again(
    stage: Stage, fault: str
) -> None:
    purchase = await stage.paid()
    refund_id = await fenced(stage, purchase)
    await stage.faults(fault, "trade.refund")
    await stage.act("send_refund", refund_id)
    assert await purchase.refund_state(refund_id) == "UNKNOWN"

    # Whoever sent it again now would learn nothing.
    await stage.faults("http_500", "trade.refund")
    await stage.act_when_due("send_refund", refund_id)
    await stage.no_faults()

    assert await purchase.refund_state(refund_id) == "SUCCEEDED"
    assert await stage.book(purchase.out_trade_no) == [("payment", 12_800), ("refund", 12_800)]


@pytest.mark.parametrize("fault", ["http_500", "unknown_code"])
async def test_an_unknown_outcome_that_was_none_is_sent_again_under_the_same_number(stage: Stage, fault: str) -> None:
    purchase = await stage.paid()
    refund_id = await fenced(stage, purchase)

    await stage.faults(fault, "trade.refund")
    await stage.act("send_refund", refund_id)
    assert await purchase.refund_state(refund_id) == "UNKNOWN"
    assert await stage.said(RefundSucceeded, refund_id) == []

    stage.later(minutes=1)
    await stage.act("send_refund", refund_id)
    assert await purchase.refund_state(refund_id) == "SUCCEEDED"
    assert await stage.book(purchase.out_trade_no) == [("payment", 12_800), ("refund", 12_800)]


async def test_a_throttled_refund_is_simply_sent_again(stage: Stage) -> None:
    purchase = await stage.paid()
    refund_id = await fenced(stage, purchase)

    await stage.faults("throttle", "trade.refund")
    await stage.act("send_refund", refund_id)
    assert await purchase.refund_state(refund_id) == "SENT"
    stage.later(minutes=1)
    await stage.act("send_refund", refund_id)

    assert await purchase.refund_state(refund_id) == "SUCCEEDED"


async def test_a_refusal_that_may_pass_is_tried_again_and_one_that_cannot_waits_for_an_operator(stage: Stage) -> None:
    purchase, operator = await stage.paid(), await stage.operator()
    refund_id = await fenced(stage, purchase)

    await stage.faults("business_error", "trade.refund", code="ACQ.SELLER_BALANCE_NOT_ENOUGH")
    await stage.act("send_refund", refund_id)
    assert await purchase.refund_state(refund_id) == "FAILED"
    stage.later(minutes=1)
    await stage.faults("business_error", "trade.refund", code="ACQ.REASON_TRADE_REFUND_FEE_ERR")
    await stage.act("send_refund", refund_id)
    assert await stage.timer("send_refund", refund_id) is None
    stuck = (await stage.get(operator, "/admin/refunds")).json()["items"]
    assert str(refund_id) in [one["refund_id"] for one in stuck]

    assert code_of(await stage.put(purchase.buyer, f"/admin/refunds/{refund_id}/retry", {"reason": "x"}))[0] == 403
    assert (await stage.put(operator, f"/admin/refunds/{refund_id}/retry", {"reason": "ok now"})).status_code == 202
    await stage.act("send_refund", refund_id)
    assert await purchase.refund_state(refund_id) == "SUCCEEDED"
    answer = await stage.put(operator, f"/admin/refunds/{refund_id}/abandonment", {"reason": "x"})
    assert code_of(answer) == (409, "refund_not_stuck")


async def test_two_processes_sending_the_same_refund_pay_it_once(stage: Stage) -> None:
    purchase = await stage.paid(quantity=2)
    refund_id = await fenced(stage, purchase, (await purchase.unit_ids())[0])

    await asyncio.gather(*(stage.act("send_refund", refund_id) for _ in range(4)), return_exceptions=True)

    assert await purchase.refund_state(refund_id) == "SUCCEEDED"
    assert await stage.book(purchase.out_trade_no) == [("payment", 25_600), ("refund", 12_800)]
    assert len(await stage.said(RefundSucceeded, refund_id)) == 1
    assert (await purchase.view())["refunded_fen"] == 12_800
