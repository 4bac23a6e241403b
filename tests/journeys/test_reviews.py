"""Refunds after use, on real processes: silence, appeal, arbitration, and a payout that was faster."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.console import audit, lifecycles
from services.console.journey import move_to_next_payout, run_payouts
from services.console.lifecycles import Bought
from services.console.people import World
from shared.clock import SHANGHAI
from tests.journeys import scenario
from tests.journeys.conftest import Running
from tests.journeys.scenario import Town
from tests.journeys.test_main_job import every_message_twice

pytestmark = [pytest.mark.infrastructure, pytest.mark.timeout(300)]

DAY_S = 86_400
PATIENCE_S = 60.0


async def go_to_noon(world: World) -> None:
    """Move the sandbox's clock to the next noon in Shanghai."""
    now = datetime.fromisoformat((await world.sandbox("GET", "/clock"))["now"]).astimezone(SHANGHAI)
    noon = now.replace(hour=12, minute=0, second=0, microsecond=0)
    noon += timedelta(days=1) if noon <= now else timedelta()
    await world.sandbox("POST", "/clock/advance", {"seconds": (noon - now).total_seconds()})


async def bought_and_used(town: Town, quantity: int = 1) -> Bought:
    """Vouchers that were all used, as checkout knows already."""
    world = town.world
    bought = await lifecycles.place(world, town.voucher, scenario.somebody(), quantity)
    await lifecycles.pay(world, bought)
    for certificate in await lifecycles.certificates(world, bought):
        units = [certificate["unit_id"]]
        await lifecycles.redeem(world, town.voucher.clerk, town.voucher.store_id, certificate["code"], units)
    await lifecycles.known_as_used(world, bought, bought.unit_ids, PATIENCE_S)
    return bought


async def settlement_of(world: World, bought: Bought) -> dict[str, Any]:
    """What settlement knows of an order's money."""
    books = (await audit.orders_of(world))["settlement"]
    return dict(books[str(bought.order_id)])


async def uses_of(world: World, bought: Bought) -> set[str]:
    units = (await settlement_of(world, bought))["units"]
    return {state for uses in units.values() for state in uses.values()}


async def is_held(world: World, bought: Bought) -> bool:
    """Whether settlement shows the merchant that a use of this order is held back."""
    shop = bought.shop
    preview = await world.person(shop.owner).get("settlement", f"/merchants/{shop.merchant_id}/preview")
    return bool(preview["disputed_uses"])


async def assert_books_hold(world: World) -> None:
    """Nothing is under way, nothing does not fit, and not a fen is missing."""
    proof = await audit.settled(world, PATIENCE_S)
    assert (proof.findings, proof.difference_fen) == ([], 0)


async def paid_back(world: World, bought: Bought, refund_id: UUID) -> None:
    """The money is back at the buyer, and every service knows."""
    refund = await lifecycles.refund_in(world, bought, refund_id, "SUCCEEDED", within_s=PATIENCE_S)
    assert refund["amount_fen"] == bought.order["total_fen"]

    async def everywhere() -> bool:
        issued = await lifecycles.certificates(world, bought)
        settled = await uses_of(world, bought)
        return settled == {"REFUNDED"} and {one["state"] for one in issued} == {"REFUNDED"}

    await world.until(everywhere, "everybody knows that the money is back", PATIENCE_S)


async def test_a_merchant_who_says_nothing_for_a_day_has_agreed(running: Running) -> None:
    world = running.world
    await go_to_noon(world)
    town = await scenario.open_town(world)
    bought = await bought_and_used(town)
    refund_id = await lifecycles.dispute(world, bought, bought.unit_ids, PATIENCE_S)
    await world.until(lambda: is_held(world, bought), "settlement holds the use back", PATIENCE_S)
    await assert_books_hold(world)

    # The next morning's payout comes before the merchant's time is over, and pays nothing of it.
    await move_to_next_payout(world)
    await run_payouts(world)
    await lifecycles.refund_in(world, bought, refund_id, "IN_REVIEW")
    assert await uses_of(world, bought) == {"FINAL"}
    await world.sandbox("POST", "/clock/advance", {"seconds": DAY_S})
    await paid_back(world, bought, refund_id)
    assert (await settlement_of(world, bought))["owed_fen"] == 0
    await assert_books_hold(world)


async def test_a_refusal_is_appealed_and_the_platform_pays_the_buyer_back(running: Running) -> None:
    world = running.world
    town = await scenario.open_town(world)
    bought = await bought_and_used(town)
    refund_id = await lifecycles.dispute(world, bought, bought.unit_ids, PATIENCE_S)
    await lifecycles.answer_review(world, town.voucher, refund_id, agreed=False)
    await lifecycles.appeal(world, bought, refund_id)
    await assert_books_hold(world)
    await lifecycles.arbitrate(world, refund_id, upheld=True)
    await paid_back(world, bought, refund_id)
    await assert_books_hold(world)


async def test_a_second_copy_of_every_message_about_a_review_changes_nothing(running: Running) -> None:
    world = running.world
    town = await scenario.open_town(world)
    async with every_message_twice(running) as copies:
        lost, won = await bought_and_used(town), await bought_and_used(town)
        refunds = [await lifecycles.dispute(world, one, one.unit_ids, PATIENCE_S) for one in (lost, won)]
        for refund_id, bought in zip(refunds, (lost, won), strict=True):
            await lifecycles.answer_review(world, town.voucher, refund_id, agreed=False)
            await lifecycles.appeal(world, bought, refund_id)
            await lifecycles.arbitrate(world, refund_id, upheld=bought is won)
        await paid_back(world, won, refunds[1])
        await lifecycles.known_as_used(world, lost, lost.unit_ids, PATIENCE_S)
        fen = won.order["total_fen"]
        await scenario.check_books(town, [scenario.Outcome(lost, 0), scenario.Outcome(won, fen)])
    assert {"redemption.use_disputed.v1", "checkout.dispute_closed.v1"} <= set(copies)


async def test_a_dispute_that_the_buyer_loses_is_paid_to_the_merchant_by_the_next_run(running: Running) -> None:
    world = running.world
    town = await scenario.open_town(world)
    bought = await bought_and_used(town, quantity=2)
    refund_id = await lifecycles.dispute(world, bought, bought.unit_ids[:1], PATIENCE_S)
    await lifecycles.answer_review(world, town.voucher, refund_id, agreed=False)
    await world.until(lambda: is_held(world, bought), "settlement holds the use back", PATIENCE_S)
    await world.sandbox("POST", "/clock/advance", {"seconds": 2 * DAY_S + 60})
    refund = await lifecycles.refund_in(world, bought, refund_id, "REFUSED", within_s=PATIENCE_S)
    assert refund["refused_code"] == "merchant_refused"

    async def let_go() -> bool:
        return not await is_held(world, bought)

    await world.until(let_go, "settlement lets the use go", PATIENCE_S)
    await scenario.check_books(town, [scenario.Outcome(bought, 0)])


async def test_after_a_payout_that_was_faster_the_merchant_owes_what_the_buyer_gets_back(running: Running) -> None:
    world = running.world
    town = await scenario.open_town(world)
    bought = await bought_and_used(town)
    await scenario.check_books(town, [scenario.Outcome(bought, 0)])

    refund_id = await lifecycles.dispute(world, bought, bought.unit_ids, PATIENCE_S)
    await assert_books_hold(world)
    await lifecycles.answer_review(world, town.voucher, refund_id, agreed=True)
    await paid_back(world, bought, refund_id)
    assert (await settlement_of(world, bought))["owed_fen"] == bought.order["total_fen"]
    await assert_books_hold(world)


async def test_one_of_two_delivered_goods_is_disputed_and_the_other_one_is_received(running: Running) -> None:
    world = running.world
    town = await scenario.open_town(world)
    bought = await lifecycles.place(world, town.goods, scenario.somebody(), 2, mode="SELF")
    await lifecycles.pay(world, bought)
    parcel = await lifecycles.deliver_oneself(world, bought)

    async def known() -> bool:
        order = await world.person(bought.buyer).get("checkout", f"/orders/{bought.order_id}")
        return bool(order["delivery"]["parcel_state"] == "DELIVERED")

    await world.until(known, "checkout knows of the delivery", PATIENCE_S)
    refund_id = await lifecycles.dispute(world, bought, bought.unit_ids[:1], PATIENCE_S)
    await lifecycles.answer_review(world, town.goods, refund_id, agreed=True)
    refund = await lifecycles.refund_in(world, bought, refund_id, "SUCCEEDED", within_s=PATIENCE_S)
    await lifecycles.parcel_in(world, bought.buyer, bought, "DELIVERED", within_s=PATIENCE_S)
    await lifecycles.receive(world, bought, parcel["parcel_id"])
    await lifecycles.order_in(world, bought, "COMPLETED", within_s=PATIENCE_S)
    await scenario.check_books(town, [scenario.Outcome(bought, refund["amount_fen"])])
