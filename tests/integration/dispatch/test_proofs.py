"""What a delivery is proven with, and the code that a carrier's rider asks the buyer for."""

from datetime import timedelta
from typing import Any

from shared.contracts.catalog import DeliveryMode
from shared.contracts.checkout import OrderPaid
from tests.integration.dispatch.stage import Shop, Stage, as_

INSTANT, COURIER = DeliveryMode.INSTANT, DeliveryMode.COURIER
A_WHILE = timedelta(seconds=61)


async def _accepted(stage: Stage, shop: Shop, units: int) -> OrderPaid:
    order = await stage.paid(shop, INSTANT, units)
    await stage.put(order, "acceptance", shop.clerk)
    await stage.until_attempt(order, "SEARCHING")
    return order


async def _tracked(stage: Stage, order: OrderPaid) -> dict[str, Any]:
    answer = await stage.http.get(f"/orders/{order.order_id}/tracking", headers=as_(order.buyer))
    assert answer.status_code == 200, answer.text
    seen: dict[str, Any] = answer.json()
    return seen


async def _delivered(stage: Stage, order: OrderPaid) -> dict[str, Any]:
    await stage.rider(order, "accept", "fetch", "finish")
    await stage.until(order, "DELIVERED")
    return await _tracked(stage, order)


async def test_dear_goods_are_handed_over_for_a_code_by_a_carriers_rider_too(stage: Stage) -> None:
    shop = await stage.open_shop("dada")
    order = await _accepted(stage, shop, units=4)
    await stage.pass_time(A_WHILE)
    (attempt,) = await stage.attempts(order)
    shown = await stage.sandbox.get(f"/_sim/dada/orders/{attempt['attempt_id'].hex}")
    code = shown.json()["orderFinishCode"]
    assert len(code) == 6
    assert (await _tracked(stage, order))["receive_code"] == code
    assert (await stage.shown(order, shop.clerk))["receive_code"] is None, "the code is the buyer's alone"
    assert code not in str(dict(attempt))
    arrived = await _delivered(stage, order)
    assert (arrived["receive_code"], arrived["proof"], arrived["has_photo"]) == (None, "CODE", False)
    assert (await stage.attempts(order))[0]["sealed_code"] is None


async def test_what_is_not_dear_needs_no_code(stage: Stage) -> None:
    order = await _accepted(stage, await stage.open_shop("dada"), units=2)
    await stage.pass_time(A_WHILE)
    assert (await _tracked(stage, order))["receive_code"] is None
    arrived = await _delivered(stage, order)
    assert (arrived["phase"], arrived["proof"]) == ("DELIVERED", None), "there is only the carrier's word"


async def test_a_couriers_parcel_is_proven_by_its_tracks_last_line(stage: Stage) -> None:
    order = await stage.accepted(await stage.open_shop("kuaidi100"), COURIER)
    await stage.until_attempt(order, "SEARCHING")
    await stage.courier(order, "accept", "pickup", "transit", "sign")
    await stage.until(order, "DELIVERED")
    assert (await _tracked(stage, order))["proof"] == "SIGNED"


async def test_the_buyer_follows_the_rider_from_afar(stage: Stage) -> None:
    order = await _accepted(stage, await stage.open_shop("dada"), units=2)
    assert (await _tracked(stage, order))["position"] is None
    await stage.rider(order, "accept")
    await stage.until_attempt(order, "ASSIGNED")
    await stage.pass_time(A_WHILE)
    coming = (await _tracked(stage, order))["position"]
    assert coming["distance_m"] > 1_000
    assert coming["eta_s"] is None, "how long it takes is not known before the goods have left"
    await stage.rider(order, "fetch")
    await stage.until(order, "HANDED_OVER")
    await stage.pass_time(A_WHILE)
    seen = await _tracked(stage, order)
    assert seen["position"]["eta_s"] > 0
    assert [line["what"] for line in seen["timeline"]][:2] == ["placed", "accepted"]
    assert "carrier_called" not in {line["what"] for line in seen["timeline"]}, "the search is the merchant's"
    await stage.rider(order, "finish")
    await stage.until(order, "DELIVERED")
    assert (await _tracked(stage, order))["position"] is None
