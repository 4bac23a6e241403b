"""What the demo's shops do beyond their first deal: a second store, other forms of deals, a livestream, a helper."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from services.console import shops
from services.console.environment import FIRST_OPERATOR
from services.console.people import Refused, World
from services.console.plans import store_facts, video_facts
from services.console.shops import Shop, seed_id

HELPER = "buyer-chen"
"""小陈, who buys like everybody and also works in the second store."""

_BOTH_ENDS_OF_THE_DAY = [
    {"weekdays": [1, 2, 3, 4, 5], "opens": "11:00", "closes": "14:30"},
    {"weekdays": [1, 2, 3, 4, 5], "opens": "17:00", "closes": "23:00"},
    {"weekdays": [6, 7], "opens": "10:30", "closes": "02:00"},
]
_SPRING_FESTIVAL = [f"2027-02-{day:02}" for day in range(6, 13)]
_NATIONAL_DAY = [f"2027-10-{day:02}" for day in range(1, 8)]


@dataclass(frozen=True, slots=True)
class Street:
    """The three shops, and what else the first of them sells: each deal as the shop in which it is used."""

    hotpot: Shop
    fruit: Shop
    hotel: Shop
    cash: Shop
    card: Shop
    opening: Shop


async def open_street(world: World) -> Street:
    """Three shops with everything they sell; what is there already stays as it is."""
    hotpot = await shops.open_shop(world, shops.hotpot(), "hotpot")
    fruit = await shops.open_shop(world, shops.fruit(), "fruit")
    hotel = await shops.open_shop(world, shops.hotel(), "hotel")
    street = Street(hotpot, fruit, hotel, *await _open_second_store(world, hotpot))
    await asyncio.gather(_go_live(world, street), _write_a_draft(world, fruit), _offer_a_tour(world, hotel))
    return street


async def _open_second_store(world: World, hotpot: Shop) -> tuple[Shop, Shop, Shop]:
    second = replace(hotpot, store_id=seed_id("hotpot", "second store"), clerk=HELPER)
    place = store_facts(
        "老码头火锅（新埠岛店）", "美兰区新埠大道 9 号", 20.0632, 110.3702, "+8613800138011", "10:30-02:00"
    )
    await shops.open_store(world, second, {**place, "hours": _BOTH_ENDS_OF_THE_DAY})
    # A demo that was stopped between closing it and opening it again left it closed.
    await world.person(FIRST_OPERATOR).put("catalog", f"/stores/{second.store_id}/closing", {"closed": False})
    both = {"store_ids": [str(hotpot.store_id), str(second.store_id)]}
    cash, card, opening = (_deal_of(second, part) for part in ("cash", "card", "opening"))
    await asyncio.gather(
        shops.put_on_sale(world, cash, {**CASH, **both}),
        shops.put_on_sale(world, card, {**CARD, **both}),
        shops.put_on_sale(world, opening, OPENING),
    )
    return cash, card, opening


def _deal_of(shop: Shop, part: str) -> Shop:
    return replace(shop, deal_id=seed_id("hotpot", part), title=_TITLES[part])


async def invite_helper(world: World, street: Street) -> dict[str, Any]:
    """The owner sends a link, and the helper takes the place that it offers. Returns what the link said."""
    merchant_id, invitation_id = street.hotpot.merchant_id, seed_id("hotpot", "invitation")
    offer = {"role": "CLERK", "store_ids": [str(street.card.store_id)], "note": "小陈，新埠岛店周末班"}
    owner, helper = world.person(street.hotpot.owner), world.person(HELPER)
    invited = await owner.put("catalog", f"/merchants/{merchant_id}/invitations/{invitation_id}", offer)
    shown: dict[str, Any] = await helper.get("catalog", f"/invitations/{invited['token']}")
    await helper.put("catalog", f"/invitations/{invited['token']}/acceptance")
    return shown


async def support(world: World, shop: Shop, weight: int) -> None:
    """An operator lets a merchant's videos stand higher in the feed."""
    years = {"starts_at": "2026-01-01T00:00:00Z", "ends_at": "2035-12-31T16:00:00Z"}
    await world.person(FIRST_OPERATOR).put(
        "catalog", f"/merchants/{shop.merchant_id}/support", {"weight": weight, **years}
    )


async def _go_live(world: World, street: Street) -> None:
    hotpot = street.hotpot
    live = {
        **video_facts(hotpot.name, "新埠岛店开业直播，代金券、次卡都在这里 🔴", "table", 8600, "live"),
        "state": "LIVE",
    }
    listed = [hotpot.deal_id, street.cash.deal_id, street.card.deal_id, street.opening.deal_id]
    await _show(world, hotpot, "livestreams", seed_id("hotpot", "live"), live, {"deal_ids": _texts(listed)})
    video = video_facts(hotpot.name, "88 抵 100，全场通用还能叠加 💰 #海口美食", "table", 9400, "cash")
    await _show(world, hotpot, "videos", seed_id("hotpot", "cash video"), video, {"deal_id": str(street.cash.deal_id)})


async def _write_a_draft(world: World, fruit: Shop) -> None:
    """A deal that waits for the operator, and support for whom the platform wants to be seen."""
    gift = replace(fruit, deal_id=seed_id("fruit", "gift"))
    owner, path = world.person(fruit.owner), f"/deals/{gift.deal_id}"
    await owner.put("catalog", path, shops.draft(gift, GIFT))
    await owner.put("catalog", f"{path}/submission")
    await support(world, fruit, 3)


async def _offer_a_tour(world: World, hotel: Shop) -> None:
    tour = replace(hotel, deal_id=seed_id("hotel", "tour"))
    await shops.put_on_sale(world, tour, TOUR)
    video = video_facts(hotel.name, "跟船出海看日落，一价全含 ⛵ #三亚旅行", "hotel", 12700, "tour")
    await _show(world, hotel, "videos", seed_id("hotel", "tour video"), video, {"deal_id": str(tour.deal_id)})


async def _show(
    world: World, shop: Shop, kind: str, content_id: UUID, content: dict[str, Any], shown: dict[str, Any]
) -> None:
    """Register a video or livestream of the shop, with what it shows; a livestream that somebody ended stays so."""
    owner, path = world.person(shop.owner), f"/{kind}/{content_id}"
    try:
        await owner.put("catalog", path, {"merchant_id": str(shop.merchant_id), **content})
        await owner.put("catalog", f"{path}/{'deals' if 'deal_ids' in shown else 'deal'}", shown)
    except Refused as error:
        if error.code != "livestream_ended":
            raise


def _texts(ids: Iterable[UUID]) -> list[str]:
    return [str(one) for one in ids]


_TITLES = {"cash": "老码头火锅 100 元代金券", "card": "一人食小火锅五次卡", "opening": "新埠岛店开业双人餐"}
CASH = {
    "form": "CASH_VOUCHER",
    "category": "CATERING",
    "title": _TITLES["cash"],
    "cover": "table",
    "description": "满 200 元可用，一桌最多叠加 2 张，酒水可用。",
    "price_fen": 8800,
    "original_price_fen": 10000,
    "total_quota": 2000,
    "per_buyer_limit": 0,
    "cash": {"face_value_fen": 10000, "threshold_fen": 20000},
    "rules": {"valid_days": 90, "max_count": 2},
}
CARD = {
    "form": "TIMES_CARD",
    "category": "CATERING",
    "title": _TITLES["card"],
    "cover": "hotpot",
    "description": "两店通用，一次一份，用不完的次数随时退。",
    "items": [{"name": "一人食小火锅", "quantity": 1, "price_fen": 5800, "portion": "1 份"}],
    "price_fen": 19900,
    "original_price_fen": 29000,
    "total_quota": 500,
    "per_buyer_limit": 0,
    "uses_per_unit": 5,
    "catering": {"party_min": 1, "party_max": 1, "dine_in_only": True},
    "rules": {"valid_days": 180},
}
OPENING = {
    "form": "SET",
    "category": "CATERING",
    "title": _TITLES["opening"],
    "cover": "table",
    "description": "仅限新埠岛店，午市、晚市可用，春节、国庆不可用。",
    "items": [
        {"name": "鸳鸯锅底", "quantity": 1, "price_fen": 4800, "portion": "1 锅"},
        {"name": "招牌荤菜拼盘", "quantity": 1, "price_fen": 9800, "portion": "500 g"},
    ],
    "price_fen": 9900,
    "original_price_fen": 14600,
    "total_quota": 300,
    "per_buyer_limit": 0,
    "catering": {"party_min": 2, "party_max": 2, "dine_in_only": True},
    "rules": {
        "valid_days": 60,
        "blackout_dates": [*_SPRING_FESTIVAL, *_NATIONAL_DAY],
        "usable_hours": [*_BOTH_ENDS_OF_THE_DAY[:2], {"weekdays": [6, 7], "opens": "10:30", "closes": "22:00"}],
    },
}
GIFT = {
    "form": "GOODS",
    "category": "OTHER",
    "title": "海南四季鲜果礼盒",
    "cover": "fruit",
    "description": "莲雾、释迦、火龙果、贵妃芒，满 200 元免运费。",
    "items": [{"name": "鲜果礼盒（8 斤）", "quantity": 1, "price_fen": 16800}],
    "price_fen": 12800,
    "original_price_fen": 16800,
    "total_quota": 200,
    "per_buyer_limit": 0,
    "delivery": {
        "modes": ["INSTANT", "COURIER"],
        "fee_fen": 600,
        "mode_fees": [{"mode": "COURIER", "fee_fen": 1500}],
        "free_from_fen": 20000,
        "weight_g": 4200,
        "category": "fruit",
    },
}
TOUR = {
    "form": "SET",
    "category": "TOURISM",
    "title": "三亚湾帆船出海半日游",
    "cover": "hotel",
    "description": "含接驳、教练与保险，2 人起订。",
    "items": [{"name": "帆船出海（成人）", "quantity": 1, "price_fen": 39800}],
    "price_fen": 26800,
    "original_price_fen": 39800,
    "total_quota": 100,
    "per_buyer_limit": 10,
    "booking": {"needed": True, "hours_ahead": 24, "hint": "请至少提前一天致电预约船位"},
    "rules": {"valid_days": 120, "blackout_dates": [*_SPRING_FESTIVAL, *_NATIONAL_DAY]},
    "tourism": {
        "party_min": 2,
        "party_max": 8,
        "days": 1,
        "itinerary": ["14:30 酒店大堂集合，15:00 出海，浮潜与海钓，18:30 看日落返航"],
        "includes": "接驳、救生衣、教练、保险",
        "excludes": "餐食与个人消费",
        "cancellation": "开航前 24 小时可免费改期或取消；因天气停航全额退款",
    },
}
EXTRA_DEALS = (CASH, CARD, OPENING, GIFT, TOUR)
