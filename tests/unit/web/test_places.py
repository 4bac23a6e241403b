"""A store's page, the search, livestreams."""

import re

import httpx
import pytest

from tests.unit.web.town import HOTPOT, HOTPOT_VIDEO, LIVE, STORE, VOUCHER, Town, known_id


async def test_a_store_shows_its_facts_and_its_cash_vouchers_first(browser: httpx.AsyncClient) -> None:
    page = (await browser.get(f"/store/{STORE}")).text
    for shown in ("老码头火锅（海口国贸店）", "美兰区国贸路 56 号", 'href="tel:+8689866000001"', "营业中", "全天"):
        assert shown in page
    assert page.index("100 元代金券") < page.index("双人毛肚火锅套餐")
    assert f'href="/d/{VOUCHER}"' in page


@pytest.mark.parametrize(("threshold_fen", "bill"), [(20000, "满 ¥200 可用"), (0, "无门槛")])
async def test_a_cash_voucher_says_its_worth_and_the_smallest_bill_wherever_it_is_listed(
    browser: httpx.AsyncClient, town: Town, threshold_fen: int, bill: str
) -> None:
    cash = {"face_value_fen": 10000, "threshold_fen": threshold_fen}
    town.deals[VOUCHER]["cash"] = town.store_page["vouchers"][0]["cash"] = cash
    coupon = (await browser.get(f"/store/{STORE}")).text
    assert "<b>¥100</b><small>代金券</small>" in coupon
    assert f"<small>{bill} · " in coupon
    row = (await browser.get("/search", params={"q": "代金券"})).text
    assert "¥100 代金券" in row
    assert f"<span>{bill}</span>" in row


async def test_a_voucher_among_the_other_deals_still_comes_first_and_once(
    browser: httpx.AsyncClient, town: Town
) -> None:
    town.store_page["deals"] = [*town.store_page["deals"], *town.store_page["vouchers"]]
    page = (await browser.get(f"/store/{STORE}")).text
    assert page.count(f'href="/d/{VOUCHER}"') == 1


async def test_a_closed_store_says_so_and_what_becomes_of_its_vouchers(browser: httpx.AsyncClient, town: Town) -> None:
    town.store_page |= {"open": False, "open_now": False, "closed_reason": "停业", "merchant": None}
    town.store_page |= {"vouchers": [], "deals": []}
    page = (await browser.get(f"/store/{STORE}")).text
    for shown in ("该门店已停止营业", "自动退款", "暂停营业", "暂时没有团购"):
        assert shown in page
    assert "全天" not in page, "hours that do not hold are not shown"


@pytest.mark.parametrize("part", ["vouchers", "deals"])
async def test_each_part_of_a_store_goes_on_where_catalog_says(
    browser: httpx.AsyncClient, town: Town, part: str
) -> None:
    assert "加载更多" not in (await browser.get(f"/store/{STORE}")).text
    town.store_page["next_cursors"] = {part: "c+1"}
    (more,) = re.findall(rf'href="(/store/{STORE}\?[^"]*)"', (await browser.get(f"/store/{STORE}")).text)
    assert more == f"/store/{STORE}?part={part}&amp;cursor=c%2B1"
    rest = await browser.get(f"/store/{STORE}", params={"part": part, "cursor": "c+1"})
    assert (rest.status_code, town.continued[-1]) == (200, {"part": part, "cursor": "c+1"})
    assert (await browser.get(f"/store/{STORE}", params={"part": "rooms"})).status_code == 422


async def test_a_store_that_does_not_exist_says_so(browser: httpx.AsyncClient) -> None:
    assert (await browser.get(f"/store/{known_id('no store')}")).status_code == 404


async def test_a_search_finds_deals_by_words(browser: httpx.AsyncClient, town: Town) -> None:
    page = (await browser.get("/search", params={"q": "早茶卡"})).text
    assert "骑楼老爸茶 5 次早茶卡" in page
    assert "毛肚" not in page
    assert town.searched[0]["q"] == "早茶卡"
    assert " m</span>" not in page, "without a position there is no distance"


async def test_a_search_nearby_tells_about_how_far(browser: httpx.AsyncClient, town: Town) -> None:
    where = {"latitude": "20.031", "longitude": "110.331"}
    deals = (await browser.get("/search", params=where)).text
    assert "约 350 m" in deals
    assert "约 1.2 km" in deals
    assert (town.searched[0]["latitude"], town.searched[0]["radius_m"]) == ("20.031", "20000")
    stores = (await browser.get("/search", params={**where, "for": "stores"})).text
    assert "老码头火锅（海口国贸店）" in stores
    assert f'href="/store/{STORE}"' in stores


async def test_a_position_that_is_none_in_china_is_left_out(browser: httpx.AsyncClient, town: Town) -> None:
    for latitude, longitude in (("x", "1"), ("nan", "110"), ("48.1", "11.5"), ("20.0", "")):
        answer = await browser.get("/search", params={"latitude": latitude, "longitude": longitude})
        assert answer.status_code == 200
    assert not any("latitude" in asked for asked in town.searched)


async def test_the_tabs_keep_what_was_searched(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/search", params={"q": "火锅", "city": "海口"})).text
    assert 'href="/search?for=stores&amp;q=%E7%81%AB%E9%94%85&amp;city=%E6%B5%B7%E5%8F%A3"' in page


async def test_a_long_search_goes_on_where_it_ended(browser: httpx.AsyncClient, town: Town) -> None:
    town.page_size = 3
    page = (await browser.get("/search")).text
    more = re.search(r'hx-get="([^"]+cursor=3)"', page)
    assert more is not None
    piece = (await browser.get(more[1].replace("&amp;", "&"), headers={"hx-request": "true"})).text
    assert "<html" not in piece
    assert piece.count('class="deal-row"') == 3


async def test_a_search_that_finds_nothing_says_so(browser: httpx.AsyncClient) -> None:
    assert "没有找到相关内容" in (await browser.get("/search", params={"q": "没有这个"})).text


async def test_the_feed_leads_to_search_and_live(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/")).text
    assert 'href="/search"' in page
    assert 'href="/live"' in page
    nearby = (await browser.get("/nearby")).text
    assert 'data-near="near"' in nearby


async def test_a_livestream_lists_its_deals_in_order_with_their_tokens(browser: httpx.AsyncClient) -> None:
    page = (await browser.get(f"/live/{LIVE}")).text
    assert "直播中" in page
    assert page.index("双人毛肚火锅") < page.index("100 元代金券") < page.index("贵妃芒")
    assert f'href="/d/{HOTPOT}?source=t1-live_list-hotpot"' in page


@pytest.mark.parametrize("path", ["/", f"/v/{HOTPOT_VIDEO}", f"/live/{LIVE}"])
@pytest.mark.parametrize(
    ("url", "linked"),
    [
        ("https://video.example/77", True),
        ("http://video.example/77", False),
        ("javascript:alert(1)", False),
        (None, False),
    ],
)
async def test_the_original_is_linked_where_it_is_a_safe_address(
    browser: httpx.AsyncClient, town: Town, path: str, url: str | None, linked: bool
) -> None:
    for content in (*town.videos, *town.livestreams):
        content["url"] = url
    page = (await browser.get(path)).text
    assert (f'class="original" href="{url}" target="_blank" rel="noopener"' in page) is linked
    assert linked or not url or url not in page


async def test_a_livestream_that_is_over_says_so(browser: httpx.AsyncClient, town: Town) -> None:
    town.livestreams[0] |= {"state": "ENDED", "badges": []}
    page = (await browser.get(f"/live/{LIVE}")).text
    assert "直播已结束" in page
    assert "主播还没有上架团购" in page
    assert "现在没有直播" in (await browser.get("/live")).text


async def test_who_is_live_is_listed(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/live")).text
    assert f'href="/live/{LIVE}"' in page
    assert "直播团购（4）" in page
