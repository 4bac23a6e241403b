"""What merchants type into the forms of deals: right in each kind, and wrong at one field each."""

from typing import Any

from tests.integration.catalog.shop import CASH_VOUCHER

COMMON: dict[str, Any] = {
    "title": "双人套餐",
    "description": "第一行\r\n第二行",
    "price_fen": "128",
    "original_price_fen": "２６８.５",
    "total_quota": "100",
    "per_buyer_limit": "2",
}
ITEM: dict[str, Any] = {
    "items.1.name": "锅底",
    "items.1.quantity": "1",
    "items.1.price_fen": "68",
    "items.1.portion": "1 锅",
}
PARTY: dict[str, Any] = {"catering.party_min": "2", "catering.party_max": "4", "catering.dine_in_only": "yes"}
RULES: dict[str, Any] = {
    "rules.blackout_weekdays": ["6", "7"],
    "rules.blackout_dates": "2026-12-01 ~ 2026-12-03\r\n\r\n2026-12-24",
    "rules.usable_hours.0.weekdays": ["1", "2"],
    "rules.usable_hours.0.opens": "9：30",
    "rules.usable_hours.0.closes": "02:00",
    "booking.needed": "yes",
    "booking.hours_ahead": "4",
    "booking.hint": "请致电",
}
ROOM: dict[str, Any] = {
    "category": "HOTEL",
    "hotel.room_type": "大床房",
    "hotel.nights": "1",
    "hotel.guests": "2",
    "hotel.check_in_from": "14:00",
    "hotel.check_out_until": "12:00",
    "hotel.surcharges.0.from_date": "2027-02-06",
    "hotel.surcharges.0.until_date": "2027-02-12",
    "hotel.surcharges.0.amount_fen": "300",
}
JOURNEY: dict[str, Any] = {
    "category": "TOURISM",
    "tourism.party_min": "1",
    "tourism.party_max": "8",
    "tourism.days": "2",
    "tourism.itinerary": "到达\r\n返程",
    "tourism.cancellation": "出发前 3 天可退",
}
DELIVERY: dict[str, Any] = {
    "delivery.modes": ["SELF", "COURIER"],
    "delivery.fee_fen": "6",
    "delivery.free_from_fen": "99",
    "delivery.mode_fees.COURIER": "9.5",
    "delivery.weight_g": "1500",
    "delivery.category": "水果",
}
# What is typed into the form of each kind, and what catalog then knows of it.
WRITTEN: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "SET",
        {**ITEM, **PARTY, **RULES},
        {
            "original_price_fen": 26850,
            "description": "第一行\n第二行",
            "items": [{"name": "锅底", "quantity": 1, "price_fen": 6800, "portion": "1 锅"}],
            "catering": {"party_min": 2, "party_max": 4, "dine_in_only": True},
            "booking": {"needed": True, "hours_ahead": 4, "hint": "请致电"},
        },
    ),
    (
        "CASH_VOUCHER",
        {"cash.face_value_fen": "100", "cash.threshold_fen": "200", "rules.max_count": "2", "price_fen": "88"},
        {"original_price_fen": 10000, "cash": {"face_value_fen": 10000, "threshold_fen": 20000}, "items": []},
    ),
    ("TIMES_CARD", {**ITEM, **PARTY, "uses_per_unit": "5"}, {"uses_per_unit": 5}),
    ("THIRD_PARTY_CODE", {**ITEM, **PARTY, "code_source": "POOL"}, {"code_source": "POOL"}),
    (
        "GOODS",
        {**ITEM, **DELIVERY},
        {
            "category": "OTHER",
            "delivery": {
                "modes": ["SELF", "COURIER"],
                "fee_fen": 600,
                "weight_g": 1500,
                "category": "水果",
                "hot_food": False,
                "mode_fees": [{"mode": "COURIER", "fee_fen": 950}],
                "free_from_fen": 9900,
            },
        },
    ),
    ("SET", {**ITEM, **ROOM}, {"category": "HOTEL"}),
    ("SET", {**ITEM, **JOURNEY}, {"category": "TOURISM"}),
]
EVERYTHING: dict[str, Any] = {
    "cover": "https://pictures.example/hotpot.jpg",
    "rules": {
        "use_from": "2026-12-01T00:00:00+08:00",
        "use_until": "2027-12-01T00:00:00+08:00",
        "valid_days": 365,
        "blackout_dates": ["2027-02-05", "2027-02-06", "2027-02-07", "2027-05-01"],
        "blackout_weekdays": [6, 7],
        "usable_hours": [{"weekdays": [1, 2, 3], "opens": "10:00", "closes": "24:00"}],
        "blackout_hours": [{"weekdays": [4], "opens": "11:00", "closes": "13:00"}],
        "max_count": 4,
    },
    "refund_policy": "ON_EXPIRY",
    "booking": {"needed": True, "hours_ahead": 3, "hint": "先打电话"},
    "sale_from": "2026-11-20T10:00:30+08:00",
    "sale_until": "2027-01-20T10:00:00+08:00",
}
CASH_WITH_PARTY = {**CASH_VOUCHER, "catering": {"party_min": 1, "party_max": 6}}

# What is typed beside what is right, and the field at which the page says why not.
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("SET", {"title": " "}, "title"),
    ("SET", {"price_fen": "12x"}, "price_fen"),
    ("SET", {"price_fen": "0"}, "price_fen"),
    ("SET", {"price_fen": "300"}, "price_fen"),
    ("SET", {"total_quota": "many"}, "total_quota"),
    ("SET", {"total_quota": "1000001"}, "total_quota"),
    ("SET", {"cover": None, "cover_url": None}, "cover"),
    ("SET", {"cover_url": "http://x.example/a.jpg"}, "cover"),
    ("SET", {"sale_until": "2026-01-01T00:00"}, "sale_until"),
    ("SET", {"sale_until": "soon"}, "sale_until"),
    ("SET", {"store_ids": None}, "store_ids"),
    ("SET", {"store_ids": "0192f000-0000-7000-8000-000000000000"}, "store_ids"),
    ("SET", dict.fromkeys(ITEM), "items"),
    ("SET", {"items.1.portion": ""}, "items.0.portion"),
    ("SET", {"items.1.quantity": "0"}, "items.0.quantity"),
    ("SET", {"catering.party_min": "5"}, "catering.party_max"),
    ("SET", {"catering.party_max": ""}, "catering.party_max"),
    ("SET", {"rules.blackout_dates": "tomorrow"}, "rules.blackout_dates"),
    ("SET", {"rules.blackout_dates": "2039-01-01"}, "rules.blackout_dates"),
    ("SET", {"rules.use_until": "2026-01-01T00:00"}, "rules.use_until"),
    ("SET", {"rules.usable_hours.0.opens": "10:00"}, "rules.usable_hours.0.weekdays"),
    ("SET", {"booking.hours_ahead": "4"}, "booking.hours_ahead"),
    ("SET", {**JOURNEY, "tourism.itinerary": "到达"}, "tourism.itinerary"),
    ("SET", {**JOURNEY, "tourism.itinerary": "到达\r\n" + "远" * 201}, "tourism.itinerary"),
    ("SET", {**ROOM, "hotel.surcharges.0.until_date": "2027-01-01"}, "hotel.surcharges"),
    ("CASH_VOUCHER", {"cash.face_value_fen": "100", "rules.max_count": ""}, "rules.max_count"),
    ("CASH_VOUCHER", {"cash.face_value_fen": "0", "price_fen": "1", "rules.max_count": "1"}, "cash.face_value_fen"),
    ("CASH_VOUCHER", {"cash.face_value_fen": "200", "cash.threshold_fen": "1", "rules.max_count": "1"},
     "cash.threshold_fen"),
    ("TIMES_CARD", {"uses_per_unit": "1"}, "uses_per_unit"),
    ("THIRD_PARTY_CODE", {}, "code_source"),
    ("GOODS", {**DELIVERY, "delivery.hot_food": "yes"}, "delivery.hot_food"),
    ("GOODS", {**DELIVERY, "delivery.modes": "SELF"}, "delivery.mode_fees"),
    ("GOODS", {**DELIVERY, "delivery.fee_fen": "-1"}, "delivery.fee_fen"),
]  # fmt: skip
