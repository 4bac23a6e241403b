"""The stores of a merchant: competing for another's, reading why a claim was refused, appealing, giving one back."""

import re
from typing import Any

import httpx
import pytest

from services.catalog.domain.claims import AWARDED_TO_ANOTHER, GIVEN_BACK
from tests.unit.web.conftest import SignIn, csrf_of
from tests.unit.web.town import HOTPOT_MERCHANT, STORE, Refusal, Town, known_id
from tests.unit.web.town.desks import CLAIM, claim, own_store

AT = f"merchant={HOTPOT_MERCHANT}"
FREE = known_id("a store of nobody")
APPEAL = {"text": "执照就是这里\r\n见附件", "evidence": "lease-2024.pdf"}


def refused_claim(town: Town, state: str = "REJECTED", **changes: Any) -> None:
    """The merchant's only claim was decided against it."""
    town.claims = [
        claim(CLAIM, HOTPOT_MERCHANT, "老码头火锅", state=state, reason="租约与执照不符", version=2, **changes)
    ]
    town.own_stores = [own_store(state=state, reason="租约与执照不符")]


async def test_a_merchant_sees_its_stores_with_the_state_of_each_claim(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    town.own_stores += [
        own_store(store_id=known_id(state), name=f"门店 {state}", state=state, claim_id=known_id(state))
        for state in ("CLAIMED", "RELEASED", "LOST")
    ]
    await sign_in("merchant-hotpot")
    assert f'href="/m/stores?{AT}"' in (await browser.get("/m")).text
    page = (await browser.get("/m/stores")).text
    for shown in ("已认领", "待审核", "已放弃", "已失去", "10:30–次日 02:00"):
        assert shown in page


@pytest.mark.parametrize("state", ["REJECTED", "LOST"])
async def test_a_claim_that_was_decided_against_is_appealed_once(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town, state: str
) -> None:
    refused_claim(town, state)
    await sign_in("merchant-hotpot")
    page = (await browser.get("/m/stores")).text
    assert "租约与执照不符" in page
    action = f"/m/stores/claims/{CLAIM}/appeal?{AT}"
    assert f'action="{action}"' in page
    done = await browser.post(action, data={"csrf": csrf_of(page), **APPEAL})
    assert done.headers["location"] == f"/m/stores?{AT}"
    body = {"text": "执照就是这里\n见附件", "evidence": "lease-2024.pdf"}
    assert town.heard == [("PUT", f"/claims/{CLAIM}/appeal", body)]
    town.claims[0]["appeal"] = body
    again = (await browser.get("/m/stores")).text
    assert "你的申诉" in again
    assert "/appeal" not in again


@pytest.mark.parametrize(
    ("reason", "zh", "en"),
    [
        (AWARDED_TO_ANOTHER, "门店已判给另一认领商家", "The store was awarded to another claimant"),
        (GIVEN_BACK, "商家放弃认领", "The merchant gave the store back"),
        ("租约不符 · lease 77", "租约不符 · lease 77", "租约不符 · lease 77"),
        ("The lease is over", "The lease is over", "The lease is over"),
    ],
)
async def test_the_platforms_own_reasons_are_read_in_ones_own_language_and_peoples_as_they_are(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town, reason: str, zh: str, en: str
) -> None:
    refused_claim(town, "LOST")
    town.own_stores[0]["reason"] = reason
    await sign_in("merchant-hotpot")
    for language, words in (("zh", zh), ("en", en)):
        assert f"</b>{words}</p>" in (await browser.get("/m/stores", params={"lang": language})).text


async def test_an_appeal_needs_words_and_proof_and_a_refusal_is_told_in_words(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    refused_claim(town)
    await sign_in("merchant-hotpot")
    action = f"/m/stores/claims/{CLAIM}/appeal?{AT}"
    form = {"csrf": csrf_of((await browser.get("/m/stores")).text), **APPEAL}
    for missing in ({"text": " "}, {"evidence": ""}, {"text": "x" * 2001}):
        assert (await browser.post(action, data={**form, **missing})).status_code == 422
    assert town.heard == []
    town.refusals["/appeal"] = Refusal(409, "appeal_used", "该认领已申诉过一次")
    refused = await browser.post(action, data=form)
    assert refused.status_code == 409
    assert "该认领已申诉过一次" in refused.text
    assert "appeal_used" not in refused.text


async def test_a_store_is_found_by_name_or_id_and_claimed_with_proof(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    town.claims = []
    await sign_in("merchant-hotpot")
    assert f'href="/m/stores/{STORE}/claim?{AT}"' in (await browser.get("/m/stores/find", params={"q": "国贸"})).text
    assert "没有找到" in (await browser.get("/m/stores/find", params={"q": "zzz"})).text
    by_id = await browser.get("/m/stores/find", params={"q": STORE})
    assert by_id.headers["location"] == f"/m/stores/{STORE}/claim?{AT}"
    page = (await browser.get(by_id.headers["location"])).text
    assert "以「老码头火锅」的名义认领" in page
    action = re.search(rf'action="(/m/stores/{STORE}/claims/([0-9a-f-]+)\?[^"]+)"', page)
    assert action is not None
    form = {"csrf": csrf_of(page), "evidence": " lease.pdf "}
    done = await browser.post(action[1], data=form)
    assert done.headers["location"] == f"/m/stores?{AT}"
    body = {"merchant_id": HOTPOT_MERCHANT, "licence_evidence": "lease.pdf"}
    assert town.heard == [("PUT", f"/stores/{STORE}/claims/{action[2]}", body)]
    assert (await browser.post(action[1], data={**form, "evidence": " "})).status_code == 422


async def test_a_store_that_nobody_was_awarded_is_claimed_by_its_id(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    town.claims = [claim(CLAIM, known_id("rival merchant"), "新码头火锅", store_id=FREE)]
    await sign_in("merchant-hotpot")
    page = (await browser.get(f"/m/stores/{FREE}/claim")).text
    assert "未公开的门店" in page
    assert FREE in page
    assert "新码头火锅" not in page
    assert f'action="/m/stores/{FREE}/claims/' in page
    assert (await browser.get(f"/m/stores/{known_id('no store')}/claim")).status_code == 404


@pytest.mark.parametrize(
    ("state", "words"), [("CLAIMED", "正在等待平台审核"), ("APPEALED", "正在等待平台审核"), ("APPROVED", "已归你所有")]
)
async def test_who_waits_or_holds_is_not_asked_to_claim_again(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town, state: str, words: str
) -> None:
    town.claims[0]["state"] = state
    await sign_in("merchant-hotpot")
    page = (await browser.get(f"/m/stores/{STORE}/claim")).text
    assert words in page
    assert 'name="evidence"' not in page


async def test_an_owner_gives_a_store_back_on_the_version_that_was_seen(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("merchant-hotpot")
    page = (await browser.get("/m/stores")).text
    assert "仅限本店使用的券自动退款" in page
    assert 'name="seen" value="7"' in page
    done = await browser.post(f"/m/stores/{STORE}/release?{AT}", data={"csrf": csrf_of(page), "seen": "7"})
    assert done.headers["location"] == f"/m/stores?{AT}"
    assert town.heard == [("PUT", f"/stores/{STORE}/release", {})]
    assert town.quoted == ['"7"']


async def test_clerks_see_the_stores_and_managers_claim_but_only_owners_give_back(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    for subject, claims, releases in (("clerk-hotpot", False, False), ("manager-hotpot", True, False)):
        await sign_in(subject)
        page = (await browser.get("/m/stores")).text
        assert "已认领" in page
        assert ("/m/stores/find" in page) is claims
        assert ("/release" in page) is releases
    town.claims = []
    await sign_in("clerk-hotpot")
    assert 'name="evidence"' not in (await browser.get(f"/m/stores/{STORE}/claim")).text


async def test_an_operator_who_also_works_for_a_merchant_sees_that_merchants_claims_alone(
    browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    await sign_in("operator-who-owns")
    page = (await browser.get(f"/m/stores/{STORE}/claim")).text
    assert "lease-老码头火锅.jpg" in page
    assert "lease-新码头火锅.jpg" not in page
