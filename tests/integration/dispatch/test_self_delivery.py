"""The merchant's own rider: accept, hand over, deliver with the buyer's code, receive."""

from datetime import timedelta

import pytest

from services.dispatch.domain.parcels import Policy
from shared.contracts.catalog import DeliveryMode, StaffRole
from shared.contracts.dispatch import (
    ParcelAccepted,
    ParcelDelivered,
    ParcelFailed,
    ParcelFailure,
    ParcelHandedOver,
    ParcelReceived,
)
from shared.errors import NotYet
from shared.ids import new_id
from tests.integration.dispatch.stage import Shop, Stage, again, as_, staff_changed, units_of

SELF = DeliveryMode.SELF


async def test_a_paid_order_reaches_its_door_with_the_merchants_own_rider(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, SELF)
    handed = await stage.put(order, "handover", shop.rider, {"rider": "小李"})
    assert handed.status_code == 200, handed.text
    assert handed.json()["state"] == "HANDED_OVER"
    code = (await stage.shown(order, order.buyer))["receive_code"]
    delivered = await stage.put(order, "delivery", shop.rider, {"receive_code": code})
    assert delivered.json()["state"] == "DELIVERED", delivered.text
    received = await stage.put(order, "receipt", order.buyer)
    assert received.json()["state"] == "RECEIVED"

    assert len(await stage.said_of(ParcelAccepted, order)) == 1
    (handed_over,) = await stage.said_of(ParcelHandedOver, order)
    assert (handed_over.mode, handed_over.carrier, handed_over.unit_ids) == (SELF, "self", units_of(order))
    (arrived,) = await stage.said_of(ParcelDelivered, order)
    assert arrived.received_by - arrived.delivered_at == timedelta(hours=24)
    (done,) = await stage.said_of(ParcelReceived, order)
    assert (done.automatic, done.merchant_id, done.store_id) == (False, shop.merchant_id, shop.store_id)
    versions = [event.version for event in (handed_over, arrived, done)]
    assert versions == sorted(set(versions))


async def test_silence_after_delivery_is_receipt(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, SELF)
    await stage.put(order, "handover", shop.rider)
    code = (await stage.shown(order, order.buyer))["receive_code"]
    await stage.put(order, "delivery", shop.rider, {"receive_code": code})
    await stage.pass_time(timedelta(hours=23, minutes=59))
    assert await stage.state(order) == "DELIVERED"
    await stage.pass_time(timedelta(minutes=2))
    (done,) = await stage.said_of(ParcelReceived, order)
    assert done.automatic
    assert (await stage.put(order, "receipt", order.buyer)).status_code == 200
    assert len(await stage.said_of(ParcelReceived, order)) == 1


async def test_every_verb_may_be_repeated(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, SELF)
    for _ in range(2):
        assert (await stage.put(order, "acceptance", shop.clerk)).status_code == 200
    for _ in range(2):
        assert (await stage.put(order, "handover", shop.rider)).status_code == 200
    code = (await stage.shown(order, order.buyer))["receive_code"]
    for _ in range(2):
        assert (await stage.put(order, "delivery", shop.rider, {"receive_code": code})).status_code == 200
    for _ in range(2):
        assert (await stage.put(order, "receipt", order.buyer)).status_code == 200
    for event in (ParcelAccepted, ParcelHandedOver, ParcelDelivered, ParcelReceived):
        assert len(await stage.said_of(event, order)) == 1
    assert [attempt["state"] for attempt in await stage.attempts(order)] == ["DELIVERED"]


async def test_an_order_told_twice_is_one_parcel(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.paid(shop, SELF)
    await stage.hear(order, again(order))
    assert await stage.happened(order) == ["placed"]


async def test_a_merchant_who_does_not_accept_in_time_loses_the_order(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.paid(shop, SELF)
    await stage.pass_time(Policy().accept_within + timedelta(seconds=1))
    (failed,) = await stage.said_of(ParcelFailed, order)
    assert failed.failure is ParcelFailure.NOT_ACCEPTED
    late = await stage.put(order, "acceptance", shop.clerk)
    assert (late.status_code, late.json()["code"]) == (409, "parcel_closed")


async def test_a_refused_order_is_refunded(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.paid(shop, SELF)
    answer = await stage.put(order, "refusal", shop.clerk, {"reason": "今日售罄"})
    assert answer.json()["state"] == "FAILED"
    assert any(line["reason"] == "今日售罄" for line in answer.json()["timeline"])
    (failed,) = await stage.said_of(ParcelFailed, order)
    assert failed.failure is ParcelFailure.REFUSED_BY_MERCHANT


async def test_goods_that_do_not_leave_in_time_are_refunded(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, SELF)
    await stage.pass_time(timedelta(hours=24, seconds=1))
    (failed,) = await stage.said_of(ParcelFailed, order)
    assert failed.failure is ParcelFailure.NOT_HANDED_OVER
    assert [attempt["state"] for attempt in await stage.attempts(order)] == ["CANCELLED"]


async def test_a_wrong_receive_code_is_counted_and_then_locked(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, SELF)
    await stage.put(order, "handover", shop.rider)
    code = (await stage.shown(order, order.buyer))["receive_code"]
    wrong = "000000" if code != "000000" else "111111"
    left = []
    for _ in range(4):
        answer = await stage.put(order, "delivery", shop.rider, {"receive_code": wrong})
        assert answer.json()["code"] == "receive_code_wrong"
        left.append(answer.json()["left"])
    assert left == [4, 3, 2, 1]
    assert (await stage.put(order, "delivery", shop.rider, {"receive_code": wrong})).json()["code"] == (
        "receive_code_locked"
    )
    assert (await stage.put(order, "delivery", shop.rider, {"receive_code": code})).json()["code"] == (
        "receive_code_locked"
    )
    await stage.pass_time(timedelta(minutes=16))
    assert (await stage.put(order, "delivery", shop.rider, {"receive_code": code})).json()["state"] == "DELIVERED"


async def test_only_people_of_the_store_handle_its_parcels(stage: Stage) -> None:
    shop, other = await stage.open_shop(), await stage.open_shop()
    order = await stage.paid(shop, SELF)
    for who in (other.owner, order.buyer, shop.rider):
        refused = await stage.put(order, "acceptance", who)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_staff_of_store")
    elsewhere = f"clerk-of-another-store-{new_id().hex[:6]}"
    await stage.hear(staff_changed(shop, elsewhere, StaffRole.CLERK, stage.now(), store_ids=(new_id(),)))
    assert (await stage.put(order, "acceptance", elsewhere)).status_code == 403
    assert (await stage.put(order, "receipt", shop.owner)).json()["code"] == "not_your_parcel"


async def test_a_revoked_clerk_is_refused_at_once(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.paid(shop, SELF)
    staff_id, clerk = new_id(), f"clerk-{new_id().hex[:8]}"
    hired = staff_changed(shop, clerk, StaffRole.CLERK, stage.now(), version=1, staff_id=staff_id)
    fired = staff_changed(shop, clerk, StaffRole.CLERK, stage.now(), version=2, staff_id=staff_id, active=False)
    await stage.hear(fired, hired)
    assert (await stage.put(order, "acceptance", clerk)).status_code == 403


async def test_strangers_do_not_learn_that_a_parcel_exists(stage: Stage) -> None:
    shop, other = await stage.open_shop(), await stage.open_shop()
    order = await stage.paid(shop, SELF)
    for who in (other.owner, "somebody"):
        answer = await stage.http.get(f"/orders/{order.order_id}/parcel", headers=as_(who))
        assert (answer.status_code, answer.json()["code"]) == (404, "parcel_not_found")


async def test_the_code_is_the_buyers_and_the_door_is_the_riders(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, SELF)
    await stage.put(order, "handover", shop.rider, {"rider": "小李"})
    buyer, rider = await stage.shown(order, order.buyer), await stage.shown(order, shop.rider)
    assert len(buyer["receive_code"]) == 6
    assert (buyer["receiver"], buyer["attempts"]) == (None, None)
    assert rider["receive_code"] is None
    assert rider["receiver"]["phone"] == "+8613800138000"
    assert rider["attempts"][0]["provider"] == "self"
    code = buyer["receive_code"]
    await stage.put(order, "delivery", shop.rider, {"receive_code": code})
    after = await stage.shown(order, shop.rider)
    assert after["receiver"]["phone"] == "138****8000"


async def test_nothing_personal_lies_open_in_the_database(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, SELF)
    await stage.put(order, "handover", shop.rider, {"rider": "小李飞刀"})
    code = (await stage.shown(order, order.buyer))["receive_code"]
    async with stage.db.transaction() as tx:
        parcel = str(await tx.value("select to_jsonb(p) from parcels p where order_id = $1", order.order_id))
        attempt = str(await tx.value("select jsonb_agg(a) from attempts a"))
    for secret in ("13800138000", "滨海大道", "王小明", f"'{code}'"):
        assert secret not in parcel
    assert "小李飞刀" not in attempt


async def test_the_board_pages_through_a_merchants_parcels(stage: Stage) -> None:
    shop = await stage.open_shop()
    orders = [await stage.paid(shop, SELF) for _ in range(3)]
    seen: list[str] = []
    cursor = None
    while True:
        query = {"merchant_id": str(shop.merchant_id), "limit": "2", **({"cursor": cursor} if cursor else {})}
        page = (await stage.http.get("/board", params=query, headers=as_(shop.clerk))).json()
        seen += [item["order_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [str(order.order_id) for order in reversed(orders)]
    refused = await stage.http.get("/board", params={"merchant_id": str(shop.merchant_id)}, headers=as_("somebody"))
    assert refused.status_code == 403
    bad = await stage.http.get(
        "/board", params={"merchant_id": str(shop.merchant_id), "cursor": "!!"}, headers=as_(shop.clerk)
    )
    assert (bad.status_code, bad.json()["code"]) == (422, "cursor_invalid")


async def test_a_store_unknown_so_far_makes_the_order_wait(stage: Stage) -> None:
    order = stage.order(Shop(), SELF)
    with pytest.raises(NotYet):
        await stage.hear(order)
