"""Verify asks Postgres once: decision, uses, events and timer are one statement and its own transaction."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from services.redemption import use_cases
from services.redemption.app import make
from services.redemption.domain.certificates import Order
from services.redemption.domain.kept_orders import KEPT, KeptOrders
from services.redemption.domain.redemptions import Attempt
from services.redemption.settings import Settings
from shared.clock import Clock
from shared.contracts.checkout import OrderPaid
from shared.contracts.redemption import CertificateUsed, UseFinal
from shared.contracts.use_rules import UseRules
from shared.database import NotOneStatement, connect
from shared.ids import new_id
from shared.service import create_app
from tests.integration.redemption.conftest import TokensByName
from tests.integration.redemption.stage import Shop, Stage, as_, units_of
from tests.support.counting import RoundTrips, counted
from tests.support.environment import Environment
from tests.support.waiting import eventually


@dataclass(slots=True)
class Counter:
    """A stage whose only connection is counted."""

    stage: Stage
    trips: RoundTrips

    async def verify(self, shop: Shop, token: str, order: OrderPaid) -> tuple[httpx.Response, int]:
        """The answer, and how many round trips it took."""
        before = self.trips.count
        answer = await self.stage.verify(shop, token, units_of(order))
        return answer, self.trips.count - before


@pytest.fixture
async def counter(environment: Environment, settings: Settings) -> AsyncIterator[Counter]:
    async with counted(environment.local.database_urls["redemption"]) as (url, trips):
        service, clock = make(settings), Clock()
        app = create_app(service)
        app.state.tokens = TokensByName()
        db = await connect(url, "redemption", clock, pool_size=1)
        app.state.db = db
        transport = httpx.ASGITransport(app=app)
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://redemption.test") as http:
                stage = Stage(db, http, service.world, clock, app)
                await warm(stage)
                yield Counter(stage, trips)
        finally:
            await db.close()


def one_order(stage: Stage, order: OrderPaid) -> Order:
    kept = stage.world.orders.find(order.order_id)
    assert kept is not None, "it was prepared here"
    return kept


async def warm(stage: Stage) -> None:
    """A connection prepares each statement once in its life, which takes a round trip of its own."""
    shop = await stage.open_shop()
    assert (await stage.redeem(shop, await stage.pay(shop))).status_code == 201


@pytest.mark.parametrize(("units", "uses"), [(1, 1), (10, 1), (3, 5)])
async def test_verify_is_one_round_trip_and_leaves_nothing_out(counter: Counter, units: int, uses: int) -> None:
    stage = counter.stage
    shop = await stage.open_shop()
    order = await stage.pay(shop, units, uses=uses)
    answer, trips = await counter.verify(shop, await stage.token(shop, order), order)
    assert (answer.status_code, trips) == (201, 1)
    done = answer.json()
    assert (await stage.http.get(f"/redemptions/{done['redemption_id']}", headers=as_(shop.clerk))).json() == done
    for use in done["uses"]:
        (event,) = await stage.said(CertificateUsed, use["use_id"])
        assert (event.unit_id, event.use_no, event.order_id) == (UUID(use["unit_id"]), use["use_no"], order.order_id)
        assert event.reversible_until == datetime.fromisoformat(use["reversible_until"])
        assert event.used_at == event.occurred_at == datetime.fromisoformat(use["used_at"])
    async with stage.db.transaction() as tx:
        sent = await tx.fetch(
            """select o.event_id, o.payload = h.payload as same, o.headers from outbox o join history h using (event_id)
               where o.aggregate_id = any($1)""",
            [use["use_id"] for use in done["uses"]],
        )
    assert [row["same"] for row in sent] == [True] * units
    assert all(row["headers"]["correlation_id"] for row in sent)
    await stage.pass_time(timedelta(hours=2))
    assert len(await stage.said(UseFinal, done["uses"][0]["use_id"])) == 1


async def test_what_verify_fed_is_woken_after_it_has_committed(counter: Counter) -> None:
    stage = counter.stage
    woken: list[str] = []
    stage.db.wake_outbox = lambda: woken.append("outbox")
    stage.db.wake_timers = lambda: woken.append("timers")
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    token = await stage.token(shop, order)
    woken.clear()
    await counter.verify(shop, token, order)
    assert sorted(woken) == ["outbox", "timers"]


async def test_an_order_that_the_process_does_not_know_is_read_once_and_then_known(counter: Counter) -> None:
    stage = counter.stage
    shop = await stage.open_shop()
    order = await stage.pay(shop, uses=2)
    token = await stage.token(shop, order)
    known = one_order(stage, order)
    for _ in range(KEPT):
        stage.world.orders.keep(replace(known, order_id=new_id()))
    assert stage.world.orders.find(order.order_id) is None
    answer, trips = await counter.verify(shop, token, order)
    assert answer.status_code == 201
    assert trips > 1
    answer, trips = await counter.verify(shop, token, order)
    assert (answer.status_code, trips) == (201, 1)


async def test_rules_that_forbid_it_are_not_asked_of_the_database(counter: Counter) -> None:
    stage = counter.stage
    shop = await stage.open_shop()
    today = stage.now().astimezone().date()
    days = tuple(today + timedelta(days=day) for day in range(-1, 2))
    order = await stage.pay(shop, rules=UseRules(blackout_dates=days))
    token = (await stage.prepare(shop, code=await stage.code(order))).json()["token"]
    answer, _ = await counter.verify(shop, token, order)
    assert (answer.status_code, answer.json()["code"]) == (409, "blackout_date")
    assert await stage.states(order) == ["VALID"]


async def test_a_transaction_of_one_statement_refuses_a_second(stage: Stage) -> None:
    async with stage.db.one_statement() as tx:
        assert await tx.value("select 1") == 1
        for again in (tx.value, tx.fetch, tx.row, tx.execute):
            with pytest.raises(NotOneStatement):
                await again("select 1")
        with pytest.raises(NotOneStatement):
            await tx.execute_many("select $1", [[1]])
    async with stage.db.one_statement() as tx:
        with pytest.raises(NotOneStatement):
            await tx.execute_many("select $1::int", [[1]])


async def test_the_statement_has_committed_before_the_block_ends(stage: Stage) -> None:
    shop = await stage.open_shop()
    async with stage.db.one_statement() as tx:
        await tx.execute("update stores set name = 'neu' where store_id = $1", shop.store_id)
        async with stage.db.transaction() as other:
            name = await asyncio.wait_for(
                other.value("select name from stores where store_id = $1 for update", shop.store_id), 10
            )
    assert name == "neu"


async def test_a_process_remembers_as_many_orders_as_it_was_told_and_forgets_the_oldest(stage: Stage) -> None:
    shop = await stage.open_shop()
    orders = [await stage.pay(shop) for _ in range(3)]
    for order in orders:
        await stage.token(shop, order)
    kept = KeptOrders(limit=2)
    first, second, third = (stage.world.orders.find(order.order_id) for order in orders)
    assert first is not None
    assert second is not None
    assert third is not None
    kept.keep(first)
    kept.keep(second)
    assert kept.find(first.order_id) is first
    kept.keep(third)
    assert [kept.find(one.order_id) for one in (first, second, third)] == [first, None, third]
    assert kept.find(new_id()) is None


async def test_a_connection_that_dies_under_verify_leaves_nothing_half_done_and_a_repeat_does_it(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop, units=2)
    token, redemption_id = await stage.token(shop, order), new_id()

    async def killed() -> bool:
        # What it sees of others stays the same within a transaction, so each look is one of its own.
        async with stage.db.one_statement() as killer:
            return bool(
                await killer.value(
                    """select bool_or(pg_terminate_backend(pid)) from pg_stat_activity
                       where usename = current_user and wait_event_type = 'Lock' and query like '%with usable as%'
                         and pid <> pg_backend_pid()"""
                )
            )

    async with stage.db.transaction() as holder:
        await holder.fetch("select from certificates where unit_id = $1 for update", units_of(order)[1])
        verifying = asyncio.create_task(stage.verify(shop, token, units_of(order), redemption_id))
        await eventually(killed, what="the statement waits for the row, and dies")
        assert (await verifying).status_code == 503
    assert await stage.states(order) == ["VALID", "VALID"]
    assert (await stage.http.get(f"/redemptions/{redemption_id}", headers=as_(shop.clerk))).status_code == 404
    again = await stage.verify(shop, token, units_of(order), redemption_id)
    assert again.status_code == 201
    assert await stage.states(order) == ["USED", "USED"]


async def test_an_answer_that_was_lost_is_found_by_the_same_id(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop, uses=5)
    token, redemption_id = await stage.token(shop, order), new_id()
    attempt = Attempt(redemption_id, shop.clerk, shop.store_id, "till-1", tuple(units_of(order)))
    async with stage.db.one_statement() as tx:
        done = await use_cases.redeem_at_once(tx, stage.codes, stage.world.orders, attempt, token, datetime.now(UTC))
    assert done is not None
    # The process dies here, before it answers; another one, which does not know the order, is asked again.
    for _ in range(2):
        answer = await stage.verify(shop, token, units_of(order), redemption_id)
        assert answer.status_code == 201
        assert [use["use_id"] for use in answer.json()["uses"]] == [str(use.use_id) for use in done.uses]
    assert len(await stage.said(CertificateUsed, done.uses[0].use_id)) == 1
