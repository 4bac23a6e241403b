"""The database refuses what a mistaken statement would do, each guard alone."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from services.dispatch.domain.attempts import AttemptState
from services.dispatch.store import attempts
from services.dispatch.store.attempts import NewAttempt
from services.dispatch.use_cases import dispatching
from shared.contracts.catalog import DeliveryMode
from shared.contracts.checkout import OrderPaid
from shared.ids import new_id
from tests.integration.dispatch.stage import Stage

INSTANT = DeliveryMode.INSTANT


async def _open(stage: Stage, order: OrderPaid) -> None:
    """An attempt without asking whether there is one."""
    attempt_id = new_id()
    async with stage.db.transaction() as tx:
        await attempts.open_attempt(
            tx,
            NewAttempt(
                attempt_id, (await stage.parcel(order))["parcel_id"], "dada", "platform", INSTANT, AttemptState.CREATED,
                attempt_id.bytes,
            ),
        )  # fmt: skip


async def test_two_live_attempts_are_impossible_under_concurrency(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.paid(shop, INSTANT)
    outcomes = await asyncio.gather(*(_open(stage, order) for _ in range(8)), return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 1
    assert all(outcome is None or isinstance(outcome, asyncpg.UniqueViolationError) for outcome in outcomes)


async def test_a_parcel_dispatched_by_many_at_once_gets_one_attempt(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.paid(shop, INSTANT)
    await stage.put(order, "acceptance", shop.clerk)
    parcel_id = await stage.parcel_id(order)

    async def dispatch() -> None:
        async with stage.db.transaction() as tx:
            search = await dispatching.prepare(tx, stage.world, parcel_id)
        if search is None:
            return
        quotes = await search.quotes(timedelta(seconds=2))
        async with stage.db.transaction() as tx:
            await dispatching.decide(tx, stage.world, search, quotes)

    await asyncio.gather(*(dispatch() for _ in range(8)))
    assert len(await stage.attempts(order)) == 1


@pytest.mark.parametrize("state", ["CANCELLED", "FENCED", "REJECTED", "DELIVERED"])
async def test_an_attempt_that_is_over_stays_over(stage: Stage, state: str) -> None:
    shop = await stage.open_shop()
    order = await stage.paid(shop, INSTANT)
    await _open(stage, order)
    async with stage.db.transaction() as tx:
        await tx.execute("update attempts set state = $2 where parcel_id = $1", await stage.parcel_id(order), state)
    with pytest.raises(asyncpg.CheckViolationError):
        async with stage.db.transaction() as tx:
            await tx.execute(
                "update attempts set state = 'SEARCHING' where parcel_id = $1", await stage.parcel_id(order)
            )


@pytest.mark.parametrize("state", ["HANDED_OVER", "DELIVERED", "RECEIVED", "RETURNED"])
async def test_a_parcel_skips_no_step(stage: Stage, state: str) -> None:
    shop = await stage.open_shop()
    order = await stage.paid(shop, INSTANT)
    with pytest.raises(asyncpg.CheckViolationError):
        async with stage.db.transaction() as tx:
            await tx.execute("update parcels set state = $2 where order_id = $1", order.order_id, state)


async def test_an_order_has_one_parcel(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.paid(shop, INSTANT)
    with pytest.raises(asyncpg.UniqueViolationError):
        async with stage.db.transaction() as tx:
            await tx.execute(
                """insert into parcels select (jsonb_populate_record(p, jsonb_build_object('parcel_id', $2::uuid))).*
                   from parcels p where order_id = $1""",
                order.order_id,
                new_id(),
            )
