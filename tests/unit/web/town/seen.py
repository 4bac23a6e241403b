"""What everybody sees beside deals and videos: a livestream, a shared link, a store's page."""

from typing import Any

from tests.unit.web.town.things import (
    CARD,
    FRUIT,
    HOTPOT,
    HOTPOT_MERCHANT,
    LIVE,
    SHARE_CODE,
    VOUCHER,
    at,
    badge_of,
    card_of,
    store,
)

Deals = dict[str, dict[str, Any]]


def livestream(deals: Deals) -> dict[str, Any]:
    shown = [deals[HOTPOT], deals[VOUCHER], deals[CARD], deals[FRUIT]]
    return {
        "livestream_id": LIVE,
        "merchant_id": HOTPOT_MERCHANT,
        "author": "老码头火锅",
        "verified": True,
        "caption": "今晚八点，毛肚现切，福利不断 🔥",
        "cover": "hotpot",
        "city": "海口",
        "url": None,
        "likes": 12_800,
        "comment_count": 3,
        "state": "LIVE",
        "started_at": at(minutes=40),
        "deal_count": len(shown),
        "badges": [badge_of(one, "LIVE_LIST") for one in shown],
        "comments": [],
    }


def share_of(deal: dict[str, Any]) -> dict[str, Any]:
    price = f"¥{deal['price_fen'] // 100}"
    return {
        "deal_id": deal["deal_id"],
        "token": f"t1-shared-{SHARE_CODE}",
        "open_graph": {
            "title": f"{deal['title']} {price}",
            "description": deal["description"],
            "image": deal["cover"],
            "url": f"/s/{SHARE_CODE}",
            "price_fen": deal["price_fen"],
            "original_price_fen": deal["original_price_fen"],
            "state": deal["state"],
        },
    }


def store_page(deals: Deals) -> dict[str, Any]:
    return {
        **store(1, "老码头火锅（海口国贸店）", "美兰区国贸路 56 号"),
        "open_now": True,
        "closed_reason": None,
        "merchant": {"merchant_id": HOTPOT_MERCHANT, "name": "老码头火锅", "phone": "+8689866000000"},
        "vouchers": [card_of(deals[VOUCHER])],
        "deals": [card_of(deals[HOTPOT]), card_of(deals[CARD])],
    }
