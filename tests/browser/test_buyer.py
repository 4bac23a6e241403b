"""A buyer on a phone: from the video to the cashier, and the ticket that a scanner can read."""

import pytest
import zxingcpp
from playwright.async_api import Route, expect

from tests.browser.conftest import Site, chromium, complaints, visitor
from tests.browser.pictures import codes_in
from tests.browser.test_every_page import TOO_SMALL
from tests.unit.web.town import CODE, HOTPOT, HOTPOT_VIDEO, UNIT, VOUCHER_ORDER


async def test_a_buyer_goes_from_the_video_to_the_cashier(site: Site) -> None:
    async with chromium() as browser:
        page = await visitor(browser, site)

        async def cashier(route: Route) -> None:
            await route.fulfill(body="<h1>cashier</h1>", content_type="text/html")

        await page.route("https://pay.example/**", cashier)
        await page.goto(site.url)
        await page.get_by_role("link", name="团购 | 老码头双人毛肚火锅套餐").first.click()
        await page.wait_for_url(f"**/d/{HOTPOT}?source=*")
        await page.get_by_role("link", name="支付宝购买 ¥128.00").click()
        await page.wait_for_url("**/buy?source=*")
        await page.get_by_role("button", name="增加一份").click()
        await expect(page.locator("[data-total]").first).to_have_text("¥256.00")
        await page.get_by_role("button", name="支付宝支付").click()
        await page.wait_for_url("https://pay.example/**")
        [placed] = [body for _, path, body in site.town.heard if "payments" not in path]
        assert placed["quantity"] == 2
        assert placed["source"] == "t1-above_author-hotpot"
        assert complaints(page) == []


async def test_the_comment_sheet_holds_the_focus_and_gives_it_back(site: Site) -> None:
    async with chromium() as browser:
        page = await visitor(browser, site)
        await page.goto(f"{site.url}/v/{HOTPOT_VIDEO}")
        opener = page.locator(".rail a").first
        await opener.click()
        sheet = page.get_by_role("dialog")
        await expect(sheet).to_be_visible()
        for _ in range(6):
            await page.keyboard.press("Tab")
            outside = await page.evaluate(
                "document.activeElement !== document.body && !document.activeElement.closest('dialog')"
            )
            assert not outside
        await page.keyboard.press("Escape")
        await expect(sheet).to_be_hidden()
        await expect(opener).to_be_focused()


async def test_scrolling_the_feed_names_the_video_that_plays(site: Site) -> None:
    async with chromium() as browser:
        page = await visitor(browser, site)
        await page.goto(site.url)
        await expect(page.locator(".clip.playing")).to_have_count(1)
        second = await page.locator(".clip").nth(1).get_attribute("data-clip")
        await page.locator("#feed").evaluate("feed => feed.scrollTo(0, feed.clientHeight)")
        await page.wait_for_url(f"**{second}")
        assert complaints(page) == []


async def test_a_scanner_can_read_qr_and_barcode_from_the_buyers_screen(site: Site) -> None:
    async with chromium() as browser:
        page = await visitor(browser, site, "buyer-an")
        await page.goto(f"{site.url}/orders/{VOUCHER_ORDER}")
        qr = await page.locator(".qr").screenshot()
        barcode = await page.locator(".barcode").screenshot()
        assert codes_in(qr) == {f"GB1.{UNIT}.0f3a9c"}
        assert codes_in(barcode) == {CODE}
        assert complaints(page) == []


@pytest.mark.parametrize("width", [320, 390])
async def test_another_phone_can_scan_the_code_and_the_page_follows_its_payment(site: Site, width: int) -> None:
    site.town.orders[VOUCHER_ORDER] |= {"state": "PLACED", "paid_at": None}
    site.town.codes_to_wait_for = 1
    async with chromium() as browser:
        page = await visitor(browser, site, "buyer-an")
        await page.set_viewport_size({"width": width, "height": 844})
        await page.goto(f"{site.url}/orders/{VOUCHER_ORDER}")
        await page.get_by_role("button", name="扫码支付").click()
        await expect(page.get_by_text("正在获取付款码")).to_be_visible()
        code = page.get_by_role("img", name="支付宝付款码")
        await expect(code).to_be_visible()
        [attempt_id] = {path.rsplit("/", 1)[1] for _, path, _ in site.town.heard}
        assert codes_in(await code.screenshot()) == {f"https://qr.pay.example/{attempt_id}"}
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert await page.evaluate(TOO_SMALL) == []
        site.town.orders[VOUCHER_ORDER] |= {"state": "PAID"}
        await page.wait_for_url(f"**/orders/{VOUCHER_ORDER}/result")
        await expect(page.get_by_text("支付成功")).to_be_visible()
        assert complaints(page) == []


async def test_a_look_at_the_phone_again_renews_the_ticket(site: Site) -> None:
    async with chromium() as browser:
        page = await visitor(browser, site, "buyer-an")
        await page.goto(f"{site.url}/orders/{VOUCHER_ORDER}")
        spent = {"state": "USED", "code": None, "qr_svg": None, "barcode_svg": None, "used_store_name": "国贸店"}
        site.town.certificates[0] |= {**spent, "used_at": "2026-11-22T06:02:00+00:00"}
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await expect(page.locator("#ticket")).to_contain_text("11月22日 14:02 · 国贸店")


def test_the_pictures_of_these_tests_can_fail() -> None:
    blank = zxingcpp.read_barcodes(memoryview(b"\xff" * 10_000).cast("B", (100, 100)))
    assert blank == []
