"""A refund made in Alipay's own backend, on its way through both services, with doubled messages in any order."""

from collections.abc import AsyncIterator

import pytest

from services.checkout.consumers import losses
from tests.integration.checkout.channel_side import WHOLE, found, outside
from tests.integration.checkout.stage import Purchase, Stage
from tests.integration.checkout.two_services import Two, beside
from tests.support.environment import Environment

pytestmark = pytest.mark.usefixtures("alipay_sandbox")


@pytest.fixture
async def two(stage: Stage, environment: Environment) -> AsyncIterator[Two]:
    async with beside(stage, environment) as both:
        yield both


async def bought(stage: Stage, two: Two) -> Purchase:
    purchase = await stage.paid(quantity=2)
    await two.open_store(purchase)
    await two.issue(purchase)
    await two.exchange(purchase)
    return purchase


async def back_at_the_channel(stage: Stage, purchase: Purchase, amount_fen: int) -> None:
    await outside(stage, purchase, amount_fen)
    await losses.record_external_refund(found(stage, purchase, amount_fen), stage.db)


async def sent_in_all(stage: Stage, purchase: Purchase) -> int:
    return sum(fen for kind, fen in await stage.book(purchase.out_trade_no) if kind == "refund")


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("whole", [True, False])
async def test_whatever_waited_for_the_units_the_money_goes_back_once(
    stage: Stage, two: Two, number: int, whole: bool
) -> None:
    purchase = await bought(stage, two)
    await purchase.refunding(*(await purchase.unit_ids())[: 1 + number % 2])
    if number > 3:
        await two.exchange(purchase)
    await back_at_the_channel(stage, purchase, 2 * WHOLE if whole else WHOLE)
    await two.exchange(purchase)
    await two.send_refunds(purchase)
    await two.exchange(purchase)

    refunded_fen = 2 * WHOLE if whole else WHOLE
    order = await purchase.view()
    assert (order["refunded_fen"], await sent_in_all(stage, purchase)) == (refunded_fen, refunded_fen)
    # One that the request held beside the refunded one is free again, at both ends.
    assert sorted(await purchase.unit_states()) == (["REFUNDED"] * 2 if whole else ["OPEN", "REFUNDED"])
    assert sorted(await two.certificates(purchase)) == (["REFUNDED"] * 2 if whole else ["REFUNDED", "VALID"])
    assert await stage.misfits(purchase.deal.deal_id, purchase.order_id, *await purchase.unit_ids()) == []


async def test_an_expiry_after_the_money_went_back_outside_pays_only_the_rest(stage: Stage, two: Two) -> None:
    purchase = await bought(stage, two)
    await back_at_the_channel(stage, purchase, WHOLE)
    await two.exchange(purchase)
    stage.later(days=31)
    await two.expire()
    await two.exchange(purchase)
    await two.send_refunds(purchase)
    await two.exchange(purchase)
    assert await two.certificates(purchase) == ["REFUNDED"] * 2
    assert await sent_in_all(stage, purchase) == 2 * WHOLE
