"""Refunds after use: reviewed by the merchant within a day, appealed within two, decided by the platform."""

from typing import Any

import pytest

from services.checkout.consumers import disputes, fulfilment
from shared.contracts.catalog import DealKind, RefundPolicy, StaffRole
from shared.contracts.checkout import DisputeClosed, RefundCause, RefundRequested, RefundSucceeded
from shared.contracts.dispatch import GoodsDisputed, ParcelDelivered
from shared.errors import NotYet
from shared.ids import new_id
from tests.integration.checkout.catalog_side import Deal
from tests.integration.checkout.redemption_side import finish, refuse, use
from tests.integration.checkout.review_side import (
    WHY_NOT,
    Dispute,
    asked,
    contested,
    in_arbitration,
    in_review,
    used,
)
from tests.integration.checkout.stage import Purchase, Stage, a_buyer, code_of
from tests.integration.checkout.test_times_cards import card

pytestmark = pytest.mark.usefixtures("alipay_sandbox")


async def test_silence_for_a_day_is_a_yes_and_the_money_goes_back_by_the_same_sender(stage: Stage) -> None:
    purchase = await used(stage)
    dispute = await asked(stage, purchase)
    (event,) = await stage.said(RefundRequested, dispute.refund_id)
    assert (event.cause, event.unit_ids) == (RefundCause.AFTER_USE, tuple(await purchase.unit_ids()))
    assert await purchase.unit_states() == ["REFUNDING"]

    await dispute.open()
    shown = await dispute.view()
    assert (shown["state"], shown["reason"], shown["deadline"]) == ("IN_REVIEW", "不想要了", shown["review"]["due_at"])
    assert await stage.timer("fence_overdue", dispute.refund_id) is None

    await stage.act_when_due("review_due", dispute.refund_id)
    await stage.act("send_refund", dispute.refund_id)
    assert await dispute.state() == "SUCCEEDED"
    assert await stage.book(purchase.out_trade_no) == [("payment", 12_800), ("refund", 12_800)]
    (done,) = await stage.said(RefundSucceeded, dispute.refund_id)
    assert (done.cause, done.amount_fen) == (RefundCause.AFTER_USE, 12_800)
    assert {"REVIEW_OPENED", "REVIEW_UNANSWERED", "REFUND_SUCCEEDED", "COMPLETED"} <= set(await dispute.what())


async def test_a_merchant_who_agrees_lets_the_money_go_at_once(stage: Stage) -> None:
    dispute = await in_review(stage, await used(stage, final=True))
    for _ in range(2):
        answer = await dispute.answer(True)
        assert (answer.status_code, answer.json()["state"]) == (200, "APPROVED")
    await stage.act("send_refund", dispute.refund_id)
    assert await dispute.state() == "SUCCEEDED"
    assert (await dispute.view())["review"]["agreed"] is True
    assert await stage.timer("review_due", dispute.refund_id) is None


async def test_a_refusal_is_explained_appealed_and_the_platform_upholds_the_buyer(stage: Stage) -> None:
    operator = await stage.operator()
    dispute = await in_review(stage)
    assert code_of(await dispute.answer(False)) == (422, "review_reason_needed")
    assert (await dispute.answer(False, WHY_NOT)).json()["state"] == "CONTESTED"
    shown = await dispute.view()
    assert (shown["review"]["answer_reason"], shown["deadline"]) == (WHY_NOT, shown["review"]["appeal_until"])

    for _ in range(2):
        appealed = await dispute.appeal()
        assert (appealed.status_code, appealed.json()["state"]) == (200, "IN_ARBITRATION")
    assert appealed.json()["deadline"] is None
    assert await stage.timer("appeal_due", dispute.refund_id) is None
    for _ in range(2):
        decided = await dispute.arbitrate(operator, upheld=True)
        assert (decided.status_code, decided.json()["state"]) == (200, "APPROVED")
    await stage.act("send_refund", dispute.refund_id)
    assert await dispute.state() == "SUCCEEDED"
    assert await stage.said(DisputeClosed, dispute.refund_id) == []
    assert [what for what in await dispute.what() if what in {"REVIEW_REFUSED", "APPEALED", "APPEAL_UPHELD"}] == [
        "REVIEW_REFUSED",
        "APPEALED",
        "APPEAL_UPHELD",
    ]


@pytest.mark.parametrize("final", [True, False])
async def test_no_appeal_in_time_ends_the_dispute_and_the_unit_is_what_it_was(stage: Stage, final: bool) -> None:
    purchase = await used(stage, final=final)
    dispute = await contested(stage, purchase)
    await stage.act_when_due("appeal_due", dispute.refund_id)
    shown = await dispute.view()
    assert (shown["state"], shown["refused_code"]) == ("REFUSED", "merchant_refused")
    assert await purchase.unit_states() == ["FINAL" if final else "USED"]
    (closed,) = await stage.said(DisputeClosed, dispute.refund_id)
    assert (closed.merchant_id, closed.unit_ids) == (purchase.deal.merchant_id, tuple(await purchase.unit_ids()))
    assert await stage.timer("send_refund", dispute.refund_id) is None
    assert code_of(await purchase.request_refund()) == (409, "already_reviewed")


async def test_arbitration_against_the_buyer_ends_the_dispute(stage: Stage) -> None:
    operator = await stage.operator()
    dispute = await in_arbitration(stage)
    for _ in range(2):
        decided = await dispute.arbitrate(operator, upheld=False, reason="照片与订单无关")
        assert (decided.status_code, decided.json()["state"]) == (200, "REFUSED")
    shown = await dispute.view()
    assert (shown["refused_code"], shown["review"]["arbitration_reason"]) == ("arbitration_refused", "照片与订单无关")
    assert len(await stage.said(DisputeClosed, dispute.refund_id)) == 1
    assert code_of(await dispute.arbitrate(operator, upheld=True)) == (409, "arbitration_not_open")


async def test_a_use_that_becomes_final_during_the_review_is_remembered(stage: Stage) -> None:
    purchase = await stage.paid()
    (unit,) = await purchase.unit_ids()
    event = await use(stage, purchase, unit)
    dispute = await contested(stage, purchase)
    await finish(stage, event)
    assert await purchase.unit_states() == ["REFUNDING"]
    await stage.act_when_due("appeal_due", dispute.refund_id)
    assert (await purchase.state(), await purchase.unit_states()) == ("COMPLETED", ["FINAL"])


async def test_used_and_unused_units_are_asked_for_apart(stage: Stage) -> None:
    purchase = await stage.paid(quantity=2)
    first, second = await purchase.unit_ids()
    await use(stage, purchase, first)
    assert code_of(await purchase.request_refund(first, second)) == (409, "used_units_apart")
    assert (await purchase.request_refund(first)).json()["cause"] == "AFTER_USE"
    assert (await purchase.request_refund(second)).json()["cause"] == "BUYER"


async def test_a_use_that_wins_the_race_is_told_to_the_loser_who_may_then_ask_for_a_review(stage: Stage) -> None:
    purchase = await stage.paid()
    refund_id = await purchase.refunding()
    await use(stage, purchase, (await purchase.unit_ids())[0])
    await refuse(stage, purchase, refund_id)
    dispute = await in_review(stage, purchase)
    assert await dispute.state() == "IN_REVIEW"


@pytest.mark.parametrize(("days", "code"), [(14.99, 201), (15, 409)])
async def test_after_fifteen_days_nobody_may_ask_any_more(stage: Stage, days: float, code: int) -> None:
    purchase = await used(stage)
    stage.later(days=days)
    answer = await purchase.request_refund()
    assert answer.status_code == code
    if code == 409:
        assert code_of(answer) == (409, "review_period_over")


async def test_the_days_of_a_card_count_from_its_last_use(stage: Stage) -> None:
    purchase = await stage.paid(await stage.sell(card()))
    (unit,) = await purchase.unit_ids()
    for use_no in (1, 2, 3):
        await use(stage, purchase, unit, use_no)
        stage.later(days=10)
    answer = await purchase.request_refund()
    assert (answer.status_code, answer.json()["amount_fen"]) == (201, 10_000)


async def test_what_is_refunded_on_expiry_only_may_still_be_disputed_after_its_use(stage: Stage) -> None:
    purchase = await used(stage, await stage.sell(Deal(policy=RefundPolicy.ON_EXPIRY)))
    assert (await purchase.request_refund()).json()["cause"] == "AFTER_USE"


async def test_a_refused_dispute_may_be_asked_for_again_because_nobody_reviewed_it(stage: Stage) -> None:
    dispute = await asked(stage)
    await refuse(stage, dispute.purchase, dispute.refund_id, "certificate_not_used")
    assert (await dispute.view())["refused_code"] == "certificate_not_used"
    assert (await dispute.purchase.request_refund()).status_code == 201


async def delivered(stage: Stage, purchase: Purchase) -> None:
    """Dispatch tells that the goods are at the door."""
    event = ParcelDelivered(
        occurred_at=stage.now(), parcel_id=new_id(), order_id=purchase.order_id,
        unit_ids=tuple(await purchase.unit_ids()), delivered_at=stage.now(), received_by=stage.now(),
    )  # fmt: skip
    await fulfilment.record_parcel_delivered(event, stage.db)


async def test_one_of_several_delivered_goods_is_disputed_before_or_after_receipt(stage: Stage) -> None:
    deal = await stage.sell(Deal(kind=DealKind.GOODS, fee_fen=1_000))
    purchase = await stage.paid(deal, quantity=2)
    first, _ = await purchase.unit_ids()
    assert code_of(await purchase.request_refund(first)) == (409, "whole_parcel_only")
    await delivered(stage, purchase)
    manager = await stage.staff(deal, StaffRole.OWNER)
    dispute = Dispute(stage, purchase, await purchase.refunding(first), manager)
    said = GoodsDisputed(
        occurred_at=stage.now(), refund_id=dispute.refund_id, order_id=purchase.order_id,
        merchant_id=deal.merchant_id, unit_ids=(first,),
    )  # fmt: skip
    await disputes.review_goods_refund(said, stage.db, stage.world)
    assert (await dispute.answer(True)).status_code == 200
    await stage.act("send_refund", dispute.refund_id)
    (done,) = await stage.said(RefundSucceeded, dispute.refund_id)
    assert (done.kind, done.amount_fen) == (DealKind.GOODS, 12_800 + 500)
    assert await purchase.unit_states() == ["REFUNDED", "OPEN"]


async def test_what_was_used_is_not_for_sale_again_but_its_buyer_may_buy_again(stage: Stage) -> None:
    deal = await stage.sell(Deal(quota=2, limit=1))
    purchase = await used(stage, deal)
    dispute = await in_review(stage, purchase)
    await dispute.answer(True)
    await stage.act("send_refund", dispute.refund_id)
    assert await stage.stock(deal) == (0, 1)
    again = await stage.place(deal, purchase.buyer)
    assert again.status_code == 201, again.text
    assert (await stage.place(deal, a_buyer())).status_code == 409, "two places, two tables served"
    units = await purchase.unit_ids()
    assert await stage.misfits(deal.deal_id, purchase.order_id, purchase.attempt_id, *units) == []


@pytest.mark.parametrize("until", ["IN_REVIEW", "CONTESTED", "IN_ARBITRATION"])
async def test_what_waits_for_somebodys_word_is_held_and_not_under_way(stage: Stage, until: str) -> None:
    operator = await stage.operator()
    before = (await stage.get(operator, "/admin/money")).json()["terms"]["refunds_in_review_fen"]
    dispute = await {"IN_REVIEW": in_review, "CONTESTED": contested, "IN_ARBITRATION": in_arbitration}[until](stage)
    money = (await stage.get(operator, "/admin/money")).json()
    assert money["terms"]["refunds_in_review_fen"] - before == 12_800
    assert str(dispute.refund_id) not in [one["id"] for one in money["in_flight"]]
    units = await dispute.purchase.unit_ids()
    assert await stage.misfits(dispute.purchase.order_id, dispute.purchase.deal.deal_id, *units) == []


@pytest.mark.parametrize(("reach", "timer"), [(in_review, "review_due"), (contested, "appeal_due")])
async def test_a_review_that_nothing_would_end_is_named_by_the_audit(stage: Stage, reach: Any, timer: str) -> None:
    dispute = await reach(stage)
    assert await stage.misfits(dispute.refund_id) == []
    async with stage.db.transaction() as tx:
        await tx.execute("delete from timers where kind = $1 and key = $2", timer, str(dispute.refund_id))
    (named,) = await stage.misfits(dispute.refund_id)
    assert named["what"] == "review_without_timer"


async def test_an_operator_who_gives_a_dispute_up_that_nobody_answers_closes_it_everywhere(stage: Stage) -> None:
    operator = await stage.operator()
    dispute = await asked(stage)
    answer = await stage.put(operator, f"/admin/refunds/{dispute.refund_id}/abandonment", {"reason": "券系统无响应"})
    assert answer.json()["state"] == "ABANDONED"
    assert len(await stage.said(DisputeClosed, dispute.refund_id)) == 1
    assert await dispute.purchase.unit_states() == ["USED"]
    await dispute.open()
    assert (await dispute.state(), (await dispute.view())["review"]) == ("ABANDONED", None)


async def test_a_dispute_ahead_of_its_refund_waits_and_its_copies_change_nothing(stage: Stage) -> None:
    dispute = await asked(stage)
    unknown = Dispute(stage, dispute.purchase, new_id(), dispute.manager)
    with pytest.raises(NotYet):
        await unknown.open()
    await dispute.open()
    due = await stage.timer("review_due", dispute.refund_id)
    stage.later(hours=2)
    await dispute.open()
    assert await stage.timer("review_due", dispute.refund_id) == due
    await stage.act_when_due("review_due", dispute.refund_id)
    await dispute.open()
    assert await dispute.state() == "APPROVED"
