"""A worker dies between any two steps: another takes over, and there is never a second rider."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from services.dispatch.domain.attempts import AttemptState
from services.dispatch.gateways.port import CancelReason
from services.dispatch.store import attempts
from services.dispatch.use_cases import asking, cancelling, dispatching, riderless, stopping, submitting, sweeping
from shared.contracts.catalog import DeliveryMode
from shared.contracts.checkout import OrderPaid
from tests.integration.dispatch.stage import Stage

INSTANT = DeliveryMode.INSTANT
_LIVE_AT_DADA = {1, 2, 3, 8, 100}


async def _first(stage: Stage, order: OrderPaid) -> UUID:
    attempt_id: UUID = (await stage.attempts(order))[0]["attempt_id"]
    return attempt_id


async def _dies_before_asking_for_prices(stage: Stage, order: OrderPaid) -> None:
    async with stage.db.transaction() as tx:
        await dispatching.prepare(tx, stage.world, await stage.parcel_id(order))


async def _dies_with_the_prices(stage: Stage, order: OrderPaid) -> None:
    async with stage.db.transaction() as tx:
        search = await dispatching.prepare(tx, stage.world, await stage.parcel_id(order))
    assert search is not None
    await search.quotes(stage.world.policy.quote_within)


async def _dies_with_the_choice(stage: Stage, order: OrderPaid) -> None:
    await stage.dispatch(order)


async def _dies_before_sending(stage: Stage, order: OrderPaid) -> None:
    await stage.dispatch(order)
    async with stage.db.transaction() as tx:
        assert await submitting.begin(tx, stage.world, await _first(stage, order)) is not None


async def _dies_with_the_carriers_answer(stage: Stage, order: OrderPaid) -> None:
    await stage.dispatch(order)
    async with stage.db.transaction() as tx:
        submission = await submitting.begin(tx, stage.world, await _first(stage, order))
    assert submission is not None
    await submission.send()


async def _dies_with_the_answer_to_a_question(stage: Stage, order: OrderPaid) -> None:
    await _dies_with_the_carriers_answer(stage, order)
    async with stage.db.transaction() as tx:
        await submitting.begin(tx, stage.world, await _first(stage, order))
    async with stage.db.transaction() as tx:
        question = await asking.prepare(tx, stage.world, await _first(stage, order))
    assert question is not None
    await question.carrier.query(question.ref)


async def _dies_after_the_tip(stage: Stage, order: OrderPaid) -> None:
    await stage.act()
    await stage.until_attempt(order, "SEARCHING")
    async with stage.db.transaction() as tx:
        step = await riderless.prepare(tx, stage.world, await _first(stage, order))
    assert step is not None
    await step.call()


async def _dies_after_a_cancellation(stage: Stage, order: OrderPaid) -> None:
    await stage.act()
    await stage.until_attempt(order, "SEARCHING")
    async with stage.db.transaction() as tx:
        live = await attempts.live_attempt(tx, await stage.parcel_id(order))
        assert live is not None
        await stopping.call_off(tx, live, CancelReason.NO_RIDER)
    async with stage.db.transaction() as tx:
        cancellation = await cancelling.prepare(tx, stage.world, live.attempt_id)
    assert cancellation is not None
    await cancellation.send()


_DEATHS = [
    _dies_before_asking_for_prices,
    _dies_with_the_prices,
    _dies_with_the_choice,
    _dies_before_sending,
    _dies_with_the_carriers_answer,
    _dies_with_the_answer_to_a_question,
    _dies_after_the_tip,
    _dies_after_a_cancellation,
]


@pytest.mark.parametrize("death", _DEATHS)
async def test_a_worker_that_dies_between_two_steps_is_replaced(
    stage: Stage, death: Callable[[Stage, OrderPaid], Awaitable[None]]
) -> None:
    shop = await stage.open_shop("dada")
    order = await stage.paid(shop, INSTANT)
    await stage.put(order, "acceptance", shop.clerk)
    await death(stage, order)

    async def alive() -> bool:
        await stage.pass_time(timedelta(seconds=20))
        return any(attempt["state"] == "SEARCHING" for attempt in await stage.attempts(order))

    for _ in range(12):
        if await alive():
            break
    tried = await stage.attempts(order)
    assert tried[-1]["state"] == "SEARCHING"
    assert sum(status in _LIVE_AT_DADA for status in await stage.known_to_dada(order)) == 1
    await stage.rider(order, "accept", "fetch", "finish", number=len(tried))
    await stage.until(order, "DELIVERED")
    assert all(attempt["tip_fen"] <= 200 for attempt in tried)


@pytest.mark.parametrize("state", ["CREATED", "SUBMITTING", "SEARCHING"])
async def test_what_no_timer_remembers_is_swept_up(stage: Stage, state: str) -> None:
    shop = await stage.open_shop("dada")
    order = await stage.paid(shop, INSTANT)
    await stage.put(order, "acceptance", shop.clerk)
    await stage.dispatch(order)
    attempt_id = await _first(stage, order)
    if state != "CREATED":
        async with stage.db.transaction() as tx:
            submission = await submitting.begin(tx, stage.world, attempt_id)
        assert submission is not None
        answer = await submission.send()
        if state == "SEARCHING":
            async with stage.db.transaction() as tx:
                await submitting.record(tx, stage.world, attempt_id, answer)
            await stage.rider(order, "accept")
    await _leave_nothing_old(stage)
    async with stage.db.transaction() as tx:
        await tx.execute("delete from timers")
        assert await sweeping.sweep_up(tx) == 0, "what is a moment old is somebody's work"
    await _make_old(stage, attempt_id)
    async with stage.db.transaction() as tx:
        assert await sweeping.sweep_up(tx) == 1
    await stage.act()
    await stage.pass_time(timedelta(seconds=3))
    await stage.until_attempt(order, "ASSIGNED" if state == "SEARCHING" else "SEARCHING")
    assert len(await stage.attempts(order)) == 1


async def test_an_accepted_parcel_that_nobody_looks_after_is_swept_up(stage: Stage) -> None:
    shop = await stage.open_shop("dada")
    order = await stage.paid(shop, INSTANT)
    await stage.put(order, "acceptance", shop.clerk)
    await _leave_nothing_old(stage)
    async with stage.db.transaction() as tx:
        await tx.execute("delete from timers")
        await tx.execute("alter table parcels disable trigger parcel_touched")
        await tx.execute(
            "update parcels set changed_at = now() - interval '5 minutes' where order_id = $1", order.order_id
        )
        await tx.execute("alter table parcels enable trigger parcel_touched")
    async with stage.db.transaction() as tx:
        await sweeping.sweep_up(tx)
    await stage.until_attempt(order, "SEARCHING")


async def _leave_nothing_old(stage: Stage) -> None:
    """What other tests left in the shared database is nobody's concern here."""
    async with stage.db.transaction() as tx:
        for table in ("parcels", "attempts"):
            await tx.execute(f"update {table} set state = state")


async def _make_old(stage: Stage, attempt_id: UUID) -> None:
    async with stage.db.transaction() as tx:
        await tx.execute("alter table attempts disable trigger attempt_touched")
        await tx.execute(
            "update attempts set changed_at = now() - interval '5 minutes' where attempt_id = $1", attempt_id
        )
        await tx.execute("alter table attempts enable trigger attempt_touched")


async def test_however_many_choose_at_once_one_rider_is_sent(stage: Stage) -> None:
    shop = await stage.open_shop("dada", "ishansong")
    order = await stage.paid(shop, INSTANT)
    await stage.put(order, "acceptance", shop.clerk)

    async def choose() -> None:
        async with stage.db.transaction() as tx:
            search = await dispatching.prepare(tx, stage.world, await stage.parcel_id(order))
        if search is not None:
            quotes = await search.quotes(stage.world.policy.quote_within)
            async with stage.db.transaction() as tx:
                await dispatching.decide(tx, stage.world, search, quotes)

    outcomes = await asyncio.gather(*(choose() for _ in range(6)), return_exceptions=True)
    assert not any(isinstance(outcome, asyncpg.UniqueViolationError) for outcome in outcomes), "the lock decides"
    await stage.until_attempt(order, AttemptState.SEARCHING.value)
    assert len(await stage.attempts(order)) == 1
