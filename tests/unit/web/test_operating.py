"""The operator's desk: claims side by side, fees, reviews with their differences, and what is done to one merchant."""

import re
from typing import Any

import httpx
import pytest

from services.web.review_words import lines, named
from services.web.texts import Speech
from tests.unit.web.conftest import SignIn, csrf_of
from tests.unit.web.town import HOTPOT, HOTPOT_MERCHANT, STORE, Town, known_id
from tests.unit.web.town.desks import CLAIM, RIVAL_CLAIM

MERCHANT = f"/o/merchants/{HOTPOT_MERCHANT}"


async def test_competing_claims_stand_side_by_side_with_the_appeal(browser: httpx.AsyncClient, sign_in: SignIn) -> None:
    await sign_in("operator-one")
    page = (await browser.get("/o")).text
    stores = page[page.index('id="stores"') : page.index('id="deals"')]
    assert stores.count('class="parcel"') == 1, "one store, however many claim it"
    assert stores.count('class="claim"') == 2
    for shown in ("老码头火锅", "新码头火锅", "租约自 2024 年起在我方名下", "lease-2024.pdf", "10:30–次日 02:00"):
        assert shown in stores
    seen = {
        claim: re.search(rf'/o/claims/{claim}">.*?name="seen" value="(\d)"', stores) for claim in (CLAIM, RIVAL_CLAIM)
    }
    assert [found[1] for found in seen.values() if found] == ["1", "4"]


async def test_a_claim_is_decided_on_the_version_that_was_seen(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("operator-one")
    csrf = csrf_of((await browser.get("/o")).text)
    form = {"csrf": csrf, "seen": "4", "approve": "yes", "back": f"/o/stores/{STORE}"}
    done = await browser.post(f"/o/claims/{RIVAL_CLAIM}", data=form)
    assert done.headers["location"] == f"/o/stores/{STORE}"
    assert town.heard == [("PUT", f"/claims/{RIVAL_CLAIM}/decision", {"approve": True, "reason": None})]
    assert town.quoted == ['"4"']
    assert (await browser.post(f"/o/claims/{CLAIM}", data={**form, "back": "//evil.example"})).status_code == 422


async def test_a_settled_claim_offers_no_decision(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    town.queue["stores"] = town.queue["stores"][1:]
    town.queue["stores"][0]["competing"][0]["state"] = "APPROVED"
    await sign_in("operator-one")
    page = (await browser.get("/o")).text
    assert "已认领" in page
    assert f"/o/claims/{CLAIM}" not in page
    assert f"/o/claims/{RIVAL_CLAIM}" in page


@pytest.mark.parametrize("kind", ["merchants", "payout_accounts", "fees", "stores", "deals"])
async def test_each_kind_that_waits_goes_on_where_catalog_says(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town, kind: str
) -> None:
    await sign_in("operator-one")
    assert "加载更多" not in (await browser.get("/o")).text
    town.queue["next_cursors"] = {kind: "c+1"}
    page = (await browser.get("/o")).text
    (more,) = re.findall(r'href="(/o\?[^"]*)"', page)
    assert more == f"/o?kind={kind}&amp;cursor=c%2B1"
    rest = (await browser.get("/o", params={"kind": kind, "cursor": "c+1"})).text
    assert town.continued[-1] == {"kind": kind, "cursor": "c+1"}
    assert re.findall(r'<section class="card[^"]*" id="([a-z_]+)"', rest) == [kind]
    assert (await browser.get("/o", params={"kind": "lunches"})).status_code == 422


async def test_a_fee_is_recorded_with_its_reference(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("operator-one")
    page = (await browser.get("/o")).text
    assert "¥600.00" in page
    form = {"csrf": csrf_of(page), "state": "PAID", "reference": "银行流水 08"}
    done = await browser.post(f"{MERCHANT}/fees/VERIFICATION", data=form)
    assert done.headers["location"] == MERCHANT
    body = {"state": "PAID", "reference": "银行流水 08"}
    assert town.heard == [("PUT", f"/merchants/{HOTPOT_MERCHANT}/fees/VERIFICATION", body)]
    assert (await browser.post(f"{MERCHANT}/fees/VERIFICATION", data={**form, "reference": " "})).status_code == 422


async def test_a_review_shows_the_old_beside_the_new_and_marks_what_differs(
    browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    await sign_in("operator-one")
    page = (await browser.get(f"/o/deals/{HOTPOT}")).text
    changed, same = page.split("<details>")
    assert changed.count("diff-row differs") == 3
    assert "differs" not in same
    assert changed.index("¥128.00") < changed.index("¥138.00")
    for shown in ("鲜毛肚 ×2 ¥68.00 200 g", "可用时段: 周一至周五 11:00–21:00"):
        assert shown in changed
    for shown in ("2026年11月1日 00:00", "餐饮", "随时退"):
        assert shown in same
    assert '<option value="RULES_UNCLEAR">使用规则不清楚</option>' in page


async def test_a_first_version_is_shown_alone(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    town.review |= {"current": None, "changed": []}
    await sign_in("operator-one")
    page = (await browser.get(f"/o/deals/{HOTPOT}")).text
    assert "首次提交" in page
    assert "线上版本" not in page
    assert "¥138.00" in page


@pytest.mark.parametrize(
    ("filled", "body"),
    [
        ({"approve": "yes"}, {"approve": True, "reason": None}),
        (
            {"approve": "no", "template": "RULES_UNCLEAR"},
            {"approve": False, "reason": None, "template": "RULES_UNCLEAR"},
        ),
        ({"approve": "no", "reason": "图太小"}, {"approve": False, "reason": "图太小"}),
        ({"approve": "no", "template": "OTHER", "reason": "x"}, {"approve": False, "reason": "x", "template": "OTHER"}),
        ({"approve": "no"}, None),
        ({"approve": "no", "template": "OTHER"}, None),
    ],
)
async def test_a_refused_draft_needs_a_reason_of_the_list_or_words(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town, filled: dict[str, str], body: Any
) -> None:
    await sign_in("operator-one")
    form = {"csrf": csrf_of((await browser.get(f"/o/deals/{HOTPOT}")).text), "seen": "2", **filled}
    answer = await browser.post(f"/o/deals/{HOTPOT}", data=form)
    assert answer.status_code == (422 if body is None else 303)
    assert [sent for _, path, sent in town.heard if path == f"/deals/{HOTPOT}/review"] == ([body] if body else [])


async def test_a_merchant_is_suspended_and_goes_on_again(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("operator-one")
    page = (await browser.get(MERCHANT)).text
    assert "停业后停止售卖" in page
    form = {"csrf": csrf_of(page), "seen": "3", "suspended": "yes", "reason": "多次投诉"}
    await browser.post(f"{MERCHANT}/suspension", data=form)
    town.merchant |= {"state": "SUSPENDED", "suspension_reason": "多次投诉"}
    page = (await browser.get(MERCHANT)).text
    assert "恢复营业" in page
    assert "多次投诉" in page
    await browser.post(f"{MERCHANT}/suspension", data={"csrf": csrf_of(page), "suspended": "no"})
    assert [body for _, _, body in town.heard] == [
        {"suspended": True, "reason": "多次投诉"},
        {"suspended": False, "reason": None},
    ]


async def test_support_runs_from_a_day_to_the_end_of_another(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("operator-one")
    csrf = csrf_of((await browser.get(MERCHANT)).text)
    form = {"csrf": csrf, "weight": "5", "starts_on": "2026-12-01", "ends_on": "2026-12-03"}
    await browser.post(f"{MERCHANT}/support", data=form)
    body = {"weight": 5, "starts_at": "2026-11-30T16:00:00+00:00", "ends_at": "2026-12-03T16:00:00+00:00"}
    assert town.heard == [("PUT", f"/merchants/{HOTPOT_MERCHANT}/support", body)]
    for wrong in ({"weight": "11"}, {"ends_on": "soon"}):
        assert (await browser.post(f"{MERCHANT}/support", data={**form, **wrong})).status_code == 422


async def test_support_is_shown_and_ended(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    town.merchant["support"] = {
        "version": 7,
        "weight": 5,
        "starts_at": "2026-11-30T16:00:00+00:00",
        "ends_at": "2026-12-03T16:00:00+00:00",
    }
    await sign_in("operator-one")
    page = (await browser.get(MERCHANT)).text
    assert "权重 5，2026-12-01 至 2026-12-03" in page
    assert page.count('name="seen" value="7"') == 2, "both are done to the support that was seen"
    form = {"csrf": csrf_of(page), "seen": "7"}
    days = {"weight": "6", "starts_on": "2026-12-01", "ends_on": "2026-12-03"}
    assert (await browser.post(f"{MERCHANT}/support", data={**form, **days})).status_code == 303
    ended = await browser.post(f"{MERCHANT}/support/end", data=form)
    assert ended.headers["location"] == MERCHANT
    assert [method for method, _, _ in town.heard] == ["PUT", "DELETE"]
    assert town.quoted == ['"7"', '"7"']


async def test_a_store_is_closed_and_opened_again(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("operator-one")
    page = (await browser.get(f"/o/stores/{STORE}")).text
    assert "认领记录" in page
    await browser.post(f"/o/stores/{STORE}/closing", data={"csrf": csrf_of(page), "closed": "yes", "reason": "停业"})
    town.store_page |= {"open": False, "closed_reason": "停业"}
    page = (await browser.get(f"/o/stores/{STORE}")).text
    assert "门店已关闭" in page
    await browser.post(f"/o/stores/{STORE}/closing", data={"csrf": csrf_of(page), "closed": "no"})
    assert [body for _, _, body in town.heard] == [
        {"closed": True, "reason": "停业"},
        {"closed": False, "reason": None},
    ]


async def test_a_store_that_was_never_awarded_shows_what_its_claimants_say(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    new = known_id("a store of nobody")
    town.claims = [{**one, "store_id": new} for one in town.claims]
    town.queue["stores"] = [{**one, "store_id": new, "name": "海甸店"} for one in town.queue["stores"]]
    await sign_in("operator-one")
    assert (await browser.get("/o/find", params={"q": new})).headers["location"] == f"/o/stores/{new}"
    page = (await browser.get(f"/o/stores/{new}")).text
    for shown in ("海甸店", "美兰区国贸路 56 号", f"/o/claims/{CLAIM}", f"/o/claims/{RIVAL_CLAIM}"):
        assert shown in page
    town.queue["stores"] = []
    page = (await browser.get(f"/o/stores/{new}")).text
    assert "未公开的门店" in page
    assert f"/o/claims/{CLAIM}" in page


async def test_a_review_names_the_stores_and_shows_the_picture(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    gone = known_id("a store of nobody")
    town.review["proposed"] |= {"store_ids": [STORE, gone], "cover": "hotpot", "per_buyer_limit": 0}
    await sign_in("operator-one")
    page = (await browser.get(f"/o/deals/{HOTPOT}")).text
    assert f"老码头火锅（海口国贸店）\n{gone}" in page
    assert STORE not in page
    assert "covers/hotpot.svg" in page
    assert "不限购" in page


async def test_a_merchant_or_a_store_is_found_by_id_and_a_store_by_name(
    browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    await sign_in("operator-one")
    for wanted, target in ((HOTPOT_MERCHANT, MERCHANT), (STORE, f"/o/stores/{STORE}")):
        assert (await browser.get("/o/find", params={"q": wanted})).headers["location"] == target
    assert f'href="/o/stores/{STORE}"' in (await browser.get("/o/find", params={"q": "国贸"})).text
    for nothing in (known_id("nothing"), "x" * 36):
        assert "没有找到" in (await browser.get("/o/find", params={"q": nothing})).text


async def test_an_operators_pages_are_for_operators(browser: httpx.AsyncClient, sign_in: SignIn) -> None:
    await sign_in("merchant-hotpot")
    for path in (MERCHANT, f"/o/stores/{STORE}", "/o/find", "/o"):
        assert (await browser.get(path)).status_code == 403


def test_what_catalog_wrote_is_told_in_words() -> None:
    t = Speech("zh")
    assert lines("blackout_weekdays", [6, 7], t) == ["周六、周日"]
    assert lines("hotel", {"nights": 2, "breakfasts": 0, "room_type": ""}, t) == ["晚数: 2", "早餐: 0"]
    assert lines("use_until", "soon", t) == ["soon"]
    assert lines("hours", "10:30", t) == ["10:30"]
    assert len(lines("store_ids", [str(n) for n in range(50)], t)) == 41
    assert named({"rules": {}, "cash": None, "phone": "1"}, t) == [("电话", ["1"])]
