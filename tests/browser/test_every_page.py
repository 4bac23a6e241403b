"""Every page on a small phone, in both languages: nothing overflows, or is too small to press, or is refused."""

import pytest

from tests.browser.conftest import Site, chromium, complaints, visitor
from tests.unit.web.town import (
    CARD,
    FRUIT,
    GOODS_ORDER,
    HOTEL,
    HOTPOT,
    HOTPOT_MERCHANT,
    HOTPOT_VIDEO,
    INVITATION,
    JOURNEY,
    LIVE,
    PARTNER,
    SHARE_CODE,
    STORE,
    VOUCHER,
    VOUCHER_ORDER,
    known_id,
)
from tests.unit.web.town.bought import order

UNPAID = known_id("unpaid order")

BUYER = (
    "/", f"/v/{HOTPOT_VIDEO}/comments", "/nearby", f"/d/{HOTPOT}", f"/d/{HOTEL}", f"/d/{HOTPOT}/buy", f"/d/{FRUIT}/buy",
    f"/d/{VOUCHER}", f"/d/{CARD}", f"/d/{PARTNER}", f"/d/{JOURNEY}", f"/d/{FRUIT}", f"/d/{CARD}/buy", "/live",
    f"/live/{LIVE}", f"/store/{STORE}", "/search", "/search?latitude=20.031&longitude=110.331",
    "/search?for=stores&q=老码头", "/search?q=zzz", f"/s/{SHARE_CODE}", f"/s/{SHARE_CODE}/poster", f"/i/{INVITATION}",
    "/orders", f"/orders/{VOUCHER_ORDER}", f"/orders/{GOODS_ORDER}", f"/orders/{VOUCHER_ORDER}/refund",
    f"/orders/{VOUCHER_ORDER}/after-use", f"/orders/{VOUCHER_ORDER}/result", "/me", "/dev", f"/orders/{UNPAID}",
    f"/orders/{UNPAID}/scan-to-pay",
)  # fmt: skip
STAFF = (
    "/scan", "/scan/redemptions", "/m", "/m/deals", "/m/deals/new", "/m/deals/new?form=SET",
    "/m/deals/new?form=CASH_VOUCHER",
    "/m/deals/new?form=TIMES_CARD", "/m/deals/new?form=GOODS", "/m/deals/new?form=THIRD_PARTY_CODE",
    f"/m/deals/{HOTEL}/edit", f"/m/deals/{JOURNEY}/edit", f"/m/deals/{FRUIT}/edit", f"/m/deals/{VOUCHER}/edit",
    "/m/orders", f"/m/deliveries/{GOODS_ORDER}", f"/m/deliveries/{GOODS_ORDER}/leave",
    "/o/mass-refunds", "/m/staff", "/m/stores", "/m/stores/new", f"/m/stores/{STORE}/claim",
    "/m/stores/find?q=老码头", "/m/statement", "/m/reviews", f"/m/codes/{PARTNER}", "/m/code-issuer", "/ride", "/o",
    "/o/arbitrations", "/o/external-refunds", "/o/carriers", "/o/books", "/o/books?resolved=true",
    "/o/books/days?day=2026-11-21", "/o/books/days?day=2026-11-20", "/o/books/unredeemed", "/o/books/dunning",
    f"/o/deals/{HOTPOT}", f"/o/merchants/{HOTPOT_MERCHANT}", f"/o/stores/{STORE}", "/o/find?q=老码头",
)  # fmt: skip
TOO_SMALL = """
[...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, summary, label.button")]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest(".unseen, .skip, [hidden]")
    && !one.matches(".unseen, .skip, label.option input, .quiet a, .rows a, pre *"))
  .map((one) => [one, (one.closest("label.option") ?? one).getBoundingClientRect()])
  .filter(([, box]) => box.width < 44 || box.height < 47.5)
  .map(([one, box]) => `${one.outerHTML.slice(0, 80)} ${Math.round(box.width)}x${Math.round(box.height)}`)
"""


@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
@pytest.mark.parametrize(("subject", "paths"), [("buyer-an", BUYER), ("operator-one", STAFF)])
async def test_pages_fit_a_small_phone(site: Site, subject: str, paths: tuple[str, ...], language: str) -> None:
    site.town.orders[UNPAID] = order(UNPAID, site.town.deals[HOTPOT], state="PLACED", paid_at=None)
    async with chromium() as browser:
        page = await visitor(browser, site, subject, language)
        wrong: list[str] = []
        for path in paths:
            for width in (320, 390):
                await page.set_viewport_size({"width": width, "height": 844})
                await page.goto(site.url + path)
                overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
                wrong += [f"{path} is {overflow} px wider than {width} px"] if overflow > 0 else []
                wrong += [f"{path} at {width} px: {small}" for small in await page.evaluate(TOO_SMALL)]
        assert wrong + complaints(page) == []


async def test_pages_work_without_scripts(site: Site) -> None:
    async with chromium() as browser:
        context = await browser.new_context(java_script_enabled=False, locale="zh-CN")
        page = await context.new_page()
        await page.route("https://pay.example/**", lambda route: route.fulfill(body="cashier"))
        await page.goto(site.url)
        await page.locator(".rail a").first.click()
        await page.wait_for_url("**/comments")
        assert "毛肚真的新鲜" in await page.inner_text("main")
        await page.goto(f"{site.url}/login?hint=buyer-an&next=/d/{HOTPOT}/buy")
        await page.get_by_role("button", name="支付宝支付").click()
        await page.wait_for_url("https://pay.example/**")


async def test_another_phone_pays_without_scripts_on_this_one(site: Site) -> None:
    async with chromium() as browser:
        context = await browser.new_context(java_script_enabled=False, locale="zh-CN")
        page = await context.new_page()
        await page.goto(f"{site.url}/login?hint=buyer-an&next=/d/{HOTPOT}/buy")
        site.town.codes_to_wait_for = 1
        await page.get_by_text("扫码支付").click()
        await page.get_by_role("button", name="支付宝支付").click()
        await page.wait_for_url("**/scan-to-pay")
        await page.get_by_role("button", name="重新获取").click()
        assert await page.get_by_role("img", name="支付宝付款码").is_visible()
        await page.get_by_role("link", name="我已完成支付").click()
        await page.wait_for_url("**/result")
