"""From the end of the use window to the money at the buyer's: both services' handlers, with doubled messages in any
order."""

from collections.abc import AsyncIterator

import pytest

from shared.contracts.catalog import RefundPolicy
from shared.contracts.checkout import RefundSucceeded
from shared.ids import derived_id
from tests.integration.checkout.catalog_side import Deal
from tests.integration.checkout.stage import Purchase, Stage
from tests.integration.checkout.two_services import Two, beside
from tests.support.environment import Environment

pytestmark = pytest.mark.usefixtures("alipay_sandbox")


@pytest.fixture
async def two(stage: Stage, environment: Environment) -> AsyncIterator[Two]:
    async with beside(stage, environment) as both:
        yield both


async def bought(stage: Stage, two: Two, deal: Deal) -> Purchase:
    purchase = await stage.paid(await stage.sell(deal), quantity=2)
    await two.open_store(purchase)
    await two.issue(purchase)
    await two.exchange(purchase)
    return purchase


async def time_runs_out(stage: Stage, two: Two) -> None:
    """The window of use is over, and redemption's timer has looked."""
    stage.later(days=31)
    await two.expire()


async def money_is_back(stage: Stage, two: Two, purchase: Purchase) -> None:
    await two.exchange(purchase)
    await two.send_refunds(purchase)
    await two.exchange(purchase)
    order = await purchase.view()
    assert await two.certificates(purchase) == ["REFUNDED"] * 2
    assert (order["state"], order["refunded_fen"]) == ("COMPLETED", 25_600)
    back = [fen for kind, fen in await stage.book(purchase.out_trade_no) if kind == "refund"]
    assert sum(back) == 25_600
    assert await stage.misfits(purchase.deal.deal_id, purchase.order_id, *await purchase.unit_ids()) == []


@pytest.mark.parametrize("policy", list(RefundPolicy))
async def test_what_was_not_used_in_time_is_paid_back_by_itself(stage: Stage, two: Two, policy: RefundPolicy) -> None:
    purchase = await bought(stage, two, Deal(policy=policy))
    await time_runs_out(stage, two)
    assert await two.certificates(purchase) == ["EXPIRED"] * 2
    await money_is_back(stage, two, purchase)
    for unit_id in await purchase.unit_ids():
        assert len(await stage.said(RefundSucceeded, derived_id(unit_id, "EXPIRED"))) == 1


@pytest.mark.parametrize("number", range(4))
async def test_a_buyers_request_and_the_expiry_at_once_end_with_the_money_back_once(
    stage: Stage, two: Two, number: int
) -> None:
    purchase = await bought(stage, two, Deal())
    if number % 2:
        await purchase.refunding((await purchase.unit_ids())[0])
    if number > 1:
        await two.exchange(purchase)
    await time_runs_out(stage, two)
    await money_is_back(stage, two, purchase)


async def test_a_refund_that_was_given_up_after_the_window_is_followed_by_the_one_for_expiry(
    stage: Stage, two: Two
) -> None:
    purchase = await bought(stage, two, Deal())
    unit_ids = await purchase.unit_ids()
    refund_id = await purchase.refunding(unit_ids[0])
    await time_runs_out(stage, two)
    path = f"/admin/refunds/{refund_id}/abandonment"
    assert (await stage.put(await stage.operator(), path, {"reason": "no answer"})).status_code == 200
    await money_is_back(stage, two, purchase)
    assert {one["cause"] for one in (await purchase.view())["refunds"] if one["state"] == "SUCCEEDED"} == {"EXPIRED"}
