"""A shop that the platform runs itself is paid by transfer, over all real parts, once even when no answer comes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from services.console import audit, lifecycles, shops
from services.console.environment import FIRST_OPERATOR
from services.console.journey import move_to_next_payout, run_payouts
from services.console.lifecycles import Bought
from services.console.people import World
from services.console.shops import Shop
from shared.clock import business_day
from shared.ids import new_id
from tests.journeys import scenario
from tests.journeys.conftest import OWN_SHOP, Running

pytestmark = [pytest.mark.infrastructure, pytest.mark.timeout(300)]

TRANSFER = "alipay.fund.trans.uni.transfer"


async def test_an_own_shop_is_paid_by_transfer_once_although_no_answer_came(apart: Running) -> None:
    world = apart.world
    shop = await own_shop(world)
    bought = await used_order(world, shop)
    total_fen = bought.order["total_fen"]
    day = business_day(datetime.fromisoformat((await world.sandbox("GET", "/clock"))["now"]))
    await world.until(lambda: is_promised(world, shop, total_fen), "the preview promises it")
    fault = {"operation": TRANSFER, "fault": "commit_then_timeout", "seconds": 12}
    await world.sandbox("PUT", "/_sim/faults/alipay", [fault])

    await move_to_next_payout(world)
    await run_payouts(world)
    unknown = await world.until(lambda: undecided(world), "no answer came", 30)
    assert (unknown["gross_fen"], unknown["attempts"]) == (total_fen, 1)
    payout = await world.until(lambda: paid(world, shop), "the shop is paid", 60)
    assert (payout["gross_fen"], payout["fee_fen"], payout["net_fen"]) == (total_fen, 0, total_fen)

    (moved,) = [one for one in await transfers(world) if one["amount_fen"] == total_fen]
    payouts = await world.person(FIRST_OPERATOR).get("settlement", f"/admin/bills/{day}/payouts?days=3")
    (ours,) = [one for one in payouts["items"] if one["order_id"] == str(bought.order_id)]
    assert moved["out_request_no"] == ours["number"] == UUID(unknown["instruction_id"]).hex

    statement = await world.person(shop.owner).get("settlement", f"/merchants/{OWN_SHOP}/statement?day={day}")
    (use,) = statement["items"]
    assert (use["state"], use["gross_fen"], use["fee_fen"], use["net_fen"]) == ("PAID", total_fen, 0, total_fen)
    proof = await audit.settled(world, 30)
    mine = {str(bought.order_id), *bought.unit_ids, ours["number"]}
    assert [finding for finding in proof.findings if finding.item_id in mine] == []


async def own_shop(world: World) -> Shop:
    """The merchant whom the settings of this system name, with a payout account on the transfer rail."""
    tag = new_id().hex[-10:]
    plan = shops.hotpot(f"owner-{tag}", f"clerk-{tag}", **scenario.PLENTY)
    return await shops.open_shop(world, plan, merchant_id=OWN_SHOP, rail="TRANSFER")


async def used_order(world: World, shop: Shop) -> Bought:
    bought = await lifecycles.place(world, shop, scenario.somebody(), 1)
    await lifecycles.pay(world, bought)
    (certificate,) = await lifecycles.certificates(world, bought)
    await lifecycles.redeem(world, shop.clerk, shop.store_id, certificate["code"], [certificate["unit_id"]])
    return bought


async def is_promised(world: World, shop: Shop, net_fen: int) -> bool:
    preview = await world.person(shop.owner).get("settlement", f"/merchants/{shop.merchant_id}/preview")
    return bool(preview["uses"] == 1 and preview["net_fen"] == net_fen)


async def paid(world: World, shop: Shop) -> Mapping[str, Any] | None:
    page = await world.person(shop.owner).get("settlement", f"/merchants/{shop.merchant_id}/payouts")
    newest: Mapping[str, Any] | None = next(iter(page["items"]), None)
    return newest if newest and newest["state"] == "PAID" else None


async def undecided(world: World) -> Mapping[str, Any] | None:
    """The payment to the own shop of which nobody knows whether it was made."""
    page = await world.person(FIRST_OPERATOR).get("settlement", "/admin/instructions")
    found = (one for one in page["items"] if one["merchant_id"] == str(OWN_SHOP) and one["state"] == "UNKNOWN")
    return next(found, None)


async def transfers(world: World) -> list[Any]:
    found: list[Any] = []
    since: int | None = 0
    while since is not None:
        page = await world.sandbox("GET", f"/_sim/alipay/book?limit=1000&since={since}")
        found += [one for one in page["entries"] if one["kind"] == "transfer"]
        since = page["next_since"]
    return found
