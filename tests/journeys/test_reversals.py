"""A mistaken redemption is undone, on real processes: the buyer uses it again or has the money; the books hold."""

from datetime import datetime
from typing import Any

import pytest

from services.console import lifecycles
from services.console.lifecycles import Bought
from services.console.people import Refused, World
from shared.ids import new_id
from tests.journeys import scenario
from tests.journeys.conftest import Running
from tests.journeys.scenario import Outcome

pytestmark = [pytest.mark.infrastructure, pytest.mark.timeout(300)]

CARD = {
    "form": "TIMES_CARD",
    "title": "三次卡",
    "uses_per_unit": 3,
    "price_fen": 10_000,
    "rules": {"valid_days": 30},
}


async def bought(town: scenario.Town, quantity: int) -> tuple[Bought, list[dict[str, Any]]]:
    order = await lifecycles.place(town.world, town.voucher, scenario.somebody(), quantity)
    await lifecycles.pay(town.world, order)
    return order, await lifecycles.certificates(town.world, order)


async def redeem(town: scenario.Town, issued: dict[str, Any]) -> dict[str, Any]:
    shop = town.voucher
    return await lifecycles.redeem(town.world, shop.clerk, shop.store_id, issued["code"], [issued["unit_id"]])


async def told(world: World, order: Bought, *uses_left: int) -> None:
    async def heard() -> bool:
        seen = await world.person(order.buyer).get("checkout", f"/orders/{order.order_id}")
        return [unit["uses_left"] for unit in seen["units"]] == list(uses_left)

    await world.until(heard, "checkout has heard of it")


async def test_what_was_undone_is_used_again_or_refunded_and_the_books_hold(running: Running) -> None:
    world = running.world
    town = await scenario.open_town(world)
    order, (again, back) = await bought(town, 2)
    reversal_id = new_id()
    for one in (again, back):
        done = await redeem(town, one)
        undone = await lifecycles.reverse(world, town.voucher.clerk, done)
        assert [use["use_id"] for use in undone["uses"]] == [use["use_id"] for use in done["uses"]]
    await told(world, order, 1, 1)
    assert {one["state"] for one in await lifecycles.certificates(world, order)} == {"VALID"}
    done = await redeem(town, again)
    assert await lifecycles.reverse(
        world, town.voucher.clerk, done, reversal_id=reversal_id
    ) == await lifecycles.reverse(world, town.voucher.clerk, done, reversal_id=reversal_id)
    await redeem(town, again)
    refund = await lifecycles.refund(world, order, [back["unit_id"]])
    assert (refund["state"], refund["cause"]) == ("SUCCEEDED", "BUYER")
    await scenario.check_books(town, [Outcome(order, refund["amount_fen"])])


async def test_a_card_with_a_gap_is_refunded_for_exactly_the_uses_that_are_left(running: Running) -> None:
    world = running.world
    town = await scenario.open_town(world, CARD)
    order, [issued] = await bought(town, 1)
    first, second = [await redeem(town, issued) for _ in range(2)]
    assert [one["uses"][0]["use_no"] for one in (first, second)] == [1, 2]
    await lifecycles.reverse(world, town.voucher.clerk, first)
    await told(world, order, 2)
    refund = await lifecycles.refund(world, order, order.unit_ids)
    # Uses 1 and 3 of 33.34, 33.33 and 33.33 yuan.
    assert (refund["state"], refund["amount_fen"]) == ("SUCCEEDED", 6_667)
    with pytest.raises(Refused) as refused:
        await lifecycles.reverse(world, town.voucher.clerk, second)
    # Checkout knows that the money is back; redemption may be about to hear of it.
    assert refused.value.code in {"rest_refunding", "refunded"}
    await scenario.check_books(town, [Outcome(order, 6_667)])


async def test_after_an_hour_a_use_stands_and_its_merchant_is_paid(running: Running) -> None:
    world = running.world
    town = await scenario.open_town(world)
    order, [issued] = await bought(town, 1)
    done = await redeem(town, issued)
    moved = await world.sandbox("POST", "/clock/advance", {"seconds": 3_601})

    async def redemption_has_heard() -> bool:
        ready = await world.person(town.voucher.clerk).get("redemption", "/readyz")
        return datetime.fromisoformat(ready["now"]) >= datetime.fromisoformat(moved["now"])

    await world.until(redemption_has_heard, "redemption's clock has moved, too")
    with pytest.raises(Refused) as refused:
        await lifecycles.reverse(world, town.voucher.clerk, done)
    assert refused.value.code == "reversed_too_late"
    await scenario.check_books(town, [Outcome(order, 0)])
