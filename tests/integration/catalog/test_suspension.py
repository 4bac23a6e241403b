"""A merchant that an operator stops."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest

from shared.ids import new_id
from tests.integration.catalog.shop import (
    OPERATOR,
    Catalog,
    applied_merchant,
    deal_on_sale,
    draft,
    licence,
    payout_account,
    ready_shop,
    store_claim,
    verified_merchant,
)

SUSPEND = {"suspended": True, "reason": "投诉过多"}
LIFT = {"suspended": False}


async def _put(catalog: Catalog, merchant_id: UUID, body: dict[str, Any], **headers: str) -> httpx.Response:
    return await catalog.put(OPERATOR, f"/merchants/{merchant_id}/suspension", body, **headers)


async def test_a_suspension_is_said_in_both_events_with_one_version_and_lifting_it_once(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    before = (await catalog.get(shop.owner, f"/merchants/{shop.merchant_id}")).json()["version"]
    suspended = (await _put(catalog, shop.merchant_id, SUSPEND)).json()
    lifted = (await _put(catalog, shop.merchant_id, LIFT)).json()
    assert (suspended["state"], suspended["suspension_reason"]) == ("SUSPENDED", "投诉过多")
    assert (lifted["state"], lifted["suspension_reason"]) == ("VERIFIED", None)
    said = [(topic.split(".")[1], body) for topic, body in await catalog.said(shop.merchant_id)][-3:]
    assert [(topic, body["version"], body["state"]) for topic, body in said] == [
        ("merchant_changed", before + 1, "SUSPENDED"),
        ("merchant_suspended", before + 1, "SUSPENDED"),
        ("merchant_changed", before + 2, "VERIFIED"),
    ]
    assert said[1][1]["reason"] == "投诉过多"


async def test_nothing_of_a_suspended_merchant_can_be_bought_or_prepared_for_sale(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id, edited = await deal_on_sale(catalog, shop), new_id()
    await catalog.put(shop.owner, f"/deals/{edited}", draft(shop.merchant_id, [shop.store_id]))
    await _put(catalog, shop.merchant_id, SUSPEND)
    assert (await catalog.get(None, f"/deals/{deal_id}")).json()["state"] == "OFFLINE"
    refused = [
        await catalog.put(shop.owner, f"/deals/{edited}/submission", {}),
        await catalog.put(shop.owner, f"/deals/{deal_id}/online", {"online": True}),
        await catalog.put(shop.owner, f"/stores/{new_id()}", store_claim(shop.merchant_id)),
        await catalog.put(shop.owner, f"/merchants/{shop.merchant_id}/payout-account", payout_account(account="x@y.z")),
    ]
    assert [answer.json()["code"] for answer in refused] == ["merchant_not_verified"] * 4
    await _put(catalog, shop.merchant_id, LIFT)
    assert (await catalog.get(None, f"/deals/{deal_id}")).json()["state"] == "ON_SALE"


async def test_a_suspension_needs_a_reason_and_an_operator(catalog: Catalog) -> None:
    merchant_id, owner = await verified_merchant(catalog)
    without = await _put(catalog, merchant_id, {"suspended": True})
    assert (without.status_code, without.json()["code"]) == (422, "reason_needed")
    for body in (SUSPEND, LIFT):
        answer = await catalog.put(owner, f"/merchants/{merchant_id}/suspension", body)
        assert answer.status_code == 403
    assert (await _put(catalog, new_id(), SUSPEND)).status_code == 404
    assert (await _put(catalog, new_id(), LIFT)).status_code == 404


async def test_the_same_again_says_nothing_and_another_reason_is_refused(catalog: Catalog) -> None:
    merchant_id, _ = await verified_merchant(catalog)
    assert (await _put(catalog, merchant_id, LIFT)).json()["state"] == "VERIFIED"
    for _ in range(2):
        assert (await _put(catalog, merchant_id, SUSPEND)).status_code == 200
    other = await _put(catalog, merchant_id, {"suspended": True, "reason": "别的原因"})
    assert (other.status_code, other.json()["code"], other.json()["reason"]) == (409, "already_suspended", "投诉过多")
    for _ in range(2):
        assert (await _put(catalog, merchant_id, LIFT)).json()["state"] == "VERIFIED"
    assert len(await catalog.said(merchant_id)) == 5


async def test_of_two_operators_who_suspend_for_different_reasons_at_once_one_wins(catalog: Catalog) -> None:
    for _ in range(5):
        merchant_id, _ = await verified_merchant(catalog)
        answers = await asyncio.gather(
            _put(catalog, merchant_id, SUSPEND), _put(catalog, merchant_id, {"suspended": True, "reason": "别的原因"})
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        assert len(await catalog.said(merchant_id)) == 4


@pytest.mark.parametrize("body", [SUSPEND, LIFT])
async def test_an_operator_who_saw_an_older_state_is_told(catalog: Catalog, body: dict[str, Any]) -> None:
    merchant_id, _ = await verified_merchant(catalog)
    if body is LIFT:
        await _put(catalog, merchant_id, SUSPEND)
    stale = await _put(catalog, merchant_id, body, **{"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "changed_meanwhile")


@pytest.mark.parametrize("state", ["APPLIED", "REJECTED", "VERIFIED"])
async def test_lifting_returns_to_the_state_before(catalog: Catalog, state: str) -> None:
    merchant_id, _ = await applied_merchant(catalog)
    if state != "APPLIED":
        body = {"approve": state == "VERIFIED", "reason": "照片模糊"}
        await catalog.put(OPERATOR, f"/merchants/{merchant_id}/verification", body)
    assert (await _put(catalog, merchant_id, SUSPEND)).json()["state"] == "SUSPENDED"
    assert (await _put(catalog, merchant_id, LIFT)).json()["state"] == state


async def test_a_licence_changed_and_verified_while_suspended_changes_only_what_comes_after(catalog: Catalog) -> None:
    merchant_id, owner = await verified_merchant(catalog)
    await _put(catalog, merchant_id, SUSPEND)
    changed = await catalog.put(owner, f"/merchants/{merchant_id}/licence", licence(licence_no="91500103MA5U999999"))
    assert changed.json()["state"] == "SUSPENDED"
    path = f"/merchants/{merchant_id}/verification"
    decided = await catalog.put(OPERATOR, path, {"approve": False, "reason": "照片模糊"})
    assert (decided.status_code, decided.json()["state"]) == (200, "SUSPENDED")
    again = await catalog.put(owner, f"/merchants/{merchant_id}/licence", licence(licence_no="91500103MA5U999999"))
    assert again.json()["state"] == "SUSPENDED"
    assert (await _put(catalog, merchant_id, LIFT)).json()["state"] == "APPLIED"
    assert (await catalog.put(OPERATOR, path, {"approve": True})).json()["state"] == "VERIFIED"
