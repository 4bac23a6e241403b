"""Webhooks: kept first, believed as far as proven, applied once, and answered exactly as each carrier wants."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx

from services.dispatch.gateways.dada_mapper import callback_checksum
from services.dispatch.gateways.kuaidi100_mapper import push_signature
from services.dispatch.store import webhooks
from shared.contracts.catalog import DeliveryMode
from shared.contracts.checkout import OrderPaid
from shared.contracts.dispatch import ParcelDelivered, ParcelHandedOver
from tests.integration.dispatch.stage import Stage

INSTANT, COURIER = DeliveryMode.INSTANT, DeliveryMode.COURIER


async def _dada_callback(stage: Stage, order: OrderPaid, status: int, at: int, **extra: Any) -> httpx.Response:
    (attempt, *_) = await stage.attempts(order)
    facts = {"client_id": "3", "order_id": attempt["attempt_id"].hex, "update_time": at} | extra
    checksum = callback_checksum(str(facts["client_id"]), str(facts["order_id"]), str(at))
    body = json.dumps({"order_status": status, "signature": checksum} | facts).encode()
    token = stage.world.webhook_token(attempt["attempt_id"])
    return await stage.http.post(f"/webhooks/dada/{token}", content=body)


async def _kept(stage: Stage, order: OrderPaid) -> list[str]:
    """The states of the stored webhooks."""
    (attempt, *_) = await stage.attempts(order)
    async with stage.db.transaction() as tx:
        rows = await tx.fetch(
            "select state from webhooks where attempt_id = $1 order by webhook_id", attempt["attempt_id"]
        )
    return [row["state"] for row in rows]


async def _waiting(stage: Stage) -> OrderPaid:
    """An order whose rider is searched for, its own callbacks all applied."""
    shop = await stage.open_shop()
    order = await stage.accepted(shop, INSTANT)
    while await _kept(stage, order) != ["APPLIED"]:
        await stage.act()
    return order


async def test_a_forged_delivery_is_checked_with_the_carrier_and_not_believed(stage: Stage) -> None:
    order = await _waiting(stage)
    answer = await _dada_callback(stage, order, 4, 1_900_000_000)
    assert (answer.status_code, answer.text) == (200, '{"status":"ok"}')
    await stage.act()
    assert await stage.state(order) == "ACCEPTED"
    assert (await stage.attempts(order))[0]["state"] == "SEARCHING"
    assert await _kept(stage, order) == ["APPLIED", "APPLIED"]


async def test_a_forged_pickup_does_not_block_a_refund(stage: Stage) -> None:
    order = await _waiting(stage)
    await _dada_callback(stage, order, 3, 1_900_000_000)
    await stage.act()
    assert await stage.said_of(ParcelHandedOver, order) == []


async def test_a_forged_cancellation_calls_no_second_rider(stage: Stage) -> None:
    order = await _waiting(stage)
    await _dada_callback(stage, order, 5, 1_900_000_000)
    await stage.act()
    assert len(await stage.attempts(order)) == 1


async def test_a_checksum_that_does_not_hold_is_refused_and_kept(stage: Stage) -> None:
    order = await _waiting(stage)
    answer = await _dada_callback(stage, order, 2, 1_900_000_000, signature="0" * 32)
    assert answer.status_code == 400
    await stage.act()
    assert await _kept(stage, order) == ["APPLIED", "REFUSED"]
    assert (await stage.attempts(order))[0]["state"] == "SEARCHING"


async def test_a_callback_about_another_order_is_refused(stage: Stage) -> None:
    order = await _waiting(stage)
    await _dada_callback(stage, order, 2, 1_900_000_000, order_id="f" * 32)
    await stage.act()
    assert await _kept(stage, order) == ["APPLIED", "REFUSED"]


async def test_an_address_that_is_nobodys_is_not_found(stage: Stage) -> None:
    answer = await stage.http.post("/webhooks/dada/guessed", content=b"{}")
    assert (answer.status_code, answer.json()["code"]) == (404, "webhook_unknown")
    (attempt,) = await stage.attempts(await _waiting(stage))
    other = await stage.http.post(f"/webhooks/kuaidi100/{stage.world.webhook_token(attempt['attempt_id'])}")
    assert other.status_code == 404


async def test_the_same_bytes_ten_times_at_once_are_one_webhook(stage: Stage) -> None:
    order = await _waiting(stage)
    answers = await asyncio.gather(*(_dada_callback(stage, order, 2, 1_900_000_000) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    await stage.act()
    assert len(await _kept(stage, order)) == 2


async def test_while_the_carrier_cannot_be_asked_its_word_waits(stage: Stage) -> None:
    order = await _waiting(stage)
    await stage.faults("dada", {"operation": "status/query", "fault": "http_500", "times": 1})
    await stage.rider(order, "accept", "fetch")
    await _dada_callback(stage, order, 3, 1_900_000_000)
    await stage.act()
    await stage.pass_time(timedelta(seconds=3))
    await stage.until(order, "HANDED_OVER")


async def test_callbacks_in_any_order_and_number_deliver_once(stage: Stage) -> None:
    order = await _waiting(stage)
    await stage.faults("dada", {"operation": "notify", "fault": "drop_before_commit", "times": 100})
    await stage.rider(order, "accept", "arrive", "fetch", "finish")
    reports = [(4, 5), (2, 2), (3, 4), (100, 3), (4, 5), (3, 4)]
    for status, second in reports:
        await _dada_callback(stage, order, status, 1_900_000_000 + second)
        await stage.act()
    assert await stage.state(order) == "DELIVERED"
    assert len(await stage.said_of(ParcelDelivered, order)) == 1
    assert len(await stage.said_of(ParcelHandedOver, order)) == 1


async def test_a_couriers_push_needs_our_salt(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, COURIER)
    (attempt,) = await stage.attempts(order)
    path = f"/webhooks/kuaidi100/{stage.world.webhook_token(attempt['attempt_id'])}"
    param = json.dumps({"kuaidinum": "x", "data": {"orderId": "1", "status": 10}})

    async def push(salt: str) -> dict[str, Any]:
        form = urlencode({"param": param, "sign": push_signature(param, salt), "taskId": "t"})
        answer = await stage.http.post(
            path, content=form, headers={"content-type": "application/x-www-form-urlencoded"}
        )
        said: dict[str, Any] = answer.json()
        return said

    assert (await push("guessed"))["result"] is False
    await stage.act()
    assert await stage.state(order) == "ACCEPTED"
    assert await push("kuaidi-salt") == {"result": True, "returnCode": "200", "message": "成功"}
    await stage.act()
    assert await stage.state(order) == "HANDED_OVER"


async def test_a_status_that_nobody_knows_is_kept_and_moves_nothing(stage: Stage) -> None:
    order = await _waiting(stage)
    await stage.rider(order, "status")
    while len(await _kept(stage, order)) < 2:
        await stage.act()
    await stage.act()
    (attempt,) = await stage.attempts(order)
    async with stage.db.transaction() as tx:
        rows = await tx.fetch("select raw_status, state from reports where attempt_id = $1", attempt["attempt_id"])
    assert ("777", None) in {(row["raw_status"], row["state"]) for row in rows}
    assert attempt["state"] == "SEARCHING"


async def test_webhooks_are_sealed_and_forgotten_after_thirty_days(stage: Stage) -> None:
    order = await _waiting(stage)
    (attempt,) = await stage.attempts(order)
    async with stage.db.transaction() as tx:
        text = str(await tx.value("select jsonb_agg(w) from webhooks w where attempt_id = $1", attempt["attempt_id"]))
        assert attempt["attempt_id"].hex not in text
        await tx.execute(
            "update webhooks set received_at = now() - interval '31 days' where attempt_id = $1", attempt["attempt_id"]
        )
        await webhooks.purge(tx, 100)
    assert await _kept(stage, order) == []
