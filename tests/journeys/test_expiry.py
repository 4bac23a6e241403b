"""Money that goes back without its buyer asking, on real processes: time runs out, a campaign is called off, a merchant
refunds in Alipay's own backend. The books hold to the fen after each."""

from typing import Any

import pytest

from services.console import audit, lifecycles
from services.console.environment import FIRST_OPERATOR
from services.console.lifecycles import Bought
from services.console.people import World
from shared.ids import new_id
from tests.journeys import scenario
from tests.journeys.conftest import Running
from tests.journeys.scenario import Outcome

pytestmark = [pytest.mark.infrastructure, pytest.mark.timeout(300)]

TOMORROW = {"rules": {"valid_days": 1, "blackout_dates": []}}


async def bought(world: World, town: scenario.Town, quantity: int) -> Bought:
    order = await lifecycles.place(world, town.voucher, scenario.somebody(), quantity)
    await lifecycles.pay(world, order)
    await lifecycles.certificates(world, order)
    return order


async def books_hold(world: World) -> None:
    proof = await audit.settled(world, 60.0)
    assert (proof.findings, proof.difference_fen) == ([], 0)


async def test_what_was_not_used_in_time_is_paid_back_by_itself(running: Running) -> None:
    world = running.world
    town = await scenario.open_town(world, TOMORROW)
    order = await bought(world, town, 2)
    used, unused = await lifecycles.certificates(world, order)
    await lifecycles.redeem(world, town.voucher.clerk, town.voucher.store_id, used["code"], [used["unit_id"]])
    await world.sandbox("POST", "/clock/advance", {"seconds": 3 * 86_400})
    (refund,) = await lifecycles.refunds_by_themselves(world, order, 1, "EXPIRED")
    assert (refund["cause"], refund["unit_ids"], refund["state"]) == ("EXPIRED", [unused["unit_id"]], "SUCCEEDED")
    assert refund["money_back_by"] > refund["succeeded_at"][:10]
    await scenario.check_books(town, [Outcome(order, refund["amount_fen"])])


async def test_a_campaign_that_is_called_off_goes_back_and_what_was_used_stays(running: Running) -> None:
    world = running.world
    town = await scenario.open_town(world)
    orders = [await bought(world, town, 2) for _ in range(3)]
    used, _ = await lifecycles.certificates(world, orders[0])
    await lifecycles.redeem(world, town.voucher.clerk, town.voucher.store_id, used["code"], [used["unit_id"]])
    mass, operator = new_id(), world.person(FIRST_OPERATOR)
    body = {"deal_id": str(orders[0].order["deal_id"]), "reason": "商家无法履约"}
    await operator.put("checkout", f"/admin/mass-refunds/{mass}", body)

    async def done() -> Any:
        told = await operator.get("checkout", f"/admin/mass-refunds/{mass}")
        return told if told["done"] else None

    told = await world.until(done, "everything is back", 60.0)
    assert told["refunded"] + told["refused"] == told["opened"]
    refunded = [await _refunded_fen(world, order) for order in orders]
    assert sum(refunded) == 5 * 12_800
    await scenario.check_books(town, [Outcome(order, fen) for order, fen in zip(orders, refunded, strict=True)])


async def test_a_refund_in_alipays_own_backend_is_found_and_obeyed(running: Running) -> None:
    world = running.world
    town = await scenario.open_town(world)
    order = await bought(world, town, 2)
    (number,) = (await audit.orders_of(world))["checkout"][str(order.order_id)]["out_trade_nos"]
    made = {"out_trade_no": number, "amount_fen": 12_800, "out_request_no": "merchant-1"}
    await world.sandbox("POST", "/_sim/alipay/external-refund", made)
    found = {"amount_fen": 12_800, "refunded_at": (await world.sandbox("GET", "/clock"))["now"]}
    await world.person(FIRST_OPERATOR).put("settlement", f"/admin/external-refunds/{number}/merchant-1", found)

    async def over() -> Any:
        states = sorted(one["state"] for one in await lifecycles.certificates(world, order))
        return states == ["REFUNDED", "VALID"] or None

    await world.until(over, "one certificate is over", 60.0)
    assert await _refunded_fen(world, order) == 12_800
    await books_hold(world)


async def _refunded_fen(world: World, order: Bought) -> int:
    found = await world.person(order.buyer).get("checkout", f"/orders/{order.order_id}")
    return int(found["refunded_fen"])
