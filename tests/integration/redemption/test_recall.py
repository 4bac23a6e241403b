"""Certificates that no store takes any more are fenced and announced; all others are left alone."""

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest

from services.redemption import consumers
from services.redemption.use_cases.recalls import ORDERS_AT_ONCE
from shared.contracts import Event
from shared.contracts.catalog import DealForm, StoreClosure
from shared.contracts.checkout import OrderPaid
from shared.contracts.redemption import CertificateRecalled, RecallReason
from shared.contracts.use_rules import UseRules
from shared.ids import new_id
from shared.messaging.timers import Due
from tests.integration.redemption.losses import Loss, hear, lose, recalls, reinstated, store_lost, suspended, taken_over
from tests.integration.redemption.stage import (
    Shop,
    Stage,
    again,
    other_store,
    refund_request,
    refund_succeeded,
    units_of,
)


async def plain(stage: Stage, shop: Shop, _: Shop) -> OrderPaid:
    return await stage.pay(shop, units=2)


async def with_both_stores(stage: Stage, shop: Shop, sister: Shop) -> OrderPaid:
    return await stage.pay(shop, also=(sister,))


async def with_a_store_nobody_heard_of(stage: Stage, shop: Shop, _: Shop) -> OrderPaid:
    return await stage.pay(shop, also=(other_store(shop),))


async def of_the_sister_only(stage: Stage, _: Shop, sister: Shop) -> OrderPaid:
    return await stage.pay(sister)


async def used(stage: Stage, shop: Shop, _: Shop) -> OrderPaid:
    order = await stage.pay(shop)
    assert (await stage.redeem(shop, order)).status_code == 201
    return order


async def a_card_with_two_uses_left(stage: Stage, shop: Shop, _: Shop) -> OrderPaid:
    order = await stage.pay(shop, uses=3)
    assert (await stage.redeem(shop, order)).status_code == 201
    return order


async def out_of_date(stage: Stage, shop: Shop, _: Shop) -> OrderPaid:
    order = await stage.pay(shop, rules=UseRules(valid_days=1))
    await stage.pass_time(timedelta(days=3))
    return order


async def without_code_yet(stage: Stage, shop: Shop, _: Shop) -> OrderPaid:
    return await stage.pay(shop, form=DealForm.THIRD_PARTY_CODE)


async def whose_code_never_came(stage: Stage, shop: Shop, _: Shop) -> OrderPaid:
    order = await stage.pay(shop, form=DealForm.THIRD_PARTY_CODE)
    await stage.pass_time(timedelta(minutes=10))
    return order


async def being_refunded(stage: Stage, shop: Shop, _: Shop) -> OrderPaid:
    order = await stage.pay(shop)
    await consumers.fence_refund(refund_request(order), stage.db)
    return order


async def refunded(stage: Stage, shop: Shop, _: Shop) -> OrderPaid:
    order = await stage.pay(shop)
    request = refund_request(order)
    await consumers.fence_refund(request, stage.db)
    await consumers.close_refund(refund_succeeded(request), stage.db)
    return order


Situation = Callable[[Stage, Shop, Shop], Awaitable[OrderPaid]]

CLOSED: list[tuple[Situation, list[str]]] = [
    (plain, ["store_closed", "store_closed"]),
    (with_both_stores, []),
    (with_a_store_nobody_heard_of, []),
    (of_the_sister_only, []),
    (used, []),
    (a_card_with_two_uses_left, ["store_closed"]),
    (out_of_date, ["store_closed"]),
    (without_code_yet, ["store_closed"]),
    (whose_code_never_came, ["store_closed"]),
    (being_refunded, []),
    (refunded, []),
]


@pytest.mark.parametrize(("situation", "reasons"), CLOSED, ids=[case[0].__name__ for case in CLOSED])
async def test_a_closed_store_recalls_what_no_other_store_takes(
    stage: Stage, situation: Situation, reasons: list[str]
) -> None:
    shop = await stage.open_shop()
    order = await situation(stage, shop, await stage.open_shop(other_store(shop)))
    before = await stage.states(order)
    await lose(stage, store_lost(stage, shop))
    assert await recalls(stage, order) == reasons
    assert await stage.states(order) == (["REFUNDING"] * len(reasons) or before)


SUSPENDED: list[tuple[Situation, int]] = [
    (plain, 2),
    (with_both_stores, 1),
    (with_a_store_nobody_heard_of, 1),
    (of_the_sister_only, 1),
    (used, 0),
    (a_card_with_two_uses_left, 1),
    (being_refunded, 0),
]


@pytest.mark.parametrize(("situation", "recalled"), SUSPENDED, ids=[case[0].__name__ for case in SUSPENDED])
async def test_a_suspended_merchant_has_no_open_store(stage: Stage, situation: Situation, recalled: int) -> None:
    shop = await stage.open_shop()
    order = await situation(stage, shop, await stage.open_shop(other_store(shop)))
    before = await stage.states(order)
    await lose(stage, suspended(stage, shop))
    assert await recalls(stage, order) == ["merchant_suspended"] * recalled
    assert await stage.states(order) == (["REFUNDING"] * recalled or before)


async def test_the_last_of_two_stores_recalls_and_the_recall_says_everything(stage: Stage) -> None:
    shop = await stage.open_shop()
    sister = await stage.open_shop(other_store(shop))
    order = await stage.pay(shop, uses=2, also=(sister,))
    await lose(stage, store_lost(stage, shop))
    assert (await stage.redeem(sister, order)).status_code == 201
    await lose(stage, store_lost(stage, sister))
    (recalled,) = await stage.said(CertificateRecalled, units_of(order)[0])
    assert (recalled.order_id, recalled.merchant_id) == (order.order_id, shop.merchant_id)
    assert (recalled.reason, recalled.uses_left) == (RecallReason.STORE_CLOSED, 1)


@pytest.mark.parametrize("closure", [StoreClosure.RELEASED, StoreClosure.TRANSFERRED])
@pytest.mark.parametrize("recalling_first", [True, False])
async def test_a_store_in_other_hands_takes_what_its_new_holder_sells_and_nothing_else(
    stage: Stage, closure: StoreClosure, *, recalling_first: bool
) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    new = taken_over(shop)
    loss = store_lost(stage, shop, closure, holder=new.merchant_id if closure is StoreClosure.TRANSFERRED else None)
    events: list[Event] = [loss.changed, loss.recalling]
    for event in reversed(events) if recalling_first else events:
        await hear(event, stage.db)
    await stage.act()
    assert await recalls(stage, order) == ["store_closed"]
    if closure is StoreClosure.TRANSFERRED:
        await stage.keep_staff(new)
        theirs = await stage.pay(new)
        assert (await stage.redeem(new, theirs)).status_code == 201


async def test_a_store_that_opened_again_before_its_closing_was_heard_recalls_nothing(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    await stage.keep_store(shop, version=3)
    await hear(store_lost(stage, shop, version=2).recalling, stage.db)
    await stage.act()
    assert (await stage.redeem(shop, order)).status_code == 201


async def test_what_was_recalled_stays_recalled_and_what_was_not_is_usable_after_a_suspension(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    await lose(stage, suspended(stage, shop))
    await hear(reinstated(stage, shop), stage.db)
    assert (await stage.redeem(shop, order)).json()["code"] == "certificate_refunding"

    other = await stage.open_shop()
    spared = await stage.pay(other)
    loss = suspended(stage, other)
    await loss.arrives(stage.db)
    assert (await stage.redeem(other, spared)).json()["code"] == "merchant_suspended"
    await hear(reinstated(stage, other), stage.db)
    await hear(again(loss.recalling), stage.db)
    await stage.act()
    assert (await stage.redeem(other, spared)).status_code == 201


async def test_the_same_messages_in_any_number_and_order_recall_once(stage: Stage) -> None:
    for _ in range(8):
        shop = await stage.open_shop()
        sister = await stage.open_shop(other_store(shop))
        order = stage.order(shop, units=2, also=(sister,))
        losses = [store_lost(stage, one) for one in (shop, sister)]
        events = [event for loss in losses for event in (loss.changed, loss.recalling, again(loss.recalling))]
        act = None
        steps: list[Event | None] = [*events, *events, order, order, act, act, act]
        random.shuffle(steps)
        for step in steps:
            if step is None:
                await stage.act()
            else:
                await hear(step, stage.db, stage.world)
        await stage.act()
        assert await recalls(stage, order) == ["store_closed"] * 2
        assert await stage.states(order) == ["REFUNDING"] * 2


async def test_more_than_a_thousand_certificates_are_recalled_in_batches(stage: Stage) -> None:
    shop = await stage.open_shop()
    sister = await stage.open_shop(other_store(shop))
    spared = [await stage.pay(shop, also=(sister,)) for _ in range(30)]
    lost = [await stage.pay(shop, units=10) for _ in range(2 * ORDERS_AT_ONCE)]
    spared += [await stage.pay(shop, also=(sister,)) for _ in range(30)]
    await store_lost(stage, shop).arrives(stage.db)

    batches = 0
    while await _batch(stage, shop):
        batches += 1
    assert batches == 4, "two full ones, the rest, and a look that nothing is left"
    assert {state for order in lost for state in await stage.states(order)} == {"REFUNDING"}
    assert {state for order in spared for state in await stage.states(order)} == {"VALID"}
    async with stage.db.transaction() as tx:
        said = await tx.value(
            "select count(distinct aggregate_id) from history where topic = $1 and aggregate_id = any($2)",
            CertificateRecalled.topic,
            [str(unit_id) for order in lost for unit_id in units_of(order)],
        )
    assert said == 10 * len(lost)


async def _batch(stage: Stage, shop: Shop) -> bool:
    """Let the timer of this merchant act once."""
    async with stage.db.transaction() as tx:
        row = await tx.row("delete from timers where kind = 'recall' and key = $1 returning *", str(shop.merchant_id))
        if row is not None:
            due = Due(row["kind"], row["key"], row["due_at"], row["payload"], row["attempts"])
            await consumers.recall_next(tx, [due])
    return row is not None


@pytest.mark.parametrize("loss", [store_lost, suspended])
async def test_a_copy_of_the_message_starts_no_second_recall(stage: Stage, loss: Callable[[Stage, Shop], Loss]) -> None:
    shop = await stage.open_shop()
    lost = loss(stage, shop)
    await lose(stage, lost)
    assert not await _batch(stage, shop)
    await hear(lost.recalling, stage.db)
    assert not await _batch(stage, shop)
    await hear(again(lost.recalling), stage.db)
    assert await _batch(stage, shop)


async def test_merchants_take_turns(stage: Stage) -> None:
    shops = [await stage.open_shop() for _ in range(3)]
    orders = [await stage.pay(shop) for shop in shops]
    for shop in shops:
        await store_lost(stage, shop).arrives(stage.db)
    await stage.act()
    assert [await stage.states(order) for order in orders] == [["REFUNDING"]] * 3


async def test_a_recall_walks_an_index_and_never_the_table(stage: Stage) -> None:
    async with stage.db.transaction() as tx:
        await tx.execute("set local enable_seqscan = off")
        plan = await tx.fetch(
            "explain select order_id from orders where merchant_id = $1 and order_id > $2 order by order_id limit 100",
            new_id(),
            # After every order, the planner would rather walk the primary key, which holds nothing there.
            UUID(int=0),
        )
    text = "\n".join(row[0] for row in plan)
    assert "orders_merchant_id_order_id_idx" in text
    assert "Index Cond: ((merchant_id =" in text
