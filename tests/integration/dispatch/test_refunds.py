"""Refund against hand-over: one of the two wins, and the carrier's own answer says which."""

import asyncio
from datetime import timedelta

import pytest

from services.dispatch.use_cases import opening
from shared.contracts.catalog import DealKind, DeliveryMode
from shared.contracts.dispatch import (
    GoodsDisputed,
    GoodsRefundFenced,
    GoodsRefundRefused,
    ParcelFailed,
    ParcelHandedOver,
)
from shared.errors import NotYet
from tests.integration.dispatch.stage import (
    Stage,
    again,
    refund_abandoned,
    refund_request,
    refund_succeeded,
    units_of,
)
from tests.support.waiting import eventually

SELF, INSTANT, COURIER = DeliveryMode.SELF, DeliveryMode.INSTANT, DeliveryMode.COURIER


async def test_goods_that_nobody_was_called_for_are_fenced_at_once(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.paid(shop, INSTANT)
    request = refund_request(order)
    await stage.hear(request, again(request))
    (fenced,) = await stage.said(GoodsRefundFenced, request.refund_id)
    assert fenced.unit_ids == units_of(order)
    refused = await stage.put(order, "acceptance", shop.clerk)
    assert (refused.status_code, refused.json()["code"]) == (409, "parcel_refunding")
    await stage.hear(refund_succeeded(request))
    assert await stage.state(order) == "REFUNDED"
    await stage.pass_time(timedelta(hours=1))
    assert await stage.said_of(ParcelFailed, order) == []


@pytest.mark.parametrize("mode", [INSTANT, COURIER])
async def test_a_called_carrier_is_called_off_before_the_refund_is_answered(stage: Stage, mode: DeliveryMode) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, mode)
    await stage.until_attempt(order, "SEARCHING")
    request = refund_request(order)
    await stage.hear(request)
    assert await stage.said(GoodsRefundFenced, request.refund_id) == []
    await stage.act()
    assert len(await stage.said(GoodsRefundFenced, request.refund_id)) == 1
    (attempt,) = await stage.attempts(order)
    assert attempt["state"] == "CANCELLED"
    if mode is INSTANT:
        assert await stage.known_to_dada(order) == [5]
        assert (attempt["cancel_fee_fen"], attempt["fee_state"]) == (0, "CONFIRMED")
    else:
        assert (attempt["cancel_fee_fen"], attempt["fee_state"]) == (None, "PENDING")


async def test_a_rider_who_has_the_goods_wins_against_the_refund(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    # Their callbacks are lost, so we still believe that the goods are in the store.
    await stage.faults("dada", {"operation": "notify", "fault": "drop_before_commit", "times": 100})
    await stage.rider(order, "accept", "fetch")
    request = refund_request(order)
    await stage.hear(request)
    await stage.act()
    assert len(await stage.said(GoodsDisputed, request.refund_id)) == 1
    assert await stage.said(GoodsRefundFenced, request.refund_id) == []
    assert len(await stage.said_of(ParcelHandedOver, order)) == 1


async def test_a_cancellation_without_an_answer_is_asked_about(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    await stage.faults("dada", {"operation": "formalCancel", "fault": "commit_then_timeout", "times": 1, "seconds": 3})
    request = refund_request(order)
    await stage.hear(request)
    await stage.act()
    assert len(await stage.said(GoodsRefundFenced, request.refund_id)) == 1
    assert [attempt["state"] for attempt in await stage.attempts(order)] == ["CANCELLED"]


async def test_a_cancellation_that_did_not_arrive_is_repeated(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    await stage.faults("dada", {"operation": "formalCancel", "fault": "http_500", "times": 2})
    request = refund_request(order)
    await stage.hear(request)
    await stage.act()
    assert await stage.said(GoodsRefundFenced, request.refund_id) == []
    await stage.pass_time(timedelta(seconds=3))
    await stage.pass_time(timedelta(seconds=6))
    assert len(await stage.said(GoodsRefundFenced, request.refund_id)) == 1


async def test_a_refund_while_the_outcome_is_unknown_waits_for_it_and_then_cancels(stage: Stage) -> None:
    shop = await stage.open_shop()
    await stage.faults("dada", {"operation": "addAfterQuery", "fault": "commit_then_http_500", "times": 1})
    order = await stage.accepted(shop, INSTANT)
    request = refund_request(order)
    await stage.hear(request)
    await stage.pass_time(timedelta(seconds=3))
    await stage.pass_time(timedelta(seconds=3))
    assert len(await stage.said(GoodsRefundFenced, request.refund_id)) == 1
    assert await stage.known_to_dada(order) == [5]


async def test_only_the_whole_parcel_is_refundable_before_it_leaves(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.paid(shop, SELF)
    request = refund_request(order, units_of(order)[:1])
    await stage.hear(request)
    (refused,) = await stage.said(GoodsRefundRefused, request.refund_id)
    assert refused.code == "whole_parcel_only"
    assert (await stage.put(order, "acceptance", shop.clerk)).status_code == 200


async def test_a_refund_that_overtakes_its_order_stops_the_parcel_before_it_opens(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = stage.order(shop, INSTANT)
    request = refund_request(order)
    await stage.hear(request)
    assert await stage.said(GoodsRefundFenced, request.refund_id) == []
    await stage.hear(order)
    assert len(await stage.said(GoodsRefundFenced, request.refund_id)) == 1
    assert await stage.state(order) == "REFUNDING"


async def test_an_external_refund_that_overtakes_its_order_ends_the_parcel(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = stage.order(shop, INSTANT)
    await stage.hear(refund_succeeded(refund_request(order), external=True))
    await stage.hear(order)
    assert await stage.state(order) == "REFUNDED"


async def test_an_external_refund_calls_the_carrier_off(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    await stage.hear(refund_succeeded(refund_request(order), external=True))
    await stage.act()
    assert await stage.state(order) == "REFUNDED"
    assert await stage.known_to_dada(order) == [5]
    assert await stage.said_of(ParcelFailed, order) == []


@pytest.mark.parametrize("external_first", [True, False])
async def test_an_external_refund_overtakes_the_one_for_which_the_goods_stand_still(
    stage: Stage, external_first: bool
) -> None:
    shop = await stage.open_shop()
    order = await stage.paid(shop, SELF)
    waiting = refund_request(order)
    await stage.hear(waiting)
    assert await stage.state(order) == "REFUNDING"
    news = [refund_succeeded(refund_request(order), external=True), refund_abandoned(waiting)]
    await stage.hear(*(news if external_first else news[::-1]))
    assert await stage.state(order) == "REFUNDED"


@pytest.mark.parametrize("external_first", [True, False])
async def test_an_external_refund_of_a_part_lets_the_rest_go_on(stage: Stage, external_first: bool) -> None:
    shop = await stage.open_shop()
    order = await stage.paid(shop, SELF, 2)
    waiting = refund_request(order)
    await stage.hear(waiting)
    part = refund_succeeded(refund_request(order, units_of(order)[:1]), external=True)
    news = [part, refund_abandoned(waiting)]
    await stage.hear(*(news if external_first else news[::-1]))
    assert await stage.state(order) == "PLACED"


async def test_a_refund_given_up_lets_the_delivery_go_on(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    request = refund_request(order)
    await stage.hear(request)
    await stage.act()
    assert await stage.state(order) == "REFUNDING"
    await stage.hear(refund_abandoned(request))
    await stage.until_attempt(order, "SEARCHING", 2)
    await stage.rider(order, "accept", "fetch", "finish", number=2)
    await stage.until(order, "DELIVERED")


async def test_a_refund_given_up_before_it_was_heard_of_is_not_answered(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.paid(shop, SELF)
    request = refund_request(order)
    await stage.hear(refund_abandoned(request), request)
    assert await stage.state(order) == "PLACED"
    assert await stage.said(GoodsRefundFenced, request.refund_id) == []


async def test_a_second_refund_waits_for_the_first_to_be_decided(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.paid(shop, SELF)
    first, second = refund_request(order), refund_request(order)
    await stage.hear(first)
    with pytest.raises(NotYet):
        await stage.hear(second)
    await stage.hear(refund_abandoned(first), second)
    assert len(await stage.said(GoodsRefundFenced, second.refund_id)) == 1


async def test_a_failed_parcels_refund_is_fenced(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.paid(shop, SELF)
    await stage.put(order, "refusal", shop.clerk, {"reason": "售罄"})
    request = refund_request(order)
    await stage.hear(request)
    assert len(await stage.said(GoodsRefundFenced, request.refund_id)) == 1
    await stage.hear(refund_succeeded(request))
    assert await stage.state(order) == "REFUNDED"


async def test_a_merchant_who_refuses_calls_the_carrier_off_first(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    answer = await stage.put(order, "refusal", shop.clerk, {"reason": "果子坏了"})
    assert answer.json()["state"] == "ACCEPTED"
    await stage.act()
    assert await stage.state(order) == "FAILED"
    assert await stage.known_to_dada(order) == [5]


async def test_vouchers_are_somebody_elses(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = stage.order(shop, SELF).model_copy(update={"kind": DealKind.VOUCHER, "delivery": None})
    request = refund_request(order)
    await stage.hear(order, request, refund_succeeded(request), refund_abandoned(request))
    async with stage.db.transaction() as tx:
        assert not await tx.value("select exists (select from parcels where order_id = $1)", order.order_id)
        assert not await tx.value("select exists (select from fences where order_id = $1)", order.order_id)


@pytest.mark.parametrize("round_", range(6))
async def test_hand_over_and_refund_at_the_same_moment_have_one_winner(stage: Stage, round_: int) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, SELF)
    request = refund_request(order)
    racers = [stage.put(order, "handover", shop.rider), stage.hear(request)]
    await asyncio.gather(*(racers if round_ % 2 else reversed(racers)))
    fenced = await stage.said(GoodsRefundFenced, request.refund_id)
    reviewed = await stage.said(GoodsDisputed, request.refund_id)
    left = await stage.said_of(ParcelHandedOver, order)
    assert len(fenced) + len(reviewed) == 1
    assert len(fenced) + len(left) == 1
    assert (await stage.state(order)) == ("REFUNDING" if fenced else "HANDED_OVER")


async def test_an_order_and_its_refund_that_arrive_at_the_same_moment_find_each_other(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = stage.order(shop, INSTANT)
    request = refund_request(order)
    async with stage.db.transaction() as tx:
        await opening.open_parcel(tx, stage.world, order)
        refunding = asyncio.create_task(stage.hear(request))

        async def refund_waits_or_is_through() -> bool:
            return refunding.done() or bool(await tx.value("select exists (select from pg_locks where not granted)"))

        await eventually(refund_waits_or_is_through)
    await refunding
    assert len(await stage.said(GoodsRefundFenced, request.refund_id)) == 1
    assert await stage.state(order) == "REFUNDING"
