"""快递100's rules: signatures, order states, track states, tariff."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel, Field, SecretStr

DEDUPE = timedelta(hours=48)
LATE_NUMBERS = frozenset({"yunda"})  # such couriers tell a waybill only when they accept the order

# 商家寄件 order states; 15 and 155 are events about the fee, not states.
PLACED, ACCEPTED, PICKED_UP, USER_CANCELLED, CARRIER_CANCELLED, PLACE_FAILED = 0, 1, 10, 9, 99, 610
SETTLED_FEE, REWEIGHED = 15, 155

# Track states.
IN_TRANSIT, COLLECTED, PROBLEM, SIGNED, RETURN_SIGNED, OUT_FOR_DELIVERY, RETURNING, REFUSED = (
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "14",
)
TRACK_ENDS = frozenset({SIGNED, RETURN_SIGNED})

# What the carrier does → (order states in which it may, order status afterwards or None, track state or None, text).
ACTIONS: Mapping[str, tuple[frozenset[int], int | None, str | None, str]] = {
    "accept": (frozenset({PLACED}), ACCEPTED, None, "快递员已接单"),
    "pickup": (frozenset({PLACED, ACCEPTED}), PICKED_UP, COLLECTED, "快件已揽收"),
    "transit": (frozenset({PICKED_UP}), None, IN_TRANSIT, "快件已到达转运中心"),
    "deliver": (frozenset({PICKED_UP}), None, OUT_FOR_DELIVERY, "快件正在派送"),
    "sign": (frozenset({PICKED_UP}), None, SIGNED, "快件已签收，签收人：本人"),
    "problem": (frozenset({PICKED_UP}), None, PROBLEM, "收件人联系不上，快件滞留"),
    "refuse": (frozenset({PICKED_UP}), None, REFUSED, "收件人拒签"),
    "return": (frozenset({PICKED_UP}), None, RETURNING, "快件退回中"),
    "returned": (frozenset({PICKED_UP}), None, RETURN_SIGNED, "退件已签收"),
    "carrier-cancel": (frozenset({PLACED, ACCEPTED}), CARRIER_CANCELLED, None, "快递公司取消订单"),
    "fail": (frozenset({PLACED}), PLACE_FAILED, None, "下单失败"),
}
WALK = ("accept", "pickup", "transit", "deliver", "sign")


class Kuaidi100Shop(BaseModel):
    """The shop's account, as the sandbox's environment sets it."""

    key: str = "kuaidi-key"
    secret: SecretStr = SecretStr("kuaidi-secret")
    customer: str = "kuaidi-customer"
    callback_intervals_s: tuple[float, ...] = Field(
        default=(5, 10, 20), description="The provider repeats after 30 minutes, three times"
    )


SHOP = Kuaidi100Shop


@dataclass(eq=False)
class KuaidiRefusal(Exception):
    """A failed reply: {"result": false, "returnCode", "message"}."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class KuaidiOrder:
    """A parcel to be collected; `terms` is the bOrder's param, amounts in fen."""

    order_id: str
    task_id: str
    third_order_id: str
    kuaidicom: str
    kuaidinum: str
    status: int
    terms: Mapping[str, object]
    fee_fen: int
    created_at: datetime
    walk_at_ms: int | None


@dataclass(frozen=True, slots=True)
class Trace:
    state: str
    context: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Subscription:
    number: str
    company: str
    callback_url: str
    salt: str
    active: bool


def told_number(order: KuaidiOrder, status: int) -> str:
    """The waybill as far as the shop may know it by then."""
    return "" if status == PLACED and order.kuaidicom in LATE_NUMBERS else order.kuaidinum


def order_signature(param: str, t: str, key: str, secret: str) -> str:
    """商家寄件 requests: UPPER(MD5(param + t + key + secret))."""
    return _md5_upper(f"{param}{t}{key}{secret}")


def query_signature(param: str, key: str, customer: str) -> str:
    """Track queries: UPPER(MD5(param + key + customer))."""
    return _md5_upper(f"{param}{key}{customer}")


def push_signature(param: str, salt: str) -> str:
    """What the provider sends: UPPER(MD5(param + salt)) with the salt that the order or subscription brought."""
    return _md5_upper(f"{param}{salt}")


def tariff(weight_kg: float) -> tuple[int, int]:
    """First kilogram and all further ones begun, in fen."""
    further = max(0, -int(-weight_kg // 1) - 1)
    return 1_200, 300 * further


def _md5_upper(text: str) -> str:
    # The provider's protocol prescribes MD5.
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()
