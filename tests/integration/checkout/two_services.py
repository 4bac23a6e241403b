"""Checkout and redemption together: what either says about an order reaches the other, in copies and in any order."""

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from services.checkout import consumers as checkout
from services.console.environment import seal_keys
from services.redemption import consumers as redemption
from services.redemption.app import make
from services.redemption.settings import Settings
from services.redemption.world import RedemptionWorld
from shared.contracts import EVENTS, Event
from shared.contracts.catalog import StoreChanged
from shared.contracts.checkout import OrderPaid
from shared.database import Database
from shared.errors import NotYet
from shared.messaging.handlers import Handler, Handlers
from shared.messaging.timers import TimerLoop
from tests.integration.checkout.stage import Purchase, Stage
from tests.support.environment import Environment

_BY_TOPIC = {event.topic: event for event in EVENTS}
_TRIES = 200


@dataclass(slots=True)
class Two:
    """The two services, and what is on its way between them."""

    stage: Stage
    db: Database
    world: RedemptionWorld
    delivered: set[UUID] = field(default_factory=set)

    async def hear(self, event: Event) -> None:
        """Redemption hears something from a third party."""
        for handler in _readers(redemption.handles, event):
            await handler.run(event, self.db, self.world)

    async def open_store(self, purchase: Purchase) -> None:
        """The store of the purchase's deal, as catalog's event tells of it."""
        deal = purchase.deal
        await self.hear(
            StoreChanged(
                occurred_at=self.stage.now(),
                store_id=deal.store_id,
                merchant_id=deal.merchant_id,
                name="老码头火锅",
                city="成都",
                address="春熙路 1 号",
                latitude=30.65,
                longitude=104.08,
                phone="02812345678",
                open=True,
            )
        )

    async def issue(self, purchase: Purchase, **changes: Any) -> None:
        """Redemption hears of the paid order, with what checkout does not say yet."""
        for event in await self._said(self.stage.db, purchase):
            if isinstance(event, OrderPaid):
                self.delivered.add(event.event_id)
                await self.hear(event.model_copy(update=changes))

    async def act(self) -> None:
        """Redemption's timers act."""
        loop = TimerLoop(redemption.timers, self.db, self.world)
        while await loop._inside_once():
            pass

    async def expire(self) -> None:
        """Redemption looks for what has expired until nothing is left, of other tests neither."""
        left = True
        while left:
            await redemption.watch_time(self.db)
            await self.act()
            async with self.db.transaction(read_only=True) as tx:
                left = await tx.value(
                    "select exists (select from orders where not expiry_done and until <= $1)", tx.now
                )

    async def exchange(self, purchase: Purchase) -> None:
        """Everything that either says about the order reaches the other twice, shuffled, until both are silent."""
        while on_its_way := await self._on_its_way(purchase):
            random.shuffle(on_its_way)
            tries = 0
            while on_its_way:
                handler, event, db, world = on_its_way.pop()
                try:
                    await handler.run(event, db, world)
                except NotYet:
                    on_its_way.insert(0, (handler, event, db, world))
                    tries += 1
                    assert tries < _TRIES, f"{handler.queue} waits for ever"

    async def _on_its_way(self, purchase: Purchase) -> list[tuple[Handler, Event, Database, Any]]:
        found: list[tuple[Handler, Event, Database, Any]] = []
        for said_in, handles, db, world in (
            (self.stage.db, redemption.handles, self.db, self.world),
            (self.db, checkout.handles, self.stage.db, self.stage.world),
        ):
            for event in await self._said(said_in, purchase):
                if event.event_id not in self.delivered:
                    self.delivered.add(event.event_id)
                    found += [(handler, event, db, world) for handler in _readers(handles, event)] * 2
        return found

    async def _said(self, db: Database, purchase: Purchase) -> list[Event]:
        async with db.transaction() as tx:
            rows = await tx.fetch(
                """select topic, payload from history where created_at > now() - interval '10 minutes'
                     and position($1::bytea in payload) > 0 order by event_id""",
                str(purchase.order_id).encode(),
            )
        return [_BY_TOPIC[row["topic"]].model_validate_json(row["payload"]) for row in rows]

    async def certificates(self, purchase: Purchase) -> list[str]:
        """The states of the order's certificates."""
        async with self.db.transaction() as tx:
            rows = await tx.fetch(
                "select state from certificates where order_id = $1 order by position", purchase.order_id
            )
        return [row["state"] for row in rows]

    async def send_refunds(self, purchase: Purchase) -> None:
        """The channel pays back whatever was approved."""
        for refund in (await purchase.view())["refunds"]:
            if refund["state"] == "APPROVED":
                await self.stage.act("send_refund", refund["refund_id"])


def _readers(handles: Handlers, event: Event) -> Iterator[Handler]:
    return (handler for queue, handler in handles.by_queue.items() if queue in event.readers)


@asynccontextmanager
async def beside(stage: Stage, environment: Environment) -> AsyncIterator[Two]:
    """Redemption beside the checkout of a test, on the same clock."""
    local = environment.local
    settings = Settings(
        port=local.ports["redemption"],
        database_url=local.database_urls["redemption"],
        amqp_url=local.amqp_urls["redemption"],
        issuer="http://issuer.test",
        jwks_url="http://issuer.test/jwks.json",
        seal_keys={"redemption": seal_keys(local.keys)["redemption"]},
    )
    async with environment.database_of("redemption", stage.clock) as db:
        yield Two(stage, db, make(settings).world)
