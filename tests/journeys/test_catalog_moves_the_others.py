"""What catalog decides and what follows elsewhere: closed stores, suspended merchants, forms, attribution, replay."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from services.console import audit, lifecycles
from services.console.environment import FIRST_OPERATOR
from services.console.journey import move_to_next_payout, run_payouts
from services.console.lifecycles import Bought
from services.console.people import Refused, World
from shared.clock import business_day
from shared.ids import new_id
from tests.journeys import scenario
from tests.journeys.conftest import Running
from tests.journeys.scenario import Outcome, Town

pytestmark = [pytest.mark.infrastructure, pytest.mark.timeout(300)]

SECONDS = 5.0
"""What "within seconds" means here."""


async def _bought(town: Town, quantity: int) -> tuple[Bought, list[dict[str, Any]]]:
    bought = await lifecycles.place(town.world, town.voucher, scenario.somebody(), quantity)
    await lifecycles.pay(town.world, bought)
    return bought, await lifecycles.certificates(town.world, bought)


async def _refunds(world: World, bought: Bought, count: int, cause: str) -> list[dict[str, Any]]:
    """The order's refunds, once so many of this cause have paid."""

    async def ask() -> list[dict[str, Any]] | None:
        order = await world.person(bought.buyer).get("checkout", f"/orders/{bought.order_id}")
        done = [one for one in order["refunds"] if (one["cause"], one["state"]) == (cause, "SUCCEEDED")]
        return done if len(done) == count else None

    return await world.until(ask, f"{count} refunds of {bought.order_id}")


async def _cannot_be_bought(town: Town, code: str) -> None:
    """Within seconds nobody can order the deal, and nobody sees it offered."""
    world, shop = town.world, town.voucher

    async def refused() -> bool:
        deal = await world.send("GET", "catalog", f"/deals/{shop.deal_id}")
        body = {"deal_id": str(shop.deal_id), "deal_version": deal["deal_version"], "quantity": 1, "delivery": None}
        try:
            await world.person(scenario.somebody()).put("checkout", f"/orders/{new_id()}", body)
        except Refused as error:
            return error.code == code
        return False

    await world.until(refused, f"orders are refused as {code}", SECONDS)
    deal = await world.send("GET", "catalog", f"/deals/{shop.deal_id}")
    video = await world.send("GET", "catalog", f"/videos/{shop.video_id}")
    assert (deal["state"], video["badge"]["state"]) == ("OFFLINE", "OFFLINE")


async def test_a_closed_store_gives_back_what_was_not_used_and_is_paid_for_what_was(running: Running) -> None:
    world = running.world
    town = await scenario.open_town(world)
    bought, issued = await _bought(town, 3)
    await lifecycles.redeem(world, town.voucher.clerk, town.voucher.store_id, issued[0]["code"], [issued[0]["unit_id"]])
    operator = world.person(FIRST_OPERATOR)
    path = f"/stores/{town.voucher.store_id}/closing"
    await operator.put("catalog", path, {"closed": True, "reason": "卫生检查不合格"})
    await _cannot_be_bought(town, "deal_offline")
    refunded = sum(one["amount_fen"] for one in await _refunds(world, bought, 2, "RECALLED"))
    assert refunded == 2 * 12800
    states = sorted(item["state"] for item in await lifecycles.certificates(world, bought))
    assert states == ["REFUNDED", "REFUNDED", "USED"]
    await scenario.check_books(town, [Outcome(bought, refunded)])


async def test_a_suspended_merchant_sells_nothing_and_is_paid_only_after_it_may_go_on(running: Running) -> None:
    world = running.world
    town = await scenario.open_town(world)
    bought, issued = await _bought(town, 2)
    await lifecycles.redeem(world, town.voucher.clerk, town.voucher.store_id, issued[0]["code"], [issued[0]["unit_id"]])
    operator, owner = world.person(FIRST_OPERATOR), world.person(town.voucher.owner)
    merchant = f"/merchants/{town.voucher.merchant_id}"
    await operator.put("catalog", f"{merchant}/suspension", {"suspended": True, "reason": "投诉调查中"})
    await _cannot_be_bought(town, "merchant_cannot_sell")
    [refund] = await _refunds(world, bought, 1, "RECALLED")
    await move_to_next_payout(world)
    await run_payouts(world)
    assert (await owner.get("settlement", f"{merchant}/payouts"))["items"] == []
    assert (await owner.get("settlement", f"{merchant}/preview"))["held_back"] == "merchant_suspended"
    assert (await audit.settled(world, 60)).findings == []
    await operator.put("catalog", f"{merchant}/suspension", {"suspended": False})

    async def paid() -> bool:
        await run_payouts(world)
        items = (await owner.get("settlement", f"{merchant}/payouts"))["items"]
        return [one["gross_fen"] for one in items if one["state"] == "PAID"] == [12800]

    await world.until(paid, "the merchant is paid once it may go on")
    await scenario.check_books(town, [Outcome(bought, refund["amount_fen"])])


async def test_a_times_card_is_used_twice_and_the_rest_goes_back(running: Running) -> None:
    world = running.world
    card = {
        "form": "TIMES_CARD",
        "title": "三次卡",
        "uses_per_unit": 3,
        "price_fen": 10000,
        "rules": {"valid_days": 30},
    }
    town = await scenario.open_town(world, card)
    bought, [issued] = await _bought(town, 1)
    for _ in range(2):
        await lifecycles.redeem(world, town.voucher.clerk, town.voucher.store_id, issued["code"])

    async def told() -> bool:
        order = await world.person(bought.buyer).get("checkout", f"/orders/{bought.order_id}")
        return bool(order["units"][0]["uses_left"] == 1)

    await world.until(told, "checkout has heard of both uses")
    refund = await lifecycles.refund(world, bought, bought.unit_ids)
    assert (refund["state"], refund["amount_fen"]) == ("SUCCEEDED", 3333)
    await scenario.check_books(town, [Outcome(bought, 3333)])


async def test_hours_and_stacking_are_shown_at_sale_and_enforced_at_the_till(running: Running) -> None:
    world = running.world
    today = business_day(datetime.fromisoformat((await world.sandbox("GET", "/clock"))["now"])).isoweekday()
    today_and_tomorrow = [{"weekdays": [today, today % 7 + 1], "opens": "00:00", "closes": "24:00"}]
    closed = await scenario.open_town(world, {"rules": {"valid_days": 30, "blackout_hours": today_and_tomorrow}})
    page = await world.send("GET", "catalog", f"/deals/{closed.voucher.deal_id}")
    assert page["stores"][0]["not_usable"]["code"] == "blackout_hours"
    _, [issued] = await _bought(closed, 1)
    attempt = lifecycles.redeem(
        world, closed.voucher.clerk, closed.voucher.store_id, issued["code"], [issued["unit_id"]]
    )
    with pytest.raises(Refused) as refused:
        await attempt
    assert refused.value.code == "blackout_hours"
    cash = {
        "form": "CASH_VOUCHER",
        "title": "100 元代金券",
        "price_fen": 8800,
        "original_price_fen": 10000,
        "cash": {"face_value_fen": 10000, "threshold_fen": 20000},
        "catering": None,
        "items": [],
        "rules": {"valid_days": 30, "max_count": 2},
    }
    town = await scenario.open_town(world, cash)
    store = await world.send("GET", "catalog", f"/stores/{town.voucher.store_id}")
    assert [(one["title"], one["cash"]) for one in store["vouchers"]] == [("100 元代金券", cash["cash"])]
    _, issued_three = await _bought(town, 3)
    units = [one["unit_id"] for one in issued_three]
    with pytest.raises(Refused) as too_many:
        await lifecycles.redeem(world, town.voucher.clerk, town.voucher.store_id, issued_three[0]["code"], units)
    assert too_many.value.code == "over_the_count"
    done = await lifecycles.redeem(world, town.voucher.clerk, town.voucher.store_id, issued_three[0]["code"], units[:2])
    assert len(done["uses"]) == 2


async def test_a_third_partys_code_that_does_not_come_is_refunded_after_ten_minutes(running: Running) -> None:
    world = running.world
    town = await scenario.open_town(world, {"form": "THIRD_PARTY_CODE", "code_source": "POOL"})
    bought = await lifecycles.place(world, town.voucher, scenario.somebody(), 2)
    await lifecycles.pay(world, bought)

    async def waits() -> bool:
        try:
            shown = await world.person(bought.buyer).get("redemption", f"/orders/{bought.order_id}/certificates")
        except Refused as error:
            if error.status == 404:
                return False
            raise
        return [item["state"] for item in shown["items"]] == ["ISSUING", "ISSUING"]

    await world.until(waits, "both certificates wait for their codes")
    await world.sandbox("POST", "/clock/advance", {"seconds": 601})
    refunded = sum(one["amount_fen"] for one in await _refunds(world, bought, 2, "ISSUE_FAILED"))
    assert refunded == bought.order["total_fen"]
    proof = await audit.settled(world, 60)
    assert (proof.findings, proof.difference_fen) == ([], 0)


async def test_the_placement_of_a_badge_is_known_of_the_order_that_it_brought(running: Running) -> None:
    world = running.world
    town = await scenario.open_town(world)
    shop, buyer, order_id = town.voucher, scenario.somebody(), new_id()
    video = await world.send("GET", "catalog", f"/videos/{shop.video_id}")
    token = video["badge"]["tokens"]["COMMENTS_TOP"]
    deal = await world.send("GET", "catalog", f"/deals/{shop.deal_id}")
    body = {
        "deal_id": str(shop.deal_id), "deal_version": deal["deal_version"], "quantity": 1, "delivery": None,
        "source": token,
    }  # fmt: skip

    async def placed() -> Any:
        try:
            return await world.person(buyer).put("checkout", f"/orders/{order_id}", body)
        except Refused as error:
            if error.code in {"deal_offline", "merchant_cannot_sell"}:
                return None
            raise

    order = await world.until(placed, "checkout knows the deal")
    await lifecycles.pay(world, Bought(order_id, buyer, shop, order))
    operator = world.person(FIRST_OPERATOR)

    async def said() -> Any:
        return await operator.get("checkout", f"/admin/history?aggregate_id={order_id}&topic=checkout.order_paid.v1")

    [paid] = await world.until(said, "the payment is told")
    known = await operator.get("catalog", f"/attributions/{paid['body']['source']}")
    assert (known["kind"], UUID(known["id"]), known["placement"]) == ("VIDEO", shop.video_id, "COMMENTS_TOP")


async def test_the_whole_copy_of_checkout_is_rebuilt_while_it_sells(running: Running) -> None:
    world = running.world
    town = await scenario.open_town(world)
    operator = world.person(FIRST_OPERATOR)
    replay = f"/admin/replays/{new_id()}"
    await operator.put("checkout", "/admin/copies/emptying", {"publisher": "catalog", "reason": "drill"})
    await operator.put("catalog", replay, {"to": "checkout", "reason": "drill", "dry_run": False})

    async def done() -> bool:
        return bool((await operator.get("catalog", replay))["state"] == "DONE")

    await world.until(done, "the replay is sent")
    bought, issued = await _bought(town, 1)
    assert len(issued) == 1
    await scenario.check_books(town, [])
    assert bought.order["total_fen"] == 12800
