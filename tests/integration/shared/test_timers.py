"""Timers on a real database: at their moment, once, through crashes and clock moves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from shared.clock import Clock
from shared.database import Database, Transaction
from shared.ids import new_id
from shared.messaging import timers
from shared.messaging.timers import Due, TimerLoop, Timers
from shared.service import Tasks
from tests.integration.shared.conftest import Bare
from tests.support.waiting import eventually


@asynccontextmanager
async def running(bare: Bare, registered: Timers, clock: Clock | None = None) -> AsyncIterator[Database]:
    async with bare.environment.database_of("checkout", clock) as db:
        loop = TimerLoop(registered, db, world="the world")
        tasks = Tasks()
        tasks.add(loop.run_inside(), "inside")
        tasks.add(loop.run_outside(), "outside")
        try:
            yield db
        finally:
            await tasks.stop()


async def waiting(db: Database, kind: str) -> int:
    async with db.transaction() as tx:
        return int(await tx.value("select count(*) from timers where kind = $1", kind))


async def test_a_timer_fires_once_at_its_moment_and_not_if_its_transaction_failed(bare: Bare) -> None:
    kind = f"close_{new_id().hex}"
    fired: list[str] = []
    registered = Timers()

    @registered.acts_inside(kind)
    async def close(tx: Transaction, due: list[Due]) -> None:
        fired.extend(one.key for one in due)

    async with running(bare, registered) as db:
        async with db.transaction() as tx:
            await timers.schedule(tx, kind, "soon", tx.now + timedelta(milliseconds=50))
            await timers.schedule(tx, kind, "later", tx.now + timedelta(hours=1))
            await timers.schedule(tx, kind, "cancelled", tx.now + timedelta(milliseconds=50))
            await timers.cancel(tx, kind, "cancelled")
        try:
            async with db.transaction() as tx:
                await timers.schedule(tx, kind, "rolled back", tx.now)
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass

        async def one_left() -> bool:
            return await waiting(db, kind) == 1

        await eventually(one_left)
    assert fired == ["soon"]


async def test_moving_the_clock_wakes_what_is_due_then(bare: Bare) -> None:
    kind = f"expire_{new_id().hex}"
    fired = asyncio.Event()
    registered, clock = Timers(), Clock()

    @registered.acts_inside(kind)
    async def expire(tx: Transaction, due: list[Due]) -> None:
        fired.set()

    async with running(bare, registered, clock) as db:
        async with db.transaction() as tx:
            await timers.schedule(tx, kind, "in a month", tx.now + timedelta(days=30))
        clock.move_to_offset(timedelta(days=31).total_seconds())
        await asyncio.wait_for(fired.wait(), 5)


async def test_one_bad_timer_does_not_hold_up_its_neighbours(bare: Bare) -> None:
    kind = f"mixed_{new_id().hex}"
    fired: list[str] = []
    registered = Timers()

    @registered.acts_inside(kind)
    async def act(tx: Transaction, due: list[Due]) -> None:
        for one in due:
            if one.key == "bad":
                raise LookupError("a bug")
        fired.extend(one.key for one in due)

    async with running(bare, registered) as db:
        async with db.transaction() as tx:
            for key in ("good 1", "bad", "good 2"):
                await timers.schedule(tx, kind, key, tx.now)

        async def only_the_bad_one_waits() -> bool:
            return len(fired) == 2 and await waiting(db, kind) == 1

        await eventually(only_the_bad_one_waits)
    assert sorted(fired) == ["good 1", "good 2"]


async def test_an_outside_timer_stays_until_its_result_is_recorded(bare: Bare) -> None:
    kind = f"ask_{new_id().hex}"
    calls: list[int] = []
    registered = Timers()

    @registered.acts_outside(kind)
    async def ask(due: Due, db: Database, world: object) -> None:
        assert world == "the world"
        calls.append(due.attempts)
        if len(calls) == 1:
            raise TimeoutError("no answer")
        async with db.transaction() as tx:
            await timers.cancel(tx, kind, due.key)

    async with running(bare, registered) as db:
        async with db.transaction() as tx:
            await timers.schedule(tx, kind, "refund", tx.now)

        async def done() -> bool:
            return await waiting(db, kind) == 0

        await eventually(done)
    assert len(calls) == 2


async def test_cancelling_a_timer_that_is_being_acted_on_is_no_deadlock(bare: Bare) -> None:
    kind = f"expire_{new_id().hex}"
    registered = Timers()
    acted = asyncio.Event()

    @registered.acts_inside(kind)
    async def expire(tx: Transaction, due: list[Due]) -> None:
        await tx.execute("update effects set times = times where key = $1", kind)
        acted.set()

    async def waits_for_us() -> bool:
        async with db.transaction() as other:
            return bool(
                await other.value(
                    """select count(*) from pg_stat_activity
                       where wait_event_type = 'Lock' and query like 'update effects%'"""
                )
            )

    async with running(bare, registered) as db:
        async with db.transaction() as tx:
            await tx.execute("insert into effects values ($1, 1)", kind)
        async with db.transaction() as tx:
            await tx.execute("update effects set times = times where key = $1", kind)
            async with db.transaction() as other:
                await timers.schedule(other, kind, "order", other.now)
            await eventually(waits_for_us)
            await timers.cancel(tx, kind, "order")
        await asyncio.wait_for(acted.wait(), 5)


async def test_twenty_thousand_timers_due_at_once_fire_once_each_over_two_processes(bare: Bare) -> None:
    kind = f"burst_{new_id().hex}"
    registered = Timers()

    @registered.acts_inside(kind)
    async def count(tx: Transaction, due: list[Due]) -> None:
        await tx.execute(
            "insert into effects select key, 1 from unnest($1::text[]) key", [f"{kind}{one.key}" for one in due]
        )

    async with bare.environment.database_of("checkout") as db, db.transaction() as tx:
        await tx.execute(
            "insert into timers (kind, key, due_at) select $1, i::text, $2 from generate_series(1, 20000) i",
            kind,
            tx.now,
        )
    async with running(bare, registered) as one, running(bare, registered):

        async def drained() -> bool:
            return await waiting(one, kind) == 0

        await eventually(drained, within_s=30)
        async with one.transaction() as tx:
            row = await tx.row(
                "select count(*) as n, count(distinct key) as d from effects where key like $1", f"{kind}%"
            )
    assert row is not None
    assert (row["n"], row["d"]) == (20000, 20000)


async def test_a_timer_outlives_the_process_that_set_it(bare: Bare) -> None:
    kind = f"close_{new_id().hex}"
    fired: list[tuple[str, str]] = []

    def process(name: str) -> Timers:
        registered = Timers()

        @registered.acts_inside(kind)
        async def close(tx: Transaction, due: list[Due]) -> None:
            fired.extend((name, one.key) for one in due)

        return registered

    clock = Clock()
    async with running(bare, process("first"), clock) as db, db.transaction() as tx:
        await timers.schedule(tx, kind, "order", tx.now + timedelta(hours=1))
    clock.move_to_offset(timedelta(hours=2).total_seconds())
    async with running(bare, process("second"), clock) as db:

        async def done() -> bool:
            return await waiting(db, kind) == 0

        await eventually(done)
    assert fired == [("second", "order")]


async def test_a_call_whose_process_died_is_made_again_once_its_lease_is_over_and_not_before(bare: Bare) -> None:
    kind = f"ask_{new_id().hex}"
    begun = asyncio.Event()
    dying, living = Timers(), Timers()
    asked: list[tuple[str, int]] = []

    @dying.acts_outside(kind)
    async def ask_forever(due: Due, db: Database, world: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    @living.acts_outside(kind)
    async def ask(due: Due, db: Database, world: object) -> None:
        asked.append((due.key, due.attempts))
        async with db.transaction() as tx:
            await timers.cancel(tx, kind, due.key)

    async with running(bare, dying) as db:
        async with db.transaction() as tx:
            await timers.schedule(tx, kind, "refund", tx.now)
        await asyncio.wait_for(begun.wait(), 5)
    async with running(bare, living) as db:
        async with db.transaction() as tx:
            await timers.schedule(tx, kind, "another", tx.now)

        async def only_the_leased_one_waits() -> bool:
            return await waiting(db, kind) == 1

        await eventually(only_the_leased_one_waits)
        assert asked == [("another", 1)]
        async with db.transaction() as tx:
            await tx.execute("update timers set leased_until = now() - interval '1 second' where kind = $1", kind)

        async def done() -> bool:
            return await waiting(db, kind) == 0

        await eventually(done)
    assert asked == [("another", 1), ("refund", 2)]
