"""A rider at a door that nobody opens: the photo is made small in the browser and sent with the place."""

import base64
import os
from pathlib import Path

from playwright.async_api import FilePayload

from tests.browser.conftest import Site, chromium, complaints, visitor

PICTURES = os.environ.get("GROUPBUY_PICTURES")


def _photo(content: bytes) -> FilePayload:
    return {"name": "door.png", "mimeType": "image/png", "buffer": content}


async def test_a_photo_at_the_door_goes_out_with_the_place(site: Site) -> None:
    async with chromium() as browser:
        page = await visitor(browser, site, "merchant-hotpot")
        await page.context.grant_permissions(["geolocation"])
        await page.context.set_geolocation({"latitude": 20.03, "longitude": 110.33})
        await page.goto(f"{site.url}/ride")
        # Any picture will do as a door.
        door = await page.screenshot(full_page=True, path=Path(PICTURES) / "ride.png" if PICTURES else None)
        await page.get_by_text("拍照送达").click()
        async with page.expect_navigation():
            await page.locator("input[type=file]").set_input_files(_photo(door))
        (sent,) = [body for _, path, body in site.town.heard if path.endswith("/delivery-photo")]
        assert base64.b64decode(sent["photo"]).startswith(b"\xff\xd8\xff")
        assert (sent["latitude"], sent["longitude"]) == (20.03, 110.33)
        assert complaints(page) == []


async def test_without_a_place_nothing_is_sent(site: Site) -> None:
    async with chromium() as browser:
        page = await visitor(browser, site, "merchant-hotpot")
        await page.goto(f"{site.url}/ride")
        door = await page.screenshot()
        await page.get_by_text("拍照送达").click()
        await page.locator("input[type=file]").set_input_files(_photo(door))
        await page.get_by_text("无法获取位置").wait_for()
        assert [path for _, path, _ in site.town.heard if path.endswith("/delivery-photo")] == []
