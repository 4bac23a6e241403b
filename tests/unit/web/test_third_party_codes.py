"""A merchant fills the pool of a deal with its own codes, and names the system that makes them."""

import re

import httpx

from tests.unit.web.conftest import SignIn, csrf_of
from tests.unit.web.town import HOTPOT_MERCHANT, PARTNER, Refusal, Town

POOL, ISSUER = f"/m/codes/{PARTNER}", "/m/code-issuer"
SECRET = "0123456789abcdef0123456789abcdef"


def import_id_of(page: str) -> str:
    found = re.search(r'name="import_id" value="([0-9a-f-]{36})"', page)
    assert found is not None
    return found[1]


async def test_the_pool_tells_what_is_left_and_who_waits(browser: httpx.AsyncClient, sign_in: SignIn) -> None:
    await sign_in("merchant-hotpot")
    page = (await browser.get(POOL)).text
    assert re.search(r"可发放</dt><dd>1,?200", page)
    assert "2 张券正在等待券码" in page
    assert POOL in (await browser.get("/m/deals")).text


async def test_codes_are_imported_one_per_line_and_told(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("merchant-hotpot")
    page = (await browser.get(POOL)).text
    form = {"csrf": csrf_of(page), "import_id": import_id_of(page), "codes": " AB-12 \r\n\r\nAB-13\n"}
    done = await browser.post(POOL, data=form)
    assert done.status_code == 303
    path = f"/merchants/{HOTPOT_MERCHANT}/code-pools/{PARTNER}/imports/{form['import_id']}"
    assert town.heard == [("PUT", path, {"codes": ["AB-12", "AB-13"]})]
    assert "已导入 2 个券码" in (await browser.get(done.headers["location"])).text


async def test_what_was_typed_stays_when_a_code_is_repeated_and_the_code_is_named(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("merchant-hotpot")
    page = (await browser.get(POOL)).text
    town.refusals["/imports/"] = Refusal(409, "codes_repeated", "有 1 个券码重复或已存在", codes=["AB-12"])
    form = {"csrf": csrf_of(page), "import_id": import_id_of(page), "codes": "AB-12\nAB-14"}
    refused = await browser.post(POOL, data=form)
    assert refused.status_code == 409
    assert "有 1 个券码重复或已存在" in refused.text
    assert "<p>AB-12</p>" in refused.text
    assert "AB-12\nAB-14</textarea>" in refused.text
    assert import_id_of(refused.text) != form["import_id"], "the mended list is another import"


async def test_an_import_whose_answer_never_came_is_sent_again_under_its_id(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("merchant-hotpot")
    page = (await browser.get(POOL)).text
    town.refusals["/imports/"] = Refusal(503, "unavailable", "")
    form = {"csrf": csrf_of(page), "import_id": import_id_of(page), "codes": "AB-12"}
    assert import_id_of((await browser.post(POOL, data=form)).text) == form["import_id"]


async def test_an_empty_list_is_refused_without_asking(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("merchant-hotpot")
    page = (await browser.get(POOL)).text
    form = {"csrf": csrf_of(page), "import_id": import_id_of(page), "codes": " \n "}
    refused = await browser.post(POOL, data=form)
    assert refused.status_code == 409
    assert "请填写 1 至 10000 个券码" in refused.text
    assert town.heard == []


async def test_a_clerk_sees_the_pool_without_a_form(browser: httpx.AsyncClient, sign_in: SignIn) -> None:
    await sign_in("clerk-hotpot")
    page = (await browser.get(POOL)).text
    assert "导入券码" not in page
    assert "发码系统" not in page


async def test_an_owner_names_an_issuer_and_its_secret_is_never_shown(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("merchant-hotpot")
    page = (await browser.get(ISSUER)).text
    assert "还没有设置" in page
    form = {"csrf": csrf_of(page), "url": "https://codes.example/issue", "secret": SECRET}
    assert (await browser.post(ISSUER, data=form)).status_code == 303
    body = {"url": "https://codes.example/issue", "secret": SECRET}
    assert town.heard == [("PUT", f"/merchants/{HOTPOT_MERCHANT}/code-issuer", body)]
    shown = (await browser.get(ISSUER)).text
    assert "https://codes.example/issue" in shown
    assert SECRET not in shown


async def test_an_address_that_is_refused_stays_in_the_form_and_the_secret_does_not(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("merchant-hotpot")
    csrf = csrf_of((await browser.get(ISSUER)).text)
    town.refusals["/code-issuer"] = Refusal(422, "issuer_url_refused", "发码地址须为公网 https")
    form = {"csrf": csrf, "url": "http://10.0.0.1/", "secret": SECRET}
    refused = await browser.post(ISSUER, data=form)
    assert refused.status_code in (409, 422)
    assert "发码地址须为公网 https" in refused.text
    assert SECRET not in refused.text
