"""The deals of the town: one of every form and category."""

from typing import Any

from tests.unit.web.town.things import (
    CARD,
    FRUIT,
    HOTEL,
    HOTPOT,
    JOURNEY,
    PARTNER,
    VOUCHER,
    deal,
    known_id,
    store,
)

_HOTEL_TERMS = {
    "room_type": "海景双床房（50 m²）",
    "nights": 1,
    "guests": 2,
    "breakfasts": 2,
    "check_in_from": "14:00",
    "check_out_until": "12:00",
    "surcharges": [
        {"from_date": "2027-02-05", "until_date": "2027-02-11", "amount_fen": 30000, "note": "春节"},
        {"from_date": "2027-05-01", "until_date": "2027-05-01", "amount_fen": 10000, "note": ""},
    ],
}
_JOURNEY_TERMS = {
    "party_min": 2,
    "party_max": 8,
    "days": 2,
    "itinerary": ["上午海口集合，乘车往文昌，午餐文昌鸡，下午铜鼓岭看海", "早上石头公园，下午返回海口散团"],
    "includes": "往返大巴\n景点首道门票\n一晚海边民宿",
    "excludes": "个人消费\n单房差 ¥120",
    "cancellation": "出发前 3 天可免费取消；之后收取 30%。",
}
_NIGHTS_ONLY = [{"weekdays": [1, 2, 3, 4], "opens": "17:00", "closes": "22:00"}]


def hotel_stay() -> dict[str, Any]:
    return deal(
        "hotel",
        category="HOTEL",
        title="海湾酒店·海景双床房",
        price_fen=39900,
        original_price_fen=88800,
        state="SOLD_OUT",
        available=0,
        catering=None,
        hotel=_HOTEL_TERMS,
        booking={"needed": True, "hours_ahead": 24, "hint": "致电前台报姓名与到店日期"},
        items=[{"name": "海景双床房 1 晚", "quantity": 1, "price_fen": 88800, "portion": ""}],
    )


def cash_voucher() -> dict[str, Any]:
    closed = {"code": "blackout_hours", "zh": "当前时段不可用", "en": "Not usable at this hour"}
    stores = [store(number, f"老码头火锅（{number} 号店）", "美兰区国贸路 56 号") for number in range(1, 6)]
    stores[0] |= {"usable_now": False, "not_usable": closed}
    shut = {"code": "store_closed", "zh": "本门店已停业", "en": "This store is closed"}
    stores[1] |= {"open": False, "usable_now": False, "not_usable": shut}
    return deal(
        "cash",
        form="CASH_VOUCHER",
        title="老码头火锅 100 元代金券",
        cover="hotpot",
        price_fen=8800,
        original_price_fen=10000,
        items=[],
        cash={"face_value_fen": 10000, "threshold_fen": 20000},
        catering=None,
        refund_policy="ON_EXPIRY",
        rules={
            "valid_days": 30,
            "blackout_dates": ["2027-02-05", "2027-02-06", "2027-02-07", "2027-05-01"],
            "blackout_weekdays": [6, 7],
            "usable_hours": _NIGHTS_ONLY,
            "max_count": 2,
        },
        stores=stores,
    )


def town_deals() -> dict[str, dict[str, Any]]:
    """By their ids."""
    fruit = deal(
        "fruit",
        kind="GOODS",
        form="GOODS",
        category="OTHER",
        title="海南贵妃芒 5 斤装",
        price_fen=3990,
        original_price_fen=6900,
        merchant={"merchant_id": known_id("fruit merchant"), "name": "椰风鲜果", "phone": "+8689866000002"},
        items=[{"name": "贵妃芒 大果", "quantity": 1, "price_fen": 6900, "portion": "5 斤"}],
        rules={},
        catering=None,
        delivery={
            "modes": ["COURIER", "INSTANT", "SELF"],
            "fee_fen": 600,
            "weight_g": 2500,
            "category": "水果",
            "mode_fees": [{"mode": "INSTANT", "fee_fen": 1200}],
            "free_from_fen": 9900,
        },
    )
    card = deal(
        "card",
        form="TIMES_CARD",
        title="骑楼老爸茶 5 次早茶卡",
        cover="teahouse",
        price_fen=9900,
        original_price_fen=15000,
        uses_per_unit=5,
        items=[{"name": "早茶一壶两点", "quantity": 1, "price_fen": 3000, "portion": "1 人份"}],
        catering={"party_min": 1, "party_max": 1, "dine_in_only": False},
    )
    partner = deal(
        "partner",
        form="THIRD_PARTY_CODE",
        category="OTHER",
        title="海洋公园成人日票",
        cover="hotel",
        price_fen=16800,
        original_price_fen=23800,
        code_source="POOL",
        items=[{"name": "成人日票", "quantity": 1, "price_fen": 23800, "portion": ""}],
        catering=None,
    )
    journey = deal(
        "journey",
        category="TOURISM",
        title="文昌铜鼓岭两日小团",
        cover="hotel",
        price_fen=59900,
        original_price_fen=89900,
        items=[{"name": "两日行程", "quantity": 1, "price_fen": 89900, "portion": "1 人"}],
        catering=None,
        tourism=_JOURNEY_TERMS,
        booking={"needed": True, "hours_ahead": 0, "hint": ""},
    )
    teahouse = deal("teahouse", title="老爸茶双人下午茶", price_fen=5880, original_price_fen=9800)
    return {
        HOTPOT: deal("hotpot"),
        FRUIT: fruit,
        HOTEL: hotel_stay(),
        known_id("teahouse deal"): teahouse,
        VOUCHER: cash_voucher(),
        CARD: card,
        PARTNER: partner,
        JOURNEY: journey,
    }
