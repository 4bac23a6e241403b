"""The verification fee, and opening group-buy."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from services.catalog import store
from shared.ids import new_id
from tests.integration.catalog.shop import (
    OPERATOR,
    Catalog,
    applied_merchant,
    bind_account,
    draft,
    opened_merchant,
    payout_account,
    put_staff,
    ready_shop,
    settle_fee,
    step_of,
    verified_merchant,
)

STEPS = [
    "ACCOUNT_KIND",
    "ENTERPRISE_VERIFICATION",
    "VERIFICATION_FEE",
    "PAYOUT_ACCOUNT",
    "OPENING",
    "STORE",
    "FIRST_DEAL",
]


async def _checklist(catalog: Catalog, merchant_id: UUID, owner: str) -> dict[str, str]:
    merchant = (await catalog.get(owner, f"/merchants/{merchant_id}")).json()
    return {step["step"]: step["state"] for step in merchant["checklist"]}


async def test_the_checklist_goes_from_the_account_to_the_first_deal(catalog: Catalog) -> None:
    merchant_id, owner = await applied_merchant(catalog)
    assert await _checklist(catalog, merchant_id, owner) == {**dict.fromkeys(STEPS, "OPEN"), "ACCOUNT_KIND": "DONE"}
    shop = await ready_shop(catalog)
    assert await _checklist(catalog, shop.merchant_id, shop.owner) == {
        **dict.fromkeys(STEPS, "DONE"),
        "FIRST_DEAL": "OPEN",
    }


async def test_staff_and_operators_see_the_licence_with_its_evidence(catalog: Catalog) -> None:
    merchant_id, owner = await applied_merchant(catalog)
    merchant = (await catalog.get(owner, f"/merchants/{merchant_id}")).json()
    assert (merchant["licence"]["licence_evidence"], merchant["licence"]["legal_person"]) == ("licence-scan-0", "张三")
    waiting = (await catalog.get(OPERATOR, "/operator/queue")).json()
    assert all(one["licence_evidence"] for one in waiting["merchants"])


async def test_the_fee_is_due_from_the_application_on_and_settled_once(catalog: Catalog) -> None:
    merchant_id, owner = await applied_merchant(catalog)
    merchant = (await catalog.get(owner, f"/merchants/{merchant_id}")).json()
    assert merchant["fees"] == [{"kind": "VERIFICATION", "amount_fen": 60000, "state": "DUE", "reference": None}]
    assert "600" in (await step_of(catalog, merchant_id, owner, "VERIFICATION_FEE"))["reason_zh"]
    path = f"/merchants/{merchant_id}/fees/VERIFICATION"
    paid = {"state": "PAID", "reference": "bank-20261123-7"}
    first = await catalog.put(OPERATOR, path, paid)
    again = await catalog.put(OPERATOR, path, paid)
    assert first.json()["fees"] == again.json()["fees"]
    assert first.json()["fees"][0]["reference"] == "bank-20261123-7"
    for other in ({**paid, "reference": "bank-8"}, {"state": "WAIVED", "reference": "bank-20261123-7"}):
        answer = await catalog.put(OPERATOR, path, other)
        assert (answer.status_code, answer.json()["code"], answer.json()["state"]) == (409, "fee_settled", "PAID")


async def test_of_two_operators_who_settle_a_fee_differently_at_once_one_wins(catalog: Catalog) -> None:
    for _ in range(5):
        merchant_id, owner = await applied_merchant(catalog)
        path = f"/merchants/{merchant_id}/fees/VERIFICATION"
        answers = await asyncio.gather(
            catalog.put(OPERATOR, path, {"state": "PAID", "reference": "bank-1"}),
            catalog.put(OPERATOR, path, {"state": "WAIVED", "reference": "opening offer"}),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        (won,) = [answer.json()["fees"] for answer in answers if answer.status_code == 200]
        assert (await catalog.get(owner, f"/merchants/{merchant_id}")).json()["fees"] == won


@pytest.mark.parametrize(
    "body", [{"state": "DUE", "reference": "x"}, {"state": "PAID"}, {"state": "PAID", "reference": ""}]
)
async def test_a_fee_is_settled_with_a_reference_or_not_at_all(catalog: Catalog, body: dict[str, Any]) -> None:
    merchant_id, _ = await applied_merchant(catalog)
    assert (await catalog.put(OPERATOR, f"/merchants/{merchant_id}/fees/VERIFICATION", body)).status_code == 422


async def test_only_an_operator_settles_a_fee_and_a_merchant_unknown_has_none(catalog: Catalog) -> None:
    merchant_id, owner = await applied_merchant(catalog)
    body = {"state": "PAID", "reference": "bank-1"}
    assert (await catalog.put(owner, f"/merchants/{merchant_id}/fees/VERIFICATION", body)).status_code == 403
    assert (await catalog.put(OPERATOR, f"/merchants/{new_id()}/fees/VERIFICATION", body)).status_code == 404


async def test_due_fees_wait_in_the_operators_queue(catalog: Catalog) -> None:
    merchant_id, _ = await applied_merchant(catalog)
    async with catalog.db.transaction() as tx:
        # The oldest fifty are shown: this one is made the oldest.
        await tx.execute("update merchant_fees set opened_at = '2020-01-01Z' where merchant_id = $1", merchant_id)
    waiting = (await catalog.get(OPERATOR, "/operator/queue")).json()["fees"]
    assert waiting[0] == {
        "merchant_id": str(merchant_id),
        "name": "老码头火锅",
        "kind": "VERIFICATION",
        "amount_fen": 60000,
        "state": "DUE",
        "reference": None,
    }
    await settle_fee(catalog, merchant_id)
    waiting = (await catalog.get(OPERATOR, "/operator/queue")).json()["fees"]
    assert str(merchant_id) not in {one["merchant_id"] for one in waiting}


async def _open(catalog: Catalog, merchant_id: UUID, owner: str) -> tuple[str | None, str | None]:
    answer = (await catalog.put(owner, f"/merchants/{merchant_id}/opening", {})).json()
    return answer.get("code"), answer.get("step")


async def test_group_buy_opens_at_once_when_the_four_steps_are_done_and_says_which_is_not(catalog: Catalog) -> None:
    merchant_id, owner = await applied_merchant(catalog)
    assert await _open(catalog, merchant_id, owner) == ("opening_not_ready", "ENTERPRISE_VERIFICATION")
    await catalog.put(OPERATOR, f"/merchants/{merchant_id}/verification", {"approve": True})
    assert await _open(catalog, merchant_id, owner) == ("opening_not_ready", "VERIFICATION_FEE")
    await settle_fee(catalog, merchant_id)
    assert await _open(catalog, merchant_id, owner) == ("opening_not_ready", "PAYOUT_ACCOUNT")
    await catalog.put(owner, f"/merchants/{merchant_id}/payout-account", payout_account())
    assert await _open(catalog, merchant_id, owner) == ("opening_not_ready", "PAYOUT_ACCOUNT")
    await bind_account(catalog, merchant_id, owner)
    first = (await catalog.put(owner, f"/merchants/{merchant_id}/opening", {})).json()
    again = (await catalog.put(owner, f"/merchants/{merchant_id}/opening", {})).json()
    assert first["opened_at"] == again["opened_at"] is not None
    assert (await step_of(catalog, merchant_id, owner, "OPENING"))["state"] == "DONE"


async def test_the_refusal_to_open_is_told_in_the_callers_language(catalog: Catalog) -> None:
    merchant_id, owner = await applied_merchant(catalog)
    path = f"/merchants/{merchant_id}/opening"
    chinese = await catalog.put(owner, path, {})
    english = await catalog.put(owner, path, {}, **{"Accept-Language": "en"})
    assert (chinese.status_code, english.status_code) == (409, 409)
    assert "等待平台审核" in chinese.json()["title"]
    assert "Waiting for the platform" in english.json()["title"]
    assert chinese.json()["reason_en"] == english.json()["reason_en"] == "Waiting for the platform's decision"


async def test_only_an_owner_opens_group_buy(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    _, manager = await put_staff(catalog, shop, "MANAGER")
    for subject in (manager, OPERATOR, "stranger"):
        assert (await catalog.put(subject, f"/merchants/{shop.merchant_id}/opening", {})).status_code == 403


@pytest.mark.parametrize(
    "undone",
    [
        "update merchants set state = 'APPLIED', decided_at = null where merchant_id = $1",
        """update merchants set state = 'SUSPENDED', suspended_from = 'VERIFIED', suspension_reason = 'x'
           where merchant_id = $1""",
        """update merchant_fees set state = 'DUE', reference = null, settled_at = null where merchant_id = $1""",
        "update payout_accounts set state = 'REJECTED', reason = 'x' where merchant_id = $1",
        "delete from payout_accounts where merchant_id = $1",
    ],
)
async def test_the_opening_statement_itself_looks_at_every_step(catalog: Catalog, undone: str) -> None:
    """Between the look at the checklist and the change, a step may be undone: the statement is the guard."""
    merchant_id, owner = await opened_merchant(catalog)
    async with catalog.db.transaction() as tx:
        await tx.execute("update merchants set opened_at = null, opened_by = null where merchant_id = $1", merchant_id)
        await tx.execute(undone, merchant_id)
        assert await store.open_group_buy(tx, merchant_id, owner) is None


async def test_the_opening_statement_opens_once(catalog: Catalog) -> None:
    merchant_id, owner = await opened_merchant(catalog)
    async with catalog.db.transaction() as tx:
        assert await store.open_group_buy(tx, merchant_id, owner) is None


async def test_nobody_writes_a_deal_before_group_buy_is_opened(catalog: Catalog) -> None:
    merchant_id, owner = await verified_merchant(catalog)
    answer = await catalog.put(owner, f"/deals/{new_id()}", draft(merchant_id, [new_id()]))
    assert (answer.status_code, answer.json()["code"]) == (409, "group_buy_not_opened")


async def test_a_deal_of_a_merchant_that_is_not_opened_is_neither_submitted_nor_sold(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id, approved = new_id(), new_id()
    for one in (deal_id, approved):
        await catalog.put(shop.owner, f"/deals/{one}", draft(shop.merchant_id, [shop.store_id]))
    await catalog.put(shop.owner, f"/deals/{approved}/submission", {})
    await catalog.put(OPERATOR, f"/deals/{approved}/review", {"approve": True})
    async with catalog.db.transaction() as tx:
        await tx.execute(
            "update merchants set opened_at = null, opened_by = null where merchant_id = $1", shop.merchant_id
        )
    submitted = await catalog.put(shop.owner, f"/deals/{deal_id}/submission", {})
    sold = await catalog.put(shop.owner, f"/deals/{approved}/online", {"online": True})
    assert [answer.json()["code"] for answer in (submitted, sold)] == ["group_buy_not_opened"] * 2
