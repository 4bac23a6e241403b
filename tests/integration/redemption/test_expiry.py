"""Certificates whose time is over: expired in batches, told once each, and never taken from a use or a fence."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.redemption import consumers, use_cases
from services.redemption.app import make
from services.redemption.domain.codes import Prepared
from services.redemption.domain.redemptions import Attempt, Redemption
from services.redemption.settings import Settings
from services.redemption.store import expiry as store
from services.redemption.use_cases import expiry
from shared.contracts.checkout import OrderPaid
from shared.contracts.redemption import CertificateExpired, RefundFenced
from shared.contracts.use_rules import UseRules
from shared.ids import new_id
from tests.integration.redemption.stage import Shop, Stage, refund_abandoned, refund_request, refund_succeeded, units_of
from tests.support.waiting import eventually

TOMORROW = UseRules(valid_days=1)
DAYS = timedelta(days=2)


async def nights_pass(stage: Stage) -> None:
    """The window is over, and the timer has looked."""
    await consumers.watch_time(stage.db)
    await stage.pass_time(DAYS)


async def told(stage: Stage, order: OrderPaid) -> list[int]:
    """The uses left of what was announced as expired."""
    return [e.uses_left for unit_id in units_of(order) for e in await stage.said(CertificateExpired, unit_id)]


async def test_unused_certificates_expire_when_their_window_ends_and_are_told_once(stage: Stage) -> None:
    order = await stage.pay(await stage.open_shop(), units=3, rules=TOMORROW)
    await consumers.watch_time(stage.db)
    await stage.act()
    assert (await stage.states(order), await told(stage, order)) == (["VALID"] * 3, [])
    await nights_pass(stage)
    await nights_pass(stage)
    assert (await stage.states(order), await told(stage, order)) == (["EXPIRED"] * 3, [1, 1, 1])
    (event,) = await stage.said(CertificateExpired, units_of(order)[0])
    assert event.expired_at <= stage.now() - timedelta(days=2)
    assert (event.order_id, event.merchant_id) == (order.order_id, order.merchant_id)


async def test_the_timer_sets_itself_again_and_finds_an_order_that_came_after_its_window(stage: Stage) -> None:
    await nights_pass(stage)
    late = stage.order(await stage.open_shop(), rules=UseRules(use_until=stage.now() - timedelta(hours=1)))
    await consumers.issue_certificates(late, stage.db, stage.world)
    assert await stage.states(late) == ["VALID"]
    await stage.pass_time(expiry.EVERY)
    assert (await stage.states(late), await told(stage, late)) == (["EXPIRED"], [1])


async def test_a_part_used_card_expires_with_the_uses_that_are_left(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop, uses=4, rules=TOMORROW)
    assert (await stage.redeem(shop, order)).status_code == 201
    await nights_pass(stage)
    assert (await stage.states(order), await told(stage, order)) == (["EXPIRED"], [3])


@pytest.mark.parametrize("taken_by", ["use", "refund", "refunded"])
async def test_what_was_taken_before_does_not_expire(stage: Stage, taken_by: str) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop, rules=TOMORROW)
    if taken_by == "use":
        assert (await stage.redeem(shop, order)).status_code == 201
    else:
        request = refund_request(order)
        await consumers.fence_refund(request, stage.db)
        if taken_by == "refunded":
            await consumers.close_refund(refund_succeeded(request), stage.db)
    before = await stage.states(order)
    await nights_pass(stage)
    assert (await stage.states(order), await told(stage, order)) == (before, [])


async def test_a_fence_that_is_lifted_after_the_window_leaves_an_expired_certificate_that_is_told(stage: Stage) -> None:
    order = await stage.pay(await stage.open_shop(), units=2, rules=TOMORROW)
    request = refund_request(order, units_of(order)[:1])
    await consumers.fence_refund(request, stage.db)
    await nights_pass(stage)
    assert (await stage.states(order), await told(stage, order)) == (["REFUNDING", "EXPIRED"], [1])
    await consumers.lift_fence(refund_abandoned(request), stage.db)
    assert (await stage.states(order), await told(stage, order)) == (["EXPIRED"] * 2, [1, 1])


async def test_a_fence_that_is_lifted_before_the_window_ends_leaves_a_valid_certificate(stage: Stage) -> None:
    order = await stage.pay(await stage.open_shop(), rules=TOMORROW)
    request = refund_request(order)
    await consumers.fence_refund(request, stage.db)
    await consumers.lift_fence(refund_abandoned(request), stage.db)
    assert (await stage.states(order), await told(stage, order)) == (["VALID"], [])
    await nights_pass(stage)
    assert (await stage.states(order), await told(stage, order)) == (["EXPIRED"], [1])


async def test_an_expired_certificate_can_be_fenced_and_is_told_again_when_that_is_given_up(stage: Stage) -> None:
    order = await stage.pay(await stage.open_shop(), rules=TOMORROW)
    await nights_pass(stage)
    request = refund_request(order)
    await consumers.fence_refund(request, stage.db)
    assert len(await stage.said(RefundFenced, request.refund_id)) == 1
    await consumers.lift_fence(refund_abandoned(request), stage.db)
    assert (await stage.states(order), await told(stage, order)) == (["EXPIRED"], [1, 1])


async def test_many_are_worked_off_in_batches_of_their_own_transactions(stage: Stage) -> None:
    shop = await stage.open_shop()
    await nights_pass(stage)
    orders = [await stage.pay(shop, units=2, rules=TOMORROW) for _ in range(expiry.ORDERS_AT_ONCE + 3)]
    stage.clock.move_to_offset((stage.now() + DAYS - datetime.now(UTC)).total_seconds())
    async with stage.db.transaction() as tx:
        await use_cases.expire_next(tx)
        next_look = await tx.value("select due_at from timers where kind = $1", expiry.EXPIRE)
        assert next_look == tx.now + expiry.PAUSE, "between two batches others have their turn"
    states = [await stage.states(order) for order in orders]
    assert states.count(["EXPIRED"] * 2) == expiry.ORDERS_AT_ONCE
    await stage.pass_time(expiry.PAUSE)
    assert [await told(stage, order) for order in orders] == [[1, 1]] * len(orders)


async def test_two_processes_never_work_off_the_same_order(stage: Stage) -> None:
    await nights_pass(stage)
    order = await stage.pay(await stage.open_shop(), rules=UseRules(use_until=stage.now() - timedelta(hours=1)))
    async with stage.db.transaction() as one, stage.db.transaction() as other:
        assert await store.take_due(one, 10) == [order.order_id]
        assert await store.take_due(other, 10) == []


async def test_finding_what_is_due_reads_the_index_and_not_the_orders(stage: Stage) -> None:
    async with stage.db.transaction() as tx:
        await tx.execute(
            """insert into orders (order_id, order_no, buyer, merchant_id, deal_id, deal_version, title, store_ids,
                 starts_at, until, blackout_dates, paid_at, rules, expiry_done)
               select gen_random_uuid(), n::text, 'b', gen_random_uuid(), gen_random_uuid(), 1, 't', '{}', now(),
                 now() + interval '90 days', '{}', now(), '{}', n % 2 = 0 from generate_series(1, 20000) n"""
        )
        await tx.execute("analyze orders")
        rows = await tx.fetch(f"explain {store._TAKE_DUE.replace('$1', 'now()').replace('$2', '50')}")
        await tx.execute("delete from orders where buyer = 'b' and title = 't'")
    plan = "\n".join(row[0] for row in rows)
    assert "orders_to_expire" in plan
    assert "Seq Scan on orders" not in plan


async def _redeem_in(stage: Stage, shop: Shop, order: OrderPaid) -> tuple[Attempt, str]:
    units = tuple(units_of(order))
    prepared = Prepared(shop.clerk, shop.store_id, order.order_id, units)
    token, _ = stage.codes.preparation_token(prepared, datetime.now(UTC))
    return Attempt(new_id(), shop.clerk, shop.store_id, "till-1", units), token


async def test_a_use_in_the_last_second_that_commits_while_the_expiry_waits_has_won(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop, rules=TOMORROW)
    attempt, token = await _redeem_in(stage, shop, order)

    async def expire() -> frozenset[object]:
        async with stage.db.transaction() as tx:
            return await expiry.expire_if_over(tx, units_of(order))

    async with stage.db.transaction() as tx:
        done = await use_cases.redeem(tx, stage.codes, stage.world.orders, attempt, token, datetime.now(UTC))
        assert isinstance(done, Redemption)
        stage.clock.move_to_offset(DAYS.total_seconds())
        expiring = asyncio.create_task(expire())
        await eventually(lambda: _somebody_waits(stage), what="the expiry waits for the use")
    assert await expiring == frozenset()
    assert (await stage.states(order), await told(stage, order)) == (["USED"], [])


async def test_an_expiry_that_commits_while_a_use_of_the_last_second_waits_has_won(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop, rules=TOMORROW)
    attempt, token = await _redeem_in(stage, shop, order)

    async def redeem() -> object:
        # Its moment is the one at which it began: before the window's end.
        async with stage.db.transaction() as tx:
            began.set()
            await over.wait()
            return await use_cases.redeem(tx, stage.codes, stage.world.orders, attempt, token, datetime.now(UTC))

    began, over = asyncio.Event(), asyncio.Event()
    redeeming = asyncio.create_task(redeem())
    await began.wait()
    stage.clock.move_to_offset(DAYS.total_seconds())
    async with stage.db.transaction() as tx:
        assert await expiry.expire_if_over(tx, units_of(order)) == frozenset(units_of(order))
        over.set()
        await eventually(lambda: _somebody_waits(stage), what="the use waits for the expiry")
    refused = await redeeming
    assert getattr(refused, "code", None) == "expired"
    assert (await stage.states(order), await told(stage, order)) == (["EXPIRED"], [1])


async def _somebody_waits(stage: Stage) -> bool:
    async with stage.db.transaction() as asking:
        waiting: bool = await asking.value(
            "select exists (select from pg_locks where locktype = 'transactionid' and not granted)"
        )
    return waiting


async def test_redemptions_and_the_expiry_at_once_leave_each_certificate_used_or_expired(stage: Stage) -> None:
    shop = await stage.open_shop()
    orders = [await stage.pay(shop, units=2, rules=TOMORROW) for _ in range(20)]
    prepared = [await _redeem_in(stage, shop, order) for order in orders]
    stage.clock.move_to_offset(DAYS.total_seconds())
    before = datetime.now(UTC)

    async def redeem(attempt: Attempt, token: str) -> bool:
        async with stage.db.transaction() as tx:
            tx.now = before
            return isinstance(
                await use_cases.redeem(tx, stage.codes, stage.world.orders, attempt, token, before), Redemption
            )

    async def expire(order: OrderPaid) -> None:
        async with stage.db.transaction() as tx:
            await expiry.expire_if_over(tx, units_of(order))

    outcomes = await asyncio.gather(
        *(redeem(*one) for one in prepared), *(expire(order) for order in orders), return_exceptions=True
    )
    for order, used in zip(orders, outcomes, strict=False):
        assert await stage.states(order) == (["USED"] * 2 if used is True else ["EXPIRED"] * 2)
        assert await told(stage, order) == ([] if used is True else [1, 1])


def test_the_service_looks_for_what_has_expired_when_it_starts(settings: Settings) -> None:
    assert make(settings).on_start is consumers.watch_time
