"""A deal's page says, for every form and category, what is sold and how it may be used."""

import re
from typing import Any

import httpx
import pytest

from tests.unit.web.town import CARD, FRUIT, HOTEL, HOTPOT, JOURNEY, PARTNER, STORE, VOUCHER, Town

FORMS = [(HOTPOT, "套餐", "Set"), (VOUCHER, "代金券", "Cash voucher"), (CARD, "次卡", "Times card"),
         (PARTNER, "三方码", "Partner code"), (FRUIT, "实物", "Goods")]  # fmt: skip


@pytest.mark.parametrize(("deal_id", "zh", "en"), FORMS)
async def test_the_form_is_the_first_tag(browser: httpx.AsyncClient, deal_id: str, zh: str, en: str) -> None:
    page = (await browser.get(f"/d/{deal_id}")).text
    assert f'<ul class="tags"><li class="tag blue">{zh}</li>' in page
    english = (await browser.get(f"/d/{deal_id}", params={"lang": "en"})).text
    assert f'<ul class="tags"><li class="tag blue">{en}</li>' in english


async def test_a_cash_voucher_says_worth_threshold_and_stacking(browser: httpx.AsyncClient, town: Town) -> None:
    assert "面值 ¥100 · 满 ¥200 可用 · 可叠加 2 张" in (await browser.get(f"/d/{VOUCHER}")).text
    town.deals[VOUCHER]["cash"]["threshold_fen"] = 0
    town.deals[VOUCHER]["rules"]["max_count"] = 1
    assert "面值 ¥100 · 无门槛 · 不可叠加" in (await browser.get(f"/d/{VOUCHER}")).text


async def test_a_times_card_says_uses_and_the_price_of_one_rounded_up(browser: httpx.AsyncClient, town: Town) -> None:
    assert "共 5 次 · 合每次 ¥19.80" in (await browser.get(f"/d/{CARD}")).text
    town.deals[CARD]["price_fen"] = 9901
    assert "合每次 ¥19.81" in (await browser.get(f"/d/{CARD}")).text


async def test_a_partner_code_says_who_issues_it(browser: httpx.AsyncClient) -> None:
    assert "购买后由合作方发码" in (await browser.get(f"/d/{PARTNER}")).text


async def test_items_say_how_much_one_is(browser: httpx.AsyncClient) -> None:
    assert "×1 · 200 g" in (await browser.get(f"/d/{HOTPOT}")).text


async def test_catering_says_for_how_many_and_where(browser: httpx.AsyncClient, town: Town) -> None:
    town.deals[HOTPOT]["catering"] = {"party_min": 2, "party_max": 4, "dine_in_only": True}
    page = (await browser.get(f"/d/{HOTPOT}")).text
    assert "2–4 人" in page
    assert "仅堂食" in page


async def test_a_hotel_says_room_times_breakfast_and_surcharges(browser: httpx.AsyncClient) -> None:
    page = (await browser.get(f"/d/{HOTEL}")).text
    for shown in ("海景双床房（50 m²）", "1 晚", "每晚 2 份", "14:00 后", "12:00 前", "2027-02-05 至 2027-02-11",
                  "+¥300", "春节", "需提前 24 小时预约 · 致电前台"):  # fmt: skip
        assert shown in page


async def test_a_journey_says_its_days_what_is_included_and_how_to_cancel(browser: httpx.AsyncClient) -> None:
    page = (await browser.get(f"/d/{JOURNEY}")).text
    assert len(re.findall(r"<li>[^<]*(铜鼓岭看海|石头公园)[^<]*</li>", page)) == 2
    assert page.index("费用包含") < page.index("往返大巴") < page.index("费用不含") < page.index("单房差 ¥120")
    assert "出发前 3 天可免费取消" in page


async def test_the_rules_are_told_in_words(browser: httpx.AsyncClient) -> None:
    page = (await browser.get(f"/d/{VOUCHER}")).text
    for shown in ("购买后 30 天内有效", "周六、周日、2027-02-05 至 02-07、2027-05-01", "周一至周四 17:00–22:00",
                  "<dt>叠加使用</dt><dd>可叠加 2 张</dd>", "无需预约"):  # fmt: skip
        assert shown in page
    assert "周末节假日通用" not in page


@pytest.mark.parametrize("closed", [{"blackout_weekdays": [6]}, {"blackout_dates": ["2027-05-01"]}])
async def test_only_what_is_good_on_any_day_says_so(browser: httpx.AsyncClient, town: Town, closed: Any) -> None:
    assert "周末节假日通用" in (await browser.get(f"/d/{HOTPOT}")).text
    town.deals[HOTPOT]["rules"] = {"valid_days": 90, **closed}
    assert "周末节假日通用" not in (await browser.get(f"/d/{HOTPOT}")).text


async def test_the_refund_policy_is_a_tag_and_a_sentence(browser: httpx.AsyncClient) -> None:
    any_time = (await browser.get(f"/d/{HOTPOT}")).text
    assert '<li class="tag green">随时退</li><li class="tag green">过期自动退</li>' in any_time
    on_expiry = (await browser.get(f"/d/{VOUCHER}")).text
    assert '<li class="tag green">过期自动退</li>' in on_expiry
    assert "随时退" not in on_expiry
    assert "购买后不支持主动退款" in on_expiry


async def test_each_store_says_whether_it_can_be_used_there_now_and_why_not(browser: httpx.AsyncClient) -> None:
    page = (await browser.get(f"/d/{VOUCHER}")).text
    stores = page[page.index("适用门店（5）") : page.index("购买须知")].split('<div class="store">')[1:]
    assert "现在不可用 · 当前时段不可用" in stores[0]
    assert "暂停营业" in stores[1]
    assert "现在" not in stores[1], "a closed store says only that"
    assert "现在可用" in stores[2]
    assert f'href="/store/{STORE}"' in stores[0]
    assert "另外 2 家门店" in page


async def test_hours_are_compact_and_say_whether_the_door_is_open(browser: httpx.AsyncClient, town: Town) -> None:
    never = [{"weekdays": [1], "opens": "00:00", "closes": "00:01"}]
    town.deals[HOTPOT]["stores"][0]["hours"] = never
    page = (await browser.get(f"/d/{HOTPOT}")).text
    assert "周一 00:00–00:01" in page
    assert "营业中" in page
    assert "休息中" in page


async def test_goods_say_what_each_way_costs_and_from_when_it_is_free(browser: httpx.AsyncClient) -> None:
    page = (await browser.get(f"/d/{FRUIT}")).text
    delivery = page[page.index("<h2>配送</h2>") : page.index("购买须知")]
    assert re.findall(r"<span>([^<]+)</span><span>([^<]+)</span>", delivery) == [
        ("快递", "¥6"),
        ("跑腿配送", "¥12"),
        ("商家自配送", "¥6"),
    ]
    assert "满 ¥99 免运费" in delivery
    assert "现在可用" not in page, "goods are not used in a store"


async def test_a_deal_of_before_there_were_forms_is_still_shown(browser: httpx.AsyncClient, town: Town) -> None:
    for name in ("form", "category", "booking", "refund_policy", "cash", "uses_per_unit", "code_source", "catering",
                 "hotel", "tourism"):  # fmt: skip
        del town.deals[HOTPOT][name]
    page = await browser.get(f"/d/{HOTPOT}")
    assert page.status_code == 200
    assert "套餐内容" in page.text
