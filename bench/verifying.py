"""Uses at many tills at once: by the one statement, the plain way in a transaction, and that statement bare."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI

from services.console.environment import seal_keys
from services.redemption import use_cases
from services.redemption.domain.codes import Codes, Prepared
from services.redemption.domain.redemptions import Attempt, Redemption
from services.redemption.gateways.issuer import HttpIssuer
from services.redemption.world import RedemptionWorld
from shared.database import Database, Transaction
from shared.ids import new_id
from shared.sealed import Seals
from tests.integration.redemption.stage import Shop, Stage, units_of
from tests.support.environment import Environment

TILLS = 8
USES = 100
POOL = 8


@dataclass(frozen=True, slots=True)
class Till:
    """A clerk before a card with many uses."""

    shop: Shop
    order_id: UUID
    unit_id: UUID
    token: str

    def attempt(self) -> Attempt:
        return Attempt(new_id(), self.shop.clerk, self.shop.store_id, "till-1", (self.unit_id,))


class Recorder(Transaction):
    """Remembers the last statement and its values instead of running it."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.after_commit = set()
        self.on_outbox = self.on_timer = lambda: None
        self.asked: tuple[str, tuple[Any, ...]] = ("", ())

    async def fetch(self, statement: str, *values: Any) -> list[Any]:
        self.asked = (statement, values)
        return []


class Tills:
    """Redemption's database, its keys, and the orders that the process knows."""

    def __init__(self, environment: Environment, db: Database) -> None:
        seals = Seals({"redemption": seal_keys(environment.local.keys)["redemption"]})
        http = httpx.AsyncClient()
        self.world = RedemptionWorld(
            codes=Codes(seals),
            code_timeout=timedelta(minutes=10),
            issuer=HttpIssuer(http, allow_loopback=True),
            allow_loopback=True,
            reminder_days=(),
            seals=seals,
        )
        self.db = db
        self.stage = Stage(db, http, self.world, db.clock, FastAPI())

    async def open(self) -> list[Till]:
        """Fresh cards, each at a till of its own."""
        return [await self.till() for _ in range(TILLS)]

    async def till(self) -> Till:
        """One that nobody has used."""
        shop = await self.stage.open_shop()
        order = await self.stage.pay(shop, uses=USES)
        (unit_id,) = units_of(order)
        prepared = Prepared(shop.clerk, shop.store_id, order.order_id, (unit_id,))
        return Till(shop, order.order_id, unit_id, self.world.codes.preparation_token(prepared, datetime.now(UTC))[0])

    async def at_once(self) -> float:
        """Uses per second, each one round trip."""
        return await self._rate(await self.known(await self.open()), self.use)

    async def use(self, till: Till) -> None:
        """One use by one statement."""
        async with self.db.one_statement() as tx:
            done = await use_cases.redeem_at_once(
                tx, self.world.codes, self.world.orders, till.attempt(), till.token, datetime.now(UTC)
            )
        assert done is not None, "the order is known"

    async def in_a_transaction(self) -> float:
        """Uses per second, the way that also knows why not."""

        async def use(till: Till) -> None:
            async with self.db.transaction() as tx:
                done = await use_cases.redeem(
                    tx, self.world.codes, self.world.orders, till.attempt(), till.token, datetime.now(UTC)
                )
            assert isinstance(done, Redemption)

        return await self._rate(await self.known(await self.open()), use)

    async def bare(self) -> float:
        """Uses per second by the same statement with values made before, as pgbench would send it."""
        tills = await self.known(await self.open())
        asked = {till.unit_id: [await self._statement(till) for _ in range(USES - 1)] for till in tills}

        async def use(till: Till) -> None:
            statement, values = asked[till.unit_id].pop()
            async with self.db.one_statement() as tx:
                assert await tx.fetch(statement, *values)

        return await self._rate(tills, use)

    async def known(self, tills: list[Till]) -> list[Till]:
        """The first use reads the order, so that the rest measures what a till waits for."""
        for till in tills:
            async with self.db.transaction() as tx:
                done = await use_cases.redeem(
                    tx, self.world.codes, self.world.orders, till.attempt(), till.token, datetime.now(UTC)
                )
            assert isinstance(done, Redemption)
        return tills

    async def _statement(self, till: Till) -> tuple[str, tuple[Any, ...]]:
        recorder = Recorder(self.db.clock.now())
        await use_cases.redeem_at_once(
            recorder, self.world.codes, self.world.orders, till.attempt(), till.token, datetime.now(UTC)
        )
        return recorder.asked

    async def _rate(self, tills: list[Till], use: Callable[[Till], Awaitable[None]]) -> float:
        async def work(till: Till) -> None:
            for _ in range(USES - 1):
                await use(till)

        began = time.perf_counter()
        await asyncio.gather(*(work(till) for till in tills))
        return TILLS * (USES - 1) / (time.perf_counter() - began)
