"""A message on real servers: sent at commit, handled once, waited for or parked, never lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import aio_pika
import pytest

from shared.contracts.catalog import MerchantChanged, MerchantState
from shared.database import Database
from shared.errors import Conflict, NotYet
from shared.ids import new_id
from shared.messaging import inbox, outbox, topology
from shared.messaging.handlers import Handlers
from tests.integration.shared.conftest import Bare
from tests.support.waiting import eventually

CONSUMER = "checkout.keep_merchant"


def merchant_changed(merchant_id: UUID | None = None) -> MerchantChanged:
    return MerchantChanged(
        occurred_at=datetime.now(UTC),
        merchant_id=merchant_id or new_id(),
        name="老码头火锅",
        phone="+8613800138000",
        state=MerchantState.VERIFIED,
    )


async def say(db: Database, event: MerchantChanged) -> None:
    async with db.transaction() as tx:
        await outbox.emit(tx, event)


async def times(db: Database, key: object) -> int:
    async with db.transaction() as tx:
        return int(await tx.value("select coalesce(sum(times), 0) from effects where key = $1", str(key)))


async def parked(db: Database, event: MerchantChanged) -> dict[str, object] | None:
    async with db.transaction() as tx:
        row = await tx.row("select * from parked where event_id = $1", event.event_id)
    return dict(row) if row else None


@asynccontextmanager
async def administering(bare: Bare) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
    """A channel of the broker's administrator."""
    environment = bare.environment
    management = environment.servers.management
    url = environment.local.amqp_urls["catalog"]
    address = url.rpartition("@")[2]
    connection = await aio_pika.connect(f"amqp://{management.user}:{management.password}@{address}")
    async with connection:
        yield await connection.channel()


def counting() -> Handlers:
    """A handler whose effect is not idempotent: every application shows."""
    handles = Handlers("checkout")

    @handles(MerchantChanged)
    async def keep_merchant(event: MerchantChanged, db: Database) -> None:
        async with db.transaction() as tx:
            if await inbox.is_duplicate(tx, event, CONSUMER):
                return
            await tx.execute("insert into effects values ($1, 1)", str(event.merchant_id))

    return handles


async def test_an_event_reaches_its_reader_once_it_is_committed(bare: Bare) -> None:
    event = merchant_changed()
    async with bare.consuming(counting()) as checkout, bare.sending("catalog") as (catalog, _):
        await say(catalog, event)
        await eventually(lambda: times(checkout, event.merchant_id))
        async with catalog.transaction() as tx:
            assert await tx.value("select count(*) from outbox where event_id = $1", event.event_id) == 0
            assert await tx.value("select count(*) from history where event_id = $1", event.event_id) == 1


async def test_an_event_of_a_rolled_back_transaction_is_never_said(bare: Bare) -> None:
    lost, told = merchant_changed(), merchant_changed()
    async with bare.consuming(counting()) as checkout, bare.sending("catalog") as (catalog, _):
        with pytest.raises(ZeroDivisionError):
            async with catalog.transaction() as tx:
                await outbox.emit(tx, lost)
                raise ZeroDivisionError
        await say(catalog, told)
        await eventually(lambda: times(checkout, told.merchant_id))
        assert await times(checkout, lost.merchant_id) == 0


async def test_copies_of_a_message_take_effect_once(bare: Bare) -> None:
    event, last = merchant_changed(), merchant_changed()
    async with bare.consuming(counting()) as checkout:
        connection = await aio_pika.connect_robust(bare.environment.local.amqp_urls["catalog"])
        async with connection:
            exchange = await (await connection.channel()).get_exchange("events", ensure=False)
            for one in (*[event] * 20, last):
                await exchange.publish(aio_pika.Message(one.model_dump_json().encode(), delivery_mode=2), one.topic)
        await eventually(lambda: times(checkout, last.merchant_id))
        await eventually(lambda: times(checkout, event.merchant_id))
        assert await times(checkout, event.merchant_id) == 1


async def test_a_consumer_that_dies_between_its_commit_and_the_acknowledgement_applies_once(bare: Bare) -> None:
    event = merchant_changed()
    deliveries = 0
    handles = Handlers("checkout")
    environment = bare.environment

    @handles(MerchantChanged)
    async def keep_merchant(event: MerchantChanged, db: Database) -> None:
        nonlocal deliveries
        async with db.transaction() as tx:
            if not await inbox.is_duplicate(tx, event, CONSUMER):
                await tx.execute("insert into effects values ($1, 1)", str(event.merchant_id))
        deliveries += 1
        if deliveries == 1:
            # Committed; the acknowledgement that follows finds no connection any more.
            # The broker's list of connections is some seconds late.
            close = environment.servers.management.close_all_connections
            await eventually(lambda: asyncio.to_thread(close, environment.vhost))

    async with bare.consuming(handles) as checkout, bare.sending("catalog") as (catalog, _):
        await say(catalog, event)

        async def came_again() -> bool:
            return deliveries > 1

        await eventually(came_again, within_s=30)
        assert await times(checkout, event.merchant_id) == 1


async def test_a_message_before_its_predecessor_waits_parked_and_is_then_handled(bare: Bare) -> None:
    event = merchant_changed()
    predecessor_is_here = False
    handles = Handlers("checkout")

    @handles(MerchantChanged)
    async def keep_merchant(event: MerchantChanged, db: Database) -> None:
        async with db.transaction() as tx:
            if await inbox.is_duplicate(tx, event, CONSUMER):
                return
            if not predecessor_is_here:
                raise NotYet("its predecessor is not here")
            await tx.execute("insert into effects values ($1, 1)", str(event.merchant_id))

    async with bare.consuming(handles) as checkout, bare.sending("catalog") as (catalog, _):
        await say(catalog, event)
        row = await eventually(lambda: parked(checkout, event))
        assert row["kind"] == "NOT_YET"
        assert row["next_at"] is not None
        predecessor_is_here = True
        await eventually(lambda: times(checkout, event.merchant_id))

        async def unparked() -> bool:
            return await parked(checkout, event) is None

        await eventually(unparked)


async def test_a_refused_message_becomes_a_dead_letter_at_once(bare: Bare) -> None:
    event = merchant_changed()
    handles = Handlers("checkout")

    @handles(MerchantChanged)
    async def keep_merchant(event: MerchantChanged, db: Database) -> None:
        raise Conflict

    async with bare.consuming(handles) as checkout, bare.sending("catalog") as (catalog, _):
        await say(catalog, event)
        row = await eventually(lambda: parked(checkout, event))
    assert (row["kind"], row["next_at"]) == ("REFUSED", None)


async def test_a_bug_is_parked_with_its_error_and_tried_again_later(bare: Bare) -> None:
    event = merchant_changed()
    handles = Handlers("checkout")

    @handles(MerchantChanged)
    async def keep_merchant(event: MerchantChanged, db: Database) -> None:
        raise LookupError("a bug")

    async with bare.consuming(handles) as checkout, bare.sending("catalog") as (catalog, _):
        await say(catalog, event)
        row = await eventually(lambda: parked(checkout, event))
    assert row["kind"] == "BUG"
    assert row["next_at"] is not None
    assert "a bug" in str(row["error"])


async def test_a_malformed_message_is_kept_and_its_neighbour_is_handled(bare: Bare) -> None:
    event = merchant_changed()
    body = b'{"merchant_id": "not an id", "phone": "13800138000"}'
    async with bare.consuming(counting()) as checkout, bare.sending("catalog") as (catalog, _):
        connection = await aio_pika.connect_robust(bare.environment.local.amqp_urls["catalog"])
        async with connection:
            exchange = await (await connection.channel()).get_exchange("events", ensure=False)
            await exchange.publish(aio_pika.Message(body), event.topic)
        await say(catalog, event)
        await eventually(lambda: times(checkout, event.merchant_id))

        async def kept() -> list[tuple[str, str]]:
            async with checkout.transaction() as tx:
                rows = await tx.fetch("select kind, error from parked where envelope = $1", body)
            return [(row["kind"], row["error"]) for row in rows]

        [(kind, error)] = await eventually(kept)
    assert kind == "MALFORMED"
    assert "13800138000" not in error


async def test_an_event_that_nobody_can_receive_waits_without_holding_up_the_others(bare: Bare) -> None:
    stuck, told = merchant_changed(), merchant_changed()
    environment = bare.environment

    async def unsent(event: MerchantChanged) -> int:
        async with catalog.transaction() as tx:
            row = await tx.row("select attempts from outbox where event_id = $1", event.event_id)
        return 0 if row is None else 1 + int(row["attempts"])

    async with bare.sending("catalog") as (catalog, _):
        async with administering(bare) as channel:
            await channel.queue_delete("checkout.keep_deal")
        async with catalog.transaction() as tx:
            await outbox.emit(tx, stuck)
            await tx.execute("update outbox set topic = 'catalog.deal_changed.v1' where event_id = $1", stuck.event_id)
        await say(catalog, told)

        async def refused_while_the_other_was_sent() -> bool:
            return await unsent(stuck) > 1 and not await unsent(told)

        await eventually(refused_while_the_other_was_sent)
        environment.servers.management.import_definitions(environment.vhost, topology.topology())

        async def sent() -> bool:
            return not await unsent(stuck)

        await eventually(sent)
