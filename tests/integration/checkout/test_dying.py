"""A process that dies at any point between intent, call and result: the next one loses nothing and does nothing twice.

The points are not listed by hand: each story is played once for every commit and every call that it makes, and the
process dies before it, or after it, in turn.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID

import pytest

from services.checkout.domain.payments import Channel
from services.checkout.use_cases import channel
from shared.contracts.checkout import OrderPaid, RefundSucceeded
from shared.ids import new_id
from tests.integration.checkout.mortality import Died, Life, mortal, run_down
from tests.integration.checkout.redemption_side import fenced
from tests.integration.checkout.stage import Purchase, Stage

pytestmark = pytest.mark.usefixtures("alipay_sandbox")

POINTS_MAX = 40
Work = Callable[[], Awaitable[object]]


async def dies(stage: Stage, points: int, work: Work) -> bool:
    """Whether the process dies at this point of its work; False once it lives through all of it."""
    with mortal(stage, Life(points)):
        try:
            await work()
        except Died:
            return True
    return False


async def open_payment(stage: Stage, purchase: Purchase, attempt_id: UUID, way: Channel) -> None:
    """What the route does, in the hands of whoever the stage is."""
    gateway, seals = stage.world.payments, stage.world.seals
    await channel.open_attempt(stage.db, gateway, seals, attempt_id, purchase.order_id, purchase.buyer, way)


@pytest.mark.parametrize("buyer_waits", [True, False])
async def test_while_a_code_is_asked_for(stage: Stage, buyer_waits: bool) -> None:
    deal = await stage.sell()
    died = 0
    for points in range(POINTS_MAX):
        purchase = await stage.placed(deal)
        if not await dies(
            stage, points, partial(open_payment, stage, purchase, purchase.attempt_id, Channel.ALIPAY_QR)
        ):
            break
        died += 1
        if buyer_waits and await lacks_code(stage, purchase):
            await stage.act_when_due("fetch_code", purchase.attempt_id)
            assert not await lacks_code(stage, purchase), points
        answer = await purchase.open_payment(channel="ALIPAY_QR")
        assert (answer.status_code, answer.json()["state"]) == (201, "OPEN"), points
        code = answer.json()["qr_code"]
        assert (await purchase.open_payment(channel="ALIPAY_QR")).json()["qr_code"] == code, points

        await scan(stage, code)
        await run_down(stage, purchase.order_id)
        await paid_once(stage, purchase, purchase.attempt_id)
    assert died == 10  # four transactions and one call, before and after each


async def test_while_one_attempt_replaces_another(stage: Stage) -> None:
    deal = await stage.sell()
    died = 0
    for points in range(POINTS_MAX):
        purchase, second = await stage.placed(deal), new_id()
        await purchase.at_cashier(await purchase.pay_url(), "fail")
        if not await dies(stage, points, partial(open_payment, stage, purchase, second, Channel.ALIPAY_PAGE)):
            break
        died += 1
        answer = await purchase.open_payment(second, "ALIPAY_PAGE")
        assert (answer.status_code, answer.json()["state"]) == (201, "OPEN"), points
        assert await status(stage, purchase.out_trade_no) == "TRADE_CLOSED", points
        assert (await purchase.open_payment()).json()["state"] == "CLOSED", points

        await purchase.at_cashier(answer.json()["pay_url"], "no_notify")
        await run_down(stage, purchase.order_id)
        await paid_once(stage, purchase, second)
    assert died == 10


@pytest.mark.parametrize("paid", [True, False])
async def test_while_an_attempt_is_closed(stage: Stage, paid: bool) -> None:
    died = 0
    for points in range(POINTS_MAX):
        deal = await stage.sell()
        purchase = await stage.placed(deal)
        await purchase.at_cashier(await purchase.pay_url(), "no_notify" if paid else "fail")
        stage.later(minutes=16)
        await stage.act("order_expired", purchase.order_id)
        if not await dies(stage, points, partial(stage.act, "ask_channel", purchase.attempt_id)):
            break
        died += 1
        await run_down(stage, purchase.order_id)
        if paid:
            await paid_once(stage, purchase, purchase.attempt_id)
            assert await stage.stock(deal) == (0, 1), points
        else:
            assert await purchase.state() == "CLOSED", points
            assert await status(stage, purchase.out_trade_no) == "TRADE_CLOSED", points
            assert await stage.stock(deal) == (0, 0), points
        assert await stage.misfits(purchase.order_id, purchase.attempt_id, deal.deal_id) == []
    assert died == 8


async def test_while_the_channel_is_asked(stage: Stage) -> None:
    died = 0
    for points in range(POINTS_MAX):
        deal = await stage.sell()
        purchase = await stage.placed(deal)
        await purchase.at_cashier(await purchase.pay_url(), "no_notify")
        stage.later(seconds=11)
        if not await dies(stage, points, partial(stage.act, "ask_channel", purchase.attempt_id)):
            break
        died += 1
        if await purchase.state() == "PLACED":
            # The order's expiry would find the money too, a quarter of an hour later.
            assert await stage.timer("ask_channel", purchase.attempt_id) is not None, points
        await run_down(stage, purchase.order_id)
        await paid_once(stage, purchase, purchase.attempt_id)
        assert await stage.stock(deal) == (0, 1), points
    assert died == 8


@pytest.mark.parametrize("fault", [None, "commit_then_unknown_code", "unknown_code"])
async def test_while_a_refund_is_sent(stage: Stage, fault: str | None) -> None:
    """With a fault, the first answer is lost already: the one who dies is asking about it, or sending it again."""
    deal = await stage.sell()
    died = 0
    for points in range(POINTS_MAX):
        purchase = await stage.paid(deal)
        refund_id = await fenced(stage, purchase)
        if fault:
            await stage.faults(fault, "trade.refund")
            await stage.act("send_refund", refund_id)
            await stage.no_faults()
        died_here = await dies(stage, points, partial(stage.act_when_due, "send_refund", refund_id))
        await run_down(stage, purchase.order_id)

        assert await purchase.refund_state(refund_id) == "SUCCEEDED", points
        assert await stage.book(purchase.out_trade_no) == [("payment", 12_800), ("refund", 12_800)], points
        assert len(await stage.said(RefundSucceeded, refund_id)) == 1, points
        if not died_here:
            break
        died += 1
    assert died >= 8


async def lacks_code(stage: Stage, purchase: Purchase) -> bool:
    """Whether the attempt is there and still without its code."""
    ask = "select exists (select from payment_attempts where attempt_id = $1 and qr_code is null)"
    return bool(await stage.value(ask, purchase.attempt_id))


async def scan(stage: Stage, code: str) -> None:
    """The buyer scans the code and pays at what it leads to; no notify comes."""
    cashier = await stage.sandbox.get(code)
    assert cashier.status_code == 200, cashier.text
    assert (await stage.sandbox.post(code, data={"scenario": "no_notify"})).status_code in (200, 303)


async def status(stage: Stage, out_trade_no: str) -> str:
    return str((await stage.sandbox.get(f"/_sim/alipay/trades/{out_trade_no}")).json()["trade_status"])


async def paid_once(stage: Stage, purchase: Purchase, attempt_id: UUID) -> None:
    """One payment at the channel, one paid order here, told once."""
    assert await purchase.state() == "PAID"
    assert await stage.book(attempt_id.hex) == [("payment", 12_800)]
    (paid,) = await stage.said(OrderPaid, purchase.order_id)
    assert paid.out_trade_no == attempt_id.hex
