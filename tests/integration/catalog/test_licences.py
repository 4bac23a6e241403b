"""A licence that changes, and one that ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.catalog import store, use_cases
from services.catalog.domain.checklist import Found
from services.catalog.domain.payout_accounts import AccountHolder, PayoutAccountKind
from services.catalog.domain.refusals import SubjectMismatch
from services.console.environment import seal_keys
from shared.contracts.catalog import MerchantState
from shared.sealed import Seals
from tests.integration.catalog.shop import (
    OPERATOR,
    Catalog,
    applied_merchant,
    bind_account,
    deal_on_sale,
    in_days,
    licence,
    opened_merchant,
    put_staff,
    ready_shop,
    step_of,
    verified_merchant,
    video_with,
)
from tests.support.environment import Environment
from tests.support.waiting import eventually

OTHER = {"licence_no": "91500103MA5U999999", "licence_evidence": "licence-scan-9"}


async def _change(catalog: Catalog, merchant_id: UUID, owner: str, **changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = (await catalog.put(owner, f"/merchants/{merchant_id}/licence", licence(**changes))).json()
    return body


async def _decide(catalog: Catalog, merchant_id: UUID, **body: Any) -> dict[str, Any]:
    answer = await catalog.put(OPERATOR, f"/merchants/{merchant_id}/verification", body)
    decided: dict[str, Any] = answer.json()
    return decided


async def _merchant(catalog: Catalog, merchant_id: UUID) -> dict[str, Any]:
    body: dict[str, Any] = (await catalog.get(OPERATOR, f"/merchants/{merchant_id}")).json()
    return body


async def test_another_licence_waits_for_verification_and_nothing_sells_meanwhile(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    video_id = await video_with(catalog, shop, deal_id)
    changed = await _change(catalog, shop.merchant_id, shop.owner, **OTHER)
    assert (changed["state"], changed["licence"]["licence_no"]) == ("APPLIED", "91500103MA5U999999")
    assert (await step_of(catalog, shop.merchant_id, shop.owner, "ENTERPRISE_VERIFICATION"))["state"] == "OPEN"
    assert (await catalog.get(None, f"/deals/{deal_id}")).json()["state"] == "OFFLINE"
    assert (await catalog.get(None, f"/videos/{video_id}")).json()["badge"]["state"] == "OFFLINE"
    await catalog.put(shop.owner, f"/deals/{deal_id}/online", {"online": False})
    online = await catalog.put(shop.owner, f"/deals/{deal_id}/online", {"online": True})
    assert online.json()["code"] == "merchant_not_verified"
    await _decide(catalog, shop.merchant_id, approve=True)
    assert (await catalog.put(shop.owner, f"/deals/{deal_id}/online", {"online": True})).status_code == 200
    said = [body for topic, body in await catalog.said(shop.merchant_id) if topic == "catalog.merchant_changed.v1"]
    assert [(body["version"], body["state"]) for body in said] == [
        (1, "APPLIED"),
        (2, "VERIFIED"),
        (3, "APPLIED"),
        (4, "VERIFIED"),
    ]


async def test_the_same_licence_again_changes_nothing(catalog: Catalog) -> None:
    merchant_id, owner = await verified_merchant(catalog)
    same = await _change(catalog, merchant_id, owner)
    assert (same["state"], same["version"]) == ("VERIFIED", 2)
    assert len(await catalog.said(merchant_id)) == 2


async def test_the_same_change_sent_twice_at_once_is_one_change(catalog: Catalog) -> None:
    for _ in range(5):
        merchant_id, owner = await verified_merchant(catalog)
        path = f"/merchants/{merchant_id}/licence"
        answers = await asyncio.gather(*(catalog.put(owner, path, licence(**OTHER)) for _ in range(3)))
        assert [answer.status_code for answer in answers] == [200, 200, 200]
        assert (await _merchant(catalog, merchant_id))["version"] == 3


async def test_only_an_owner_changes_the_licence_and_only_to_one_that_lasts(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    _, manager = await put_staff(catalog, shop, "MANAGER")
    path = f"/merchants/{shop.merchant_id}/licence"
    assert (await catalog.put(manager, path, licence(**OTHER))).status_code == 403
    short = await catalog.put(shop.owner, path, licence(licence_expires_on=in_days(15)))
    assert (short.status_code, short.json()["code"]) == (409, "licence_expires_soon")
    assert (await _merchant(catalog, shop.merchant_id))["state"] == "VERIFIED"


async def test_a_rejected_change_may_be_asked_for_again(catalog: Catalog) -> None:
    merchant_id, owner = await verified_merchant(catalog)
    await _change(catalog, merchant_id, owner, **OTHER)
    rejected = await _decide(catalog, merchant_id, approve=False, reason="照片模糊")
    assert rejected["state"] == "REJECTED"
    again = await _change(catalog, merchant_id, owner, **OTHER)
    assert again["state"] == "APPLIED"


async def test_an_operator_who_read_the_older_licence_cannot_approve_the_newer(catalog: Catalog) -> None:
    merchant_id, owner = await applied_merchant(catalog)
    await _change(catalog, merchant_id, owner, **OTHER)
    path = f"/merchants/{merchant_id}/verification"
    stale = await catalog.put(OPERATOR, path, {"approve": True}, **{"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "changed_meanwhile")
    assert (await catalog.put(OPERATOR, path, {"approve": True}, **{"If-Match": '"2"'})).status_code == 200


async def test_a_decision_and_a_change_at_the_same_moment_never_verify_what_nobody_read(catalog: Catalog) -> None:
    for _ in range(5):
        merchant_id, owner = await applied_merchant(catalog)
        decided, changed = await asyncio.gather(
            catalog.put(OPERATOR, f"/merchants/{merchant_id}/verification", {"approve": True}, **{"If-Match": '"1"'}),
            catalog.put(owner, f"/merchants/{merchant_id}/licence", licence(**OTHER)),
        )
        assert decided.status_code in {200, 412}
        assert changed.status_code == 200
        merchant = await _merchant(catalog, merchant_id)
        assert (merchant["state"], merchant["licence"]["licence_no"]) == ("APPLIED", "91500103MA5U999999")


async def test_two_operators_who_decide_a_change_differently_leave_one_decision(catalog: Catalog) -> None:
    for _ in range(5):
        merchant_id, owner = await verified_merchant(catalog)
        await _change(catalog, merchant_id, owner, **OTHER)
        path = f"/merchants/{merchant_id}/verification"
        answers = await asyncio.gather(
            catalog.put(OPERATOR, path, {"approve": True}, **{"If-Match": '"3"'}),
            catalog.put(OPERATOR, path, {"approve": False, "reason": "照片模糊"}, **{"If-Match": '"3"'}),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        assert len(await catalog.said(merchant_id)) == 4


@pytest.mark.parametrize(
    ("changes", "code", "zh"),
    [
        ({"subject_name": "别家餐饮有限公司"}, "subject_mismatch", "企业支付宝主体与认证主体不一致"),
        ({"legal_person": "李四"}, None, ""),
    ],
)
async def test_the_bound_account_is_checked_anew_against_the_new_subject(
    catalog: Catalog, changes: dict[str, str], code: str | None, zh: str
) -> None:
    merchant_id, owner = await opened_merchant(catalog)
    await _change(catalog, merchant_id, owner, **changes)
    assert (await _merchant(catalog, merchant_id))["payout_account"]["state"] == "VERIFIED"
    decided = await _decide(catalog, merchant_id, approve=True)
    step = await step_of(catalog, merchant_id, owner, "PAYOUT_ACCOUNT")
    assert (decided["payout_account"]["state"], step["reason_zh"]) == ("REJECTED" if code else "VERIFIED", zh)
    said = [body for topic, body in await catalog.said(merchant_id) if topic == "catalog.payout_account_changed.v1"]
    assert [body["state"] for body in said[2:]] == (["REJECTED"] if code else [])
    assert (await catalog.said(merchant_id))[-1][1]["state"] == "VERIFIED", "the account is refused first"
    async with catalog.db.transaction(read_only=True) as tx:
        account = await store.payout_account(tx, merchant_id)
    assert account is not None
    assert account.reason_code == code


async def test_a_personal_account_is_lost_when_the_business_becomes_an_enterprise_and_may_be_replaced(
    catalog: Catalog,
) -> None:
    merchant_id, owner = await verified_merchant(catalog, licence_kind="INDIVIDUAL_BUSINESS")
    await bind_account(catalog, merchant_id, owner, kind="PERSONAL", holder_name="张三", account="13800138000")
    await _change(catalog, merchant_id, owner, licence_kind="ENTERPRISE")
    await _decide(catalog, merchant_id, approve=True)
    step = await step_of(catalog, merchant_id, owner, "PAYOUT_ACCOUNT")
    assert (step["state"], "individual business" in step["reason_en"]) == ("REFUSED", True)
    await bind_account(catalog, merchant_id, owner)
    assert await step_of(catalog, merchant_id, owner, "PAYOUT_ACCOUNT") == {
        "step": "PAYOUT_ACCOUNT",
        "state": "DONE",
        "reason_zh": "",
        "reason_en": "",
    }


async def test_a_merchant_that_changed_since_it_was_read_does_not_wait_on_what_was_read(catalog: Catalog) -> None:
    merchant_id, owner = await verified_merchant(catalog)
    async with catalog.db.transaction() as tx:
        merchant = await store.merchant(tx, merchant_id)
        assert merchant is not None
        await tx.execute("update merchants set version = version + 1 where merchant_id = $1", merchant_id)
        assert await store.apply_again(tx, merchant, merchant.application, owner) is None


async def test_an_account_that_changed_since_it_was_read_is_not_refused_by_what_was_read(catalog: Catalog) -> None:
    merchant_id, _ = await opened_merchant(catalog)
    async with catalog.db.transaction() as tx:
        account = await store.payout_account(tx, merchant_id)
        assert account is not None
        await tx.execute("update payout_accounts set version = version + 1 where merchant_id = $1", merchant_id)
        assert await store.refuse_account(tx, account, Found.of(SubjectMismatch), OPERATOR) is None


async def test_a_licence_does_not_change_while_an_account_is_bound_to_it(
    catalog: Catalog, environment: Environment
) -> None:
    """Else the account could be in after the new licence was verified, and nobody would have compared the two."""
    merchant_id, owner = await verified_merchant(catalog)
    holder = AccountHolder(PayoutAccountKind.ENTERPRISE, "重庆老码头餐饮有限公司", real_name_verified=True)
    seals = Seals(seal_keys(environment.local.keys))
    async with catalog.db.transaction() as binding:
        await use_cases.submit_payout_account(binding, merchant_id, owner, holder, "a@b.example", seals, None)
        with pytest.raises(asyncpg.LockNotAvailableError):
            await _change_without_patience(catalog, merchant_id, owner)


async def _change_without_patience(catalog: Catalog, merchant_id: UUID, owner: str) -> None:
    async with catalog.db.transaction() as tx:
        await tx.execute("set local lock_timeout = '100ms'")
        known = await store.merchant(tx, merchant_id)
        assert known is not None
        await store.apply_again(tx, known, known.application, owner)


@asynccontextmanager
async def _days_later(catalog: Catalog, days: int) -> AsyncIterator[None]:
    catalog.db.clock.move_to_offset(timedelta(days=days).total_seconds())
    try:
        yield
    finally:
        catalog.db.clock.move_to_offset(0)


async def test_a_verified_licence_ends_with_its_last_day_and_a_new_one_begins_again(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    await _change(catalog, shop.merchant_id, shop.owner, licence_expires_on=in_days(16))
    await _decide(catalog, shop.merchant_id, approve=True)
    async with _days_later(catalog, 1):
        step = await step_of(catalog, shop.merchant_id, shop.owner, "ENTERPRISE_VERIFICATION")
        assert (step["state"], in_days(16) in step["reason_zh"]) == ("DONE", True)
    async with _days_later(catalog, 16):
        assert (await _merchant(catalog, shop.merchant_id))["state"] == "VERIFIED"
    async with _days_later(catalog, 17):

        async def ended() -> bool:
            return bool((await _merchant(catalog, shop.merchant_id))["state"] == "REJECTED")

        await eventually(ended, what="the licence has ended")
        assert (await catalog.get(None, f"/deals/{deal_id}")).json()["state"] == "OFFLINE"
        same = await _change(catalog, shop.merchant_id, shop.owner, licence_expires_on=in_days(16))
        assert same["code"] == "licence_expires_soon"
    step = await step_of(catalog, shop.merchant_id, shop.owner, "ENTERPRISE_VERIFICATION")
    assert (step["state"], "过期" in step["reason_zh"], "expired" in step["reason_en"]) == ("REFUSED", True, True)
    assert (await catalog.said(shop.merchant_id))[-1][1]["state"] == "REJECTED"
    renewed = await _change(catalog, shop.merchant_id, shop.owner, licence_expires_on=in_days(800))
    assert renewed["state"] == "APPLIED"
    verified = await _decide(catalog, shop.merchant_id, approve=True)
    assert (verified["state"], verified["payout_account"]["state"]) == ("VERIFIED", "VERIFIED")


async def _expire(catalog: Catalog, merchant_id: UUID, days: int) -> None:
    """The timer, as it fires some days from now."""
    async with catalog.db.transaction() as tx:
        tx.now += timedelta(days=days)
        await use_cases.expire_licences(tx, [merchant_id])


async def test_an_old_timer_ends_no_renewed_and_no_waiting_licence(catalog: Catalog) -> None:
    renewed, _ = await verified_merchant(catalog)
    waiting, _ = await applied_merchant(catalog)
    await _expire(catalog, renewed, 400)
    await _expire(catalog, waiting, 500)
    states = [(await _merchant(catalog, one))["state"] for one in (renewed, waiting)]
    assert states == ["VERIFIED", "APPLIED"]


async def test_a_licence_that_ends_while_its_merchant_is_suspended_ends_underneath(catalog: Catalog) -> None:
    merchant_id, _ = await verified_merchant(catalog)
    path = f"/merchants/{merchant_id}/suspension"
    await catalog.put(OPERATOR, path, {"suspended": True, "reason": "投诉过多"})
    await _expire(catalog, merchant_id, 401)
    assert (await _merchant(catalog, merchant_id))["state"] == MerchantState.SUSPENDED
    lifted = (await catalog.put(OPERATOR, path, {"suspended": False})).json()
    assert lifted["state"] == MerchantState.REJECTED
