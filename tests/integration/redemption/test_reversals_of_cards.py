"""Undone uses of cards, and of certificates whose time or store was over meanwhile."""

from datetime import timedelta
from uuid import UUID

import pytest

from services.redemption import consumers
from services.redemption.use_cases import expiry
from shared.contracts.redemption import (
    CertificateExpired,
    RefundFenced,
)
from shared.contracts.use_rules import UseRules
from tests.integration.redemption.losses import lose, recalls, store_lost, suspended
from tests.integration.redemption.reversing import at_noon, card, misfits_of, move_to, next_no, redeemed
from tests.integration.redemption.stage import (
    Stage,
    as_,
    refund_request,
    refund_succeeded,
    units_of,
)


@pytest.mark.parametrize(
    ("undone", "then"), [((2,), [2]), ((1,), [1]), ((3,), [3]), ((3, 1), [1, 3]), ((1, 2, 3), [1, 2, 3])]
)
async def test_the_next_use_of_a_card_takes_the_lowest_number_that_is_free(
    stage: Stage, undone: tuple[int, ...], then: list[int]
) -> None:
    shop = await stage.open_shop()
    order, made = await card(stage, shop, 3)
    for no in undone:
        assert (await stage.reverse(shop, made[no - 1]["redemption_id"])).status_code == 201
    assert await stage.states(order) == ["VALID"]
    assert [await next_no(stage, shop, order) for _ in then] == then
    assert await stage.states(order) == ["USED"]
    assert await misfits_of(stage, order) == []


async def test_each_use_of_a_card_keeps_its_own_value_through_a_reversal(stage: Stage) -> None:
    shop = await stage.open_shop()
    order, made = await card(stage, shop, 2)
    async with stage.db.transaction() as tx:
        await tx.execute("update certificates set use_values_fen = '{5,7,11}' where unit_id = $1", units_of(order)[0])
    await stage.reverse(shop, made[1]["redemption_id"])
    again = await redeemed(stage, shop, order)
    async with stage.db.transaction() as tx:
        paid = await tx.value("select paid_fen from uses where use_id = $1", UUID(again["uses"][0]["use_id"]))
    assert (again["uses"][0]["use_no"], paid) == (2, 7)


async def test_a_refund_of_a_card_names_the_uses_that_are_left(stage: Stage) -> None:
    shop = await stage.open_shop()
    order, made = await card(stage, shop, 2)
    await stage.reverse(shop, made[0]["redemption_id"])
    request = refund_request(order)
    await consumers.fence_refund(request, stage.db)
    (fenced,) = await stage.said(RefundFenced, request.refund_id)
    assert [(unit.uses_left, unit.left_nos) for unit in fenced.units] == [(2, (1, 3))]
    terms = (await stage.http.get("/admin/money", headers=as_(await stage.operator()))).json()["terms"]
    assert terms["uses_reversed"] >= 1


@pytest.mark.parametrize("refunded", [False, True])
async def test_a_use_of_a_card_whose_rest_is_being_refunded_stays_used(stage: Stage, refunded: bool) -> None:
    shop = await stage.open_shop()
    order, made = await card(stage, shop, 1)
    request = refund_request(order)
    await consumers.fence_refund(request, stage.db)
    if refunded:
        await consumers.close_refund(refund_succeeded(request), stage.db)
    answer = await stage.reverse(shop, made[0]["redemption_id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "refunded" if refunded else "rest_refunding")


async def test_a_use_that_is_reversed_after_its_time_is_over_expires_and_is_refunded(stage: Stage) -> None:
    at_noon(stage)
    shop = await stage.open_shop()
    order = await stage.pay(shop, rules=UseRules(valid_days=1))
    async with stage.db.transaction() as tx:
        await tx.execute(
            "update orders set until = $2, expiry_done = true where order_id = $1",
            order.order_id,
            stage.now() + timedelta(minutes=10),
        )
    done = await redeemed(stage, shop, order)
    move_to(stage, stage.now() + timedelta(minutes=20))
    assert (await stage.reverse(shop, done["redemption_id"])).status_code == 201
    assert await stage.states(order) == ["EXPIRED"]
    (expired,) = await stage.said(CertificateExpired, units_of(order)[0])
    assert expired.uses_left == 1


async def test_a_use_of_a_card_that_expired_with_uses_left_goes_back_with_them(stage: Stage) -> None:
    at_noon(stage)
    shop = await stage.open_shop()
    order, made = await card(stage, shop, 1)
    async with stage.db.transaction() as tx:
        await tx.execute(
            "update orders set until = $2 where order_id = $1", order.order_id, stage.now() + timedelta(minutes=10)
        )
    move_to(stage, stage.now() + timedelta(minutes=20))
    async with stage.db.transaction() as tx:
        assert await expiry.expire_if_over(tx, units_of(order)) == frozenset(units_of(order))
    assert (await stage.reverse(shop, made[0]["redemption_id"])).status_code == 201
    assert await stage.states(order) == ["EXPIRED"]
    request = refund_request(order)
    await consumers.fence_refund(request, stage.db)
    assert [unit.uses_left for unit in (await stage.said(RefundFenced, request.refund_id))[0].units] == [3]


@pytest.mark.parametrize(("lost", "reason"), [("closed", "store_closed"), ("suspended", "merchant_suspended")])
async def test_a_use_that_is_reversed_after_its_store_was_lost_is_recalled(
    stage: Stage, lost: str, reason: str
) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    done = await redeemed(stage, shop, order)
    await lose(stage, store_lost(stage, shop) if lost == "closed" else suspended(stage, shop))
    assert await stage.states(order) == ["USED"]
    assert (await stage.reverse(shop, done["redemption_id"])).status_code == 201
    assert (await stage.states(order), await recalls(stage, order)) == (["REFUNDING"], [reason])
