"""直付通 against a really running sandbox with its own book: what we post is what the channel booked, to the fen."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from services.console.local.ports import free_port
from services.settlement import consumers
from services.settlement.app import make_world
from services.settlement.settings import Settings
from shared.contracts.settlement import PayoutFailed
from tests.integration.settlement.channel import Channel
from tests.integration.settlement.stage import Merchant, Stage


@pytest.fixture
async def paying(stage: Stage, channel: Channel, settlement_settings: Settings) -> AsyncIterator[Stage]:
    """The stage with the real rail instead of the scripted one."""
    alipay = settlement_settings.alipay.model_copy(
        update={"gateway_url": f"{channel.process.url}/alipay/gateway.do", "timeout_s": 2.0}
    )
    async with httpx.AsyncClient(trust_env=False) as http:
        yield replace(stage, world=make_world(settlement_settings.model_copy(update={"alipay": alipay}), http))


async def a_used_order(stage: Stage, channel: Channel, merchant: Merchant, *amounts: int) -> str:
    """Every unit of a trade used; its trade_no."""
    trade = channel.paid_trade(sum(amounts))
    order = await stage.pay(merchant, *amounts, **trade)
    for unit in range(len(amounts)):
        await stage.use(order, unit)
    return str(trade["trade_no"])


async def test_what_is_posted_is_what_the_channel_booked(paying: Stage, channel: Channel) -> None:
    merchant = await paying.merchant()
    trades = [
        await a_used_order(paying, channel, merchant, *amounts)
        for amounts in ((12_800,), (6_400, 6_400), (1, 82, 83), (99_999,), (84, 84, 84))
    ]
    await paying.settle(merchant)
    instructions = {one["trade_no"]: one for one in await paying.instructions(merchant)}
    assert {one["state"] for one in instructions.values()} == {"PAID"}
    for trade_no in trades:
        expected = [(instructions[trade_no]["gross_fen"], instructions[trade_no]["fee_fen"])]
        assert channel.settled(trade_no) == expected


async def test_a_trade_is_confirmed_in_parts_as_its_uses_become_final(paying: Stage, channel: Channel) -> None:
    merchant = await paying.merchant()
    trade = channel.paid_trade(12_800)
    order = await paying.pay(merchant, 6_400, 6_400, **trade)
    for unit in range(2):
        await paying.use(order, unit)
        await paying.settle(merchant)
    assert await paying.states(order) == ["PAID", "PAID"]
    assert channel.settled(trade["trade_no"]) == [(6_400, 38), (6_400, 38)]
    assert (await paying.postings(order))["CHANNEL_FEE"] == -76


@pytest.mark.parametrize(
    "fault", ["commit_then_timeout", "drop_before_commit", "http_500", "html_body", "bad_signature", "unknown_code"]
)
async def test_a_spoiled_answer_is_unknown_and_the_repetition_pays_once(
    paying: Stage, channel: Channel, fault: str
) -> None:
    merchant = await paying.merchant()
    trade_no = await a_used_order(paying, channel, merchant, 12_800)
    channel.script(fault, seconds=3)
    await paying.settle(merchant)
    (undecided,) = await paying.instructions(merchant)
    assert undecided["state"] == "UNKNOWN"
    await paying.send_all(merchant)
    (paid,) = await paying.instructions(merchant)
    assert paid["state"] == "PAID"
    assert channel.settled(trade_no) == [(12_800, 77)]


async def test_a_channel_that_cannot_be_reached_leaves_the_payment_due(
    stage: Stage, settlement_settings: Settings
) -> None:
    alipay = settlement_settings.alipay.model_copy(update={"gateway_url": f"http://127.0.0.1:{free_port()}/"})
    merchant = await stage.merchant()
    await stage.use(await stage.pay(merchant))
    async with httpx.AsyncClient(trust_env=False) as http:
        settings = settlement_settings.model_copy(update={"alipay": alipay})
        await replace(stage, world=make_world(settings, http)).settle(merchant)
    (instruction,) = await stage.instructions(merchant)
    assert instruction["state"] == "DUE"


async def test_a_trade_that_the_channel_does_not_know_fails_for_the_operator(paying: Stage) -> None:
    merchant = await paying.merchant()
    await paying.use(await paying.pay(merchant))
    await paying.settle(merchant)
    (failed,) = await paying.instructions(merchant)
    (said,) = await paying.said(PayoutFailed, failed["instruction_id"])
    assert (failed["state"], said.code) == ("FAILED", "ACQ.TRADE_NOT_EXIST")


async def test_an_amount_beyond_what_the_trade_holds_is_never_booked(paying: Stage, channel: Channel) -> None:
    merchant = await paying.merchant()
    trade = channel.paid_trade(6_400)
    order = await paying.pay(merchant, 12_800, **trade)
    await paying.use(order)
    await paying.settle(merchant)
    (instruction,) = await paying.instructions(merchant)
    assert instruction["state"] == "UNKNOWN"
    assert channel.settled(trade["trade_no"]) == []
    await consumers.record_refund(paying.refund(order), paying.db)
    assert await paying.misfits() == []


async def test_a_confirm_that_alipay_denies_every_time_fails_for_the_operator_and_is_never_booked(
    paying: Stage, channel: Channel
) -> None:
    merchant = await paying.merchant()
    trade_no = await a_used_order(paying, channel, merchant, 12_800)
    times = paying.world.terms.denials_max
    channel.script("business_error", code="ACQ.TRADE_SETTLE_ERROR", times=times)
    await paying.settle(merchant)
    for _ in range(times - 1):
        await paying.send_all(merchant)
    (instruction,) = await paying.instructions(merchant)
    assert (instruction["state"], instruction["answer_code"]) == ("FAILED", "ACQ.TRADE_SETTLE_ERROR")
    assert channel.settled(trade_no) == []
