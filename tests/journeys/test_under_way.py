"""Money back for goods that a rider has, on real processes: the merchant agrees, refuses, or the goods come back."""

import pytest

from services.console import lifecycles
from services.console.lifecycles import Bought
from services.console.people import World
from shared.contracts import Event
from shared.contracts.checkout import DisputeClosed, RefundRequested, RefundSucceeded
from shared.contracts.dispatch import GoodsDisputed, ParcelDelivered, ParcelHandedOver, ParcelReceived
from shared.ids import derived_id
from tests.journeys import riders, scenario
from tests.journeys.conftest import Running
from tests.journeys.riders import Carried
from tests.journeys.scenario import Outcome, Town
from tests.journeys.test_disorder import held_back
from tests.journeys.test_main_job import every_message_twice
from tests.journeys.test_reviews import DAY_S, PATIENCE_S, assert_books_hold, uses_of

pytestmark = [pytest.mark.infrastructure, pytest.mark.timeout(300)]

# Every event that this story causes, by its readers: each copy of it is late in turn.
_TOLD = (
    RefundRequested, GoodsDisputed, DisputeClosed, RefundSucceeded, ParcelHandedOver, ParcelDelivered, ParcelReceived,
)  # fmt: skip
HELD = [(event, reader) for event in _TOLD for reader in event.readers if not reader.startswith("redemption.")]


async def with_a_rider(town: Town, quantity: int = 2) -> tuple[Bought, Carried]:
    """Goods that were paid and that an errand runner has fetched."""
    bought = await lifecycles.place(town.world, town.goods, scenario.somebody(), quantity, mode="INSTANT")
    await lifecycles.pay(town.world, bought)
    return bought, await riders.fetch(town.world, bought)


async def paid_back(world: World, bought: Bought) -> None:
    """Alipay has given back everything that it got, once, and settlement knows."""
    total = bought.order["total_fen"]
    order = await lifecycles.order_in(world, bought, "COMPLETED", within_s=PATIENCE_S)
    assert (order["refunded_fen"], {unit["state"] for unit in order["units"]}) == (total, {"REFUNDED"})
    paid = [one for one in order["refunds"] if one["state"] == "SUCCEEDED"]
    assert sum(one["amount_fen"] for one in paid) == total
    trade = await world.sandbox("GET", f"/_sim/alipay/trades/{derived_id(bought.order_id, 'pay').hex}")
    assert trade["refunded_fen"] == total

    async def settled() -> bool:
        return await uses_of(world, bought) == {"REFUNDED"}

    await world.until(settled, "settlement knows that the money is back", PATIENCE_S)


async def test_a_merchant_who_agrees_gives_the_money_back_while_the_rider_goes_on(running: Running) -> None:
    world = running.world
    town = await scenario.open_town(world)
    bought, carried = await with_a_rider(town)
    refund_id = await lifecycles.dispute(world, bought, bought.unit_ids, PATIENCE_S)
    await assert_books_hold(world)
    await lifecycles.answer_review(world, town.goods, refund_id, agreed=True)
    await lifecycles.refund_in(world, bought, refund_id, "SUCCEEDED", within_s=PATIENCE_S)
    await paid_back(world, bought)
    await carried.move(world, "finish")
    await lifecycles.parcel_in(world, bought.buyer, bought, "REFUNDED", within_s=PATIENCE_S)
    await scenario.check_books(town, [Outcome(bought, bought.order["total_fen"])])


async def test_a_merchant_who_refuses_is_paid_when_the_goods_were_received(running: Running) -> None:
    world = running.world
    town = await scenario.open_town(world)
    bought, carried = await with_a_rider(town)
    refund_id = await lifecycles.dispute(world, bought, bought.unit_ids, PATIENCE_S)
    await carried.move(world, "finish")
    parcel = await lifecycles.parcel_in(world, bought.buyer, bought, "DISPUTED", within_s=PATIENCE_S)
    await lifecycles.answer_review(world, town.goods, refund_id, agreed=False)
    await world.sandbox("POST", "/clock/advance", {"seconds": 2 * DAY_S + 60})
    refund = await lifecycles.refund_in(world, bought, refund_id, "REFUSED", within_s=PATIENCE_S)
    assert refund["refused_code"] == "merchant_refused"
    await lifecycles.parcel_in(world, bought.buyer, bought, "DELIVERED", "RECEIVED", within_s=PATIENCE_S)
    await lifecycles.receive(world, bought, parcel["parcel_id"])
    await lifecycles.order_in(world, bought, "COMPLETED", within_s=PATIENCE_S)
    await scenario.check_books(town, [Outcome(bought, 0)])


async def test_goods_that_come_back_during_the_review_are_refunded_once(running: Running) -> None:
    world = running.world
    town = await scenario.open_town(world)
    bought, carried = await with_a_rider(town)
    refund_id = await lifecycles.dispute(world, bought, bought.unit_ids[:1], PATIENCE_S)
    await riders.bring_back(world, carried)
    refund = await lifecycles.refund_in(world, bought, refund_id, "SUCCEEDED", within_s=PATIENCE_S)
    assert refund["undelivered"]
    await lifecycles.refunds_by_themselves(world, bought, 1, "PARCEL_FAILED")
    await paid_back(world, bought)
    await lifecycles.parcel_in(world, bought.buyer, bought, "REFUNDED", within_s=PATIENCE_S)
    await scenario.check_books(town, [Outcome(bought, bought.order["total_fen"])])


async def one_agreed_and_one_refused(town: Town) -> list[Outcome]:
    """Of two buyers whose goods a rider has, one gets the money back and the other the goods."""
    world = town.world
    (won, carried), (kept, carried_too) = [await with_a_rider(town) for _ in range(2)]
    refunds = [await lifecycles.dispute(world, one, one.unit_ids, PATIENCE_S) for one in (won, kept)]
    await lifecycles.answer_review(world, town.goods, refunds[0], agreed=True)
    await lifecycles.answer_review(world, town.goods, refunds[1], agreed=False)
    await lifecycles.appeal(world, kept, refunds[1])
    await lifecycles.arbitrate(world, refunds[1], upheld=False)
    await lifecycles.refund_in(world, won, refunds[0], "SUCCEEDED", within_s=PATIENCE_S)
    for one in (carried, carried_too):
        await one.move(world, "finish")
    parcel = await lifecycles.parcel_in(world, kept.buyer, kept, "DELIVERED", within_s=PATIENCE_S)
    await lifecycles.receive(world, kept, parcel["parcel_id"])
    await lifecycles.parcel_in(world, won.buyer, won, "REFUNDED", within_s=PATIENCE_S)
    await lifecycles.order_in(world, kept, "COMPLETED", within_s=PATIENCE_S)
    return [Outcome(won, won.order["total_fen"]), Outcome(kept, 0)]


async def test_a_second_copy_of_every_message_about_goods_on_their_way_changes_nothing(running: Running) -> None:
    town = await scenario.open_town(running.world)
    async with every_message_twice(running) as copies:
        await scenario.check_books(town, await one_agreed_and_one_refused(town))
    assert {"dispatch.goods_disputed.v1", "checkout.dispute_closed.v1"} <= set(copies)


@pytest.mark.parametrize(("event", "reader"), HELD, ids=[reader for _, reader in HELD])
async def test_a_message_about_goods_on_their_way_that_comes_after_its_successors_changes_nothing(
    running: Running, event: type[Event], reader: str
) -> None:
    town = await scenario.open_town(running.world)
    async with held_back(running, event, reader) as released:
        await scenario.check_books(town, await one_agreed_and_one_refused(town))
    assert released[0] > 0, "nothing was held back: the test proved nothing"
