"""What the pages ask of checkout, asked of a real one: the ways to pay, refunds made outside, orders by day."""

from datetime import timedelta
from typing import get_args
from uuid import UUID

import pytest

from services.checkout.consumers import losses
from services.web.gateways.checkout import Channel, Checkout, WantedOrders
from services.web.gateways.service import Asker, Refused
from shared.clock import business_day
from shared.contracts.catalog import StaffRole
from shared.ids import new_id
from tests.integration.checkout.channel_side import WHOLE, found
from tests.integration.checkout.redemption_side import finish, use
from tests.integration.checkout.stage import Purchase, Stage

pytestmark = pytest.mark.usefixtures("alipay_sandbox")


@pytest.fixture
def pages(stage: Stage) -> Checkout:
    """The pages' way to checkout."""
    return Checkout("checkout", str(stage.http.base_url), stage.http)


def on_behalf_of(who: str) -> Asker:
    return Asker(who, "zh")


@pytest.mark.parametrize("way", get_args(Channel))
async def test_every_way_of_the_pages_can_be_opened_and_opened_again(
    stage: Stage, pages: Checkout, way: Channel
) -> None:
    purchase, attempt_id = await stage.placed(await stage.sell()), new_id()
    first = await pages.pay(on_behalf_of(purchase.buyer), purchase.order_id, attempt_id, way)
    again = await pages.pay(on_behalf_of(purchase.buyer), purchase.order_id, attempt_id, way)
    assert first == again
    assert (first.pay_url is None, first.qr_svg is None) == (way == "ALIPAY_QR", way != "ALIPAY_QR")


async def test_the_other_way_needs_an_attempt_of_its_own(stage: Stage, pages: Checkout) -> None:
    purchase, attempt_id = await stage.placed(await stage.sell()), new_id()
    buyer = on_behalf_of(purchase.buyer)
    await pages.pay(buyer, purchase.order_id, attempt_id, "ALIPAY_PAGE")
    with pytest.raises(Refused, match="id_taken"):
        await pages.pay(buyer, purchase.order_id, attempt_id, "ALIPAY_QR")
    code = await pages.pay(buyer, purchase.order_id, new_id(), "ALIPAY_QR")
    assert code.qr_svg
    given_way = await pages.pay(buyer, purchase.order_id, attempt_id, "ALIPAY_PAGE")
    assert (given_way.state, given_way.pay_url) == ("CLOSED", None)


async def test_an_operator_records_two_refunds_for_a_unit_worth_both(stage: Stage, pages: Checkout) -> None:
    purchase = await stage.paid(quantity=2)
    await finish(stage, await use(stage, purchase, (await purchase.unit_ids())[0]))
    parts = [await refunded_outside(stage, purchase, fen) for fen in (10_000, 2_800)]
    operator = on_behalf_of(await stage.operator())
    waiting = [one for one in await pages.external_refunds(operator) if one.order_id == purchase.order_id]
    assert {one.refund_id: one.amount_fen for one in waiting} == dict(zip(parts, (10_000, 2_800), strict=True))
    order = await pages.order(operator, purchase.order_id)
    assert [(unit.state, unit.worth_fen) for unit in order.units] == [("FINAL", WHOLE), ("OPEN", WHOLE)]
    unit_ids = [order.units[0].unit_id]
    with pytest.raises(Refused) as refused:
        await pages.allocate(operator, parts[0], unit_ids, [])
    assert refused.value.facts == {"amount_fen": 10_000, "units_fen": WHOLE}
    for _ in range(2):
        refund = await pages.allocate(operator, parts[0], unit_ids, parts[1:])
        assert (refund.state, refund.cause, refund.amount_fen) == ("SUCCEEDED", "EXTERNAL", WHOLE)
    assert purchase.order_id not in {one.order_id for one in await pages.external_refunds(operator)}


async def refunded_outside(stage: Stage, purchase: Purchase, amount_fen: int) -> UUID:
    event = found(stage, purchase, amount_fen, f"part-{amount_fen}")
    await losses.record_external_refund(event, stage.db)
    return event.refund_id


async def test_a_merchants_orders_of_a_day_are_those_of_the_day_in_shanghai(stage: Stage, pages: Checkout) -> None:
    deal = await stage.sell()
    clerk = on_behalf_of(await stage.staff(deal, StaffRole.CLERK))
    placed = await stage.placed(deal)
    today = business_day((await pages.order(on_behalf_of(placed.buyer), placed.order_id)).placed_at)
    yesterday, tomorrow = today - timedelta(days=1), today + timedelta(days=1)
    for since, until, shown in ((today, today, True), (None, yesterday, False), (tomorrow, None, False)):
        wanted = WantedOrders("PLACED", deal.deal_id, since, until)
        listed = await pages.orders_of_merchant(clerk, deal.merchant_id, wanted, None)
        assert [one.order_id for one in listed.items] == ([placed.order_id] if shown else [])
