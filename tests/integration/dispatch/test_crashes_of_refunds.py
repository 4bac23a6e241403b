"""A worker dies while calling a carrier off for a refund, or telling it that goods are back: it is finished, once."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest

from services.dispatch.gateways.port import CancelReason
from services.dispatch.store import attempts
from services.dispatch.use_cases import asking, cancelling, returning
from shared.clock import Clock
from shared.contracts.catalog import DeliveryMode
from shared.contracts.checkout import OrderPaid, RefundCause, RefundRequested
from shared.contracts.dispatch import GoodsDisputed, GoodsRefundFenced, GoodsRefundRefused, ParcelFailed
from tests.integration.dispatch.stage import Stage, again, refund_request, refund_succeeded

INSTANT, COURIER = DeliveryMode.INSTANT, DeliveryMode.COURIER
Death = Callable[[Stage, UUID], Awaitable[None]]


async def _live(stage: Stage, order: OrderPaid) -> UUID:
    async with stage.db.transaction() as tx:
        live = await attempts.live_attempt(tx, await stage.parcel_id(order))
    assert live is not None
    return live.attempt_id


async def _begin(stage: Stage, attempt_id: UUID) -> cancelling.Cancellation:
    async with stage.db.transaction() as tx:
        cancellation = await cancelling.prepare(tx, stage.world, attempt_id)
    assert cancellation is not None
    return cancellation


async def _dies_before_calling_off(stage: Stage, attempt_id: UUID) -> None:
    await _begin(stage, attempt_id)


async def _dies_with_the_carriers_yes(stage: Stage, attempt_id: UUID) -> None:
    answer = await (await _begin(stage, attempt_id)).send()
    assert answer.value is not None


async def _dies_with_an_answer_that_was_asked_for(stage: Stage, attempt_id: UUID) -> None:
    cancellation = await _begin(stage, attempt_id)
    await cancellation.send()
    seen = await cancellation.ask()
    assert seen.value is not None
    assert seen.value.state == "CANCELLED"


_DEATHS = [_dies_before_calling_off, _dies_with_the_carriers_yes, _dies_with_an_answer_that_was_asked_for]


async def _resume(stage: Stage, order: OrderPaid, *states: str) -> None:
    for _ in range(20):
        await stage.pass_time(timedelta(seconds=15))
        if await stage.state(order) in states:
            return
    raise AssertionError(f"the parcel is {await stage.state(order)}")


async def _seen_there(stage: Stage, order: OrderPaid) -> dict[str, object]:
    """The only attempt as its carrier has it; every move of it there is one callback."""
    (attempt,) = await stage.attempts(order)
    answer = await stage.sandbox.get(f"/_sim/{attempt['provider']}/orders/{attempt['attempt_id'].hex}")
    assert answer.status_code == 200, answer.text
    seen: dict[str, object] = answer.json()
    return seen


async def _callbacks(stage: Stage, order: OrderPaid) -> int:
    sent = (await _seen_there(stage, order))["callbacks"]
    assert isinstance(sent, list)
    return len(sent)


@pytest.mark.parametrize("death", _DEATHS)
@pytest.mark.parametrize("provider", ["dada", "ishansong", "kuaidi100"])
async def test_a_refund_whose_cancellation_outlived_its_worker_is_fenced_once(
    stage: Stage, provider: str, death: Death
) -> None:
    shop = await stage.open_shop(provider)
    order = await stage.accepted(shop, COURIER if provider == "kuaidi100" else INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    # Their callbacks are lost, so that nothing but the next worker can find out.
    await stage.faults(provider, {"operation": "notify", "fault": "drop_before_commit", "times": 100})
    request = refund_request(order)
    await stage.hear(request)
    before = await _callbacks(stage, order)
    await death(stage, await _live(stage, order))
    assert await stage.said(GoodsRefundFenced, request.refund_id) == [], "nobody has recorded it"
    await _resume(stage, order, "REFUNDING")
    await stage.hear(request, again(request))
    assert len(await stage.said(GoodsRefundFenced, request.refund_id)) == 1
    assert [one["state"] for one in await stage.attempts(order)] == ["CANCELLED"], "called off, and nobody called anew"
    assert await _callbacks(stage, order) == before + 1, "one cancellation took effect there"
    await stage.hear(refund_succeeded(request))
    assert await stage.state(order) == "REFUNDED"


async def test_a_cancellation_fee_is_kept_although_its_worker_died_with_it(stage: Stage) -> None:
    shop = await stage.open_shop("dada")
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    await stage.rider(order, "accept")
    await stage.until_attempt(order, "ASSIGNED")
    await stage.hear(refund_request(order))
    await _dies_with_the_carriers_yes(stage, await _live(stage, order))
    await _resume(stage, order, "REFUNDING")
    (attempt,) = await stage.attempts(order)
    there = (await _seen_there(stage, order))["deductFee"]
    assert isinstance(there, (int, float))
    assert (attempt["cancel_fee_fen"], attempt["fee_state"]) == (round(there * 100), "CONFIRMED")


async def test_a_worker_that_dies_with_the_carriers_no_leaves_one_review(stage: Stage) -> None:
    shop = await stage.open_shop("dada")
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    await stage.faults("dada", {"operation": "notify", "fault": "drop_before_commit", "times": 100})
    await stage.rider(order, "accept", "fetch")
    request = refund_request(order)
    await stage.hear(request)
    answer = await (await _begin(stage, await _live(stage, order))).send()
    assert answer.value is None, "the rider has the goods"
    assert await stage.said(GoodsDisputed, request.refund_id) == []
    await _resume(stage, order, "HANDED_OVER")
    await stage.hear(again(request))
    assert len(await stage.said(GoodsDisputed, request.refund_id)) == 1
    for event in (GoodsRefundFenced, GoodsRefundRefused):
        assert await stage.said(event, request.refund_id) == []
    assert (await _seen_there(stage, order))["statusCode"] == 3, "and goes on with them"


async def test_an_order_that_never_arrived_is_fenced_once_although_its_worker_died(stage: Stage) -> None:
    shop = await stage.open_shop("dada")
    await stage.faults("dada", {"operation": "addAfterQuery", "fault": "drop_before_commit", "times": 1})
    order = await stage.accepted(shop, INSTANT)
    (attempt,) = await stage.attempts(order)
    assert attempt["state"] == "UNKNOWN"
    request = refund_request(order)
    await stage.hear(request)
    # The grace is over, and the carrier says again that it has no such order: we call it off by our own number.
    later = stage.now() + timedelta(seconds=100)
    stage.clock.move_to_offset((later - Clock().now()).total_seconds())
    async with stage.db.transaction() as tx:
        question = await asking.prepare(tx, stage.world, attempt["attempt_id"])
    assert question is not None
    seen = await question.carrier.query(question.ref)
    async with stage.db.transaction() as tx:
        assert await asking.record(tx, stage.world, attempt["attempt_id"], seen)
    await question.carrier.cancel(question.ref, CancelReason.FENCE)
    assert await stage.said(GoodsRefundFenced, request.refund_id) == []
    await _resume(stage, order, "REFUNDING")
    await stage.hear(again(request))
    assert len(await stage.said(GoodsRefundFenced, request.refund_id)) == 1
    assert [one["state"] for one in await stage.attempts(order)] == ["FENCED"]
    assert await stage.known_to_dada(order) == []


async def _dies_before_telling(stage: Stage, attempt_id: UUID) -> None:
    async with stage.db.transaction() as tx:
        assert await returning.prepare(tx, stage.world, attempt_id) is not None


async def _dies_after_telling(stage: Stage, attempt_id: UUID) -> None:
    async with stage.db.transaction() as tx:
        confirmation = await returning.prepare(tx, stage.world, attempt_id)
    assert confirmation is not None
    assert (await confirmation.send()).outcome == "OK"


@pytest.mark.parametrize("reviewed", [True, False])
@pytest.mark.parametrize("death", [_dies_before_telling, _dies_after_telling])
async def test_goods_that_are_back_are_told_to_the_carrier_and_refunded_once(
    stage: Stage, death: Death, reviewed: bool
) -> None:
    shop = await stage.open_shop("dada")
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    await stage.rider(order, "accept", "fetch")
    await stage.until(order, "HANDED_OVER")
    asked = refund_request(order)
    if reviewed:
        await stage.hear(asked)
    await stage.rider(order, "return")
    await stage.until_attempt(order, "RETURNING")
    attempt_id = await _live(stage, order)
    before = await _callbacks(stage, order)
    for _ in range(2):
        answer = await stage.put(order, "return", shop.clerk)
        assert answer.status_code == 200, answer.text
    await death(stage, attempt_id)
    await _resume(stage, order, "RETURNED")
    assert await stage.known_to_dada(order) == [10]
    assert await _callbacks(stage, order) == before + 1, "it was told once to any effect"
    async with stage.db.transaction() as tx:
        left = await tx.value("select count(*) from timers where kind = 'confirm_return' and key = $1", str(attempt_id))
    assert left == 0
    assert len(await stage.said_of(ParcelFailed, order)) == 1
    await _refund_what_failed(stage, order, asked if reviewed else None)


async def _refund_what_failed(stage: Stage, order: OrderPaid, asked: RefundRequested | None) -> None:
    """Checkout's part: the reviewed refund goes through, or the one that failure opens."""
    if asked is not None:
        assert len(await stage.said(GoodsDisputed, asked.refund_id)) == 1
        await stage.hear(refund_succeeded(asked))
    else:
        failed = refund_request(order).model_copy(update={"cause": RefundCause.PARCEL_FAILED})
        await stage.hear(failed, again(failed))
        assert len(await stage.said(GoodsRefundFenced, failed.refund_id)) == 1
        await stage.hear(refund_succeeded(failed))
    assert await stage.state(order) == "REFUNDED"
