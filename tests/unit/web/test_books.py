"""The operator's books, and the merchant's statement by store and certificate with what comes next."""

import re

import httpx
import pytest

from tests.unit.web.conftest import SignIn, csrf_of
from tests.unit.web.town import HOTPOT_MERCHANT, STORE, Refusal, Town, known_id

FOUND = known_id("incident HZ01RFfirst")


@pytest.fixture
async def operator(sign_in: SignIn) -> None:
    await sign_in("operator-one")


async def act(browser: httpx.AsyncClient, path: str, **data: str) -> httpx.Response:
    page = (await browser.get("/o/books")).text
    return await browser.post(path, data={"csrf": csrf_of(page), **data})


@pytest.mark.usefixtures("operator")
async def test_what_needs_a_look_goes_from_open_to_its_owner_to_its_resolution(
    browser: httpx.AsyncClient, town: Town
) -> None:
    assert "/o/books" in (await browser.get("/o")).text
    page = (await browser.get("/o/books")).text
    for shown in ("长款：账单有，我方无", "¥50.00", "尚无人负责", "打款失败", "operator-two"):
        assert shown in page
    assert "手续费已更正" not in page
    assert 'name="resolution"' not in page, "who resolves it has taken it before"

    taken = await act(browser, f"/o/books/incidents/{FOUND}/owner")
    assert taken.headers["location"] == f"/o/books#incident-{FOUND}"
    assert 'name="resolution"' in (await browser.get("/o/books")).text
    done = await act(browser, f"/o/books/incidents/{FOUND}/resolution", resolution=" 已补记退款 ")
    assert done.status_code == 303
    assert town.heard == [
        ("PUT", f"/admin/incidents/{FOUND}/owner", {}),
        ("PUT", f"/admin/incidents/{FOUND}/resolution", {"resolution": "已补记退款"}),
    ]
    assert f"incident-{FOUND}" not in (await browser.get("/o/books")).text
    resolved = (await browser.get("/o/books?resolved=true")).text
    assert "已补记退款" in resolved
    assert "手续费已更正" in resolved


@pytest.mark.usefixtures("operator")
async def test_a_colleague_who_was_faster_is_told_of(browser: httpx.AsyncClient, town: Town) -> None:
    town.refusals["/owner"] = Refusal(409, "incident_resolved", "该事项已由 operator-two 处理完毕")
    page = await act(browser, f"/o/books/incidents/{FOUND}/owner")
    assert page.status_code == 409
    assert "该事项已由 operator-two 处理完毕" in page.text


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize("back", ["//elsewhere.example", "/o/books/days?day=2026-11-21&x=//y", "/me"])
async def test_a_form_leads_nowhere_else(browser: httpx.AsyncClient, back: str) -> None:
    assert (await act(browser, f"/o/books/incidents/{FOUND}/owner", back=back)).status_code == 422


@pytest.mark.usefixtures("operator")
async def test_a_day_shows_its_bill_and_its_differences(browser: httpx.AsyncClient, town: Town) -> None:
    page = (await browser.get("/o/books/days?day=2026-11-21")).text
    for shown in ("318", "316", f"incident-{FOUND}", "手续费已更正", "未出账", "可下载", "无账单"):
        assert shown in page
    town.bills["2026-11-21"] |= {"unfiled": 7}
    assert "另有 7 条未登记" in (await browser.get("/o/books/days?day=2026-11-21")).text


@pytest.mark.usefixtures("operator")
async def test_a_bill_that_is_due_is_fetched_and_one_that_is_not_out_is_waited_for(
    browser: httpx.AsyncClient, town: Town
) -> None:
    due = (await browser.get("/o/books/days?day=2026-11-20")).text
    assert 'action="/o/books/days/2026-11-20"' in due
    fetched = await act(browser, "/o/books/days/2026-11-20")
    assert fetched.headers["location"] == "/o/books/days?day=2026-11-20"
    assert town.heard == [("PUT", "/admin/bills/2026-11-20", {})]
    assert "groupbuy reconcile --date 2026-11-20" in (await browser.get("/o/books/days?day=2026-11-20")).text
    assert 'action="/o/books/days/' not in (await browser.get("/o/books/days?day=2026-11-22")).text
    town.refusals["/admin/bills"] = Refusal(409, "bill_not_ready", "支付宝账单尚未生成")
    refused = await act(browser, "/o/books/days/2026-11-19")
    assert refused.status_code == 409
    assert "支付宝账单尚未生成" in refused.text


@pytest.mark.usefixtures("operator")
async def test_what_is_unredeemed_and_who_owes_are_listed(browser: httpx.AsyncClient) -> None:
    unredeemed = (await browser.get("/o/books/unredeemed")).text
    for shown in ("老码头火锅", "¥11,008.00", "86 件 · 剩余 92 次", "未知商家"):
        assert shown in unredeemed
    dunning = (await browser.get("/o/books/dunning")).text
    for shown in ("支付宝扣回", "从打款抵扣", "¥39.60", "平台自营水果店"):
        assert shown in dunning


async def test_the_statement_tells_stores_and_certificates_apart_and_how_the_next_payout_comes_about(
    browser: httpx.AsyncClient, town: Town, sign_in: SignIn
) -> None:
    await sign_in("merchant-hotpot")
    town.owing = True
    page = (await browser.get(f"/m/statement?merchant={HOTPOT_MERCHANT}&day=2026-11-22")).text
    for shown in ("¥512.00", "-¥3.08", "抵扣欠款", "-¥39.60", "¥469.32", "其他门店", "¥381.69", "¥384.00 − ¥2.31"):
        assert shown in page
    unit = known_id("line 0").replace("-", "")[-8:]
    assert f"券 …{unit}" in page
    (chosen,) = re.findall(rf'href="(/m/statement[^"]+store={STORE})"', page)
    alone = (await browser.get(chosen.replace("&amp;", "&"))).text
    assert "¥384.00 − ¥2.31" not in alone, "one store's lines need no sums of the others"
    assert re.search(rf'store={STORE}" aria-current="page"', alone)


async def test_the_day_is_taken_home_as_a_table_of_one_store_or_of_all(
    browser: httpx.AsyncClient, town: Town, sign_in: SignIn
) -> None:
    await sign_in("merchant-hotpot")
    page = (await browser.get(f"/m/statement?merchant={HOTPOT_MERCHANT}&day=2026-11-22&store={STORE}")).text
    (address,) = re.findall(r'href="(/m/statement/file[^"]+)" download', page)
    table = await browser.get(address.replace("&amp;", "&"))
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert table.headers["content-disposition"] == 'attachment; filename="statement-20261122.csv"'
    assert table.content.startswith(b"\xef\xbb\xbf"), "a spreadsheet reads it as what it is"
    assert f"2026-11-22,{STORE}" in table.text
    town.refusals["/statement.csv"] = Refusal(403, "not_your_merchant", "你不是该商家的员工")
    refused = await browser.get(f"/m/statement/file?merchant={HOTPOT_MERCHANT}&day=2026-11-22")
    assert refused.status_code == 403
    assert "你不是该商家的员工" in refused.text
    town.silent = {"settlement"}
    assert (await browser.get(f"/m/statement/file?merchant={HOTPOT_MERCHANT}&day=2026-11-22")).status_code == 503
