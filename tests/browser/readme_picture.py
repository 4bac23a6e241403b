"""Takes docs/images/pages.png: real pages of a running system (`make up`), side by side, as a phone shows them.

`python -m tests.browser.readme_picture` buys a voucher through the public APIs, then looks at it with Chromium.
The machine needs fonts for Chinese and for emoji (on Debian: fonts-noto-cjk, fonts-noto-color-emoji)."""

import asyncio
import base64
import sys
from pathlib import Path
from typing import Any

import httpx
import zxingcpp
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, async_playwright

from services.console import lifecycles, shops
from services.console.local.scratch import scratch_directory
from services.console.people import World
from services.console.settings import Settings
from services.console.system import ROOT

CHROMIUM = "/usr/bin/chromium"
PICTURE = ROOT / "docs" / "images" / "pages.png"
PHONE = ViewportSize(width=390, height=844)
GAP = 12
FILM = (640, 400)
# Every movement that ends has ended.
_STILL = """Promise.all(document.getAnimations()
  .filter(one => one.effect.getComputedTiming().endTime !== Infinity)
  .map(one => one.finished.catch(() => null)))"""


async def buy(urls: dict[str, str]) -> tuple[lifecycles.Bought, str]:
    """An order of one paid voucher, and its code."""
    async with httpx.AsyncClient(timeout=20) as http:
        world = World(urls, http)
        for plan, seed in ((shops.fruit(), "fruit"), (shops.hotel(), "hotel")):
            await shops.open_shop(world, plan, seed)
        shop = await shops.open_shop(world, shops.hotpot(), "hotpot")
        bought = await lifecycles.place(world, shop, "buyer-chen", 1)
        await lifecycles.pay(world, bought)
        [issued] = await lifecycles.certificates(world, bought)
        return bought, issued["code"]


def film_of(code: str) -> bytes:
    """A film of one still (YUV4MPEG2) in which the camera sees the code's barcode."""
    # A buffer from native code, of which the stubs say nothing.
    drawn: Any = zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.Code128).to_image(scale=3)
    strip: Any = memoryview(drawn)
    width, height = FILM
    rows, columns = strip.shape[:2]
    flat = strip.tobytes()
    high = 130
    left, top = (width - columns) // 2, (height - high) // 2
    lines = [bytearray(b"\x58" * width) for _ in range(height)]
    middle = flat[rows // 2 * columns : (rows // 2 + 1) * columns]
    for line in lines[top - 16 : top + high + 16]:
        line[left - 20 : left + columns + 20] = b"\xf0" * (columns + 40)
    for line in lines[top : top + high]:
        line[left : left + columns] = middle
    grey = bytes((128,)) * (width * height // 2)
    return f"YUV4MPEG2 W{width} H{height} F10:1 Ip C420\nFRAME\n".encode() + b"".join(lines) + grey


async def visitor(browser: Browser, web: str, subject: str | None) -> BrowserContext:
    """A phone, signed in by picking a person at the sandbox."""
    context = await browser.new_context(
        viewport=PHONE, locale="zh-CN", timezone_id="Asia/Shanghai", permissions=["camera"], has_touch=True
    )
    if subject is not None:
        page = await context.new_page()
        await page.goto(f"{web}/login?next=/me")
        await page.click(f"button[value={subject}]")
        await page.wait_for_url(f"{web}/me")
        await page.close()
    return context


async def look(browser: Browser, web: str, bought: lifecycles.Bought) -> list[bytes]:
    """The feed, the comments, the deal, the ticket and the counter."""
    guest = await visitor(browser, web, None)
    buyer = await visitor(browser, web, bought.buyer)
    clerk = await visitor(browser, web, bought.shop.clerk)
    feed = await guest.new_page()
    await feed.goto(f"{web}/v/{bought.shop.video_id}")
    taken = [await _taken(feed)]
    await feed.click(f'.clip a[href="/v/{bought.shop.video_id}/comments"]')
    await feed.wait_for_selector("#sheet .comments li")
    taken.append(await _taken(feed))
    deal = await guest.new_page()
    await deal.goto(f"{web}/d/{bought.shop.deal_id}")
    taken.append(await _taken(deal))
    order = await buyer.new_page()
    await order.goto(f"{web}/orders/{bought.order_id}")
    await order.wait_for_selector(".ticket .qr")
    taken.append(await _taken(order))
    scan = await clerk.new_page()
    await scan.goto(f"{web}/scan")
    await scan.click("#start")
    await scan.wait_for_selector("#found .found")
    taken.append(await _taken(scan))
    return taken


async def _taken(page: Page) -> bytes:
    """The page once its pictures are there and nothing moves any more."""
    await page.wait_for_load_state("networkidle")
    await page.evaluate(_STILL)
    return await page.screenshot()


async def side_by_side(browser: Browser, shots: list[bytes]) -> bytes:
    """One picture of them all, with transparent gaps."""
    width = len(shots) * (PHONE["width"] + GAP) - GAP
    page = await browser.new_page(viewport={"width": width, "height": PHONE["height"]})
    images = "".join(
        f'<img src="data:image/png;base64,{base64.b64encode(shot).decode()}" style="border-radius:14px">'
        for shot in shots
    )
    await page.set_content(f'<body style="margin:0;display:flex;gap:{GAP}px;background:transparent">{images}')
    await page.evaluate("Promise.all([...document.images].map(one => one.decode()))")
    return await page.screenshot(omit_background=True)


async def photograph(urls: dict[str, str], film: Path) -> bytes:
    """Buy, and look at it; `film` is a file for what the camera shall see."""
    bought, code = await buy(urls)
    await asyncio.to_thread(film.write_bytes, film_of(code))
    camera = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    arguments = ["--no-sandbox", *camera, f"--use-file-for-fake-video-capture={film}"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        return await side_by_side(browser, await look(browser, urls["web"], bought))


def main() -> None:
    """Photograph the system that the environment names; the picture's file may be given."""
    to = Path(sys.argv[1]) if sys.argv[1:] else PICTURE
    with scratch_directory("groupbuy-pictures-") as directory:
        to.write_bytes(asyncio.run(photograph(Settings().urls, directory / "camera.y4m")))


if __name__ == "__main__":
    main()
