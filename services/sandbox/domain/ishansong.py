"""闪送's rules: signatures, order states, fees. No table of errors is published: every status but 200 is our own."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, Field, SecretStr

OK = 200
SYSTEM_BUSY = 500
SIGNATURE_WRONG = 80001
PARAMETER_WRONG = 80002
ORDER_UNKNOWN = 80004
STATE_WRONG = 80005
THROTTLED = 80006
BALANCE_SHORT = 80007
QUOTE_STALE = 80008

QUOTED, SEARCHING, ASSIGNED, ON_THE_WAY, DONE, CANCELLED = 0, 20, 30, 40, 50, 60
STATUS_TEXT = {SEARCHING: "派单中", ASSIGNED: "待取货", ON_THE_WAY: "闪送中", DONE: "已完成", CANCELLED: "已取消"}
WALK = {SEARCHING: ASSIGNED, ASSIGNED: ON_THE_WAY, ON_THE_WAY: DONE}
_LEGAL = {
    ASSIGNED: {SEARCHING},
    ON_THE_WAY: {ASSIGNED},
    DONE: {ON_THE_WAY},
    CANCELLED: {SEARCHING, ASSIGNED, ON_THE_WAY},
    SEARCHING: {ASSIGNED},
}
RIDERS = (("闪送员甲", "13700000001"), ("闪送员乙", "13700000002"), ("闪送员丙", "13700000003"))
QUOTE_LIFE = timedelta(minutes=15)
GOODS = frozenset({1, 3, 5, 6, 7, 9, 10, 12, 13, 15, 16})
_SENDER = ("fromAddress", "fromSenderName", "fromMobile", "fromLatitude", "fromLongitude")
_RECEIVER = ("orderNo", "toAddress", "toReceiverName", "toMobile", "toLatitude", "toLongitude")


class IshansongShop(BaseModel):
    """The shop's account, as the sandbox's environment sets it."""

    client_id: str = "ishansong-client"
    app_secret: SecretStr = SecretStr("ishansong-secret")
    shop_id: str = "ishansong-shop"
    callback_token: SecretStr = Field(
        default=SecretStr("ishansong-callback"), description="The last part of the address at its console"
    )
    callback_intervals_s: tuple[float, ...] = (1, 2, 5, 10, 20, 30, 60, 60)


SHOP = IshansongShop


@dataclass(eq=False)
class IshansongRefusal(Exception):
    """A failed reply: {"status": not 200, msg}."""

    status: int
    msg: str


@dataclass(frozen=True, slots=True)
class IshansongOrder:
    """A delivery, from its quote on; amounts in fen. `log` is what happened when: [status, epoch ms] each."""

    number: str
    third_no: str
    status: int
    terms: Mapping[str, Any]
    fee_fen: int
    tip_fen: int
    distance_m: int
    rider: int
    log: tuple[tuple[int, int], ...]
    abort: Mapping[str, Any] | None
    expires_ms: int
    walk_at_ms: int | None

    def reached_ms(self, status: int) -> int | None:
        """When the order last became this."""
        return max((at_ms for what, at_ms in self.log if what == status), default=None)


def signature(secret: str, fields: Mapping[str, str]) -> str:
    """UPPER(MD5(secret + clientId… data… shopId… timestamp…)); an empty value is left out with its name."""
    parts = [f"{name}{fields[name]}" for name in ("clientId", "data", "shopId", "timestamp") if fields.get(name)]
    return hashlib.md5((secret + "".join(parts)).encode(), usedforsecurity=False).hexdigest().upper()


def check_terms(terms: Mapping[str, Any]) -> Mapping[str, Any]:
    """The one receiver of a quote's terms."""
    sender, receivers = terms.get("sender"), terms.get("receiverList")
    if not isinstance(sender, dict) or not isinstance(receivers, list) or len(receivers) != 1:
        raise IshansongRefusal(PARAMETER_WRONG, "sender 或 receiverList 无效")
    receiver = receivers[0]
    if not terms.get("cityName") or not isinstance(receiver, dict):
        raise IshansongRefusal(PARAMETER_WRONG, "cityName 不能为空")
    missing = [name for name in _SENDER if not sender.get(name)] + [
        name for name in _RECEIVER if not receiver.get(name)
    ]
    if missing:
        raise IshansongRefusal(PARAMETER_WRONG, f"缺少参数：{'、'.join(missing)}")
    weight = receiver.get("weight")
    if type(weight) is not int or not 1 <= weight <= 50:
        raise IshansongRefusal(PARAMETER_WRONG, "weight 须为 1 至 50 的整数（kg）")
    if receiver.get("goodType") not in GOODS:
        raise IshansongRefusal(PARAMETER_WRONG, "goodType 无效")
    return receiver


def measure(sender: Mapping[str, Any], receiver: Mapping[str, Any]) -> int:
    """Great-circle metres. Both places must be in BD-09, which nobody can check: only that they are places."""
    try:
        here = (float(sender["fromLatitude"]), float(sender["fromLongitude"]))
        there = (float(receiver["toLatitude"]), float(receiver["toLongitude"]))
    except (TypeError, ValueError):
        raise IshansongRefusal(PARAMETER_WRONG, "经纬度无效") from None
    lat1, lng1, lat2, lng2 = map(math.radians, (*here, *there))
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lng2 - lng1) / 2) ** 2
    return round(2 * 6_371_008.8 * math.asin(math.sqrt(half)))


def price(distance_m: int, weight_kg: int) -> int:
    """Fen: sixteen yuan within three kilometres and five kilograms, two yuan for every further one begun."""
    return 1_600 + 200 * max(0, math.ceil(distance_m / 1000) - 3) + 200 * max(0, weight_kg - 5)


def abort_fee(order: IshansongOrder, now: datetime) -> int:
    """Fen kept of a cancelled order: nothing until a minute after a rider took it, then two yuan; all of it, once the
    rider has the goods."""
    if order.status == ON_THE_WAY:
        return order.fee_fen
    taken_ms = order.reached_ms(ASSIGNED) if order.status == ASSIGNED else None
    return 0 if taken_ms is None or now.timestamp() * 1000 - taken_ms <= 60_000 else 200


def check_move(status: int, target: int) -> None:
    """Refuse a step that the provider never makes."""
    if status not in _LEGAL.get(target, set()):
        was, would_be = STATUS_TEXT.get(status, str(status)), STATUS_TEXT.get(target, str(target))
        raise IshansongRefusal(STATE_WRONG, f"{was} 的订单不能变为 {would_be}")
