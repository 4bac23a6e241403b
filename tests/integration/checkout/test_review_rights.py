"""Who may say what about a refund after use, when, and who reads it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from services.checkout.domain.addresses import masked_subject
from services.checkout.domain.refusals import ReviewNotOpen
from services.checkout.domain.reviews import ReviewRules
from services.checkout.use_cases import reviews
from shared.contracts.catalog import StaffRole
from shared.contracts.checkout import DisputeClosed
from shared.ids import new_id
from tests.integration.checkout.review_side import (
    WHY_NOT,
    Dispute,
    asked,
    contested,
    in_arbitration,
    in_review,
    used,
)
from tests.integration.checkout.stage import Stage, a_buyer, code_of

pytestmark = pytest.mark.usefixtures("alipay_sandbox")
ROUNDS = 6


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (StaffRole.OWNER, True),
        (StaffRole.MANAGER, True),
        (StaffRole.CLERK, False),
        (StaffRole.FINANCE, False),
        (StaffRole.RIDER, False),
    ],
)
async def test_owner_and_manager_answer_and_nobody_else(stage: Stage, role: StaffRole, allowed: bool) -> None:
    dispute = await in_review(stage)
    who = await stage.staff(dispute.purchase.deal, role)
    answer = await dispute.answer(True, who=who)
    assert answer.status_code == (200 if allowed else 403)
    assert await dispute.state() == ("APPROVED" if allowed else "IN_REVIEW")


async def test_a_manager_of_other_stores_neither_answers_nor_reads(stage: Stage) -> None:
    dispute = await in_review(stage)
    deal = dispute.purchase.deal
    here = await stage.staff(deal, StaffRole.MANAGER, deal.store_id, new_id())
    elsewhere = await stage.staff(deal, StaffRole.MANAGER, new_id())
    assert (await dispute.answer(True, who=elsewhere)).status_code == 403
    assert await listed(stage, elsewhere, deal.merchant_id) == []
    assert await listed(stage, here, deal.merchant_id) == [str(dispute.refund_id)]
    assert (await dispute.answer(True, who=here)).status_code == 200


async def test_strangers_learn_nothing(stage: Stage) -> None:
    dispute = await contested(stage)
    stranger = a_buyer()
    assert code_of(await dispute.answer(True, who=stranger)) == (404, "refund_not_found")
    assert code_of(await dispute.appeal(who=stranger)) == (404, "refund_not_found")
    assert code_of(await dispute.appeal(who=dispute.manager)) == (404, "refund_not_found")
    for who in (stranger, dispute.manager, dispute.purchase.buyer):
        assert (await dispute.arbitrate(who, upheld=True)).status_code == 403
        assert (await stage.get(who, "/operator/arbitrations")).status_code == 403
    path = f"/merchants/{dispute.purchase.deal.merchant_id}/reviews"
    assert (await stage.get(stranger, path)).status_code == 403
    unknown = f"/refunds/{new_id()}"
    operator = await stage.operator()
    assert code_of(await stage.put(stranger, f"{unknown}/review", {"agreed": True})) == (404, "refund_not_found")
    assert code_of(await stage.put(stranger, f"{unknown}/appeal", {"text": "x"})) == (404, "refund_not_found")
    decision = {"upheld": True, "reason": "x"}
    assert code_of(await stage.put(operator, f"{unknown}/arbitration", decision)) == (404, "refund_not_found")


@pytest.mark.parametrize(
    ("reach", "review", "appeal", "arbitration"),
    [
        (asked, "review_not_open", "appeal_not_open", "arbitration_not_open"),
        (in_review, None, "appeal_not_open", "arbitration_not_open"),
        (contested, "review_not_open", None, "arbitration_not_open"),
        (in_arbitration, "review_not_open", "appeal_not_open", None),
    ],
)
async def test_everybody_speaks_in_turn(
    stage: Stage, reach: Any, review: str | None, appeal: str | None, arbitration: str | None
) -> None:
    operator = await stage.operator()
    dispute = await reach(stage)
    state = await dispute.state()
    if review:
        answer = await dispute.answer(True)
        assert code_of(answer) == (409, review)
        assert answer.json()["state"] == state
    if appeal:
        assert code_of(await dispute.appeal("又一个理由")) == (409, appeal)
    if arbitration:
        assert code_of(await dispute.arbitrate(operator, upheld=True)) == (409, arbitration)
    assert await dispute.state() == state


@pytest.mark.parametrize("blank", ["", "   ", "长" * 201])
async def test_reasons_have_content_and_an_end(stage: Stage, blank: str) -> None:
    dispute = await in_review(stage)
    assert (await dispute.answer(False, blank)).status_code == 422
    purchase = await used(stage)
    units = [str(unit) for unit in await purchase.unit_ids()]
    body = {"order_id": str(purchase.order_id), "unit_ids": units, "reason": blank}
    assert (await stage.put(purchase.buyer, f"/refunds/{new_id()}", body)).status_code == 422


async def test_an_answer_after_the_deadline_counts_no_more_although_the_timer_has_not_acted(stage: Stage) -> None:
    dispute = await in_review(stage)
    stage.later(hours=24)
    assert code_of(await dispute.answer(False, WHY_NOT)) == (409, "review_not_open")
    await stage.act("review_due", dispute.refund_id)
    assert await dispute.state() == "APPROVED"


async def test_an_appeal_after_the_deadline_counts_no_more_although_the_timer_has_not_acted(stage: Stage) -> None:
    dispute = await contested(stage)
    stage.later(hours=48)
    assert code_of(await dispute.appeal()) == (409, "appeal_not_open")
    await stage.act("appeal_due", dispute.refund_id)
    assert await dispute.state() == "REFUSED"


async def test_an_old_timer_ends_nothing_that_went_on(stage: Stage) -> None:
    dispute = await contested(stage)
    stage.later(hours=25)
    async with stage.db.transaction() as tx:
        await reviews.approve_unanswered(tx, [dispute.refund_id])
    assert await dispute.state() == "CONTESTED"
    await dispute.appeal()
    stage.later(hours=25)
    async with stage.db.transaction() as tx:
        await reviews.close_unappealed(tx, [dispute.refund_id])
    assert await dispute.state() == "IN_ARBITRATION"


async def test_a_timer_that_is_early_approves_nothing(stage: Stage) -> None:
    dispute = await in_review(stage)
    stage.later(hours=23)
    async with stage.db.transaction() as tx:
        await reviews.approve_unanswered(tx, [dispute.refund_id])
    assert await dispute.state() == "IN_REVIEW"


@pytest.mark.parametrize("merchant_first", [True, False])
async def test_merchant_and_deadline_have_one_winner(stage: Stage, merchant_first: bool) -> None:
    """Their transactions began before and after the deadline, and meet on the same refund."""
    for _ in range(ROUNDS):
        dispute = await in_review(stage)
        rules = stage.world.settings.review_rules

        async def merchant(dispute: Dispute = dispute, rules: ReviewRules = rules) -> bool:
            try:
                async with stage.db.transaction() as tx:
                    await reviews.answer(tx, rules, dispute.refund_id, dispute.manager, agreed=False, reason=WHY_NOT)
            except ReviewNotOpen:
                return False
            return True

        async def deadline(dispute: Dispute = dispute) -> None:
            async with stage.db.transaction() as tx:
                # This process's clock is a day ahead of the merchant's.
                tx.now += timedelta(hours=24)
                await reviews.approve_unanswered(tx, [dispute.refund_id])

        racers = [merchant(), deadline()]
        results = await asyncio.gather(*(racers if merchant_first else reversed(racers)))
        assert await dispute.state() == ("CONTESTED" if True in results else "APPROVED")
        assert len(await endings(dispute)) == 1


async def test_two_who_answer_differently_at_once_have_one_winner(stage: Stage) -> None:
    for _ in range(ROUNDS):
        dispute = await in_review(stage)
        owner = await stage.staff(dispute.purchase.deal, StaffRole.OWNER)
        yes, no = await asyncio.gather(dispute.answer(True, who=owner), dispute.answer(False, WHY_NOT))
        assert sorted((yes.status_code, no.status_code)) == [200, 409]
        loser = no if yes.status_code == 200 else yes
        assert code_of(loser) == (409, "review_not_open")
        assert await dispute.state() == ("APPROVED" if loser is no else "CONTESTED")


async def test_two_operators_have_one_winner(stage: Stage) -> None:
    operators = [await stage.operator(), await stage.operator()]
    for _ in range(ROUNDS):
        dispute = await in_arbitration(stage)
        yes, no = await asyncio.gather(
            dispute.arbitrate(operators[0], upheld=True), dispute.arbitrate(operators[1], upheld=False)
        )
        assert sorted((yes.status_code, no.status_code)) == [200, 409]
        won = "APPROVED" if yes.status_code == 200 else "REFUSED"
        assert code_of(no if won == "APPROVED" else yes) == (409, "arbitration_not_open")
        assert await dispute.state() == won
        assert len(await stage.said(DisputeClosed, dispute.refund_id)) == (won == "REFUSED")
        assert (await dispute.view())["review"]["upheld"] is (won == "APPROVED")


async def test_appeal_and_its_deadline_have_one_winner(stage: Stage) -> None:
    for round_ in range(2 * ROUNDS):
        dispute = await contested(stage)

        async def deadline(dispute: Dispute = dispute) -> None:
            async with stage.db.transaction() as tx:
                await reviews.close_unappealed(tx, [dispute.refund_id])

        racers = [dispute.appeal(), deadline()]
        results = await asyncio.gather(*(racers if round_ % 2 else reversed(racers)))
        (answer,) = [result for result in results if result is not None]
        won = "IN_ARBITRATION" if answer.status_code == 200 else "REFUSED"
        assert await dispute.state() == won
        assert len(await stage.said(DisputeClosed, dispute.refund_id)) == (won == "REFUSED")
        if won == "REFUSED":
            assert code_of(answer) == (409, "appeal_not_open")


async def endings(dispute: Dispute) -> list[str]:
    """How the merchant's part ended, as the timeline has it."""
    return [what for what in await dispute.what() if what in {"REVIEW_REFUSED", "REVIEW_UNANSWERED"}]


async def listed(stage: Stage, who: str, merchant_id: object, state: str | None = None) -> list[str]:
    query = f"?state={state}" if state else ""
    answer = await stage.get(who, f"/merchants/{merchant_id}/reviews{query}")
    assert answer.status_code == 200, answer.text
    return [one["refund"]["refund_id"] for one in answer.json()["items"]]


async def test_staff_reads_its_reviews_page_by_page_newest_first_and_by_state(stage: Stage) -> None:
    first = await in_review(stage)
    deal, finance = first.purchase.deal, await stage.staff(first.purchase.deal, StaffRole.FINANCE)
    disputes = [first, *[await in_review(stage, await used(stage, deal)) for _ in range(3)]]
    await disputes[1].answer(False, WHY_NOT)
    newest = [str(one.refund_id) for one in reversed(disputes)]
    assert await listed(stage, finance, deal.merchant_id) == newest
    assert await listed(stage, finance, deal.merchant_id, "CONTESTED") == [str(disputes[1].refund_id)]

    path, seen, cursor = f"/merchants/{deal.merchant_id}/reviews?limit=3", [], ""
    for _ in range(2):
        page = (await stage.get(finance, path + cursor)).json()
        seen += [one["refund"]["refund_id"] for one in page["items"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert (seen, page["next_cursor"]) == (newest, None)

    shown = page["items"][0]
    assert shown["buyer"] == masked_subject(first.purchase.buyer)
    assert (shown["refund"]["amount_fen"], shown["refund"]["reason"]) == (12_800, "不想要了")
    assert shown["refund"]["deadline"] is not None
    assert first.purchase.buyer not in str(page)


async def test_operators_read_what_waits_for_them_oldest_first(stage: Stage) -> None:
    operator = await stage.operator()
    waiting, decided = [await in_arbitration(stage), await in_arbitration(stage)], await in_arbitration(stage)
    await decided.arbitrate(operator, upheld=False)
    found: list[dict[str, Any]] = []
    path: str | None = "/operator/arbitrations?limit=2"
    while path is not None:
        page = (await stage.get(operator, path)).json()
        found += page["items"]
        more = page["next_cursor"]
        path = f"/operator/arbitrations?limit=2&cursor={more}" if more else None
    mine = [one["refund"]["refund_id"] for one in found if one["merchant_id"] in
            {str(each.purchase.deal.merchant_id) for each in (*waiting, decided)}]  # fmt: skip
    assert mine == [str(each.refund_id) for each in waiting]
    (shown,) = [one for one in found if one["refund"]["refund_id"] == mine[0]]
    assert shown["refund"]["review"]["appeal_text"] == "上菜两小时，附照片"
    assert shown["refund"]["review"]["answer_reason"] == WHY_NOT
    assert shown["merchant_name"]
