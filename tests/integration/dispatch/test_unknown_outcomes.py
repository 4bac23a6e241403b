"""What happens when nobody knows whether the carrier took the order: never two riders, never a parcel left behind."""

from datetime import timedelta
from typing import Any

import pytest

from services.dispatch.store import attempts as attempt_store
from services.dispatch.store import parcels as parcel_store
from services.dispatch.use_cases import shipments, submitting
from shared.contracts.catalog import DeliveryMode
from shared.contracts.checkout import OrderPaid
from tests.integration.dispatch.stage import Stage

INSTANT, COURIER = DeliveryMode.INSTANT, DeliveryMode.COURIER
_LIVE_AT_DADA = {1, 2, 3, 8, 100}


def _fault(operation: str, fault: str, times: int = 1, **more: Any) -> dict[str, Any]:
    return {"operation": operation, "fault": fault, "times": times, "seconds": 3, **more}


SILENCE = _fault("notify", "drop_before_commit", times=1000)


async def test_a_callback_may_tell_the_outcome_before_we_ask(stage: Stage) -> None:
    shop = await stage.open_shop()
    await stage.faults("dada", _fault("addAfterQuery", "commit_then_timeout"))
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    assert len(await stage.attempts(order)) == 1


async def _riders(stage: Stage, order: OrderPaid) -> int:
    return sum(status in _LIVE_AT_DADA for status in await stage.known_to_dada(order))


@pytest.mark.parametrize(
    "fault", ["commit_then_timeout", "commit_then_http_500", "commit_then_html_body", "commit_then_unknown_code"]
)
async def test_an_order_that_arrived_although_the_answer_did_not_is_adopted(stage: Stage, fault: str) -> None:
    shop = await stage.open_shop()
    await stage.faults("dada", _fault("addAfterQuery", fault), SILENCE)
    order = await stage.accepted(shop, INSTANT)
    assert [attempt["state"] for attempt in await stage.attempts(order)] == ["UNKNOWN"]
    await stage.pass_time(timedelta(seconds=3))
    assert [attempt["state"] for attempt in await stage.attempts(order)] == ["SEARCHING"]
    assert await stage.known_to_dada(order) == [1]
    await stage.faults("dada")
    await stage.rider(order, "accept", "fetch", "finish")
    await stage.until(order, "DELIVERED")


@pytest.mark.parametrize("fault", ["drop_before_commit", "http_500", "html_body", "unknown_code"])
async def test_an_order_that_never_arrived_is_fenced_before_another_is_made(stage: Stage, fault: str) -> None:
    shop = await stage.open_shop()
    await stage.faults("dada", _fault("addAfterQuery", fault))
    order = await stage.accepted(shop, INSTANT)
    (attempt,) = await stage.attempts(order)
    assert attempt["state"] == "UNKNOWN"
    for _ in range(3):
        await stage.pass_time(timedelta(seconds=20))
    assert (await stage.attempts(order))[0]["state"] == "UNKNOWN", "not found counts only after a while"
    await stage.pass_time(timedelta(seconds=60))
    await stage.pass_time(timedelta(seconds=60))
    assert (await stage.attempts(order))[0]["state"] == "FENCED"
    await stage.until_attempt(order, "SEARCHING", 2)
    assert await _riders(stage, order) == 1


async def test_a_fenced_order_that_comes_to_life_is_cancelled_again(stage: Stage) -> None:
    shop = await stage.open_shop()
    await stage.faults("dada", _fault("addAfterQuery", "drop_before_commit"))
    order = await stage.accepted(shop, INSTANT)
    for _ in range(4):
        await stage.pass_time(timedelta(seconds=60))
    fenced, second = await stage.attempts(order)
    assert (fenced["state"], second["state"]) == ("FENCED", "SEARCHING")
    # The bytes of the first order were not lost after all, only very late.
    carrier = stage.world.carriers.of("dada", "platform")
    async with stage.db.transaction() as tx:
        found = await attempt_store.find_attempt(tx, fenced["attempt_id"])
        parcel = await parcel_store.find_parcel(tx, fenced["parcel_id"])
        assert found is not None
        assert parcel is not None
        shipment = await shipments.shipment_of(tx, stage.world, parcel)
    await carrier.create(shipment, found.key, stage.world.callback_url("dada", found.attempt_id))

    while await stage.known_to_dada(order) != [5, 1]:
        await stage.act()
    assert "zombie" in await stage.happened(order)
    await stage.pass_time(timedelta(seconds=31))
    assert [attempt["zombie_since"] for attempt in await stage.attempts(order)] == [None, None]
    assert [attempt["state"] for attempt in await stage.attempts(order)] == ["FENCED", "SEARCHING"]


@pytest.mark.parametrize("fault", ["commit_then_timeout", "commit_then_unknown_code", "drop_before_commit", "http_500"])
async def test_a_courier_is_ordered_once_however_often_the_order_is_sent(stage: Stage, fault: str) -> None:
    shop = await stage.open_shop()
    await stage.faults("kuaidi100", _fault("bOrder", fault, times=2), SILENCE)
    order = await stage.accepted(shop, COURIER)
    assert (await stage.attempts(order))[0]["state"] == "UNKNOWN"
    for _ in range(3):
        await stage.pass_time(timedelta(seconds=16))
    attempt = await stage.until_attempt(order, "SEARCHING")
    assert attempt["submissions"] >= 2
    shown = await stage.sandbox.get(f"/_sim/kuaidi100/orders/{attempt['attempt_id'].hex}")
    assert f"{shown.json()['taskId']}/{shown.json()['orderId']}" == attempt["provider_id"]
    assert len(await stage.attempts(order)) == 1


async def test_a_process_that_died_while_sending_leaves_an_order_to_ask_about(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.paid(shop, INSTANT)
    await stage.put(order, "acceptance", shop.clerk)
    await stage.dispatch(order)
    (attempt,) = await stage.attempts(order)
    async with stage.db.transaction() as tx:
        submission = await submitting.begin(tx, stage.world, attempt["attempt_id"])
    assert submission is not None
    await submission.send()
    # … and here it is killed: the answer is never recorded. The timer's lease ends, and it runs again.
    await stage.act()
    await stage.pass_time(timedelta(seconds=3))
    await stage.until_attempt(order, "SEARCHING")
    assert len(await stage.attempts(order)) == 1
    assert await _riders(stage, order) == 1


async def test_a_carrier_that_cannot_be_reached_is_tried_later_with_the_same_number(stage: Stage) -> None:
    shop = await stage.open_shop()
    await stage.faults("dada", _fault("addAfterQuery", "throttle", times=2))
    order = await stage.accepted(shop, INSTANT)
    (attempt,) = await stage.attempts(order)
    assert attempt["state"] == "CREATED"
    await stage.pass_time(timedelta(seconds=6))
    await stage.pass_time(timedelta(seconds=11))
    again = await stage.until_attempt(order, "SEARCHING")
    assert (again["attempt_id"], again["submissions"]) == (attempt["attempt_id"], 3)


async def test_a_lost_webhook_is_made_up_for_by_asking(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    await stage.faults("dada", SILENCE)
    await stage.rider(order, "accept", "fetch", "finish")
    await stage.pass_time(timedelta(seconds=61))
    await stage.until(order, "DELIVERED")
