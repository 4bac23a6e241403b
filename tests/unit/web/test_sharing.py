"""Shared links and attribution: who brought a buyer goes along to the order."""

import base64
import re

import httpx
import pytest
import zxingcpp

from tests.unit.web.conftest import PAGES, SignIn, csrf_of, hidden
from tests.unit.web.town import HOTPOT, HOTPOT_VIDEO, SHARE_CODE, Refusal, Town

HTMX = {"hx-request": "true"}


async def test_a_shared_link_shows_the_deal_under_its_own_address(browser: httpx.AsyncClient) -> None:
    answer = await browser.get(f"/s/{SHARE_CODE}")
    assert answer.status_code == 200, "what draws previews follows no redirect"
    page = answer.text
    assert '<meta property="og:title" content="老码头双人毛肚火锅套餐 ¥128">' in page
    assert '<meta property="og:description" content="鸳鸯锅底，现切毛肚七上八下，两个人吃到撑。">' in page
    assert f'<meta property="og:image" content="{PAGES}/static/covers/hotpot.jpg' in page
    assert f'<meta property="og:url" content="{PAGES}/s/{SHARE_CODE}">' in page
    assert f'href="/d/{HOTPOT}/buy?source=t1-shared-{SHARE_CODE}"' in page


async def test_a_shared_link_that_says_little_is_introduced_by_its_deal(browser: httpx.AsyncClient, town: Town) -> None:
    town.shares[SHARE_CODE]["open_graph"] |= {"title": "", "description": ""}
    page = (await browser.get(f"/s/{SHARE_CODE}")).text
    assert 'og:title" content="老码头双人毛肚火锅套餐 ¥128.00"' in page
    assert 'og:description" content="老码头火锅 · 原价 ¥268.00 · 已售 1,286"' in page


async def test_a_link_of_nobody_is_not_found(browser: httpx.AsyncClient) -> None:
    for code in ("nobody123", "x" * 65):
        assert (await browser.get(f"/s/{code}")).status_code == 404


async def test_sharing_asks_for_a_link_of_ones_own(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("buyer-an")
    page = (await browser.get(f"/d/{HOTPOT}")).text
    form = {"csrf": csrf_of(page), "share_id": hidden(page, "share_id")}
    sheet = (await browser.post(f"/d/{HOTPOT}/share", data=form, headers=HTMX)).text
    assert town.heard == [("PUT", f"/shares/{form['share_id']}", {"deal_id": HOTPOT})]
    assert f'data-copy="{PAGES}/s/{SHARE_CODE}"' in sheet
    assert f'href="/s/{SHARE_CODE}/poster"' in sheet
    assert "<html" in (await browser.post(f"/d/{HOTPOT}/share", data=form)).text, "and without scripts it is a page"


async def test_a_video_is_shared_with_its_deal(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("buyer-an")
    page = (await browser.get("/")).text
    assert f'action="/d/{HOTPOT}/share"' in page
    form = {"csrf": csrf_of(page), "share_id": hidden(page, "share_id"), "video_id": hidden(page, "video_id")}
    await browser.post(f"/d/{HOTPOT}/share", data=form, headers=HTMX)
    assert town.heard[0][2] == {"deal_id": HOTPOT, "video_id": HOTPOT_VIDEO}


async def test_without_a_link_the_plain_address_is_shared(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    guest = (await browser.get(f"/d/{HOTPOT}")).text
    assert f'data-share="/d/{HOTPOT}"' in guest
    assert f'action="/d/{HOTPOT}/share"' not in guest
    await sign_in("buyer-an")
    page = (await browser.get(f"/d/{HOTPOT}")).text
    form = {"csrf": csrf_of(page), "share_id": hidden(page, "share_id")}
    town.refusals["/shares/"] = Refusal(429, "too_many_shares", "今日分享次数已达上限")
    refused = (await browser.post(f"/d/{HOTPOT}/share", data=form, headers=HTMX)).text
    town.refusals = {"/shares/": Refusal(503, "busy", "")}
    silent = (await browser.post(f"/d/{HOTPOT}/share", data=form, headers=HTMX)).text
    for sheet in (refused, silent):
        assert f'data-copy="{PAGES}/d/{HOTPOT}"' in sheet
        assert "poster" not in sheet


async def test_the_poster_carries_the_link_as_a_code_that_can_be_read(browser: httpx.AsyncClient) -> None:
    page = (await browser.get(f"/s/{SHARE_CODE}/poster")).text
    assert "老码头双人毛肚火锅套餐" in page
    picture = re.search(r'class="poster-qr" src="data:image/svg\+xml;base64,([^"]+)"', page)
    assert picture is not None
    svg = base64.b64decode(picture[1]).decode()
    drawn = zxingcpp.create_barcode(f"{PAGES}/s/{SHARE_CODE}", zxingcpp.BarcodeFormat.QRCode)
    path = re.search(r'<path d="([^"]+)"', str(drawn.to_svg(add_quiet_zones=True)))
    assert path is not None
    assert path[1] in svg
    assert "viewBox" in svg, "it scales"


async def test_each_place_of_the_badge_has_a_token_of_its_own(browser: httpx.AsyncClient) -> None:
    assert f'href="/d/{HOTPOT}?source=t1-above_author-hotpot"' in (await browser.get("/")).text
    comments = (await browser.get(f"/v/{HOTPOT_VIDEO}/comments", headers=HTMX)).text
    assert f'href="/d/{HOTPOT}?source=t1-comments_top-hotpot"' in comments


async def test_the_token_goes_along_from_the_deal_to_the_order(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    token = "A" * 100
    deal = (await browser.get(f"/d/{HOTPOT}", params={"source": token})).text
    assert f'href="/d/{HOTPOT}/buy?source={token}"' in deal
    await sign_in("buyer-an")
    page = (await browser.get(f"/d/{HOTPOT}/buy", params={"source": token})).text
    form = {name: hidden(page, name) for name in ("order_id", "attempt_id", "deal_version", "source", "csrf")}
    await browser.post(f"/d/{HOTPOT}/buy", data={**form, "quantity": "1"})
    assert town.heard[0][2]["source"] == token


@pytest.mark.parametrize("odd", ["A" * 101, "wechat.timeline", "a b", "令牌"])
async def test_a_link_with_an_odd_source_still_sells(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town, odd: str
) -> None:
    await sign_in("buyer-an")
    page = (await browser.get(f"/d/{HOTPOT}/buy", params={"source": odd})).text
    form = {name: hidden(page, name) for name in ("order_id", "attempt_id", "deal_version", "csrf")}
    await browser.post(f"/d/{HOTPOT}/buy", data={**form, "quantity": "1", "source": odd})
    assert "source" not in town.heard[0][2], "checkout refuses what is no token"
