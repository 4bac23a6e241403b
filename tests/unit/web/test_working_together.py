"""The merchant's desk beyond the counter: opening group-buy, deals with their reasons, staff and invitations."""

import re

import httpx
import pytest

from tests.unit.web.conftest import PAGES, SignIn, csrf_of
from tests.unit.web.town import HOTPOT_MERCHANT, INVITATION, STORE, Refusal, Town, known_id

AT = {"merchant": HOTPOT_MERCHANT}


async def test_the_checklist_tells_every_step_its_reason_and_the_fee(
    browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    await sign_in("merchant-hotpot")
    page = (await browser.get("/m")).text
    steps = page[page.index('class="checklist"') : page.index("</ol>")]
    names = ["认证企业号", "企业资质审核", "认证审核费", "绑定支付宝", "开通团购", "认领门店", "第一个团购"]
    assert [name for name in names if name in steps] == names
    assert "等待缴纳认证审核费 600 元" in steps
    assert "¥600.00" in page


async def test_an_owner_applies_to_open_group_buy(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("merchant-hotpot")
    page = (await browser.get("/m")).text
    assert "申请开通团购" in page
    done = await browser.post("/m/opening", data={"csrf": csrf_of(page), **AT})
    assert done.headers["location"] == f"/m?merchant={HOTPOT_MERCHANT}"
    assert town.heard == [("PUT", f"/merchants/{HOTPOT_MERCHANT}/opening", {})]


async def test_what_is_missing_for_opening_is_named(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("merchant-hotpot")
    csrf = csrf_of((await browser.get("/m")).text)
    reason = "还不能开通团购，请先完成「认证审核费」"
    town.refusals["/opening"] = Refusal(409, "opening_not_ready", reason, step="VERIFICATION_FEE")
    refused = await browser.post("/m/opening", data={"csrf": csrf, **AT})
    assert refused.status_code == 409
    assert reason in refused.text


async def test_only_an_unopened_merchants_owner_sees_the_button(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("clerk-hotpot")
    assert "申请开通团购" not in (await browser.get("/m")).text
    for step in town.merchant["checklist"]:
        step["state"] = "DONE"
    await sign_in("merchant-hotpot")
    page = (await browser.get("/m")).text
    assert "申请开通团购" not in page


async def test_a_merchant_that_is_through_sees_its_checklist_only_for_a_warning(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    for step in town.merchant["checklist"]:
        step |= {"state": "DONE", "reason_zh": "", "reason_en": ""}
    await sign_in("merchant-hotpot")
    assert "开通进度" not in (await browser.get("/m")).text
    town.merchant["checklist"][1]["reason_zh"] = "营业执照将于 2026-12-01 到期"
    assert "营业执照将于 2026-12-01 到期" in (await browser.get("/m")).text


async def test_a_suspended_merchant_reads_why(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    town.merchant |= {"state": "SUSPENDED", "suspension_reason": "多次投诉未处理"}
    await sign_in("merchant-hotpot")
    page = (await browser.get("/m")).text
    assert "商家已被停业" in page
    assert "多次投诉未处理" in page


async def test_deals_are_listed_with_their_state_and_the_operators_reason(
    browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    await sign_in("merchant-hotpot")
    page = (await browser.get("/m/deals")).text
    for shown in ("已上架", "未通过", "审核中", "使用规则不清楚：请写明节假日"):
        assert shown in page
    rejected = (await browser.get("/m/deals", params={"state": "REJECTED"})).text
    assert "100 元代金券" in rejected
    assert "毛肚火锅套餐" not in rejected
    assert (await browser.get("/m/deals", params={"state": "LOVELY"})).status_code == 422


async def test_staff_are_listed_with_role_and_stores(browser: httpx.AsyncClient, sign_in: SignIn) -> None:
    await sign_in("merchant-hotpot")
    page = (await browser.get("/m/staff")).text
    assert re.search(r"clerk-hotpot</b><small>老码头火锅（海口国贸店）</small>", page)
    assert re.search(r"merchant-hotpot</b><small>全部门店</small>", page)
    assert "店长 · 已离职" in page


async def test_an_invitation_is_shown_as_link_and_code(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("merchant-hotpot")
    page = (await browser.get("/m/staff")).text
    address = re.search(r'action="(/m/staff/invitations/([0-9a-f-]{36})[^"]*)"', page)
    assert address is not None
    form = {"csrf": csrf_of(page), "role": "CLERK", "store_ids": STORE, "note": " 小王 "}
    shown = (await browser.post(address[1].replace("&amp;", "&"), data=form)).text
    body = {"role": "CLERK", "store_ids": [STORE], "note": "小王"}
    assert town.heard == [("PUT", f"/merchants/{HOTPOT_MERCHANT}/invitations/{address[2]}", body)]
    assert f"{PAGES}/i/{INVITATION}" in shown
    assert 'class="invite-qr" src="data:image/svg+xml;base64,' in shown


async def test_an_open_invitation_is_shown_again_or_withdrawn(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("merchant-hotpot")
    page = (await browser.get("/m/staff")).text
    csrf, path = csrf_of(page), f"/m/staff/invitations/{known_id('invitation')}"
    assert "再次出示" in page
    assert (await browser.post(f"{path}/revocation", data={"csrf": csrf})).status_code == 303
    assert town.heard[0][1].endswith("/revocation")
    town.invitation["state"] = "ACCEPTED"
    assert "再次出示" not in (await browser.get("/m/staff")).text


async def test_only_owners_invite(browser: httpx.AsyncClient, sign_in: SignIn) -> None:
    await sign_in("clerk-hotpot")
    assert "邀请同事" not in (await browser.get("/m/staff")).text
    assert "员工与邀请" not in (await browser.get("/m")).text


async def test_an_invited_person_reads_the_offer_and_accepts(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    stranger = await browser.get(f"/i/{INVITATION}")
    assert stranger.headers["location"] == f"/login?next=%2Fi%2F{INVITATION}"
    await sign_in("buyer-an")
    page = (await browser.get(f"/i/{INVITATION}")).text
    for shown in ("老码头火锅 邀请你加入", "店员", "老码头火锅（海口国贸店）", "将以 buyer-an 的身份加入"):
        assert shown in page
    done = await browser.post(f"/i/{INVITATION}/acceptance", data={"csrf": csrf_of(page)})
    assert done.headers["location"] == "/scan"
    assert town.heard == [("PUT", f"/invitations/{INVITATION}/acceptance", {})]


@pytest.mark.parametrize(
    ("state", "words"), [("ACCEPTED", "已被接受"), ("REVOKED", "已撤回"), ("EXPIRED", "已过期"), ("NEW", "已撤回")]
)
async def test_an_invitation_that_is_over_says_why(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town, state: str, words: str
) -> None:
    await sign_in("buyer-an")
    town.invitation["state"] = state
    page = (await browser.get(f"/i/{INVITATION}")).text
    assert f"该邀请{words}" in page
    assert "接受邀请" not in page


async def test_an_invitation_that_is_taken_meanwhile_is_refused_in_words(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    csrf = csrf_of((await browser.get(f"/i/{INVITATION}")).text)
    town.refusals["/acceptance"] = Refusal(409, "invitation_used", "该邀请已被接受")
    refused = await browser.post(f"/i/{INVITATION}/acceptance", data={"csrf": csrf})
    assert refused.status_code == 409
    assert "该邀请已被接受" in refused.text


async def test_a_token_of_nobody_is_not_found(browser: httpx.AsyncClient, sign_in: SignIn) -> None:
    await sign_in("buyer-an")
    assert (await browser.get("/i/i1.nobodys-token")).status_code == 404


async def test_who_may_not_see_a_desk_is_led_home_rather_than_told_to_try_again(
    browser: httpx.AsyncClient, sign_in: SignIn
) -> None:
    await sign_in("buyer-an")
    for path in ("/m", "/o"):
        page = await browser.get(path)
        assert page.status_code == 403
        assert '<a class="button main" href="/">首页</a>' in page.text
        assert "重试" not in page.text
