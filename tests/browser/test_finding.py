"""Finding a deal and sharing it on a phone: position by consent, the short link's sheet, the poster, the livestream."""

from playwright.async_api import expect

from tests.browser.conftest import Site, chromium, complaints, visitor
from tests.browser.pictures import codes_in
from tests.unit.web.town import FRUIT, HOTPOT, LIVE, SHARE_CODE


async def test_a_search_nearby_asks_for_the_position_and_sends_it_roughly(site: Site) -> None:
    async with chromium() as browser:
        page = await visitor(browser, site)
        await page.context.grant_permissions(["geolocation"])
        await page.context.set_geolocation({"latitude": 20.0312345, "longitude": 110.3312345})
        await page.goto(f"{site.url}/nearby")
        await page.get_by_role("button", name="搜索我附近的").click()
        await page.wait_for_url("**/search?for=deals&latitude=*")
        await expect(page.locator(".deal-row").first).to_contain_text("约 350 m")
        asked = site.town.searched[0]
        # GCJ-02, three digits: some hundred metres from what the browser knows, in another frame.
        assert (asked["latitude"], asked["longitude"]) == ("20.029", "110.336")
        assert complaints(page) == []


async def test_without_consent_the_button_says_why_and_nothing_is_sent(site: Site) -> None:
    async with chromium() as browser:
        page = await visitor(browser, site)
        await page.goto(f"{site.url}/search")
        await page.get_by_role("button", name="搜索我附近的").click()
        await expect(page.get_by_text("无法获取位置")).to_be_visible()
        assert not any("latitude" in asked for asked in site.town.searched)


async def test_a_long_list_grows_in_place(site: Site) -> None:
    site.town.page_size = 3
    async with chromium() as browser:
        page = await visitor(browser, site)
        await page.goto(f"{site.url}/search")
        await expect(page.locator(".deal-row")).to_have_count(3)
        await page.get_by_role("link", name="加载更多").click()
        await expect(page.locator(".deal-row")).to_have_count(6)
        assert complaints(page) == []


async def test_sharing_opens_a_sheet_with_the_short_link_and_a_poster_that_can_be_scanned(site: Site) -> None:
    async with chromium() as browser:
        page = await visitor(browser, site, "buyer-an")
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await page.goto(f"{site.url}/d/{HOTPOT}")
        await page.get_by_role("button", name="分享").last.click()
        sheet = page.get_by_role("dialog")
        await expect(sheet).to_contain_text(f"/s/{SHARE_CODE}")
        await sheet.get_by_role("button", name="复制链接").click()
        await expect(sheet.get_by_role("button", name="已复制")).to_be_visible()
        assert await page.evaluate("navigator.clipboard.readText()") == f"{site.url}/s/{SHARE_CODE}"
        await sheet.get_by_role("link", name="分享海报").click()
        await page.wait_for_url(f"**/s/{SHARE_CODE}/poster")
        assert codes_in(await page.screenshot()) == {f"{site.url}/s/{SHARE_CODE}"}
        assert complaints(page) == []


async def test_a_viewer_shares_a_video_from_the_feed(site: Site) -> None:
    async with chromium() as browser:
        page = await visitor(browser, site, "buyer-an")
        await page.goto(site.url)
        await page.locator(".rail button").first.click()
        await expect(page.get_by_role("dialog")).to_contain_text(f"/s/{SHARE_CODE}")
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_be_hidden()
        assert [body["deal_id"] for _, path, body in site.town.heard if path.startswith("/shares/")] == [HOTPOT]


async def test_the_livestream_sells_what_its_host_shows(site: Site) -> None:
    async with chromium() as browser:
        page = await visitor(browser, site)
        await page.goto(site.url)
        await page.get_by_role("link", name="直播").click()
        await page.locator(".live-card").click()
        await page.wait_for_url(f"**/live/{LIVE}")
        await page.get_by_role("link", name="团购 | 海南贵妃芒 5 斤装").click()
        await page.wait_for_url(f"**/d/{FRUIT}?source=t1-live_list-fruit")
        assert complaints(page) == []


async def test_the_total_follows_mode_and_quantity_before_anything_is_sent(site: Site) -> None:
    async with chromium() as browser:
        page = await visitor(browser, site, "buyer-an")
        await page.goto(f"{site.url}/d/{FRUIT}/buy")
        total, fee = page.locator("[data-total]").first, page.locator("[data-fee-shown]")
        await expect(total).to_have_text("¥45.90")
        await page.get_by_text("跑腿配送", exact=True).click()
        await expect(total).to_have_text("¥51.90")
        for _ in range(2):
            await page.get_by_role("button", name="增加一份").click()
        await expect(total).to_have_text("¥119.70")
        await expect(fee).to_have_text("免配送费")
