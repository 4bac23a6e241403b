"""What there is in the town: deals, stores, codes, and ids that are the same in every run."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import zxingcpp

ROOT = UUID("0192f000-0000-7000-8000-000000000000")
CODE = "837146205519"
EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]
# Neither a test nor a picture depends on the hour at which it is made.
ALWAYS_OPEN = [{"weekdays": EVERY_DAY, "opens": "00:00", "closes": "24:00"}]


def known_id(name: str) -> str:
    """The same id for the same name in every run."""
    return str(uuid5(ROOT, name))


HOTPOT, FRUIT, HOTEL = known_id("hotpot deal"), known_id("fruit deal"), known_id("hotel deal")
VOUCHER, CARD, PARTNER, JOURNEY = (known_id(f"{name} deal") for name in ("cash", "card", "partner", "journey"))
LIVE, SHARE_CODE, INVITATION = known_id("live"), "7XkQ2mPz9a", "i1.invitation-token"
HOTPOT_VIDEO = known_id("hotpot video")
HOTPOT_MERCHANT = known_id("hotpot merchant")
STORE = known_id("store 1")
UNIT, SECOND_UNIT = known_id("unit 1"), known_id("unit 2")
VOUCHER_ORDER, GOODS_ORDER = known_id("voucher order"), known_id("goods order")
PARCEL = known_id("parcel")


def at(**ago: float) -> str:
    """A moment in the past, as services write it."""
    return (datetime.now(UTC) - timedelta(**ago)).isoformat()


def picture(text: str, kind: zxingcpp.BarcodeFormat) -> str:
    """An SVG that scales, as redemption draws them."""
    barcode = zxingcpp.create_barcode(text, kind)
    svg = barcode.to_svg(add_quiet_zones=True)
    head, _, body = svg[svg.index("<svg") :].partition(">")
    width, height = (head.split(f'{side}="')[1].split('"')[0] for side in ("width", "height"))
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" preserveAspectRatio="none">{body}'


def store(number: int, name: str, address: str) -> dict[str, Any]:
    return {
        "store_id": known_id(f"store {number}"),
        "name": name,
        "city": "海口",
        "address": address,
        "latitude": 20.031,
        "longitude": 110.331,
        "phone": "+8689866000001",
        "hours": ALWAYS_OPEN,
        "open": True,
        "usable_now": True,
        "not_usable": None,
    }


def deal(name: str, **changes: Any) -> dict[str, Any]:
    """The hotpot deal, with changes."""
    return {
        "deal_id": known_id(f"{name} deal"),
        "deal_version": 1,
        "state": "ON_SALE",
        "merchant": {"merchant_id": known_id(f"{name} merchant"), "name": "老码头火锅", "phone": "+8689866000000"},
        "kind": "VOUCHER",
        "form": "SET",
        "category": "CATERING",
        "title": "老码头双人毛肚火锅套餐",
        "cover": name,
        "description": "鸳鸯锅底，现切毛肚七上八下，两个人吃到撑。",
        "items": [
            {"name": "鸳鸯锅底", "quantity": 1, "price_fen": 5800},
            {"name": "鲜毛肚（现片）", "quantity": 1, "price_fen": 6800, "portion": "200 g"},
            {"name": "精品肥牛卷", "quantity": 1, "price_fen": 5800},
            {"name": "时蔬拼盘", "quantity": 2, "price_fen": 4200},
        ],
        "price_fen": 12800,
        "original_price_fen": 26800,
        "total_quota": 1300,
        "available": 14,
        "sold": 1286,
        "per_buyer_limit": 10,
        "sale_from": at(days=20),
        "sale_until": at(days=-2, hours=-11.7),
        "rules": {"valid_days": 90, "blackout_dates": []},
        "booking": {"needed": False, "hours_ahead": 0, "hint": ""},
        "refund_policy": "ANY_TIME",
        "cash": None,
        "uses_per_unit": 1,
        "code_source": None,
        "catering": {"party_min": 2, "party_max": 2, "dine_in_only": True},
        "hotel": None,
        "tourism": None,
        "stores": [
            store(1, "老码头火锅（海口国贸店）", "美兰区国贸路 56 号"),
            store(2, "老码头火锅（海甸岛店）", "美兰区海甸二东路 8 号"),
            store(3, "老码头火锅（万绿园店）", "龙华区滨海大道 32 号"),
        ],
        "delivery": None,
        **changes,
    }


def badge_of(one: dict[str, Any], *placements: str) -> dict[str, Any]:
    names = ("deal_id", "title", "form", "price_fen", "original_price_fen", "sold", "available", "state")
    tokens = {placement: f"t1-{placement.lower()}-{one['cover']}" for placement in placements}
    return {"icon": "groupbuy", **{name: one[name] for name in names}, "tokens": tokens}


def card_of(one: dict[str, Any], **more: Any) -> dict[str, Any]:
    names = ("deal_id", "title", "cover", "form", "cash", "price_fen", "original_price_fen", "sold", "available",
             "state")  # fmt: skip
    return {**{name: one[name] for name in names}, **more}


def video(name: str, author: str, caption: str, likes: int, talk: int, city: str = "海口") -> dict[str, Any]:
    comments = [
        {"author": "椰子冻", "text": "上周吃过，毛肚真的新鲜，周五晚上要排队", "place": "海南", "at": at(days=3)},
        {"author": "阿May", "text": "请问周末通用吗？", "place": "广东", "at": at(days=2)},
        {
            "author": author,
            "text": "周末节假日通用，到店扫码即可核销～",
            "place": "海南",
            "at": at(days=1, hours=2),
        },
    ]
    return {
        "video_id": known_id(f"{name} video"),
        "merchant_id": known_id(f"{name} merchant"),
        "author": author,
        "verified": True,
        "caption": caption,
        "cover": name,
        "city": city,
        "likes": likes,
        "comment_count": talk,
        "deal": known_id(f"{name} deal"),
        "comments": comments,
    }
