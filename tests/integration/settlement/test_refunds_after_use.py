"""Refunds that meet a payout: held back while no money has left, owed by the merchant once it has."""

from services.settlement import consumers
from services.settlement.use_cases import pay
from tests.integration.settlement.stage import REFUSED, UNKNOWN, Stage


async def test_after_the_payout_the_merchant_owes_what_the_buyer_got_back(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant)
    await stage.use(order)
    await stage.settle(merchant)
    await consumers.record_refund(stage.refund(order), stage.db)
    assert await stage.states(order) == ["REFUNDED"]
    assert await stage.postings(order) == {
        "CHANNEL_RECEIVED": 12_800,
        "CHANNEL_REFUNDED": -12_800,
        "CHANNEL_PAID": -12_723,
        "CHANNEL_FEE": -77,
        "MERCHANT_RECEIVABLE": 12_800,
    }
    assert await stage.misfits() == []


async def test_a_claimed_use_is_taken_out_of_an_instruction_that_was_not_sent(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant, 6_400, 6_400, 6_400)
    for unit in range(3):
        await stage.use(order, unit)
    stage.next_day()
    await stage.run()
    await consumers.record_refund(stage.refund(order, units=(1,)), stage.db)
    assert await stage.misfits() == []
    await stage.send_all(merchant)
    assert list(stage.rail.paid.values()) == [12_800]
    assert await stage.states(order) == ["PAID", "REFUNDED", "PAID"]
    assert (await stage.postings(order))["CHANNEL_FEE"] == -77
    assert "MERCHANT_RECEIVABLE" not in await stage.postings(order)


async def test_an_instruction_of_which_nothing_is_left_is_never_sent(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant)
    await stage.use(order)
    stage.next_day()
    await stage.run()
    await consumers.record_refund(stage.refund(order), stage.db)
    await stage.send_all(merchant)
    (instruction,) = await stage.instructions(merchant)
    await stage.send(instruction["instruction_id"])
    assert instruction["state"] == "WITHDRAWN"
    assert stage.rail.calls == []
    assert await stage.postings(order) == {"CHANNEL_RECEIVED": 12_800, "CHANNEL_REFUNDED": -12_800}


async def test_a_refund_while_the_payout_is_under_way_is_owed_and_the_payout_still_booked(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant)
    await stage.use(order)
    stage.rail.script = [UNKNOWN]
    await stage.settle(merchant)
    await consumers.record_refund(stage.refund(order), stage.db)
    assert await stage.misfits() == []
    await stage.send_all(merchant)
    assert await stage.states(order) == ["REFUNDED"]
    assert (await stage.postings(order))["MERCHANT_RECEIVABLE"] == 12_800
    assert (await stage.postings(order))["CHANNEL_PAID"] == -12_723
    assert await stage.misfits() == []


async def test_a_refund_while_a_payout_is_under_way_that_then_fails_is_not_owed(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant, 6_400, 6_400)
    await stage.use(order, 0)
    await stage.use(order, 1)
    stage.rail.script = [UNKNOWN, REFUSED]
    await stage.settle(merchant)
    await consumers.record_refund(stage.refund(order, units=(0,)), stage.db)
    await stage.send_all(merchant)
    assert await stage.postings(order) == {
        "CHANNEL_RECEIVED": 12_800,
        "CHANNEL_REFUNDED": -6_400,
        "MERCHANT_PAYABLE": -6_400,
    }
    (failed,) = await stage.instructions(merchant)
    async with stage.db.transaction() as tx:
        fresh = await pay.retry(tx, failed["instruction_id"])
    assert fresh.gross_fen == 6_400
    await stage.send(fresh.instruction_id)
    assert await stage.states(order) == ["REFUNDED", "PAID"]
    assert await stage.misfits() == []


async def test_a_refund_of_what_a_failed_payout_should_have_paid_is_held_back(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant)
    await stage.use(order)
    stage.rail.script = [REFUSED]
    await stage.settle(merchant)
    await consumers.record_refund(stage.refund(order), stage.db)
    assert await stage.postings(order) == {"CHANNEL_RECEIVED": 12_800, "CHANNEL_REFUNDED": -12_800}
    assert await stage.misfits() == []
