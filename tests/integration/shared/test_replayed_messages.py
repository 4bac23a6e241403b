"""What is said anew goes to one consumer's copies, once the broker has confirmed it, and never holds up the news."""

from typing import Any
from uuid import UUID

import aio_pika
import pytest
from aiormq.exceptions import ChannelAccessRefused

from shared.contracts import SERVICES, copied_from, copies_of, published_by
from shared.database import Database
from shared.ids import new_id
from shared.messaging import outbox
from tests.integration.shared.conftest import Bare
from tests.integration.shared.test_messages import administering, counting, merchant_changed, say, times
from tests.support.waiting import eventually


async def row_of(db: Database, event_id: UUID) -> dict[str, Any] | None:
    async with db.transaction() as tx:
        row = await tx.row("select * from outbox where event_id = $1", event_id)
    return dict(row) if row else None


async def drained(db: Database, replay_id: UUID) -> bool:
    async with db.transaction() as tx:
        return not await outbox.unsent_again(tx, replay_id)


async def test_an_event_said_anew_reaches_the_copies_of_its_consumer_and_is_not_history(bare: Bare) -> None:
    event, replay_id = merchant_changed(), new_id()
    async with bare.consuming(counting()) as checkout, bare.sending("catalog") as (catalog, _):
        async with catalog.transaction() as tx:
            await outbox.emit_again(tx, "checkout", replay_id, [event])
            assert await outbox.unsent_again(tx, replay_id) == 1
            assert await outbox.unsent_again(tx, new_id()) == 0
        await eventually(lambda: times(checkout, event.merchant_id))
        await eventually(lambda: drained(catalog, replay_id))
        async with catalog.transaction() as tx:
            assert await tx.value("select count(*) from history where event_id = $1", event.event_id) == 0


async def test_copies_of_other_consumers_do_not_hear_it(bare: Bare) -> None:
    event, replay_id = merchant_changed(), new_id()
    async with administering(bare) as channel, bare.sending("catalog") as (catalog, _):
        meant = await channel.get_queue("settlement.keep_merchant", ensure=False)
        others = [await channel.get_queue(f"{name}.keep_merchant", ensure=False) for name in ("checkout", "dispatch")]
        for queue in (meant, *others):
            await queue.purge()
        async with catalog.transaction() as tx:
            await outbox.emit_again(tx, "settlement", replay_id, [event])
        await eventually(lambda: drained(catalog, replay_id))
        message = await meant.get()
        assert message is not None
        assert message.message_id == str(event.event_id)
        await message.ack()
        assert [await queue.get(fail=False) for queue in others] == [None, None]


@pytest.mark.parametrize("exchange", ["replay.nobody", "replay.catalog"], ids=["missing", "not ours"])
async def test_an_exchange_that_is_missing_or_not_ours_holds_up_no_news(bare: Bare, exchange: str) -> None:
    stuck, told = merchant_changed(), merchant_changed()
    async with bare.consuming(counting()) as checkout, bare.sending("catalog") as (catalog, _):
        async with catalog.transaction() as tx:
            await outbox.emit_again(tx, "checkout", new_id(), [stuck])
            await tx.execute("update outbox set exchange = $2 where event_id = $1", stuck.event_id, exchange)

        async def refused() -> dict[str, Any] | None:
            row = await row_of(catalog, stuck.event_id)
            return row if row and row["attempts"] > 1 else None

        assert (await eventually(refused))["exchange"] == exchange
        await say(catalog, told)
        await eventually(lambda: times(checkout, told.merchant_id))
        assert await row_of(catalog, stuck.event_id)
        async with catalog.transaction() as tx:
            await tx.execute("delete from outbox where event_id = $1", stuck.event_id)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_broker_user_is_refused_on_replays_that_are_not_its_own(bare: Bare, service: str) -> None:
    connection = await aio_pika.connect(bare.environment.local.amqp_urls[service])
    async with connection:
        for consumer in SERVICES:
            exchange = f"replay.{consumer}"
            allowed = {event.topic for event in copies_of(service, consumer).values()}
            own = [event.topic for event in published_by(service)]
            foreign = next(event.topic for other in SERVICES if other != service for event in published_by(other))
            for topic in {*own, foreign} - allowed:
                channel = await connection.channel()
                with pytest.raises(ChannelAccessRefused):
                    target = await channel.get_exchange(exchange, ensure=False)
                    await target.publish(aio_pika.Message(b"{}"), topic)
        assert {consumer for consumer in SERVICES if copies_of(service, consumer)} == set(copied_from(service))


async def test_nobody_may_listen_to_a_replay_beside_the_copies(bare: Bare) -> None:
    connection = await aio_pika.connect(bare.environment.local.amqp_urls["checkout"])
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("checkout.clock.replay", exclusive=True)
        with pytest.raises(ChannelAccessRefused):
            await queue.bind("replay.checkout", "catalog.staff_changed.v1")
