"""A refund of goods that a rider has: the merchant reviews, the rider goes on, and what arrives stands still."""

import asyncio
import contextlib
from datetime import timedelta
from itertools import permutations
from uuid import UUID

import pytest

from services.dispatch.store import fences, money
from services.dispatch.use_cases import finishing
from shared.contracts.catalog import DeliveryMode
from shared.contracts.checkout import DisputeClosed, OrderPaid, RefundCause, RefundRequested
from shared.contracts.dispatch import (
    GoodsDisputed,
    GoodsRefundFenced,
    GoodsRefundRefused,
    ParcelDelivered,
    ParcelFailed,
    ParcelHandedOver,
    ParcelReceived,
)
from shared.ids import new_id
from tests.integration.dispatch.stage import (
    Shop,
    Stage,
    again,
    refund_abandoned,
    refund_request,
    refund_succeeded,
    units_of,
)

SELF, INSTANT = DeliveryMode.SELF, DeliveryMode.INSTANT
DAY = timedelta(hours=24)


async def on_its_way(stage: Stage) -> tuple[Shop, OrderPaid]:
    """Goods that the merchant's own rider has taken along."""
    shop = await stage.open_shop()
    order = await stage.accepted(shop, SELF)
    assert (await stage.put(order, "handover", shop.rider)).status_code == 200
    return shop, order


async def arrive(stage: Stage, shop: Shop, order: OrderPaid) -> None:
    code = (await stage.shown(order, order.buyer))["receive_code"] or "000000"
    answer = await stage.put(order, "delivery", shop.rider, {"receive_code": code})
    assert answer.status_code == 200, answer.text


async def come_back(stage: Stage, shop: Shop, order: OrderPaid) -> None:
    answer = await stage.put(order, "return", shop.clerk)
    assert answer.status_code == 200, answer.text


def closed(request: RefundRequested, order: OrderPaid) -> DisputeClosed:
    return DisputeClosed(
        occurred_at=request.occurred_at, refund_id=request.refund_id, order_id=request.order_id,
        merchant_id=order.merchant_id, kind=request.kind, unit_ids=request.unit_ids,
    )  # fmt: skip


async def reviews(stage: Stage, request: RefundRequested) -> int:
    """How often the merchant was asked; nothing else was answered."""
    assert await stage.said(GoodsRefundFenced, request.refund_id) == []
    assert await stage.said(GoodsRefundRefused, request.refund_id) == []
    return len(await stage.said(GoodsDisputed, request.refund_id))


async def test_a_request_for_goods_that_a_rider_has_is_reviewed_and_the_rider_goes_on(stage: Stage) -> None:
    shop, order = await on_its_way(stage)
    request = refund_request(order)
    await stage.hear(request, request, again(request))
    (said,) = await stage.said(GoodsDisputed, request.refund_id)
    assert (said.merchant_id, said.unit_ids) == (order.merchant_id, units_of(order))
    assert await reviews(stage, request) == 1
    assert await stage.state(order) == "HANDED_OVER"
    await arrive(stage, shop, order)
    assert len(await stage.said_of(ParcelDelivered, order)) == 1


async def test_what_arrives_during_its_review_stands_still_until_the_last_word(stage: Stage) -> None:
    shop, order = await on_its_way(stage)
    request = refund_request(order)
    await stage.hear(request)
    await arrive(stage, shop, order)
    assert await stage.state(order) == "DISPUTED"
    refused = await stage.put(order, "receipt", order.buyer)
    assert (refused.status_code, refused.json()["code"]) == (409, "parcel_disputed")
    await stage.pass_time(3 * DAY)
    assert await stage.state(order) == "DISPUTED"
    assert await stage.said_of(ParcelReceived, order) == []


async def test_a_merchant_who_agrees_before_the_arrival_ends_the_parcel_when_it_arrives(stage: Stage) -> None:
    shop, order = await on_its_way(stage)
    request = refund_request(order)
    done = refund_succeeded(request)
    await stage.hear(request, done, done, again(done))
    assert await stage.state(order) == "HANDED_OVER", "nobody can call the goods back"
    assert (await stage.happened(order)).count("refunded_under_way") == 1
    await arrive(stage, shop, order)
    await arrive(stage, shop, order)
    assert await stage.state(order) == "REFUNDED"
    await stage.pass_time(2 * DAY)
    assert await stage.said_of(ParcelReceived, order) == []
    assert len(await stage.said_of(ParcelDelivered, order)) == 1


async def test_a_merchant_who_agrees_after_the_arrival_ends_the_parcel_then(stage: Stage) -> None:
    shop, order = await on_its_way(stage)
    request = refund_request(order)
    await stage.hear(request)
    await arrive(stage, shop, order)
    await stage.hear(refund_succeeded(request))
    assert await stage.state(order) == "REFUNDED"
    await stage.pass_time(2 * DAY)
    assert await stage.said_of(ParcelReceived, order) == []


@pytest.mark.parametrize("before_arrival", [True, False])
async def test_after_a_merchants_no_things_go_on_as_if_nobody_had_asked(stage: Stage, before_arrival: bool) -> None:
    shop, order = await on_its_way(stage)
    request = refund_request(order)
    no = closed(request, order)
    await stage.hear(request)
    if before_arrival:
        await stage.hear(no, no, again(no))
        await arrive(stage, shop, order)
    else:
        await arrive(stage, shop, order)
        await stage.hear(no, no, again(no))
    assert await stage.state(order) == "DELIVERED"
    assert (await stage.happened(order)).count("dispute_over") == 1
    await stage.pass_time(DAY - timedelta(hours=1))
    assert await stage.state(order) == "DELIVERED"
    await stage.pass_time(timedelta(hours=2))
    assert await stage.state(order) == "RECEIVED"
    assert len(await stage.said_of(ParcelReceived, order)) == 1


@pytest.mark.parametrize("money_first", [True, False])
async def test_goods_that_come_back_are_refunded_once_whoever_says_so_first(stage: Stage, money_first: bool) -> None:
    shop, order = await on_its_way(stage)
    request = refund_request(order)
    await stage.hear(request)
    if money_first:
        await stage.hear(refund_succeeded(request))
        await come_back(stage, shop, order)
    else:
        await come_back(stage, shop, order)
        assert await stage.state(order) == "RETURNED"
        await stage.hear(refund_succeeded(request))
    assert await stage.state(order) == "REFUNDED"
    assert len(await stage.said_of(ParcelFailed, order)) == 1


async def test_goods_that_are_lost_during_the_review_fail_as_ever(stage: Stage) -> None:
    _, order = await on_its_way(stage)
    request = refund_request(order)
    await stage.hear(request)
    async with stage.db.transaction() as tx:
        await finishing.declare_lost(tx, stage.world, await stage.parcel_id(order), "骑手失联")
    assert await stage.state(order) == "LOST"
    assert len(await stage.said_of(ParcelFailed, order)) == 1
    follow_up = again(request).model_copy(update={"refund_id": new_id(), "cause": RefundCause.PARCEL_FAILED})
    await stage.hear(closed(request, order), follow_up)
    assert len(await stage.said(GoodsRefundFenced, follow_up.refund_id)) == 1
    await stage.hear(refund_succeeded(follow_up))
    assert await stage.state(order) == "REFUNDED"


async def test_each_of_several_goods_on_their_way_has_a_review_of_its_own(stage: Stage) -> None:
    shop, order = await on_its_way(stage)
    first, second = (refund_request(order, (unit_id,)) for unit_id in units_of(order))
    await stage.hear(first, second, refund_succeeded(first))
    assert [await reviews(stage, one) for one in (first, second)] == [1, 1]
    await arrive(stage, shop, order)
    assert await stage.state(order) == "DISPUTED"
    await stage.hear(closed(second, order))
    assert await stage.state(order) == "DELIVERED"
    await stage.pass_time(2 * DAY)
    assert await stage.state(order) == "RECEIVED"


async def test_the_last_of_several_reviews_that_is_paid_back_ends_the_parcel(stage: Stage) -> None:
    shop, order = await on_its_way(stage)
    first, second = (refund_request(order, (unit_id,)) for unit_id in units_of(order))
    await stage.hear(first, second, refund_succeeded(second))
    await arrive(stage, shop, order)
    await stage.hear(refund_succeeded(first))
    assert await stage.state(order) == "REFUNDED"


@pytest.mark.parametrize("end_of_it", ["closed", "abandoned", "succeeded"])
async def test_a_request_whose_end_came_first_asks_nobody(stage: Stage, end_of_it: str) -> None:
    shop, order = await on_its_way(stage)
    request = refund_request(order)
    ends = {
        "closed": closed(request, order),
        "abandoned": refund_abandoned(request),
        "succeeded": refund_succeeded(request),
    }
    await stage.hear(ends[end_of_it], request)
    assert await reviews(stage, request) == 0
    await arrive(stage, shop, order)
    assert await stage.state(order) == ("REFUNDED" if end_of_it == "succeeded" else "DELIVERED")


async def test_a_request_that_an_operator_gives_up_while_the_merchant_is_asked_holds_nothing(stage: Stage) -> None:
    shop, order = await on_its_way(stage)
    request = refund_request(order)
    await stage.hear(request)
    await arrive(stage, shop, order)
    await stage.hear(refund_abandoned(request))
    assert await stage.state(order) == "DELIVERED"
    await stage.hear(closed(request, order))
    assert await stage.state(order) == "DELIVERED"
    await stage.pass_time(2 * DAY)
    assert await stage.state(order) == "RECEIVED"


async def test_money_that_goes_back_at_the_channel_ends_the_parcel_when_it_arrives(stage: Stage) -> None:
    shop, order = await on_its_way(stage)
    request = refund_request(order)
    await stage.hear(request, refund_succeeded(refund_request(order), external=True))
    await arrive(stage, shop, order)
    assert await stage.state(order) == "REFUNDED"
    await stage.hear(closed(request, order))
    assert await stage.state(order) == "REFUNDED"


async def test_money_that_goes_back_at_the_channel_for_what_is_at_the_door_ends_the_parcel(stage: Stage) -> None:
    shop, order = await on_its_way(stage)
    await arrive(stage, shop, order)
    await stage.hear(refund_succeeded(refund_request(order), external=True))
    assert await stage.state(order) == "REFUNDED"
    await stage.pass_time(2 * DAY)
    assert await stage.said_of(ParcelReceived, order) == []


async def test_a_campaign_that_was_called_off_takes_no_goods_from_a_rider(stage: Stage) -> None:
    _, order = await on_its_way(stage)
    campaign = refund_request(order).model_copy(update={"cause": RefundCause.CAMPAIGN})
    await stage.hear(campaign)
    (refused,) = await stage.said(GoodsRefundRefused, campaign.refund_id)
    assert refused.code == "parcel_handed_over"
    assert await stage.said(GoodsDisputed, campaign.refund_id) == []


async def test_a_request_whose_carrier_was_called_off_too_late_is_reviewed(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    request = refund_request(order)
    campaign = refund_request(order).model_copy(update={"cause": RefundCause.CAMPAIGN})
    await stage.hear(request, campaign)
    # The rider fetches the goods before the cancellation, which waits for a timer, is sent.
    await stage.rider(order, "accept", "fetch")
    await stage.until(order, "HANDED_OVER")
    assert await reviews(stage, request) == 1
    (refused,) = await stage.said(GoodsRefundRefused, campaign.refund_id)
    assert refused.code == "parcel_handed_over"
    assert (await stage.attempts(order))[-1]["sealed_rider"] is not None
    await stage.hear(refund_succeeded(request))
    await stage.rider(order, "finish")
    await stage.until(order, "REFUNDED")
    assert [attempt["sealed_rider"] for attempt in await stage.attempts(order)] == [None], "nobody's business any more"


async def test_a_carrier_that_tells_everything_at_once_delivers_to_the_review(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, INSTANT)
    attempt = await stage.until_attempt(order, "SEARCHING")
    await stage.faults("dada", {"operation": "notify", "fault": "drop_before_commit", "times": 100})
    await stage.rider(order, "accept", "fetch", "finish")
    request = refund_request(order)
    await stage.hear(request)
    await stage.until(order, "DISPUTED")
    assert await reviews(stage, request) == 1
    told = [len(await stage.said_of(event, order)) for event in (ParcelHandedOver, ParcelDelivered, ParcelReceived)]
    assert told == [1, 1, 0]
    assert attempt["attempt_id"] == (await stage.attempts(order))[-1]["attempt_id"]


@pytest.mark.parametrize("round_", range(6))
async def test_arrival_and_request_at_the_same_moment_leave_goods_that_stand_still(stage: Stage, round_: int) -> None:
    shop, order = await on_its_way(stage)
    request = refund_request(order)
    racers = [arrive(stage, shop, order), stage.hear(request)]
    await asyncio.gather(*(racers if round_ % 2 else reversed(racers)))
    assert await reviews(stage, request) == 1
    assert await stage.state(order) == "DISPUTED"
    await stage.pass_time(2 * DAY)
    assert await stage.said_of(ParcelReceived, order) == []


@pytest.mark.parametrize("round_", range(6))
async def test_arrival_and_refund_at_the_same_moment_end_the_parcel(stage: Stage, round_: int) -> None:
    shop, order = await on_its_way(stage)
    request = refund_request(order)
    await stage.hear(request)
    racers = [arrive(stage, shop, order), stage.hear(refund_succeeded(request))]
    await asyncio.gather(*(racers if round_ % 2 else reversed(racers)))
    assert await stage.state(order) == "REFUNDED"


@pytest.mark.parametrize("round_", range(6))
async def test_arrival_and_the_merchants_no_at_the_same_moment_let_the_goods_be_received(
    stage: Stage, round_: int
) -> None:
    shop, order = await on_its_way(stage)
    request = refund_request(order)
    await stage.hear(request)
    racers = [arrive(stage, shop, order), stage.hear(closed(request, order))]
    await asyncio.gather(*(racers if round_ % 2 else reversed(racers)))
    assert await stage.state(order) == "DELIVERED"
    await stage.pass_time(2 * DAY)
    assert len(await stage.said_of(ParcelReceived, order)) == 1


async def test_a_request_ahead_of_its_order_is_still_its_buyers_when_the_goods_have_left(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = stage.order(shop, SELF)
    request = refund_request(order)
    await stage.hear(request)
    async with stage.db.transaction() as tx:
        asked = await tx.row("select state, by_buyer from fences where refund_id = $1", request.refund_id)
    assert asked is not None
    assert (asked["state"], asked["by_buyer"]) == ("WAITING", True)


_ENDINGS = {
    ("succeeded", "arrives"): "REFUNDED",
    ("succeeded", "comes back"): "REFUNDED",
    ("closed", "arrives"): "DELIVERED",
    ("closed", "comes back"): "RETURNED",
}


@pytest.mark.parametrize("journey", ["arrives", "comes back"])
@pytest.mark.parametrize("last_word", ["succeeded", "closed"])
@pytest.mark.parametrize("sequence", list(permutations(("request", "last word", "journey"))))
async def test_whatever_comes_first_the_parcel_ends_where_its_journey_and_the_last_word_say(
    stage: Stage, sequence: tuple[str, ...], last_word: str, journey: str
) -> None:
    shop, order = await on_its_way(stage)
    request = refund_request(order)
    word = refund_succeeded(request) if last_word == "succeeded" else closed(request, order)
    for step in sequence:
        if step == "journey":
            await (arrive if journey == "arrives" else come_back)(stage, shop, order)
        else:
            message = request if step == "request" else word
            await stage.hear(message, again(message))
    assert await stage.state(order) == _ENDINGS[last_word, journey]
    await stage.pass_time(2 * DAY)
    received = len(await stage.said_of(ParcelReceived, order))
    assert received == ((last_word, journey) == ("closed", "arrives"))
    assert len(await stage.said_of(ParcelFailed, order)) == (journey == "comes back")


async def test_the_audit_names_goods_that_were_received_while_they_are_reviewed(stage: Stage) -> None:
    shop, order = await on_its_way(stage)
    await arrive(stage, shop, order)
    await stage.put(order, "receipt", order.buyer)
    parcel_id = str(await stage.parcel_id(order))
    with contextlib.suppress(RuntimeError):
        async with stage.db.transaction() as tx:
            await fences.ask(tx, new_id(), order.order_id, units_of(order), after_use=False, by_buyer=True)
            assert parcel_id not in [one["id"] for one in await money.misfits(tx)]
            await tx.execute("update fences set state = 'DISPUTED' where order_id = $1", order.order_id)
            assert parcel_id in [one["id"] for one in await money.misfits(tx)]
            raise RuntimeError("other tests look at all misfits")


def parts(order: OrderPaid) -> tuple[UUID, ...]:
    return units_of(order)[:1]


async def test_before_the_hand_over_a_part_is_refused_and_after_it_reviewed(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, SELF)
    before = refund_request(order, parts(order))
    await stage.hear(before)
    (refused,) = await stage.said(GoodsRefundRefused, before.refund_id)
    assert refused.code == "whole_parcel_only"
    await stage.put(order, "handover", shop.rider)
    after = refund_request(order, parts(order))
    await stage.hear(after)
    assert await reviews(stage, after) == 1
