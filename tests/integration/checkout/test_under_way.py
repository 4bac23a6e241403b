"""Refunds of goods that a rider has: dispatch holds nothing up, the merchant reviews, and what comes back ends it."""

from dataclasses import dataclass
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from services.checkout.consumers import disputes, fulfilment, losses, refunds
from shared.contracts.catalog import DealKind, DeliveryMode, StaffRole
from shared.contracts.checkout import DisputeClosed, RefundAbandoned, RefundCause, RefundRequested, RefundSucceeded
from shared.contracts.dispatch import (
    GoodsDisputed,
    GoodsRefundFenced,
    ParcelDelivered,
    ParcelFailed,
    ParcelFailure,
    ParcelHandedOver,
    ParcelReceived,
)
from shared.ids import derived_id, new_id
from tests.integration.checkout.catalog_side import Deal
from tests.integration.checkout.channel_side import found, outside
from tests.integration.checkout.review_side import WHY_NOT, Dispute
from tests.integration.checkout.stage import Purchase, Stage, code_of
from tests.integration.checkout.test_mass_refunds import call_off, walk

pytestmark = pytest.mark.usefixtures("alipay_sandbox")


@dataclass(frozen=True, slots=True)
class Rider:
    """Dispatch, as it tells of one order's goods."""

    stage: Stage
    purchase: Purchase

    async def _about(self) -> dict[str, Any]:
        units = tuple(await self.purchase.unit_ids())
        return {
            "occurred_at": self.stage.now(), "parcel_id": new_id(), "order_id": self.purchase.order_id,
            "unit_ids": units,
        }  # fmt: skip

    async def leaves(self) -> None:
        event = ParcelHandedOver(**await self._about(), mode=DeliveryMode.INSTANT, carrier="达达")
        await fulfilment.record_parcel_handed_over(event, self.stage.db)

    async def arrives(self) -> None:
        now = self.stage.now()
        event = ParcelDelivered(**await self._about(), delivered_at=now, received_by=now)
        await fulfilment.record_parcel_delivered(event, self.stage.db)

    async def is_believed(self) -> None:
        event = ParcelReceived(
            **await self._about(), merchant_id=self.purchase.deal.merchant_id, store_id=new_id(),
            received_at=self.stage.now(), automatic=True,
        )  # fmt: skip
        await fulfilment.record_parcel_received(event, self.stage.db)

    async def comes_back(self, failure: ParcelFailure = ParcelFailure.RETURNED) -> None:
        event = ParcelFailed(**await self._about(), failure=failure)
        await fulfilment.refund_failed_parcel(event, self.stage.db)

    async def disputes(self, refund_id: UUID, *unit_ids: UUID) -> None:
        event = GoodsDisputed(
            occurred_at=self.stage.now(), refund_id=refund_id, order_id=self.purchase.order_id,
            merchant_id=self.purchase.deal.merchant_id, unit_ids=unit_ids or tuple(await self.purchase.unit_ids()),
        )  # fmt: skip
        await disputes.review_goods_refund(event, self.stage.db, self.stage.world)


async def bought(stage: Stage, quantity: int = 2) -> tuple[Purchase, Rider]:
    """Goods that are paid, and nothing told of them yet."""
    purchase = await stage.paid(await stage.sell(Deal(kind=DealKind.GOODS, fee_fen=1_000)), quantity=quantity)
    return purchase, Rider(stage, purchase)


async def in_review(stage: Stage, *, known: bool = True) -> tuple[Dispute, Rider]:
    """A refund of goods that are with a rider, which checkout may have heard of or not."""
    purchase, rider = await bought(stage)
    if known:
        await rider.leaves()
    manager = await stage.staff(purchase.deal, StaffRole.MANAGER)
    dispute = Dispute(stage, purchase, await purchase.refunding(), manager)
    await rider.disputes(dispute.refund_id)
    assert await dispute.state() == "IN_REVIEW"
    return dispute, rider


ALL_FEN = 2 * 12_800 + 1_000


@pytest.mark.parametrize("known", [True, False])
async def test_goods_that_a_rider_has_are_reviewed_by_their_merchant(stage: Stage, known: bool) -> None:
    dispute, _ = await in_review(stage, known=known)
    (asked,) = await stage.said(RefundRequested, dispute.refund_id)
    assert asked.cause is RefundCause.BUYER
    shown = await dispute.view()
    assert (shown["reason"], shown["deadline"]) == ("不想要了", shown["review"]["due_at"])
    assert await stage.timer("fence_overdue", dispute.refund_id) is None
    page = await stage.get(dispute.manager, f"/merchants/{dispute.purchase.deal.merchant_id}/reviews")
    assert [one["refund"]["refund_id"] for one in page.json()["items"]] == [str(dispute.refund_id)]


@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize("silent", [True, False])
async def test_a_merchant_who_agrees_or_says_nothing_gives_the_money_back_once(
    stage: Stage, silent: bool, arrives: bool
) -> None:
    dispute, rider = await in_review(stage)
    if arrives:
        await rider.arrives()
    if silent:
        await stage.act_when_due("review_due", dispute.refund_id)
    else:
        assert (await dispute.answer(True)).status_code == 200
    await stage.act("send_refund", dispute.refund_id)
    assert await dispute.state() == "SUCCEEDED"
    assert (await dispute.view())["undelivered"] is False
    assert await stage.book(dispute.purchase.out_trade_no) == [("payment", ALL_FEN), ("refund", ALL_FEN)]
    assert await dispute.purchase.unit_states() == ["REFUNDED", "REFUNDED"]
    assert await dispute.purchase.state() == "COMPLETED"
    assert await stage.stock(dispute.purchase.deal) == (0, 2), "the goods have left: nobody can sell them again"
    await rider.comes_back()
    assert await stage.said(RefundRequested, derived_id(dispute.purchase.order_id, "PARCEL_FAILED")) == []
    assert await sound(stage, dispute)


async def test_after_a_merchants_no_the_goods_are_delivered_and_received_as_ever(stage: Stage) -> None:
    dispute, rider = await in_review(stage)
    assert (await dispute.answer(False, WHY_NOT)).json()["state"] == "CONTESTED"
    assert code_of(await dispute.purchase.request_refund()) == (409, "refund_under_way")
    await stage.act_when_due("appeal_due", dispute.refund_id)
    assert (await dispute.view())["refused_code"] == "merchant_refused"
    assert len(await stage.said(DisputeClosed, dispute.refund_id)) == 1
    assert await stage.said(RefundAbandoned, dispute.refund_id) == []
    assert await dispute.purchase.unit_states() == ["OPEN", "OPEN"]
    assert code_of(await dispute.purchase.request_refund()) == (409, "already_reviewed")

    await rider.arrives()
    again = await dispute.purchase.request_refund((await dispute.purchase.unit_ids())[0])
    assert again.json()["cause"] == "AFTER_USE", "what arrived broken is another matter"
    await rider.is_believed()
    assert await dispute.purchase.unit_states() == ["REFUNDING", "FINAL"]
    assert await sound(stage, dispute)


@pytest.mark.parametrize("until", ["IN_REVIEW", "CONTESTED", "IN_ARBITRATION"])
@pytest.mark.parametrize("failure", [ParcelFailure.RETURNED, ParcelFailure.LOST])
async def test_goods_that_will_not_arrive_end_the_review_and_are_refunded_once(
    stage: Stage, until: str, failure: ParcelFailure
) -> None:
    operator = await stage.operator()
    dispute, rider = await in_review(stage)
    if until != "IN_REVIEW":
        await dispute.answer(False, WHY_NOT)
    if until == "IN_ARBITRATION":
        await dispute.appeal()
    assert await dispute.state() == until
    assert (str(dispute.refund_id) in await to_arbitrate(stage, operator)) == (until == "IN_ARBITRATION")
    await rider.comes_back(failure)
    await rider.comes_back(failure)
    assert await dispute.state() == "APPROVED"
    for timer in ("review_due", "appeal_due"):
        assert await stage.timer(timer, dispute.refund_id) is None
    assert str(dispute.refund_id) not in await to_arbitrate(stage, operator)
    assert code_of(await dispute.answer(True)) == (409, "review_not_open")
    assert (await dispute.view())["undelivered"] is True
    await stage.act("send_refund", dispute.refund_id)
    assert await stage.book(dispute.purchase.out_trade_no) == [("payment", ALL_FEN), ("refund", ALL_FEN)]
    assert await stage.said(RefundRequested, derived_id(dispute.purchase.order_id, "PARCEL_FAILED")) == []
    assert await stage.stock(dispute.purchase.deal) == (0, 0), "as for any parcel that failed"
    assert {"PARCEL_FAILED", "REVIEW_UNDELIVERED", "REFUND_SUCCEEDED"} <= set(await dispute.what())
    assert await sound(stage, dispute)


async def test_goods_that_came_back_before_the_dispute_was_heard_of_need_no_review(stage: Stage) -> None:
    purchase, rider = await bought(stage)
    refund_id = await purchase.refunding()
    await rider.comes_back()
    assert await purchase.refund_state(refund_id) == "FENCING"
    await rider.disputes(refund_id)
    await rider.disputes(refund_id)
    assert await purchase.refund_state(refund_id) == "APPROVED"
    await stage.act("send_refund", refund_id)
    assert await stage.book(purchase.out_trade_no) == [("payment", ALL_FEN), ("refund", ALL_FEN)]


async def test_of_goods_that_come_back_each_part_is_refunded_by_one_refund(stage: Stage) -> None:
    purchase, rider = await bought(stage)
    await rider.leaves()
    first, second = await purchase.unit_ids()
    refund_id = await purchase.refunding(first)
    await rider.disputes(refund_id, first)
    await rider.comes_back()
    rest = derived_id(purchase.order_id, "PARCEL_FAILED")
    (asked,) = await stage.said(RefundRequested, rest)
    assert asked.unit_ids == (second,)
    fenced = GoodsRefundFenced(occurred_at=stage.now(), refund_id=rest, order_id=purchase.order_id, unit_ids=(second,))
    await refunds.approve_goods_refund(fenced, stage.db)
    for one in (refund_id, rest):
        await stage.act("send_refund", one)
    book = await stage.book(purchase.out_trade_no)
    assert sum(fen for kind, fen in book if kind == "refund") == ALL_FEN
    assert await purchase.unit_states() == ["REFUNDED", "REFUNDED"]


@pytest.mark.parametrize("sequence", list(permutations(("leaves", "is disputed", "comes back"))))
async def test_in_whatever_sequence_it_is_told_goods_that_come_back_are_refunded_once(
    stage: Stage, sequence: tuple[str, ...]
) -> None:
    purchase, rider = await bought(stage)
    refund_id = await purchase.refunding()
    for step in sequence:
        if step == "is disputed":
            await rider.disputes(refund_id)
        else:
            await (rider.leaves if step == "leaves" else rider.comes_back)()
    await stage.act("send_refund", refund_id)
    assert await purchase.refund_state(refund_id) == "SUCCEEDED"
    assert await stage.said(RefundRequested, derived_id(purchase.order_id, "PARCEL_FAILED")) == []
    assert await stage.book(purchase.out_trade_no) == [("payment", ALL_FEN), ("refund", ALL_FEN)]
    assert (await purchase.view())["delivery"]["parcel_state"] == "FAILED"


async def test_money_that_goes_back_at_the_channel_during_the_review_closes_it(stage: Stage) -> None:
    dispute, _ = await in_review(stage)
    await outside(stage, dispute.purchase, ALL_FEN)
    await losses.record_external_refund(found(stage, dispute.purchase, ALL_FEN), stage.db)
    assert await dispute.state() == "ABANDONED"
    assert len(await stage.said(DisputeClosed, dispute.refund_id)) == 1
    assert await stage.said(RefundAbandoned, dispute.refund_id) == []
    assert await dispute.purchase.unit_states() == ["REFUNDED", "REFUNDED"]
    assert await sound(stage, dispute)


async def test_a_part_may_be_asked_for_only_when_the_goods_have_left(stage: Stage) -> None:
    purchase, rider = await bought(stage)
    first, second = await purchase.unit_ids()
    assert code_of(await purchase.request_refund(first)) == (409, "whole_parcel_only")
    await rider.leaves()
    manager = await stage.staff(purchase.deal, StaffRole.MANAGER)
    dispute = Dispute(stage, purchase, await purchase.refunding(first), manager)
    await rider.disputes(dispute.refund_id, first)
    await dispute.answer(True)
    await stage.act("send_refund", dispute.refund_id)
    (done,) = await stage.said(RefundSucceeded, dispute.refund_id)
    assert done.amount_fen == 12_800 + 500
    await rider.arrives()
    await rider.is_believed()
    assert await purchase.unit_states() == ["REFUNDED", "FINAL"]
    assert await sound(stage, dispute)
    assert (await stage.money_of(purchase.order_id))["taken_back"] == [str(first)]
    assert await stage.misfits(first, second) == []


async def test_a_request_given_up_before_its_dispute_was_heard_of_lets_everybody_go(stage: Stage) -> None:
    operator = await stage.operator()
    purchase, rider = await bought(stage)
    await rider.leaves()
    refund_id = await purchase.refunding()
    answer = await stage.put(operator, f"/admin/refunds/{refund_id}/abandonment", {"reason": "配送系统无响应"})
    assert answer.json()["state"] == "ABANDONED"
    assert len(await stage.said(RefundAbandoned, refund_id)) == 1
    await rider.disputes(refund_id)
    assert len(await stage.said(DisputeClosed, refund_id)) == 1, "settlement holds the goods back, and must hear of it"
    assert await purchase.unit_states() == ["OPEN", "OPEN"]


async def test_a_request_given_up_for_goods_that_came_back_is_made_up_for(stage: Stage) -> None:
    operator = await stage.operator()
    purchase, rider = await bought(stage)
    refund_id = await purchase.refunding()
    await rider.comes_back()
    await stage.put(operator, f"/admin/refunds/{refund_id}/abandonment", {"reason": "配送系统无响应"})
    (asked,) = await stage.said(RefundRequested, derived_id(purchase.order_id, "PARCEL_FAILED"))
    assert len(asked.unit_ids) == 2


async def test_a_reviewed_refund_that_the_channel_refuses_for_good_closes_the_dispute_when_given_up(
    stage: Stage,
) -> None:
    operator = await stage.operator()
    dispute, _ = await in_review(stage)
    await dispute.answer(True)
    async with stage.db.transaction() as tx:
        await tx.execute("update refunds set state = 'FAILED' where refund_id = $1", dispute.refund_id)
    await stage.put(operator, f"/admin/refunds/{dispute.refund_id}/abandonment", {"reason": "渠道不支持"})
    assert len(await stage.said(DisputeClosed, dispute.refund_id)) == 1
    assert await stage.said(RefundAbandoned, dispute.refund_id) == []


async def test_a_campaign_that_is_called_off_during_the_review_is_made_up_for_after_a_no(stage: Stage) -> None:
    dispute, _ = await in_review(stage)
    await walk(stage, await call_off(stage, dispute.purchase.deal))
    await dispute.answer(False, WHY_NOT)
    await stage.act_when_due("appeal_due", dispute.refund_id)
    assert len(await stage.said(RefundRequested, derived_id(dispute.purchase.order_id, "CAMPAIGN"))) == 1


async def to_arbitrate(stage: Stage, operator: str) -> set[str]:
    """Every appeal that waits for the platform."""
    found: set[str] = set()
    cursor = ""
    while True:
        page = (await stage.get(operator, f"/operator/arbitrations?limit=50{cursor}")).json()
        found |= {one["refund"]["refund_id"] for one in page["items"]}
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


async def sound(stage: Stage, dispute: Dispute) -> bool:
    """Whether the audit finds nothing about this order that can never be right."""
    purchase = dispute.purchase
    ids = (purchase.order_id, purchase.deal.deal_id, purchase.attempt_id, dispute.refund_id)
    return await stage.misfits(*ids, *await purchase.unit_ids()) == []
