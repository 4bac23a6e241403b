"""Refunds after delivery: the parcel stands still until checkout's last word, and then goes on or is over."""

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from shared.contracts.catalog import DealKind, DeliveryMode
from shared.contracts.checkout import DisputeClosed, OrderPaid, RefundCause, RefundRequested
from shared.contracts.dispatch import GoodsDisputed, GoodsRefundFenced, GoodsRefundRefused, ParcelReceived
from shared.ids import new_id
from tests.integration.dispatch.stage import Shop, Stage, again, refund_request, refund_succeeded, units_of

SELF = DeliveryMode.SELF
DAY = timedelta(hours=24)


async def delivered(stage: Stage, shop: Shop | None = None) -> OrderPaid:
    """An order whose goods are at the door, not confirmed."""
    shop = shop or await stage.open_shop()
    order = await stage.accepted(shop, SELF)
    await stage.put(order, "handover", shop.rider)
    code = (await stage.shown(order, order.buyer))["receive_code"]
    await stage.put(order, "delivery", shop.rider, {"receive_code": code})
    assert await stage.state(order) == "DELIVERED"
    return order


async def received(stage: Stage) -> OrderPaid:
    """An order whose buyer has confirmed."""
    order = await delivered(stage)
    assert (await stage.put(order, "receipt", order.buyer)).status_code == 200
    return order


def dispute(order: OrderPaid, *unit_ids: UUID) -> RefundRequested:
    """The buyer wants money back for goods that arrived (all, if none are named)."""
    return refund_request(order, unit_ids or None).model_copy(update={"cause": RefundCause.AFTER_USE})


def closed(request: RefundRequested, order: OrderPaid) -> DisputeClosed:
    return DisputeClosed(
        occurred_at=request.occurred_at,
        refund_id=request.refund_id,
        order_id=request.order_id,
        merchant_id=order.merchant_id,
        kind=request.kind,
        unit_ids=request.unit_ids,
    )


async def refused(stage: Stage, request: RefundRequested) -> list[str]:
    return [event.code for event in await stage.said(GoodsRefundRefused, request.refund_id)]


@pytest.mark.parametrize("reach", [delivered, received])
async def test_goods_that_arrived_are_disputed_and_paid_back(stage: Stage, reach: object) -> None:
    order = await (received(stage) if reach is received else delivered(stage))
    request = dispute(order)
    await stage.hear(request, request, again(request))
    (said,) = await stage.said(GoodsDisputed, request.refund_id)
    assert (said.merchant_id, said.unit_ids) == (order.merchant_id, units_of(order))
    assert await stage.state(order) == "DISPUTED"
    done = refund_succeeded(request)
    await stage.hear(done, done, again(done))
    assert await stage.state(order) == "REFUNDED"


async def test_disputed_goods_are_not_received_by_silence_and_their_time_goes_on_afterwards(stage: Stage) -> None:
    order = await delivered(stage)
    request = dispute(order)
    await stage.hear(request)
    await stage.pass_time(3 * DAY)
    assert await stage.state(order) == "DISPUTED"
    assert await stage.said_of(ParcelReceived, order) == []

    await stage.hear(closed(request, order))
    assert await stage.state(order) == "DELIVERED"
    await stage.act()
    assert await stage.state(order) == "RECEIVED"
    assert len(await stage.said_of(ParcelReceived, order)) == 1


async def test_a_dispute_that_ends_in_time_leaves_the_buyer_the_rest_of_it(stage: Stage) -> None:
    order = await delivered(stage)
    request = dispute(order)
    await stage.pass_time(timedelta(hours=2))
    await stage.hear(request, closed(request, order))
    await stage.pass_time(timedelta(hours=20))
    assert await stage.state(order) == "DELIVERED"
    await stage.pass_time(timedelta(hours=3))
    assert await stage.state(order) == "RECEIVED"


async def test_the_buyer_does_not_confirm_what_they_dispute(stage: Stage) -> None:
    order = await delivered(stage)
    await stage.hear(dispute(order))
    answer = await stage.put(order, "receipt", order.buyer)
    assert (answer.status_code, answer.json()["code"]) == (409, "parcel_disputed")
    assert (await stage.shown(order, order.buyer))["timeline"][-1]["what"] == "disputed"


async def test_received_goods_stay_received_when_the_dispute_ends(stage: Stage) -> None:
    order = await received(stage)
    request = dispute(order)
    await stage.hear(request, closed(request, order), again(closed(request, order)))
    assert await stage.state(order) == "RECEIVED"
    await stage.pass_time(2 * DAY)
    assert len(await stage.said_of(ParcelReceived, order)) == 1


async def test_each_of_several_goods_has_a_dispute_of_its_own(stage: Stage) -> None:
    order = await received(stage)
    first, second = (dispute(order, unit_id) for unit_id in units_of(order))
    await stage.hear(first, second)
    assert len(await stage.said(GoodsDisputed, second.refund_id)) == 1
    await stage.hear(refund_succeeded(first))
    assert await stage.state(order) == "DISPUTED"
    await stage.hear(closed(second, order))
    assert await stage.state(order) == "RECEIVED"


async def test_the_last_of_several_disputes_that_is_paid_back_ends_the_parcel(stage: Stage) -> None:
    order = await received(stage)
    first, second = (dispute(order, unit_id) for unit_id in units_of(order))
    await stage.hear(first, refund_succeeded(first))
    assert await stage.state(order) == "RECEIVED"
    await stage.hear(second, refund_succeeded(second))
    assert await stage.state(order) == "REFUNDED"


async def test_what_has_not_arrived_is_not_disputed(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.accepted(shop, SELF)
    before = dispute(order)
    await stage.hear(before)
    await stage.put(order, "handover", shop.rider)
    under_way = dispute(order)
    await stage.hear(under_way)
    assert [await refused(stage, one) for one in (before, under_way)] == [["parcel_not_delivered"], []]
    assert await stage.state(order) == "HANDED_OVER"


@pytest.mark.parametrize("reach", [delivered, received])
async def test_a_plain_refund_that_was_overtaken_by_the_arrival_is_reviewed_as_well(
    stage: Stage, reach: object
) -> None:
    order = await (received(stage) if reach is received else delivered(stage))
    first, second = (refund_request(order, (unit_id,)) for unit_id in units_of(order))
    await stage.hear(first, dispute(order, *second.unit_ids), second)
    assert [len(await stage.said(GoodsDisputed, one.refund_id)) for one in (first, second)] == [1, 1]
    assert await stage.said(GoodsRefundFenced, first.refund_id) == []
    assert await stage.state(order) == "DISPUTED"


async def test_a_campaign_that_was_called_off_takes_nothing_back_that_has_left(stage: Stage) -> None:
    order = await delivered(stage)
    campaign = refund_request(order).model_copy(update={"cause": RefundCause.CAMPAIGN})
    later = again(campaign).model_copy(update={"refund_id": new_id()})
    await stage.hear(campaign, dispute(order), later)
    assert [await refused(stage, one) for one in (campaign, later)] == [["parcel_delivered"], ["parcel_received"]]


async def test_what_was_paid_back_is_not_disputed_again(stage: Stage) -> None:
    order = await received(stage)
    request, late = dispute(order), dispute(order)
    await stage.hear(request, refund_succeeded(request), late)
    assert await refused(stage, late) == ["already_refunded"]


async def test_a_dispute_that_ended_before_it_was_heard_of_holds_nothing(stage: Stage) -> None:
    order = await delivered(stage)
    request = dispute(order)
    await stage.hear(closed(request, order), request)
    assert await stage.state(order) == "DELIVERED"
    assert await stage.said(GoodsDisputed, request.refund_id) == []


async def test_a_dispute_ahead_of_its_order_waits_for_it(stage: Stage) -> None:
    order = stage.order(await stage.open_shop(), SELF)
    request = dispute(order)
    await stage.hear(request)
    assert await refused(stage, request) == []
    await stage.hear(order)
    assert await refused(stage, request) == ["parcel_not_delivered"]
    assert await stage.state(order) == "PLACED"


@pytest.mark.parametrize("round_", range(6))
async def test_receipt_and_dispute_at_the_same_moment_leave_one_picture(stage: Stage, round_: int) -> None:
    order = await delivered(stage)
    request = dispute(order)
    racers = [stage.put(order, "receipt", order.buyer), stage.hear(request)]
    await asyncio.gather(*(racers if round_ % 2 else reversed(racers)))
    told = len(await stage.said_of(ParcelReceived, order))
    assert await stage.state(order) == "DISPUTED"
    await stage.hear(closed(request, order))
    assert await stage.state(order) == ("RECEIVED" if told else "DELIVERED")


async def test_vouchers_are_somebody_elses(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = stage.order(shop, SELF).model_copy(update={"kind": DealKind.VOUCHER, "delivery": None})
    request = dispute(order)
    await stage.hear(order, request, closed(request, order))
    async with stage.db.transaction() as tx:
        assert not await tx.value("select exists (select from fences where order_id = $1)", order.order_id)


async def test_the_database_itself_disputes_nothing_that_has_not_arrived(stage: Stage) -> None:
    order = await stage.accepted(await stage.open_shop(), SELF)
    with pytest.raises(asyncpg.CheckViolationError):
        async with stage.db.transaction() as tx:
            await tx.execute(
                "update parcels set state = 'DISPUTED', state_before = 'DELIVERED' where order_id = $1", order.order_id
            )
