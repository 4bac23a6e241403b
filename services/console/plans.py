"""What the shops of the demo and the tests shall be: their stores, deals and videos."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class Plan:
    """What a shop shall be."""

    name: str
    subject_name: str
    owner: str
    clerk: str
    clerk_role: str
    smid: str
    store: dict[str, Any]
    deal: dict[str, Any]
    video: dict[str, Any]


def hotpot(owner: str = "merchant-hotpot", clerk: str = "clerk-hotpot", **deal: Any) -> Plan:
    """A hot-pot restaurant with a voucher for two."""
    return Plan(
        name="老码头火锅",
        subject_name="海口老码头餐饮有限公司",
        owner=owner,
        clerk=clerk,
        clerk_role="CLERK",
        smid="2088600000000101",
        store=store_facts(
            "老码头火锅（海口国贸店）", "美兰区国贸路 56 号", 20.0256, 110.3277, "+8613800138001", "10:30-02:00"
        ),
        deal={
            "form": "SET",
            "category": "CATERING",
            "title": "老码头双人毛肚火锅套餐",
            "cover": "hotpot",
            "description": "毛肚现片，牛油锅底，周末节假日通用。",
            "items": [
                {"name": "鲜毛肚（现片）", "quantity": 1, "price_fen": 6800, "portion": "1 份"},
                {"name": "精品肥牛卷", "quantity": 1, "price_fen": 5800, "portion": "200 g"},
                {"name": "鸳鸯锅底", "quantity": 1, "price_fen": 4800, "portion": "1 锅"},
                {"name": "时蔬拼盘", "quantity": 1, "price_fen": 3600, "portion": "1 份"},
                {"name": "酸梅汤", "quantity": 2, "price_fen": 2900, "portion": "1 杯"},
            ],
            "price_fen": 12800,
            "original_price_fen": 26800,
            "total_quota": 1300,
            "per_buyer_limit": 0,
            "catering": {"party_min": 2, "party_max": 3, "dine_in_only": True},
            **deal,
        },
        video=video_facts("老码头火锅", "周末两个人 128 吃到撑！毛肚现片七上八下 🔥 #海口美食 #火锅", "hotpot", 32000),
    )


def fruit(owner: str = "merchant-fruit", clerk: str = "rider-fruit", **deal: Any) -> Plan:
    """A fruit shop that delivers in all three ways."""
    return Plan(
        name="海岛鲜果",
        subject_name="海口海岛鲜果贸易有限公司",
        owner=owner,
        clerk=clerk,
        clerk_role="RIDER",
        smid="2088600000000202",
        store=store_facts(
            "海岛鲜果（大同店）", "龙华区大同路 18 号", 20.0392, 110.3441, "+8613800138002", "08:00-22:00"
        ),
        deal={
            "form": "GOODS",
            "category": "OTHER",
            "title": "三亚贵妃芒 5 斤装",
            "cover": "fruit",
            "description": "当天现摘，坏果包赔。",
            "items": [{"name": "贵妃芒（5 斤）", "quantity": 1, "price_fen": 9900}],
            "price_fen": 5900,
            "original_price_fen": 9900,
            "total_quota": 500,
            "per_buyer_limit": 0,
            "delivery": {
                "modes": ["SELF", "INSTANT", "COURIER"],
                "fee_fen": 600,
                "weight_g": 2700,
                "category": "fruit",
                "hot_food": False,
            },
            **deal,
        },
        video=video_facts("海岛鲜果", "芒果自由的一天，5 斤 59 当天送到家 🥭 #海南芒果", "fruit", 18600),
    )


def hotel(owner: str = "merchant-hotel", clerk: str = "clerk-hotpot", **deal: Any) -> Plan:
    """A seaside hotel with a room-night voucher."""
    return Plan(
        name="湾畔度假酒店",
        subject_name="三亚湾畔酒店管理有限公司",
        owner=owner,
        clerk=clerk,
        clerk_role="CLERK",
        smid="2088600000000303",
        store=store_facts(
            "湾畔度假酒店（三亚湾）", "天涯区三亚湾路 200 号", 18.2528, 109.4936, "+8613800138003", "00:00-24:00"
        ),
        deal={
            "form": "SET",
            "category": "HOTEL",
            "title": "三亚湾海景房 1 晚含双早",
            "cover": "hotel",
            "description": "60㎡ 海景大床，含双早与无边泳池。",
            "items": [
                {"name": "海景大床房 1 晚", "quantity": 1, "price_fen": 88800},
                {"name": "自助早餐", "quantity": 2, "price_fen": 12800},
            ],
            "price_fen": 49900,
            "original_price_fen": 114400,
            "total_quota": 200,
            "per_buyer_limit": 5,
            "booking": {"needed": True, "hours_ahead": 24, "hint": "请致电酒店预约入住日期"},
            "hotel": {
                "room_type": "海景大床房",
                "nights": 1,
                "guests": 2,
                "breakfasts": 2,
                "check_in_from": "14:00",
                "check_out_until": "12:00",
                "surcharges": [
                    {"from_date": "2027-02-06", "until_date": "2027-02-12", "amount_fen": 30000, "note": "春节"},
                    {"from_date": "2027-10-01", "until_date": "2027-10-07", "amount_fen": 20000, "note": "国庆"},
                ],
            },
            **deal,
        },
        video=video_facts("湾畔度假酒店", "推开窗就是海，499 住一晚 🌊 #三亚旅行", "hotel", 45200),
    )


def store_facts(name: str, address: str, latitude: float, longitude: float, phone: str, hours: str) -> dict[str, Any]:
    """What a merchant says of a store that is open every day, like `10:30-02:00`."""
    return {
        "name": name,
        "city": "三亚" if "三亚" in name else "海口",
        "address": address,
        "latitude": latitude,
        "longitude": longitude,
        "phone": phone,
        "hours": [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "opens": hours[:5], "closes": hours[6:]}],
        "licence_evidence": "licence.jpg",
    }


_SAID = {
    "hotpot": [
        ("椰子冻", "上周吃过，毛肚真的新鲜，周五晚上要排队", "海南"),
        ("阿May", "请问周末通用吗？", "广东"),
        ("老码头火锅", "周末节假日通用，到店扫码即可核销～", "海南"),
    ],
    "fruit": [("小陈", "已经下单第三次了", "海南"), ("阿May", "包装很好，朋友都说不错", "广东")],
    "table": [("小陈", "两张叠加真划算，酒水也能用", "海南"), ("椰子冻", "新店停车方便吗？", "海南")],
    "hotel": [("小陈", "早餐很丰富，泳池正对着海", "海南"), ("阿May", "国庆要加价吗？", "广东")],
}


def video_facts(author: str, caption: str, cover: str, likes: int, about: str = "") -> dict[str, Any]:
    """What the host platform says of a video or livestream, with the comments that people left under it; `about` names
    it for good, and without it the video is a new one."""
    now, said = datetime.now(UTC), _SAID.get(cover, [])
    platform_id = f"douyin-{about or f'{cover}-{new_id().hex[-8:]}'}"
    return {
        "platform_id": platform_id,
        "url": f"https://videos.example/{platform_id}",
        "author": author,
        "caption": caption,
        "cover": cover,
        "city": "三亚" if cover == "hotel" else "海口",
        "likes": likes,
        "comments": [
            {"author": who, "text": text, "place": place, "at": (now - timedelta(days=days)).isoformat()}
            for days, (who, text, place) in zip(range(len(said), 0, -1), said, strict=True)
        ],
    }
