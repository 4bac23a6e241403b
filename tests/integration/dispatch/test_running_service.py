"""The whole process on a real broker: an order in, a rider at the door, events out, and a graceful stop."""

import json
from typing import Any

import aio_pika
import httpx

from services.dispatch.app import make
from services.dispatch.settings import DispatchSettings
from shared.contracts import Event
from shared.contracts.catalog import DeliveryMode, StaffRole
from shared.service import create_app
from tests.integration.dispatch.stage import Shop, Stage, TokensByName, as_, staff_changed, store_changed
from tests.support import queues
from tests.support.environment import Environment
from tests.support.waiting import eventually


async def _publish(environment: Environment, *events: Event) -> None:
    """Say something as its owner says it."""
    for event in events:
        connection = await aio_pika.connect(environment.local.amqp_urls[event.topic.partition(".")[0]])
        async with connection:
            channel = await connection.channel()
            exchange = await channel.get_exchange("events")
            await exchange.publish(aio_pika.Message(event.model_dump_json().encode()), routing_key=event.topic)


async def _heard_by(environment: Environment, queue: str) -> list[dict[str, Any]]:
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


async def test_an_order_on_the_bus_becomes_a_receipt_on_the_bus(
    environment: Environment, dispatch_settings: DispatchSettings, stage: Stage
) -> None:
    shop = Shop()
    order = stage.order(shop, DeliveryMode.INSTANT)
    await queues.empty(environment, "dispatch")
    app = create_app(make(dispatch_settings))
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://dispatch.test") as http,
    ):
        app.state.tokens = TokensByName()
        # The store comes after its order: the order waits, parked, and is tried again.
        await _publish(environment, order, store_changed(shop, stage.now()), order)
        await _publish(environment, staff_changed(shop, shop.clerk, StaffRole.CLERK, stage.now()))

        async def accepted() -> bool:
            seen = await http.get(f"/orders/{order.order_id}/parcel", headers=as_(order.buyer))
            if seen.status_code != 200:
                return False
            path = f"/parcels/{seen.json()['parcel_id']}/acceptance"
            return (await http.put(path, headers=as_(shop.clerk))).status_code == 200

        await eventually(accepted)

        async def is_(state: str) -> bool:
            return [attempt["state"] for attempt in await stage.attempts(order)] == [state]

        await eventually(lambda: is_("SEARCHING"))
        await stage.rider(order, "accept", "fetch", "finish")
        await eventually(lambda: is_("DELIVERED"))
        parcel_id = await stage.parcel_id(order)
        received = await http.put(f"/parcels/{parcel_id}/receipt", headers=as_(order.buyer))
        assert received.status_code == 200, received.text

        heard: list[dict[str, Any]] = []

        async def receipt_heard() -> bool:
            heard.extend(await _heard_by(environment, "settlement.finalise_parcel"))
            return any(message["order_id"] == str(order.order_id) for message in heard)

        await eventually(receipt_heard)
        ready = await http.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "ready")
