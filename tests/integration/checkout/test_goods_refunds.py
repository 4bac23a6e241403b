"""Refunds of goods: the whole parcel or nothing, and by itself when the parcel fails."""

import pytest

from services.checkout.consumers import fulfilment, refunds
from shared.contracts.catalog import DealKind
from shared.contracts.checkout import RefundCause, RefundRequested, RefundSucceeded
from shared.contracts.dispatch import GoodsRefundFenced, GoodsRefundRefused, ParcelFailed, ParcelFailure
from shared.ids import derived_id, new_id
from tests.integration.checkout.catalog_side import Deal
from tests.integration.checkout.stage import Purchase, Stage, code_of

pytestmark = pytest.mark.usefixtures("alipay_sandbox")


async def test_a_delivery_order_is_refunded_as_a_whole_when_dispatch_has_stopped_it(stage: Stage) -> None:
    deal = await stage.sell(Deal(kind=DealKind.GOODS, fee_fen=1_000))
    purchase = await stage.paid(deal, quantity=3)
    units = await purchase.unit_ids()
    assert code_of(await purchase.request_refund(units[0])) == (409, "whole_parcel_only")

    refund_id = await purchase.refunding(*units)
    refused = GoodsRefundRefused(
        occurred_at=stage.now(), refund_id=refund_id, order_id=purchase.order_id, code="parcel_handed_over"
    )
    await refunds.refuse_goods_refund(refused, stage.db)
    assert await purchase.unit_states() == ["OPEN"] * 3

    refund_id = await purchase.refunding(*units)
    event = GoodsRefundFenced(
        occurred_at=stage.now(), refund_id=refund_id, order_id=purchase.order_id, unit_ids=tuple(units)
    )
    await refunds.approve_goods_refund(event, stage.db)
    await stage.act("send_refund", refund_id)

    (done,) = await stage.said(RefundSucceeded, refund_id)
    assert (done.amount_fen, done.kind) == (3 * 12_800 + 1_000, DealKind.GOODS)
    assert await purchase.state() == "COMPLETED"


async def test_a_failed_parcel_is_refunded_once_by_itself(stage: Stage) -> None:
    purchase = await stage.paid(await stage.sell(Deal(kind=DealKind.GOODS)), quantity=2)
    await _fail_parcel(stage, purchase)
    await _fail_parcel(stage, purchase)

    refund_id = derived_id(purchase.order_id, "PARCEL_FAILED")
    (asked,) = await stage.said(RefundRequested, refund_id)
    assert (asked.cause, set(asked.unit_ids)) == (RefundCause.PARCEL_FAILED, set(await purchase.unit_ids()))
    order = await purchase.view()
    assert order["delivery"]["parcel_state"] == "FAILED"
    assert [one["cause"] for one in order["refunds"]] == ["PARCEL_FAILED"]


async def test_a_parcel_that_fails_while_a_refund_is_refused_is_refunded_after_all(stage: Stage) -> None:
    purchase = await stage.paid(await stage.sell(Deal(kind=DealKind.GOODS)))
    asked = await purchase.refunding()
    await _fail_parcel(stage, purchase)
    assert await stage.said(RefundRequested, derived_id(purchase.order_id, "PARCEL_FAILED")) == []

    refused = GoodsRefundRefused(
        occurred_at=stage.now(), refund_id=asked, order_id=purchase.order_id, code="parcel_handed_over"
    )
    await refunds.refuse_goods_refund(refused, stage.db)

    assert len(await stage.said(RefundRequested, derived_id(purchase.order_id, "PARCEL_FAILED"))) == 1
    assert await purchase.unit_states() == ["REFUNDING"]


async def _fail_parcel(stage: Stage, purchase: Purchase) -> None:
    event = ParcelFailed(
        occurred_at=stage.now(), parcel_id=new_id(), order_id=purchase.order_id,
        unit_ids=tuple(await purchase.unit_ids()), failure=ParcelFailure.LOST,
    )  # fmt: skip
    await fulfilment.refund_failed_parcel(event, stage.db)
