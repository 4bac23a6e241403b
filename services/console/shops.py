"""Opens shops as merchants and operators do: application, verification, fee, account, opening, store, deal, video."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from services.console.environment import FIRST_OPERATOR
from services.console.people import Refused, World
from shared.ids import new_id

_SEEDS = UUID("5b9f7a52-7d6c-4f0e-9a53-6c1a5f2f0c11")


@dataclass(frozen=True, slots=True)
class Shop:
    """One merchant with one store, one deal and one video."""

    merchant_id: UUID
    store_id: UUID
    deal_id: UUID
    video_id: UUID
    owner: str
    clerk: str
    name: str
    title: str


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


def ids_of(seed: str | None) -> tuple[UUID, UUID, UUID, UUID, UUID]:
    """Ids of a shop: always the same for a seed's name, new without one."""
    parts = ("merchant", "store", "deal", "video", "staff")
    made = [new_id() if seed is None else uuid5(_SEEDS, f"{seed}:{part}") for part in parts]
    return made[0], made[1], made[2], made[3], made[4]


async def open_shop(world: World, plan: Plan, seed: str | None = None) -> Shop:
    """Open a shop and put its deal on sale; a seeded shop that is there already stays as it is."""
    merchant_id, store_id, deal_id, video_id, staff_id = ids_of(seed)
    shop = Shop(merchant_id, store_id, deal_id, video_id, plan.owner, plan.clerk, plan.name, plan.deal["title"])
    if seed is not None and await _is_open(world, deal_id):
        return shop
    owner, operator = world.person(plan.owner), world.person(FIRST_OPERATOR)
    await owner.put("catalog", f"/merchants/{merchant_id}", _application(plan))
    await operator.put("catalog", f"/merchants/{merchant_id}/verification", {"approve": True})
    paid = {"state": "PAID", "reference": f"verification fee of {plan.smid}"}
    await operator.put("catalog", f"/merchants/{merchant_id}/fees/VERIFICATION", paid)
    account = {"kind": "ENTERPRISE", "account": f"{plan.smid}@example.com", "holder_name": plan.subject_name}
    await owner.put("catalog", f"/merchants/{merchant_id}/payout-account", {**account, "real_name_verified": True})
    await operator.put(
        "catalog",
        f"/merchants/{merchant_id}/payout-account/verification",
        {"approve": True, "sub_merchant_id": plan.smid, "rail": "ZHIFUTONG"},
    )
    await owner.put("catalog", f"/merchants/{merchant_id}/opening")
    await owner.put("catalog", f"/stores/{store_id}", {"merchant_id": str(merchant_id), **plan.store})
    await operator.put("catalog", f"/stores/{store_id}/verification", {"approve": True})
    await owner.put(
        "catalog",
        f"/merchants/{merchant_id}/staff/{staff_id}",
        {"subject": plan.clerk, "role": plan.clerk_role, "store_ids": [str(store_id)], "active": True},
    )
    await owner.put("catalog", f"/deals/{deal_id}", _draft(plan, merchant_id, store_id))
    await owner.put("catalog", f"/deals/{deal_id}/submission")
    await operator.put("catalog", f"/deals/{deal_id}/review", {"approve": True})
    await owner.put("catalog", f"/deals/{deal_id}/online", {"online": True})
    try:
        await owner.put("catalog", f"/videos/{video_id}", {"merchant_id": str(merchant_id), **plan.video})
    except Refused as error:
        # An earlier, interrupted seeding registered it: only the ages of its comments differ.
        if error.code != "id_taken":
            raise
    await owner.put("catalog", f"/videos/{video_id}/deal", {"deal_id": str(deal_id)})
    return shop


async def _is_open(world: World, deal_id: UUID) -> bool:
    try:
        deal = await world.send("GET", "catalog", f"/deals/{deal_id}")
    except Refused as error:
        if error.status == 404:
            return False
        raise
    return bool(deal["state"] == "ON_SALE")


def _application(plan: Plan) -> dict[str, Any]:
    return {
        "name": plan.name,
        "phone": plan.store["phone"],
        "account_kind": "ENTERPRISE_VERIFIED",
        "licence_kind": "ENTERPRISE",
        "licence_no": f"91460100MA5T{plan.smid[-6:]}",
        "subject_name": plan.subject_name,
        "legal_person": "王海",
        "licence_expires_on": "2036-12-31",
        "licence_evidence": "licence.jpg",
    }


def _draft(plan: Plan, merchant_id: UUID, store_id: UUID) -> dict[str, Any]:
    # Fixed moments: a seeding that was interrupted says exactly the same when it is run again.
    return {
        "merchant_id": str(merchant_id),
        "store_ids": [str(store_id)],
        "sale_from": "2026-01-01T00:00:00Z",
        "sale_until": "2035-12-31T16:00:00Z",
        "rules": {"valid_days": 90, "blackout_dates": []},
        "delivery": None,
        **plan.deal,
    }


def hotpot(owner: str = "merchant-hotpot", clerk: str = "clerk-hotpot", **deal: Any) -> Plan:
    """A hot-pot restaurant with a voucher for two."""
    return Plan(
        name="老码头火锅",
        subject_name="海口老码头餐饮有限公司",
        owner=owner,
        clerk=clerk,
        clerk_role="CLERK",
        smid="2088600000000101",
        store=_store(
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
        video=_video("老码头火锅", "周末两个人 128 吃到撑！毛肚现片七上八下 🔥 #海口美食 #火锅", "hotpot", 32000),
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
        store=_store("海岛鲜果（大同店）", "龙华区大同路 18 号", 20.0392, 110.3441, "+8613800138002", "08:00-22:00"),
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
        video=_video("海岛鲜果", "芒果自由的一天，5 斤 59 当天送到家 🥭 #海南芒果", "fruit", 18600),
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
        store=_store(
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
        video=_video("湾畔度假酒店", "推开窗就是海，499 住一晚 🌊 #三亚旅行", "hotel", 45200),
    )


def _store(name: str, address: str, latitude: float, longitude: float, phone: str, hours: str) -> dict[str, Any]:
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


def _video(author: str, caption: str, cover: str, likes: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    said = [
        ("椰子冻", "上周吃过，毛肚真的新鲜，周五晚上要排队", "海南", 3),
        ("阿May", "请问周末通用吗？", "广东", 2),
        (author, "周末节假日通用，到店扫码即可核销～", "海南", 1),
    ]
    if cover != "hotpot":
        said = [("小陈", "已经下单第三次了", "海南", 4), ("阿May", "包装很好，朋友都说不错", "广东", 2)]
    platform_id = f"douyin-{cover}-{new_id().hex[-8:]}"
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
            for who, text, place, days in said
        ],
    }
