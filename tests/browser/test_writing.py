"""A merchant writes a deal on a phone, with scripts and without; the town hears what was typed."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import PHONE, Site, chromium
from tests.unit.web.town import HOTPOT_MERCHANT, STORE


@pytest.mark.parametrize("scripts", [True, False])
async def test_a_deal_is_written_from_the_choice_of_its_kind_to_the_review(site: Site, scripts: bool) -> None:
    async with chromium() as browser:
        context = await browser.new_context(java_script_enabled=scripts, viewport=PHONE, locale="zh-CN")
        page = await context.new_page()
        await page.goto(f"{site.url}/login?hint=merchant-hotpot&next=/m/deals")
        await page.get_by_role("link", name="新建团购").click()
        await page.get_by_role("link", name="套餐").click()
        await page.get_by_label("标题").fill("四人套餐")
        await page.get_by_role("button", name="旅游").click()
        await expect(page.get_by_label("标题")).to_have_value("四人套餐")
        await expect(page.get_by_label("退改规则")).to_be_visible()
        await page.get_by_role("button", name="餐饮").click()
        row = page.get_by_role("group", name="第 1 行").first
        for label, text in (("名称", "锅底"), ("数量", "1"), ("单价", "68"), ("每份分量", "1 锅")):
            await row.get_by_label(label).fill(text)
        for label, text in (("最少人数", "2"), ("最多人数", "4"), ("团购价", "12x"), ("原价", "268"), ("库存", "100")):
            await page.get_by_label(label).fill(text)
        await page.locator(f'input[name="store_ids"][value="{STORE}"]').check()
        await page.get_by_role("button", name="保存并提交审核").click()
        price = page.get_by_label("团购价")
        await expect(price).to_have_attribute("aria-invalid", "true")
        await expect(price).to_have_value("12x")
        await expect(page.get_by_label("标题")).to_have_value("四人套餐")
        assert site.town.heard == []
        await price.fill("128")
        await price.press("Enter")
        await page.wait_for_url("**/m/deals?merchant=*")
    (method, path, body), *rest = site.town.heard
    assert (method, body["title"], body["price_fen"], body["store_ids"]) == ("PUT", "四人套餐", 12800, [STORE])
    assert body["merchant_id"] == HOTPOT_MERCHANT
    assert path.startswith("/deals/")
    assert rest == [], "Enter saves the draft: what goes to review is pressed on purpose"
    assert site.town.quoted == ['"0"']
