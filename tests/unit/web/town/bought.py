"""What buyers have in the town, and what merchants see of it."""

from typing import Any

import zxingcpp

from tests.unit.web.town.things import (
    GOODS_ORDER,
    HOTPOT,
    PARCEL,
    SECOND_UNIT,
    STORE,
    UNIT,
    VOUCHER_ORDER,
    at,
    known_id,
    picture,
)


def order(order_id: str, sold: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An order that was paid an hour ago: two vouchers, or one parcel, of what was sold."""
    goods = sold["kind"] == "GOODS"
    fee = sold["delivery"]["fee_fen"] if goods else 0
    units = [known_id("goods unit")] if goods else [UNIT, SECOND_UNIT]
    total = sold["price_fen"] * len(units) + fee
    each = total // len(units)
    return {
        "order_id": order_id,
        "order_no": "20261122091800371",
        "state": "PAID",
        "kind": sold["kind"],
        "deal_id": sold["deal_id"],
        "deal_version": 1,
        "title": sold["title"],
        "cover": sold["cover"],
        "merchant_id": sold["merchant"]["merchant_id"],
        "store_ids": [STORE],
        "quantity": len(units),
        "unit_price_fen": sold["price_fen"],
        "delivery_fee_fen": fee,
        "total_fen": total,
        "placed_at": at(hours=1),
        "expires_at": at(minutes=-15),
        "paid_at": at(minutes=58),
        "closed_at": None,
        "refunded_fen": 0,
        "units": [{"unit_id": unit, "state": "OPEN", "paid_fen": each} for unit in units],
        "refunds": [],
        "delivery": {
            "mode": "SELF",
            "fee_fen": fee,
            "parcel_state": "HANDED_OVER",
            "masked_phone": "138****8000",
            "masked_address": "海南省海口市美兰区******",
        }
        if goods
        else None,
        "timeline": [
            {"at": at(hours=1), "what": "placed", "text_zh": "已下单", "text_en": "Order placed"},
            {"at": at(minutes=58), "what": "paid", "text_zh": "支付宝已付款", "text_en": "Paid by Alipay"},
        ],
        **changes,
    }


def certificate(unit_id: str, code: str, **changes: Any) -> dict[str, Any]:
    return {
        "unit_id": unit_id,
        "state": "VALID",
        "title": "老码头双人毛肚火锅套餐",
        "code": code,
        "qr_svg": picture(f"GB1.{unit_id}.0f3a9c", zxingcpp.BarcodeFormat.QRCode),
        "qr_expires_at": at(seconds=-60),
        "barcode_svg": picture(code, zxingcpp.BarcodeFormat.Code128),
        "starts_at": at(hours=1),
        "until": "2027-02-20T16:00:00+00:00",
        "used_at": None,
        "used_store_name": None,
        "store_names": ["老码头火锅（海口国贸店）", "老码头火锅（海甸岛店）", "老码头火锅（万绿园店）"],
        **changes,
    }


def parcel(**changes: Any) -> dict[str, Any]:
    return {
        "parcel_id": PARCEL,
        "order_id": GOODS_ORDER,
        "order_no": "20261122091800371",
        "title": "海南贵妃芒 5 斤装",
        "state": "HANDED_OVER",
        "mode": "SELF",
        "phase": "ON_THE_WAY",
        "text_zh": "商品配送中",
        "text_en": "Your order is on its way",
        "position": {"latitude": 20.03, "longitude": 110.33, "at": at(minutes=1), "distance_m": 1_240, "eta_s": 248},
        "has_photo": False,
        "proof": None,
        "carrier": "self",
        "waybill": None,
        "rider": {"name": "阿强", "masked_phone": "139****0001"},
        "receive_code": "402 817",
        "delivered_at": None,
        "received_by": None,
        "timeline": [
            {"at": at(minutes=50), "what": "accepted", "text_zh": "商家已接单", "text_en": "Accepted"},
            {"at": at(minutes=20), "what": "handed_over", "text_zh": "骑手已取件", "text_en": "Picked up"},
        ],
        **changes,
    }


def statement(day: str | None) -> dict[str, Any]:
    lines = [
        {
            "order_id": VOUCHER_ORDER,
            "unit_id": known_id(f"line {n}"),
            "use_no": 1,
            "title": "老码头双人毛肚火锅套餐",
            "store_id": STORE,
            "used_at": at(hours=2 * n + 1),
            "gross_fen": 12800,
            "fee_fen": 77,
            "net_fen": 12723,
            "state": ("USED", "FINAL", "PAID")[n % 3],
            "due_on": "2026-11-23",
            "payout_id": None,
        }
        for n in range(4)
    ]
    totals = {"gross_fen": 51200, "fee_fen": 308, "net_fen": 50892, "uses": 4}
    return {"day": day or "2026-11-22", "items": lines, "totals": totals, "next_cursor": None}


def external_refund(name: str, amount_fen: int) -> dict[str, Any]:
    """Money of the voucher order that went back at Alipay itself."""
    return {
        "refund_id": known_id(f"external refund {name}"),
        "order_id": VOUCHER_ORDER,
        "attempt_id": known_id("attempt"),
        "channel_refund_no": f"HZ01RF{name}",
        "amount_fen": amount_fen,
        "refunded_at": at(hours=5),
    }


def mass_refund(**changes: Any) -> dict[str, Any]:
    return {
        "mass_refund_id": known_id("mass refund"),
        "deal_id": HOTPOT,
        "reason": "商家无法履约",
        "requested_by": "operator-one",
        "started_at": at(hours=1),
        "state": "RUNNING",
        "ended_at": None,
        "stopped_by": None,
        "orders_walked": 20,
        "found": 31,
        "opened": 30,
        "under_way": 9,
        "refunded": 18,
        "refused": 2,
        "failed": 1,
        "unpaid": 4,
        "done": False,
        **changes,
    }
