"""What becomes of certificates that were recalled, and of those that would have been."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.redemption import consumers, use_cases
from services.redemption.domain.codes import Prepared
from services.redemption.domain.redemptions import Attempt, Redemption
from services.redemption.use_cases.recalls import recall_units
from shared.contracts.redemption import RefundFenced
from shared.ids import new_id
from tests.integration.redemption.losses import lose, recall_refund, recalls, store_lost, suspended
from tests.integration.redemption.stage import Stage, refund_abandoned, refund_request, refund_succeeded, units_of
from tests.support.waiting import eventually


async def test_checkouts_refund_for_a_recall_is_answered_with_what_the_recall_fenced(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop, uses=3)
    assert (await stage.redeem(shop, order)).status_code == 201
    await lose(stage, store_lost(stage, shop))
    request = recall_refund(order)
    await consumers.fence_refund(request, stage.db)
    (fenced,) = await stage.said(RefundFenced, request.refund_id)
    assert {unit.unit_id: unit.uses_left for unit in fenced.units} == {units_of(order)[0]: 2}
    await consumers.close_refund(refund_succeeded(request), stage.db)
    assert await stage.states(order) == ["REFUNDED"]


async def test_a_recall_that_an_operator_gave_up_is_not_repeated(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    await lose(stage, store_lost(stage, shop))
    request = recall_refund(order)
    await consumers.fence_refund(request, stage.db)
    await consumers.lift_fence(refund_abandoned(request), stage.db)
    assert await stage.states(order) == ["VALID"]
    await lose(stage, suspended(stage, shop))
    assert await stage.states(order) == ["VALID"]
    assert await recalls(stage, order) == ["store_closed"]
    later = refund_request(order)
    await consumers.fence_refund(later, stage.db)
    assert len(await stage.said(RefundFenced, later.refund_id)) == 1


async def test_what_a_given_up_refund_gives_back_is_recalled_if_its_stores_are_gone_meanwhile(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    request = refund_request(order)
    await consumers.fence_refund(request, stage.db)
    await lose(stage, store_lost(stage, shop))
    assert await recalls(stage, order) == []
    await consumers.lift_fence(refund_abandoned(request), stage.db)
    assert await recalls(stage, order) == ["store_closed"]
    assert await stage.states(order) == ["REFUNDING"]


async def test_an_order_that_comes_after_its_last_store_is_gone_is_recalled_as_it_is_issued(stage: Stage) -> None:
    shop = await stage.open_shop()
    await lose(stage, store_lost(stage, shop))
    order = await stage.pay(shop, units=2)
    assert await recalls(stage, order) == ["store_closed"] * 2
    assert await stage.states(order) == ["REFUNDING"] * 2


async def test_a_suspended_merchants_certificates_are_refused_at_the_till_and_name_no_store(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    token = await stage.token(shop, order)
    await suspended(stage, shop).arrives(stage.db)
    (one,) = (await stage.prepare(shop, code=await stage.code(order))).json()["certificates"]
    assert (one["usable"], one["reason"]["code"]) == (False, "merchant_suspended")
    refused = await stage.verify(shop, token, units_of(order))
    assert (refused.status_code, refused.json()["code"]) == (409, "merchant_suspended")
    assert await stage.states(order) == ["VALID"]
    assert (await stage.certificates(order))[0]["store_names"] == []


@pytest.mark.parametrize("taken_by", ["use", "refund", "refunded"])
async def test_a_certificate_that_is_taken_already_is_not_recalled_even_if_it_is_named(
    stage: Stage, taken_by: str
) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    if taken_by == "use":
        assert (await stage.redeem(shop, order)).status_code == 201
    else:
        request = refund_request(order)
        await consumers.fence_refund(request, stage.db)
        if taken_by == "refunded":
            await consumers.close_refund(refund_succeeded(request), stage.db)
    before = await stage.states(order)
    await store_lost(stage, shop).arrives(stage.db)
    async with stage.db.transaction() as tx:
        assert await recall_units(tx, units_of(order)) == frozenset()
    assert (await stage.states(order), await recalls(stage, order)) == (before, [])


async def test_a_use_that_commits_while_the_recall_waits_for_its_certificate_has_won(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    units = tuple(units_of(order))
    prepared = Prepared(shop.clerk, shop.store_id, order.order_id, units)
    token, _ = stage.codes.preparation_token(prepared, datetime.now(UTC))
    attempt = Attempt(new_id(), shop.clerk, shop.store_id, "till-1", units)

    async def recall() -> frozenset[UUID]:
        async with stage.db.transaction() as tx:
            return await recall_units(tx, units)

    async with stage.db.transaction() as tx:
        done = await use_cases.redeem(tx, stage.codes, stage.world.orders, attempt, token, datetime.now(UTC))
        assert isinstance(done, Redemption)
        await store_lost(stage, shop).arrives(stage.db)
        recalling = asyncio.create_task(recall())

        async def waits() -> bool:
            async with stage.db.transaction() as asking:
                waiting: bool = await asking.value(
                    "select exists (select from pg_locks where locktype = 'transactionid' and not granted)"
                )
            return waiting

        await eventually(waits, what="the recall waits for the use")
    assert await recalling == frozenset()
    assert (await stage.states(order), await recalls(stage, order)) == (["USED"], [])
