"""Reminders: what will expire is told three days and one day before, once each, in batches."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.redemption import consumers, use_cases
from services.redemption.settings import Settings
from services.redemption.store import reminders as store
from services.redemption.use_cases import reminders
from services.redemption.use_cases.expiry import ORDERS_AT_ONCE, PAUSE
from shared.contracts.checkout import OrderPaid
from shared.contracts.redemption import CertificateExpired, CertificateExpiring
from shared.contracts.use_rules import UseRules
from tests.integration.redemption.stage import Stage, refund_request, units_of

DAY = timedelta(days=1)


def until_in(stage: Stage, time: timedelta) -> UseRules:
    """Rules whose window ends after so much time."""
    return UseRules(use_until=stage.now() + time)


async def told(stage: Stage, order: OrderPaid) -> list[int]:
    """The days that were announced, over all units."""
    return [e.days_left for unit_id in units_of(order) for e in await stage.said(CertificateExpiring, unit_id)]


async def watched(stage: Stage) -> None:
    async with stage.db.transaction() as tx:
        await use_cases.watch_reminders(tx)
    await stage.act()


async def nobody_else(stage: Stage) -> None:
    """What other tests have sold reminds nobody any more."""
    async with stage.db.transaction() as tx:
        await tx.execute("update orders set next_reminder_at = null")


async def test_a_buyer_is_reminded_three_days_and_one_day_before_and_not_again(stage: Stage) -> None:
    order = await stage.pay(await stage.open_shop(), units=2, rules=until_in(stage, 10 * DAY))
    await consumers.watch_time(stage.db)
    await stage.act()
    assert await told(stage, order) == []
    for after, expected in ((7 * DAY, [3, 3]), (DAY, [3, 3]), (DAY, [3, 1, 3, 1]), (2 * DAY, [3, 1, 3, 1])):
        await stage.pass_time(after)
        await stage.pass_time(timedelta(seconds=10))
        assert await told(stage, order) == expected
    (event, _) = await stage.said(CertificateExpiring, units_of(order)[0])
    (expired,) = await stage.said(CertificateExpired, units_of(order)[0])
    assert (event.order_id, event.merchant_id, event.uses_left) == (order.order_id, order.merchant_id, 1)
    assert event.expires_at == expired.expired_at


async def test_when_is_a_setting_and_frozen_with_the_order(stage: Stage, settings: Settings) -> None:
    assert stage.world.reminder_days == settings.expiry_reminder_days == (3, 1)
    stage.world = replace(stage.world, reminder_days=(1, 5, 5))
    order = await stage.pay(await stage.open_shop(), rules=until_in(stage, 8 * DAY))
    stage.world = replace(stage.world, reminder_days=())
    silent = await stage.pay(await stage.open_shop(), rules=until_in(stage, 8 * DAY))
    await watched(stage)
    for _ in range(8):
        await stage.pass_time(DAY - timedelta(seconds=1))
    assert (await told(stage, order), await told(stage, silent)) == ([5, 1], [])


@pytest.mark.parametrize(("bought_before", "expected"), [(2 * DAY, [1]), (timedelta(hours=2), [])])
async def test_days_that_are_over_when_it_is_bought_are_not_told(
    stage: Stage, bought_before: timedelta, expected: list[int]
) -> None:
    order = await stage.pay(await stage.open_shop(), rules=until_in(stage, bought_before))
    await watched(stage)
    await stage.pass_time(bought_before - timedelta(minutes=1))
    assert await told(stage, order) == expected


async def test_after_a_standstill_only_the_nearest_day_is_told_and_nothing_after_the_end(stage: Stage) -> None:
    await watched(stage)
    shop = await stage.open_shop()
    near = await stage.pay(shop, rules=until_in(stage, 10 * DAY))
    over = await stage.pay(shop, rules=until_in(stage, 9 * DAY))
    await stage.pass_time(9.5 * DAY)
    assert (await told(stage, near), await told(stage, over)) == ([1], [])


async def test_what_is_used_or_fenced_is_not_told_and_a_card_is_with_the_uses_that_are_left(stage: Stage) -> None:
    shop = await stage.open_shop()
    used, fenced, card = [await stage.pay(shop, uses=uses, rules=until_in(stage, 5 * DAY)) for uses in (1, 1, 4)]
    assert (await stage.redeem(shop, used)).status_code == 201
    assert (await stage.redeem(shop, card)).status_code == 201
    await consumers.fence_refund(refund_request(fenced), stage.db)
    await watched(stage)
    await stage.pass_time(3 * DAY)
    assert [await told(stage, order) for order in (used, fenced, card)] == [[], [], [3]]
    (event,) = await stage.said(CertificateExpiring, units_of(card)[0])
    assert event.uses_left == 3


async def test_a_crash_before_the_commit_tells_nothing_and_loses_nothing(stage: Stage) -> None:
    await watched(stage)
    order = await stage.pay(await stage.open_shop(), rules=until_in(stage, 5 * DAY))
    stage.clock.move_to_offset((3 * DAY).total_seconds())

    async def crash() -> None:
        async with stage.db.transaction() as tx:
            await use_cases.remind_next(tx)
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        await crash()
    assert await told(stage, order) == []
    await stage.act()
    await watched(stage)
    assert await told(stage, order) == [3]


async def test_many_are_worked_off_in_batches_of_their_own_transactions(stage: Stage) -> None:
    await nobody_else(stage)
    shop = await stage.open_shop()
    orders = [await stage.pay(shop, units=2, rules=until_in(stage, 5 * DAY)) for _ in range(ORDERS_AT_ONCE + 3)]
    stage.clock.move_to_offset((3 * DAY).total_seconds())
    async with stage.db.transaction() as tx:
        await use_cases.remind_next(tx)
        next_look = await tx.value("select due_at from timers where kind = $1", reminders.REMIND)
        assert next_look == tx.now + PAUSE, "between two batches others have their turn"
    assert [await told(stage, order) for order in orders].count([3, 3]) == ORDERS_AT_ONCE
    await stage.pass_time(PAUSE)
    assert [await told(stage, order) for order in orders] == [[3, 3]] * len(orders)


async def test_two_processes_never_tell_of_the_same_order(stage: Stage) -> None:
    await nobody_else(stage)
    order = await stage.pay(await stage.open_shop(), rules=until_in(stage, 5 * DAY))
    stage.clock.move_to_offset((3 * DAY).total_seconds())
    async with stage.db.transaction() as one, stage.db.transaction() as other:
        assert [due.order_id for due in await store.take_due(one, 10)] == [order.order_id]
        assert await store.take_due(other, 10) == []


async def test_finding_whom_to_remind_reads_the_index_and_not_the_orders(stage: Stage) -> None:
    async with stage.db.transaction() as tx:
        await tx.execute(
            """insert into orders (order_id, order_no, buyer, merchant_id, deal_id, deal_version, title, store_ids,
                 starts_at, until, blackout_dates, paid_at, rules, reminders, next_reminder_at)
               select gen_random_uuid(), n::text, 'b', gen_random_uuid(), gen_random_uuid(), 1, 't', '{}', now(),
                 now() + interval '90 days', '{}', now(), '{}', array[now() + interval '87 days'],
                 case n % 2 when 0 then now() + interval '87 days' end from generate_series(1, 20000) n"""
        )
        await tx.execute("analyze orders")
        rows = await tx.fetch(f"explain {store._TAKE_DUE.replace('$1', 'now()').replace('$2', '50')}")
        await tx.execute("delete from orders where buyer = 'b' and title = 't'")
    plan = "\n".join(row[0] for row in rows)
    assert "orders_to_remind" in plan
    assert "Seq Scan on orders" not in plan
