"""Feed, comments, deal: what anybody sees without signing in."""

import httpx

from tests.unit.web.town import FRUIT, HOTEL, HOTPOT, HOTPOT_VIDEO, Town, at, known_id


async def test_the_badge_stands_above_the_accounts_name(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/")).text
    badge, name = page.index("团购 | 老码头双人毛肚火锅套餐"), page.index("@老码头火锅")
    assert badge < name
    assert "¥128.00" in page[badge:name]
    assert "4.8折" in page[badge:name]
    assert "已售 1,286" in page[badge:name]


async def test_the_badge_stands_at_the_top_of_the_comments(browser: httpx.AsyncClient) -> None:
    sheet = await browser.get(f"/v/{HOTPOT_VIDEO}/comments", headers={"hx-request": "true"})
    assert "<html" not in sheet.text
    assert sheet.text.index("团购 | 老码头双人毛肚火锅套餐") < sheet.text.index("毛肚真的新鲜")
    whole_page = await browser.get(f"/v/{HOTPOT_VIDEO}/comments")
    assert "<html" in whole_page.text


async def test_a_video_without_a_deal_has_no_badge(browser: httpx.AsyncClient, town: Town) -> None:
    town.videos = town.videos[:1]
    town.videos[0]["deal"] = None
    page = await browser.get("/")
    assert "@老码头火锅" in page.text
    assert "badge-icon" not in page.text


async def test_a_shared_video_comes_first_and_the_feed_follows_once_each(browser: httpx.AsyncClient) -> None:
    page = (await browser.get(f"/v/{known_id('hotel video')}")).text
    assert page.index("海湾酒店") < page.index("老码头火锅")
    assert page.count(f'data-clip="/v/{known_id("hotel video")}"') == 1


async def test_the_feed_goes_on_where_it_ended(browser: httpx.AsyncClient, town: Town) -> None:
    town.videos = [{**town.videos[0], "video_id": known_id(f"video {n}")} for n in range(12)]
    first = (await browser.get("/")).text
    assert 'hx-get="/feed?cursor=8"' in first
    rest = (await browser.get("/feed", params={"cursor": "8"})).text
    assert rest.count("data-clip=") == 4
    assert 'hx-get="/feed' not in rest


async def test_an_empty_page_of_the_feed_leads_on_when_there_is_a_next_one(
    browser: httpx.AsyncClient, town: Town
) -> None:
    town.videos = [{**town.videos[0], "video_id": known_id(f"video {n}")} for n in range(9)]
    town.hidden_videos = 8
    page = (await browser.get("/")).text
    assert 'hx-get="/feed?cursor=8" hx-trigger="load"' in page
    assert "还没有内容" not in page
    assert "data-clip" in (await browser.get("/feed", params={"cursor": "8"})).text


async def test_an_empty_feed_says_so(browser: httpx.AsyncClient, town: Town) -> None:
    town.videos = []
    assert "还没有内容" in (await browser.get("/")).text


async def test_nearby_shows_one_city(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/nearby", params={"city": "三亚"})).text
    assert "海湾酒店" in page
    assert "老码头" not in page
    assert "海口" in page, "the other cities can still be chosen"


async def test_a_shared_deal_carries_its_title_picture_and_price_for_previews(browser: httpx.AsyncClient) -> None:
    page = (await browser.get(f"/d/{HOTPOT}")).text
    assert '<meta property="og:title" content="老码头双人毛肚火锅套餐 ¥128.00">' in page
    assert '<meta property="og:image" content="http://pages.town/static/covers/hotpot.jpg' in page
    assert f'<meta property="og:url" content="http://pages.town/d/{HOTPOT}">' in page


async def test_the_deal_page_tells_stores_phones_items_and_rules(browser: httpx.AsyncClient) -> None:
    page = (await browser.get(f"/d/{HOTPOT}")).text
    for shown in (
        "适用门店（3）",
        'href="tel:+8689866000001"',
        "鲜毛肚（现片）",
        "购买后 90 天内有效",
        "每人限购 10 份",
    ):
        assert shown in page
    assert f'href="/d/{HOTPOT}/buy"' in page


async def test_a_sold_out_deal_cannot_be_bought_and_names_another(browser: httpx.AsyncClient) -> None:
    page = (await browser.get(f"/d/{HOTEL}")).text
    assert f"/d/{HOTEL}/buy" not in page
    assert page.count("已抢光") >= 2
    assert "看看这个" in page


async def test_a_deal_that_has_not_begun_counts_down_to_its_start(browser: httpx.AsyncClient, town: Town) -> None:
    town.deals[HOTPOT] |= {"state": "NOT_YET", "sale_from": at(days=-1, minutes=-5)}
    page = (await browser.get(f"/d/{HOTPOT}")).text
    assert "即将开抢" in page
    assert "距开抢" in page
    assert f"/d/{HOTPOT}/buy" not in page


async def test_goods_show_how_they_travel(browser: httpx.AsyncClient) -> None:
    page = (await browser.get(f"/d/{FRUIT}")).text
    for shown in ("快递", "跑腿配送", "商家自配送", "¥6", "¥12", "满 ¥99 免运费", "商家发货前可整单退款"):
        assert shown in page
    assert "到店核销" not in page


async def test_every_page_speaks_english_completely(browser: httpx.AsyncClient) -> None:
    page = (await browser.get(f"/d/{HOTPOT}", params={"lang": "en"})).text
    assert '<html lang="en">' in page
    for shown in (
        "52% off",
        "1,286 sold",
        "Refund any time",
        "Within 90 days after purchase",
        "Buy with Alipay ¥128.00",
    ):
        assert shown in page
    assert "Recommended" in (await browser.get("/")).text, "the choice is remembered"


async def test_the_browsers_language_is_taken_when_nothing_was_chosen(browser: httpx.AsyncClient) -> None:
    english = await browser.get("/", headers={"accept-language": "en-GB,en;q=0.8,zh;q=0.2"})
    assert '<html lang="en">' in english.text
    other = await browser.get("/", headers={"accept-language": "fr"})
    assert '<html lang="zh-CN">' in other.text


async def test_a_cover_can_be_the_merchants_own_picture(browser: httpx.AsyncClient, town: Town) -> None:
    town.deals[HOTPOT]["cover"] = "https://pictures.example/pot.jpg"
    assert 'src="https://pictures.example/pot.jpg"' in (await browser.get(f"/d/{HOTPOT}")).text
    town.deals[HOTPOT]["cover"] = "../../etc/passwd"
    assert "/static/covers/table.svg" in (await browser.get(f"/d/{HOTPOT}")).text


async def test_what_merchants_write_is_text_and_never_markup(browser: httpx.AsyncClient, town: Town) -> None:
    town.deals[HOTPOT]["title"] = '<script>alert("x")</script>'
    page = (await browser.get(f"/d/{HOTPOT}")).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


async def test_a_page_that_does_not_exist_says_so(browser: httpx.AsyncClient) -> None:
    for path in ("/nothing", f"/d/{known_id('no deal')}", "/d/not-an-id", "/static/none.css"):
        answer = await browser.get(path)
        assert answer.status_code == 404
        assert "没有找到这个页面" in answer.text


async def test_a_silent_service_gets_a_page_that_says_so_and_offers_another_try(
    browser: httpx.AsyncClient, town: Town
) -> None:
    town.silent = {"catalog"}
    answer = await browser.get(f"/d/{HOTPOT}")
    assert answer.status_code == 503
    assert "团购目录暂时没有响应" in answer.text
    assert f'href="/d/{HOTPOT}"' in answer.text


async def test_a_bug_is_a_page_too(browser: httpx.AsyncClient, town: Town) -> None:
    town.deals[HOTPOT]["price_fen"] = "free"
    answer = await browser.get(f"/d/{HOTPOT}", headers={"accept-language": "en"})
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.text
    assert "Reference " in answer.text
    assert "internal_error" not in answer.text


async def test_pages_run_no_foreign_or_inline_code(browser: httpx.AsyncClient) -> None:
    headers = (await browser.get("/")).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"


async def test_static_files_named_by_content_may_be_kept_for_ever(browser: httpx.AsyncClient) -> None:
    assert "immutable" in (await browser.get("/static/app.css?v=1")).headers["cache-control"]
    assert (await browser.get("/static/app.css")).headers["cache-control"] == "no-cache"
