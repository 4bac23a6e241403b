"""The merchant's own riders: who takes a parcel, who may leave with it, and what proves that it arrived."""

import base64
from datetime import timedelta

import pytest

from shared.contracts.catalog import DeliveryMode, StaffRole
from tests.integration.dispatch.stage import Stage, as_, staff_changed

SELF, INSTANT = DeliveryMode.SELF, DeliveryMode.INSTANT
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0" + b"door" * 50).decode()
DOOR = {"latitude": 20.03, "longitude": 110.33}


async def test_a_rider_takes_a_parcel_and_brings_it(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, SELF)
    second = f"{shop.rider}-2"
    await stage.hear(staff_changed(shop, second, StaffRole.RIDER, stage.now()))

    async def work(who: str) -> list[bool]:
        query = {"merchant_id": str(shop.merchant_id)}
        answer = await stage.http.get("/riders/parcels", params=query, headers=as_(who))
        return [one["mine"] for one in answer.json()["items"]]

    assert (await work(shop.rider), await work(second)) == ([False], [False])
    for _ in range(2):
        taken = await stage.put(order, "rider", shop.rider, {"name": "小李", "phone": "13800138001"})
        assert taken.status_code == 200, taken.text
    assert (await work(shop.rider), await work(second)) == ([True], [])
    for verb, body in (("rider", {}), ("handover", {}), ("position", DOOR)):
        refused = await stage.put(order, verb, second, body)
        assert (refused.status_code, refused.json()["code"]) == (409, "rider_taken")
    assert (await stage.put(order, "handover", shop.rider)).json()["state"] == "HANDED_OVER"
    assert (await stage.put(order, "position", shop.rider, DOOR)).status_code == 204
    seen = (await stage.http.get(f"/orders/{order.order_id}/tracking", headers=as_(order.buyer))).json()
    assert (seen["phase"], seen["rider"]) == ("ON_THE_WAY", {"name": "小李", "masked_phone": "138****8001"})
    assert (seen["position"]["longitude"], len(seen["receive_code"])) == (110.33, 6)
    done = await stage.put(order, "delivery", shop.rider, {"receive_code": seen["receive_code"]})
    assert done.json()["state"] == "DELIVERED"
    after = (await stage.http.get(f"/orders/{order.order_id}/tracking", headers=as_(order.buyer))).json()
    assert (after["phase"], after["position"], after["receive_code"], after["has_photo"]) == (
        "DELIVERED", None, None, False,
    )  # fmt: skip


async def test_a_rider_who_cannot_go_gives_the_parcel_back(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, SELF)
    await stage.put(order, "rider", shop.rider, {"name": "小李"})
    path = f"/parcels/{await stage.parcel_id(order)}/rider"
    assert (await stage.http.delete(path, headers=as_(shop.clerk))).json()["code"] == "rider_taken"
    for _ in range(2):
        assert (await stage.http.delete(path, headers=as_(shop.rider))).status_code == 200
    assert (await stage.put(order, "rider", shop.clerk, {"name": "店员"})).status_code == 200


async def test_a_photo_at_the_door_proves_the_delivery_of_what_is_not_dear(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, SELF)
    photo = {"photo": JPEG, **DOOR}
    early = await stage.put(order, "delivery-photo", shop.rider, photo)
    assert (early.status_code, early.json()["code"]) == (409, "parcel_not_handed_over")
    await stage.put(order, "handover", shop.rider)
    bad = await stage.put(
        order, "delivery-photo", shop.rider, {"photo": base64.b64encode(b"GIF89a..").decode(), **DOOR}
    )
    assert (bad.status_code, bad.json()["code"]) == (422, "photo_unreadable")
    for _ in range(2):
        assert (await stage.put(order, "delivery-photo", shop.rider, photo)).json()["state"] == "DELIVERED"
    path = f"/parcels/{await stage.parcel_id(order)}/delivery-photo"
    for who in (order.buyer, shop.clerk):
        shown = await stage.http.get(path, headers=as_(who))
        assert (shown.headers["content-type"], shown.content) == ("image/jpeg", base64.b64decode(JPEG))
    assert (await stage.http.get(path, headers=as_("somebody"))).status_code == 404
    async with stage.db.transaction() as tx:
        assert JPEG not in str(await tx.value("select jsonb_agg(p) from proofs p"))


async def test_dear_goods_need_the_buyers_code(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = stage.order(shop, SELF, units=4)
    await stage.hear(order)
    await stage.put(order, "acceptance", shop.clerk)
    await stage.act()
    await stage.put(order, "handover", shop.rider)
    refused = await stage.put(order, "delivery-photo", shop.rider, {"photo": JPEG, **DOOR})
    assert (refused.status_code, refused.json()["code"]) == (409, "receive_code_required")


@pytest.mark.parametrize("verb", ["rider", "position"])
async def test_what_a_carrier_brings_is_no_work_for_own_riders(stage: Stage, verb: str) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    refused = await stage.put(order, verb, shop.rider, DOOR if verb == "position" else {})
    assert (refused.status_code, refused.json()["code"]) == (409, "own_rider_not_called")


async def test_goods_that_came_back_are_refunded(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, SELF)
    assert (await stage.put(order, "return", shop.clerk)).json()["code"] == "parcel_not_handed_over"
    await stage.put(order, "handover", shop.rider)
    for _ in range(2):
        assert (await stage.put(order, "return", shop.clerk)).json()["state"] == "RETURNED"
    await stage.pass_time(timedelta(minutes=1))
    assert [attempt["state"] for attempt in await stage.attempts(order)] == ["RETURNED"]
