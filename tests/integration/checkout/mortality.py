"""A process that dies at a chosen point of its work, and what the next one makes of what it left."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import UUID

from services.checkout.domain.payments import Attempt, CodeAnswer, Trade, WayToPay
from services.checkout.domain.refunds import Refund, RefundAnswer
from services.checkout.gateways import PaymentGateway
from shared.database import Database, Transaction
from tests.integration.checkout.stage import Stage

T = TypeVar("T")
_TIMERS_MAX = 60


class Died(BaseException):
    """The process is killed here."""


@dataclass(slots=True)
class Life:
    """Ends at its n-th point. Points are: before and after each commit, before and after each call to the channel."""

    points: int
    passed: int = 0

    def point(self) -> None:
        if self.passed == self.points:
            raise Died
        self.passed += 1


class MortalDatabase(Database):
    """The real database in the hands of somebody mortal: what is not committed at the death is gone."""

    def __init__(self, real: Database, life: Life) -> None:
        self.clock = real.clock
        self._real = real
        self._life = life

    @asynccontextmanager
    async def transaction(self, *, read_only: bool = False) -> AsyncIterator[Transaction]:
        async with self._real.transaction(read_only=read_only) as tx:
            yield tx
            self._life.point()
        self._life.point()


@dataclass(frozen=True, slots=True)
class MortalChannel:
    """The real channel: a call that was made is carried out, whether its caller lives to hear of it or not."""

    real: PaymentGateway
    life: Life

    def way_to_pay(self, attempt: Attempt, title: str) -> WayToPay:
        return self.real.way_to_pay(attempt, title)

    async def fetch_code(self, attempt: Attempt, title: str) -> CodeAnswer:
        return await self._called(lambda: self.real.fetch_code(attempt, title))

    async def query(self, attempt: Attempt) -> Trade:
        return await self._called(lambda: self.real.query(attempt))

    async def close(self, attempt: Attempt) -> Trade:
        return await self._called(lambda: self.real.close(attempt))

    async def refund(self, refund: Refund, attempt: Attempt) -> RefundAnswer:
        return await self._called(lambda: self.real.refund(refund, attempt))

    async def query_refund(self, refund: Refund, attempt: Attempt) -> RefundAnswer:
        return await self._called(lambda: self.real.query_refund(refund, attempt))

    async def _called(self, call: Callable[[], Awaitable[T]]) -> T:
        self.life.point()
        answer = await call()
        self.life.point()
        return answer


@contextmanager
def mortal(stage: Stage, life: Life) -> Iterator[None]:
    """What the stage does within this block, a process does that may die of it."""
    db, world = stage.db, stage.world
    stage.db, stage.world = MortalDatabase(db, life), replace(world, payments=MortalChannel(world.payments, life))
    try:
        yield
    finally:
        stage.db, stage.world = db, world


async def run_down(stage: Stage, order_id: UUID) -> None:
    """A new process: every timer about the order acts when it is due, until none is left."""
    for _ in range(_TIMERS_MAX):
        async with stage.db.transaction() as tx:
            row = await tx.row(
                """select kind, key from timers where key in (
                     select $1::text
                     union all select attempt_id::text from payment_attempts where order_id = $1::uuid
                     union all select refund_id::text from refunds where order_id = $1::uuid)
                   order by due_at limit 1""",
                str(order_id),
            )
        if row is None:
            return
        await stage.act_when_due(row["kind"], row["key"])
    raise AssertionError("the timers of this order never come to an end")
