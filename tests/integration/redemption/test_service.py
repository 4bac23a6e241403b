"""The whole process on a real broker: events in, certificates, a use, events out, and a graceful stop."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aio_pika
import httpx
import pytest

from services.redemption.app import make
from services.redemption.settings import Settings
from shared.contracts import Event
from shared.contracts.catalog import StaffChanged, StaffRole, StoreChanged
from shared.contracts.redemption import CertificatesIssued, CertificateUsed, RefundFenced
from shared.ids import new_id
from shared.service import create_app
from tests.integration.redemption.conftest import TokensByName
from tests.integration.redemption.stage import Shop, Stage, as_, refund_request, units_of
from tests.support import queues
from tests.support.environment import Environment
from tests.support.waiting import eventually


@pytest.fixture
async def running(environment: Environment, settings: Settings, stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    """The service with everything that runs beside its routes."""
    await queues.empty(environment, "redemption")
    app = create_app(make(settings))
    async with app.router.lifespan_context(app):
        app.state.tokens = TokensByName()
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://redemption.test") as http:
            yield http


async def publish(environment: Environment, *events: Event) -> None:
    """Say something as its owner says it."""
    for event in events:
        connection = await aio_pika.connect(environment.local.amqp_urls[event.topic.partition(".")[0]])
        async with connection:
            channel = await connection.channel()
            exchange = await channel.get_exchange("events")
            await exchange.publish(aio_pika.Message(event.model_dump_json().encode()), routing_key=event.topic)


async def heard_by(environment: Environment, queue: str) -> list[dict[str, Any]]:
    """The messages that wait in a queue, taken out."""
    found = []
    connection = await aio_pika.connect(environment.local.amqp_urls[queue.partition(".")[0]])
    async with connection:
        channel = await connection.channel()
        waiting = await channel.get_queue(queue)
        while (message := await waiting.get(fail=False)) is not None:
            await message.ack()
            found.append(json.loads(message.body))
    return found


async def test_an_order_on_the_bus_becomes_a_use_on_the_bus(
    environment: Environment, running: httpx.AsyncClient, stage: Stage
) -> None:
    shop = Shop()
    order = stage.order(shop, units=2)
    store = StoreChanged(
        occurred_at=stage.now(), store_id=shop.store_id, merchant_id=shop.merchant_id, name=shop.name, city="成都",
        address="", latitude=30.65, longitude=104.08, phone="", open=True,
    )  # fmt: skip
    staff = StaffChanged(
        occurred_at=stage.now(), staff_id=shop.staff_id, subject=shop.clerk, merchant_id=shop.merchant_id,
        role=StaffRole.CLERK, active=True,
    )  # fmt: skip
    request = refund_request(order, units_of(order)[1:])
    await publish(environment, order, store, staff, order)

    async def issued() -> list[dict[str, Any]]:
        answer = await running.get(f"/orders/{order.order_id}/certificates", headers=as_(order.buyer))
        items: list[dict[str, Any]] = answer.json().get("items", [])
        return items if items and items[0]["store_names"] else []

    code = (await eventually(issued))[0]["code"]
    await publish(environment, request)

    async def fenced() -> list[RefundFenced]:
        return await stage.said(RefundFenced, request.refund_id)

    await eventually(fenced)

    async def prepared() -> dict[str, Any]:
        body = {"store_id": str(shop.store_id), "code": code}
        answer = await running.post("/preparations", json=body, headers=as_(shop.clerk))
        view: dict[str, Any] = answer.json()
        return view if answer.status_code == 200 else {}

    view = await eventually(prepared)
    assert [one["usable"] for one in view["certificates"]] == [True, False]
    body = {
        "store_id": str(shop.store_id),
        "token": view["token"],
        "unit_ids": [str(units_of(order)[0])],
        "device_id": "till-1",
    }
    done = await running.put(f"/redemptions/{new_id()}", json=body, headers=as_(shop.clerk))
    assert done.status_code == 201, done.text

    heard: list[dict[str, Any]] = []

    async def use_heard() -> bool:
        heard.extend(await heard_by(environment, "settlement.record_use"))
        return any(message["order_id"] == str(order.order_id) for message in heard)

    await eventually(use_heard)
    (use,) = (message for message in heard if message["order_id"] == str(order.order_id))
    assert CertificateUsed.model_validate(use).unit_id == units_of(order)[0]
    assert len(await stage.said(CertificatesIssued, order.order_id)) == 1
    ready = await running.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
