"""A clerk at the counter: the camera reads the customer's code, by the decoder that is shipped here."""

from pathlib import Path

import pytest
import zxingcpp
from playwright.async_api import Request, expect

from tests.browser.conftest import Site, chromium, complaints, visitor
from tests.browser.pictures import film_of
from tests.unit.web.town import CODE, UNIT

CODES = {
    "qr": (f"GB1.{UNIT}.0f3a9c", zxingcpp.BarcodeFormat.QRCode),
    "barcode": (CODE, zxingcpp.BarcodeFormat.Code128),
}


@pytest.mark.parametrize("shown", sorted(CODES))
async def test_the_camera_reads_the_code_and_one_press_redeems_it(site: Site, shown: str, tmp_path: Path) -> None:
    text, kind = CODES[shown]
    film_of(text, kind, tmp_path / "camera.y4m")
    camera = (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={tmp_path / 'camera.y4m'}",
    )
    async with chromium(*camera) as browser:
        page = await visitor(browser, site, "clerk-hotpot")
        asked: list[str] = []

        def note(request: Request) -> None:
            asked.append(request.url)

        page.on("request", note)
        await page.goto(f"{site.url}/scan")
        await page.get_by_role("button", name="打开摄像头").click()
        await page.get_by_role("button", name="确认核销").click()
        await expect(page.locator("#found")).to_contain_text("核销成功 1 张")
        prepared = [body for _, path, body in site.town.heard if path == "/preparations"]
        assert prepared[0]["scanned"] == text
        assert any(url.split("?")[0].endswith("zxing_reader-3.1.3.wasm") for url in asked)
        assert all(url.startswith((site.url, "blob:", "data:")) for url in asked), "the decoder comes from here alone"
        assert complaints(page) == []


async def test_a_scanning_gun_types_and_presses_enter(site: Site) -> None:
    async with chromium() as browser:
        page = await visitor(browser, site, "clerk-hotpot")
        await page.goto(f"{site.url}/scan")
        await expect(page.locator("#code")).to_be_focused()
        await page.keyboard.type(CODE)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="确认核销")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("#found")).to_contain_text("核销成功")
        await expect(page.locator("#code")).to_be_focused()
        await expect(page.locator("#code")).to_have_value("")


async def test_a_gun_is_understood_after_a_tap_beside_the_field(site: Site) -> None:
    async with chromium() as browser:
        page = await visitor(browser, site, "clerk-hotpot")
        await page.goto(f"{site.url}/scan")
        await expect(page.locator("#code")).to_be_focused()
        await page.evaluate("document.activeElement.blur()")
        await page.keyboard.type(CODE)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="确认核销")).to_be_focused()


async def test_a_mistake_is_undone_where_it_was_made_and_from_the_list(site: Site) -> None:
    async with chromium() as browser:
        page = await visitor(browser, site, "clerk-hotpot")
        page.on("dialog", lambda dialog: dialog.accept())
        for _ in range(2):
            await page.goto(f"{site.url}/scan")
            await expect(page.locator("#code")).to_be_focused()
            await page.keyboard.type(CODE)
            await page.keyboard.press("Enter")
            await page.get_by_role("button", name="确认核销").click()
            await expect(page.locator("#found")).to_contain_text("核销成功 1 张")
        await page.get_by_label("撤销原因").select_option("customer")
        await page.get_by_role("button", name="撤销核销").click()
        await expect(page.locator("#found")).to_contain_text("已撤销核销 1 张")
        await page.get_by_role("link", name="核销记录").click()
        await expect(page.get_by_role("button", name="撤销核销")).to_have_count(1)
        await page.get_by_role("button", name="撤销核销").click()
        await expect(page.locator(".redeemed")).to_contain_text("已撤销核销 1 张")
        assert complaints(page) == []


async def test_without_a_camera_a_photo_is_read_by_the_server(site: Site, tmp_path: Path) -> None:
    async with chromium("--disable-features=WebAssembly") as browser:
        page = await visitor(browser, site, "clerk-hotpot")
        await page.goto(f"{site.url}/scan")
        drawn = zxingcpp.create_barcode(CODE, zxingcpp.BarcodeFormat.QRCode).to_svg(scale=12)
        drawing = await browser.new_page(viewport={"width": 500, "height": 500})
        await drawing.set_content(drawn[drawn.index("<svg") :])
        picture = tmp_path / "photo.png"
        await drawing.screenshot(path=picture)
        await page.set_input_files("#photo", picture)
        await expect(page.locator("#found")).to_contain_text("可核销")
        assert site.town.heard[-1][2]["scanned"] == CODE
