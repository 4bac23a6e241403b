"""Where a merchant's money goes."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from services.catalog import consumers
from services.console.environment import seal_keys
from shared.contracts.settlement import PayoutFailed
from shared.ids import new_id
from shared.sealed import Seals
from tests.integration.catalog.shop import (
    OPERATOR,
    Catalog,
    Shop,
    applied_merchant,
    payout_account,
    ready_shop,
    step_of,
    verified_merchant,
    won_and_lost,
)
from tests.support.environment import Environment


async def test_an_account_waits_for_the_verified_subject(catalog: Catalog) -> None:
    merchant_id, owner = await applied_merchant(catalog)
    answer = await catalog.put(owner, f"/merchants/{merchant_id}/payout-account", payout_account())
    assert (answer.status_code, answer.json()["code"]) == (409, "merchant_not_verified")


async def test_an_account_of_another_subject_is_refused_and_not_kept(catalog: Catalog) -> None:
    merchant_id, owner = await verified_merchant(catalog)
    path = f"/merchants/{merchant_id}/payout-account"
    other = await catalog.put(owner, path, payout_account(holder_name="别家餐饮有限公司"))
    personal = await catalog.put(owner, path, payout_account(kind="PERSONAL", holder_name="张三"))
    assert (other.json()["code"], personal.json()["code"]) == ("subject_mismatch", "personal_account_not_allowed")
    assert (await catalog.get(owner, f"/merchants/{merchant_id}")).json()["payout_account"] is None


async def test_an_individual_business_may_use_its_legal_persons_personal_account(catalog: Catalog) -> None:
    merchant_id, owner = await verified_merchant(catalog, licence_kind="INDIVIDUAL_BUSINESS")
    body = payout_account(kind="PERSONAL", holder_name="张三", account="13800138000")
    account = (await catalog.put(owner, f"/merchants/{merchant_id}/payout-account", body)).json()["payout_account"]
    assert (account["state"], account["masked_account"]) == ("SUBMITTED", "138****8000")


async def test_the_account_is_never_stored_or_said_in_the_clear_and_opens_for_settlement(
    catalog: Catalog, environment: Environment
) -> None:
    shop = await ready_shop(catalog)
    async with catalog.db.transaction(read_only=True) as tx:
        row = await tx.value("select a::text from payout_accounts a where merchant_id = $1", shop.merchant_id)
    assert "finance@" not in row
    body = await _newest_account(catalog, shop)
    assert (body["state"], body["version"], body["sub_merchant_id"]) == ("VERIFIED", 2, "2088123400000001")
    keys = seal_keys(environment.local.keys)
    assert Seals({"settlement": keys["settlement"]}).open(body["sealed_account"]) == "finance@laomatou.example"
    assert Seals({"settlement": keys["settlement"]}).open(body["sealed_holder"]) == payout_account()["holder_name"]


async def test_the_zhifutong_rail_needs_the_sub_merchant_id(catalog: Catalog) -> None:
    merchant_id, owner = await verified_merchant(catalog)
    await catalog.put(owner, f"/merchants/{merchant_id}/payout-account", payout_account())
    path = f"/merchants/{merchant_id}/payout-account/verification"
    answer = await catalog.put(OPERATOR, path, {"approve": True})
    assert (answer.status_code, answer.json()["code"]) == (422, "sub_merchant_needed")


async def test_another_account_waits_for_verification_again_and_the_same_one_does_not(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    path = f"/merchants/{shop.merchant_id}/payout-account"
    same = (await catalog.put(shop.owner, path, payout_account())).json()["payout_account"]
    assert (same["state"], same["version"]) == ("VERIFIED", 2)
    other = (await catalog.put(shop.owner, path, payout_account(account="new@laomatou.example"))).json()
    assert (other["payout_account"]["state"], other["payout_account"]["sub_merchant_id"]) == ("SUBMITTED", None)
    assert (await step_of(catalog, shop.merchant_id, shop.owner, "PAYOUT_ACCOUNT"))["state"] == "OPEN"
    assert (await _newest_account(catalog, shop))["state"] == "SUBMITTED"


async def test_an_operator_cannot_approve_an_account_that_changed_since_it_was_read(catalog: Catalog) -> None:
    merchant_id, owner = await verified_merchant(catalog)
    path = f"/merchants/{merchant_id}/payout-account"
    await catalog.put(owner, path, payout_account())
    await catalog.put(owner, path, payout_account(account="new@laomatou.example"))
    body = {"approve": True, "sub_merchant_id": "2088123400000001"}
    stale = await catalog.put(OPERATOR, f"{path}/verification", body, **{"If-Match": '"1"'})
    assert stale.status_code == 412
    assert (await catalog.put(OPERATOR, f"{path}/verification", body, **{"If-Match": '"2"'})).status_code == 200


_APPROVE = {"approve": True, "sub_merchant_id": "2088123400000001"}
_REJECT = {"approve": False, "reason": "户名不符"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (_APPROVE, _REJECT),
        (_APPROVE, {**_APPROVE, "sub_merchant_id": "2088123400000002"}),
        (_APPROVE, {"approve": True, "rail": "TRANSFER"}),
        (_REJECT, {**_REJECT, "reason": "截图不清"}),
    ],
)
async def test_of_two_operators_who_decide_differently_at_once_one_wins_and_the_other_is_told(
    catalog: Catalog, one: dict[str, Any], other: dict[str, Any]
) -> None:
    for _ in range(3):
        merchant_id, owner = await verified_merchant(catalog)
        path = f"/merchants/{merchant_id}/payout-account"
        await catalog.put(owner, path, payout_account())
        bodies = (one, other)
        answers = await asyncio.gather(*(catalog.put(OPERATOR, f"{path}/verification", body) for body in bodies))
        won, lost = won_and_lost(bodies, answers)
        assert lost.json()["code"] == "already_decided"
        again = await catalog.put(OPERATOR, f"{path}/verification", won)
        assert (again.status_code, again.json()["payout_account"]["version"]) == (200, 2)
        said = [topic for topic, _ in await catalog.said(merchant_id) if topic == "catalog.payout_account_changed.v1"]
        assert len(said) == 2


async def test_a_failed_payout_reopens_the_account_step_once_and_the_merchant_submits_again(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    failed = _failed_payout(catalog, shop)
    await consumers.reopen_payout_account(failed, catalog.db)
    await consumers.reopen_payout_account(failed, catalog.db)
    step = await step_of(catalog, shop.merchant_id, shop.owner, "PAYOUT_ACCOUNT")
    assert step["state"] == "REFUSED"
    assert "ACQ.PAYEE_NOT_EXIST" in step["reason_en"]
    newest = await _newest_account(catalog, shop)
    assert (newest["state"], newest["version"]) == ("REJECTED", 3)
    again = await catalog.put(shop.owner, f"/merchants/{shop.merchant_id}/payout-account", payout_account())
    assert again.json()["payout_account"]["state"] == "SUBMITTED"


async def test_a_failure_from_before_the_newest_verification_reopens_nothing(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    late = _failed_payout(catalog, shop).model_copy(update={"occurred_at": catalog.db.clock.now() - timedelta(hours=1)})
    await consumers.reopen_payout_account(late, catalog.db)
    assert (await _newest_account(catalog, shop))["state"] == "VERIFIED"


async def test_a_copy_of_an_old_failure_reopens_nothing_even_when_its_clock_runs_ahead(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    ahead = catalog.db.clock.now() + timedelta(hours=1)
    failed = _failed_payout(catalog, shop).model_copy(update={"occurred_at": ahead})
    await consumers.reopen_payout_account(failed, catalog.db)
    path = f"/merchants/{shop.merchant_id}/payout-account"
    await catalog.put(shop.owner, path, payout_account())
    await catalog.put(OPERATOR, f"{path}/verification", {"approve": True, "sub_merchant_id": "2088123400000001"})
    await consumers.reopen_payout_account(failed, catalog.db)
    assert (await _newest_account(catalog, shop))["state"] == "VERIFIED"


def _failed_payout(catalog: Catalog, shop: Shop) -> PayoutFailed:
    return PayoutFailed(
        occurred_at=catalog.db.clock.now(),
        instruction_id=new_id(),
        payout_id=new_id(),
        merchant_id=shop.merchant_id,
        code="ACQ.PAYEE_NOT_EXIST",
    )


async def _newest_account(catalog: Catalog, shop: Shop) -> dict[str, Any]:
    said = await catalog.said(shop.merchant_id)
    return [body for topic, body in said if topic == "catalog.payout_account_changed.v1"][-1]
