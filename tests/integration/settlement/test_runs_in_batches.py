"""The run goes in batches: killed wherever it may be and taken up again, it comes to what it would have come to."""

import asyncio
import contextlib
import secrets
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.settlement.use_cases import disputes, run
from shared.contracts.catalog import MerchantState, Rail
from shared.contracts.checkout import OrderPaid
from shared.ids import new_id
from shared.money import fee_fen
from tests.integration.settlement.stage import Merchant, ScriptedRail, Stage, as_
from tests.support.environment import Environment
from tests.support.waiting import eventually

# Small, so that a few dozen uses fill many batches.
BATCH_USES = 3
# What a killed backend or a cancelled statement looks like from here.
DEATHS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


async def a_day(stage: Stage, merchants: int = 4, orders: int = 5) -> dict[UUID, list[OrderPaid]]:
    """Merchants with several trades each, some of them of two uses; the night after, all of it is due."""
    bought: dict[UUID, list[OrderPaid]] = {}
    for _ in range(merchants):
        merchant = await stage.merchant()
        for number in range(orders):
            order = await stage.pay(merchant, *(6_400 + number,) * (1 + number % 2))
            for unit in range(len(order.units)):
                await stage.use(order, unit)
            bought.setdefault(merchant.merchant_id, []).append(order)
    stage.next_day()
    return bought


async def outcome(stage: Stage, merchant_ids: list[UUID]) -> dict[UUID, list[Any]]:
    """Payouts, and in each the trades with gross, fee and number of uses: everything but random ids."""
    async with stage.db.transaction() as tx:
        rows = await tx.fetch(
            """select p.merchant_id, p.sequence, i.order_id, i.gross_fen, i.fee_fen, i.state,
                 (select count(*) from uses u where u.instruction_id = i.instruction_id) as uses,
                 (select count(*) from timers t where t.key = i.instruction_id::text) as timers
               from payouts p join instructions i using (payout_id) where p.merchant_id = any($1)
               order by p.merchant_id, p.sequence, i.order_id""",
            merchant_ids,
        )
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(row["merchant_id"], []).append(tuple(row)[1:])
    return found


def expected(bought: dict[UUID, list[OrderPaid]]) -> dict[UUID, list[Any]]:
    """What an uninterrupted run comes to: one payout per merchant, one instruction per trade, one timer for each."""
    return {
        merchant_id: sorted(
            (1, order.order_id, order.paid_fen, fee_fen(order.paid_fen), "DUE", len(order.units), 1) for order in orders
        )
        for merchant_id, orders in bought.items()
    }


async def test_batches_come_to_one_payout_per_merchant_and_one_instruction_per_trade(stage: Stage) -> None:
    bought = await a_day(stage)
    assert await run.run(stage.db, stage.today(), stage.world, within_s=600, batch_uses=BATCH_USES)
    assert await outcome(stage, list(bought)) == expected(bought)
    assert await stage.misfits() == []


@pytest.mark.parametrize("kill", ["pg_terminate_backend", "pg_cancel_backend"])
async def test_a_run_that_is_killed_at_random_points_comes_to_the_same(
    stage: Stage, environment: Environment, kill: str
) -> None:
    bought = await a_day(stage, merchants=6, orders=8)
    stopped = 0
    killing = asyncio.create_task(kill_again_and_again(stage, await backends(stage), kill))
    async with environment.database_of("settlement", stage.clock, pool_size=1) as victim:
        is_over = False
        while not is_over:
            with contextlib.suppress(*DEATHS):
                is_over = await run.run(victim, stage.today(), stage.world, within_s=600, batch_uses=1)
            stopped += not is_over
        killing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await killing
    assert stopped
    assert await outcome(stage, list(bought)) == expected(bought)
    assert await stage.misfits() == []


async def backends(stage: Stage) -> list[int]:
    async with stage.db.transaction() as tx:
        rows = await tx.fetch("select pid from pg_stat_activity where datname = current_database()")
    return [row["pid"] for row in rows]


async def kill_again_and_again(stage: Stage, spared: list[int], kill: str) -> None:
    """Every backend but the spared ones, at random moments, ever farther apart: the run ends on any machine."""
    chance, pause_s = secrets.SystemRandom(), 0.003
    while True:
        await asyncio.sleep(chance.uniform(0, pause_s))
        pause_s *= 1.05
        async with stage.db.transaction() as tx:
            await tx.fetch(
                f"""select {kill}(pid) from pg_stat_activity
                    where datname = current_database() and usename = current_user and pid <> all($1)""",
                [*spared, await tx.value("select pg_backend_pid()")],
            )


async def test_a_killed_run_goes_on_where_it_stopped_and_joins_its_own_payouts(stage: Stage) -> None:
    async with stage.db.transaction() as tx:
        latest = await tx.value("select max(day) from runs")
    stage.go_to_noon_of(max(latest or stage.today(), stage.today()))  # other tests make runs of days to come
    bought = await a_day(stage, merchants=2)
    while not await run.run(stage.db, stage.today(), stage.world, within_s=0, batch_uses=BATCH_USES):
        async with stage.db.transaction() as tx:
            await run.schedule_next_run(tx, stage.world.terms)
            timer = await tx.row("select due_at from timers where kind = $1", run.DAILY_RUN)
        assert timer is not None
        assert timer["due_at"] <= stage.now()
    assert await outcome(stage, list(bought)) == expected(bought)


async def test_two_runs_at_once_share_the_batches_of_one_pass(stage: Stage) -> None:
    bought = await a_day(stage)
    await asyncio.gather(
        *(run.run(stage.db, stage.today(), stage.world, within_s=600, batch_uses=BATCH_USES) for _ in range(4))
    )
    assert await outcome(stage, list(bought)) == expected(bought)


async def test_what_may_not_be_paid_is_passed_over_and_the_rest_behind_it_is_paid(stage: Stage) -> None:
    bought = await a_day(stage)
    frozen = next(iter(bought))
    await stage.set_merchant(Merchant(merchant_id=frozen), MerchantState.SUSPENDED, version=2)
    assert await run.run(stage.db, stage.today(), stage.world, within_s=600, batch_uses=BATCH_USES)
    others = {merchant_id: orders for merchant_id, orders in bought.items() if merchant_id != frozen}
    assert await outcome(stage, list(bought)) == expected(others)


async def test_an_operator_is_told_whether_the_run_came_to_its_end(stage: Stage) -> None:
    operator, merchant = await stage.operator(), await stage.merchant()
    await stage.use(await stage.pay(merchant))
    stage.next_day()
    address = f"/admin/runs/{stage.today()}"
    assert not await run.run(stage.db, stage.today(), stage.world, within_s=0)
    answer = await stage.http.put(address, headers=as_(operator))
    assert (answer.status_code, answer.json()["is_over"]) == (200, True)


async def test_a_run_waits_for_a_dispute_that_is_being_recorded_and_cuts_no_trade_in_two(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant, 6_400, 6_400)
    for unit in range(2):
        await stage.use(order, unit)
    stage.next_day()
    whole = replace(stage.world, rails={Rail.ZHIFUTONG: ScriptedRail(partial_confirms=False)})
    async with stage.db.transaction() as tx:
        await disputes.hold(tx, new_id(), order.order_id, [order.units[0].unit_id])
        running = asyncio.create_task(run.run(stage.db, stage.today(), whole, within_s=600))
        await eventually(lambda: waits_for_a_lock(stage), what="the run waits")
    await running
    assert await stage.states(order) == ["FINAL", "FINAL"], "the other unit is held back with the disputed one"


async def waits_for_a_lock(stage: Stage) -> bool:
    async with stage.db.transaction() as tx:
        return bool(await tx.value(
            """select exists (select from pg_stat_activity
               where datname = current_database() and usename = current_user and wait_event_type = 'Lock')"""
        ))  # fmt: skip


async def test_a_pass_does_not_look_again_at_what_it_may_not_pay(stage: Stage) -> None:
    bought = await a_day(stage, merchants=1, orders=8)
    (frozen,) = bought
    await stage.set_merchant(Merchant(merchant_id=frozen), MerchantState.SUSPENDED, version=2)
    async with stage.db.transaction() as tx:
        due = await tx.value("select count(*) from uses where state = 'FINAL' and due_on <= $1", stage.today())
    slices = 0
    while not await run.run(stage.db, stage.today(), stage.world, within_s=0, batch_uses=BATCH_USES):
        slices += 1
        assert slices <= due // BATCH_USES + 1, "each slice begins where the last one ended"
    assert await outcome(stage, list(bought)) == {}
