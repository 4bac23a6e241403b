"""达达 and 快递100 carry parcels to their doors, over a sandbox that checks our signatures with code of its own."""

from datetime import timedelta

from services.dispatch.domain.attempts import AttemptState, Snapshot
from services.dispatch.use_cases import following
from shared.contracts.catalog import DeliveryMode, StaffRole
from shared.contracts.dispatch import (
    ParcelDelivered,
    ParcelFailed,
    ParcelFailure,
    ParcelHandedOver,
    ParcelReceived,
)
from tests.integration.dispatch.stage import Shop, Stage, as_, staff_changed
from tests.support.waiting import eventually

INSTANT, COURIER = DeliveryMode.INSTANT, DeliveryMode.COURIER


async def test_an_errand_runner_brings_a_parcel(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    await stage.rider(order, "accept", "arrive")
    await stage.until_attempt(order, "AT_PICKUP")
    await stage.rider(order, "fetch")
    await stage.until(order, "HANDED_OVER")
    seen = await stage.shown(order, order.buyer)
    assert seen["rider"] == {"name": "骑手甲", "masked_phone": "138****0001"}
    assert seen["receive_code"] is None
    await stage.rider(order, "finish")
    await stage.until(order, "DELIVERED")
    (handed_over,) = await stage.said_of(ParcelHandedOver, order)
    assert (handed_over.mode, handed_over.carrier) == (INSTANT, "达达")
    (delivered,) = await stage.said_of(ParcelDelivered, order)
    assert delivered.received_by - delivered.delivered_at == timedelta(hours=24)
    (attempt,) = await stage.attempts(order)
    assert (attempt["fee_state"], attempt["fee_fen"] > 0) == ("CONFIRMED", True)
    assert "rider_lost" not in await stage.happened(order)


async def test_a_courier_brings_a_parcel_and_receipt_is_automatic_after_a_week(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, COURIER)
    await stage.until_attempt(order, "SEARCHING")
    await stage.courier(order, "accept", "pickup")
    await stage.until(order, "HANDED_OVER")
    await stage.courier(order, "transit", "deliver")
    await stage.until_attempt(order, "OUT_FOR_DELIVERY")
    await stage.courier(order, "sign")
    await stage.until(order, "DELIVERED")
    (handed_over,) = await stage.said_of(ParcelHandedOver, order)
    assert (handed_over.mode, handed_over.carrier) == (COURIER, "圆通速递")
    assert handed_over.waybill
    (delivered,) = await stage.said_of(ParcelDelivered, order)
    assert delivered.received_by - delivered.delivered_at == timedelta(days=7)
    await stage.pass_time(timedelta(days=6))
    assert await stage.state(order) == "DELIVERED"
    await stage.pass_time(timedelta(days=1, seconds=1))
    (received,) = await stage.said_of(ParcelReceived, order)
    assert received.automatic


async def test_a_settled_fee_of_a_courier_is_no_delivery(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, COURIER)
    await stage.until_attempt(order, "SEARCHING")
    answer = await stage.sandbox.post(
        f"/_sim/kuaidi100/orders/{(await stage.attempts(order))[0]['attempt_id'].hex}/fee", params={"freight_fen": 1850}
    )
    assert answer.status_code == 200

    async def settled() -> bool:
        await stage.act()
        return bool((await stage.attempts(order))[0]["fee_fen"] == 1850)

    await eventually(settled, what="the fee is settled")
    assert (await stage.attempts(order))[0]["state"] == "SEARCHING"
    assert await stage.state(order) == "ACCEPTED"


async def test_the_answer_to_an_order_that_comes_after_news_of_its_fee_does_not_replace_it(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, COURIER)
    attempt_id = (await stage.until_attempt(order, "SEARCHING"))["attempt_id"]
    reports = [("15", None, 1850, following.WEBHOOK), ("0", AttemptState.SEARCHING, 1200, following.CREATE)]
    for raw_status, state, fee_fen, source in reports:
        snapshot = Snapshot(raw_status, state, fee_fen=fee_fen)
        async with stage.db.transaction() as tx:
            await following.take_report(tx, stage.world, attempt_id, snapshot, source)
    assert (await stage.attempts(order))[0]["fee_fen"] == 1850


async def test_a_parcel_that_comes_back_is_refunded(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, COURIER)
    await stage.until_attempt(order, "SEARCHING")
    await stage.courier(order, "accept", "pickup", "refuse", "returned")
    await stage.until(order, "RETURNED")
    (failed,) = await stage.said_of(ParcelFailed, order)
    assert failed.failure is ParcelFailure.RETURNED


async def test_a_rider_who_drops_out_is_replaced_by_the_carrier_itself(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    await stage.rider(order, "accept")
    await stage.until_attempt(order, "ASSIGNED")
    await stage.rider(order, "reassign")
    await stage.pass_time(timedelta(seconds=61))
    await stage.until_attempt(order, "SEARCHING")
    await stage.rider(order, "accept", "fetch", "finish")
    await stage.until(order, "DELIVERED")
    assert len(await stage.attempts(order)) == 1


async def test_a_carrier_that_cancels_before_pickup_is_tried_again_three_times_and_then_a_person_decides(
    stage: Stage,
) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, INSTANT)
    for number in (1, 2, 3):
        await stage.until_attempt(order, "SEARCHING", number)
        await stage.rider(order, "cancel", number=number)
        await stage.until_attempt(order, "CANCELLED", number)
    await stage.act()
    assert len(await stage.attempts(order)) == 3
    shown = await stage.shown(order, shop.clerk)
    assert (shown["state"], shown["dispatch_state"]) == ("ACCEPTED", "MANUAL")
    board = await stage.http.get(
        "/board", params={"merchant_id": str(shop.merchant_id), "state": "MANUAL"}, headers=as_(shop.clerk)
    )
    assert [item["order_id"] for item in board.json()["items"]] == [str(order.order_id)]
    # The merchant brings it: the buyer's code proves it, and a rider's parcel it stays for the day to object.
    assert (await stage.put(order, "handover", shop.rider)).json()["state"] == "HANDED_OVER"
    code = (await stage.shown(order, order.buyer))["receive_code"]
    assert (await stage.put(order, "delivery", shop.rider, {"receive_code": code})).json()["state"] == "DELIVERED"
    (handed_over,) = await stage.said_of(ParcelHandedOver, order)
    assert (handed_over.mode, handed_over.carrier) == (DeliveryMode.SELF, "self")


async def test_a_parcel_that_nobody_will_carry_is_refunded_when_the_merchant_does_nothing(stage: Stage) -> None:
    shop = await stage.open_shop()
    await stage.faults("dada", {"operation": "addAfterQuery", "fault": "business_error", "code": "4711", "times": 9})
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "REJECTED")
    assert (await stage.parcel(order))["dispatch_state"] == "MANUAL"
    await stage.pass_time(timedelta(hours=25))
    (failed,) = await stage.said_of(ParcelFailed, order)
    assert failed.failure is ParcelFailure.NO_CARRIER


async def test_the_merchant_may_not_carry_what_a_rider_is_coming_for(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    refused = await stage.put(order, "handover", shop.rider)
    assert (refused.status_code, refused.json()["code"]) == (409, "carrier_involved")


async def test_goods_lost_on_the_way_are_declared_by_an_operator(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, COURIER)
    await stage.until_attempt(order, "SEARCHING")
    await stage.courier(order, "accept", "pickup")
    await stage.until(order, "HANDED_OVER")
    operator = f"operator-{order.order_id.hex[:8]}"
    await stage.hear(staff_changed(Shop(), operator, StaffRole.OPERATOR, stage.now()))
    path = f"/admin/parcels/{await stage.parcel_id(order)}/loss"
    assert (await stage.http.put(path, json={"reason": "x"}, headers=as_(shop.owner))).status_code == 403
    lost = await stage.http.put(path, json={"reason": "快递车失火"}, headers=as_(operator))
    assert lost.json()["state"] == "LOST", lost.text
    (failed,) = await stage.said_of(ParcelFailed, order)
    assert failed.failure is ParcelFailure.LOST
