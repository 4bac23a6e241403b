"""达达's rules: signatures, order states, fees. Only codes 0 and 2062 are documented; the others are our own."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel, SecretStr

OK = 0
QUOTE_STALE = 2062
SIGNATURE_WRONG = 90001
PARAMETER_WRONG = 90002
DUPLICATE_ORDER = 90003  # what the provider answers here is not published: clients query first
ORDER_UNKNOWN = 90004
STATE_WRONG = 90005
THROTTLED = 90006
BALANCE_SHORT = 90007

STATUS_TEXT = {
    1: "待接单",
    2: "待取货",
    3: "配送中",
    4: "已完成",
    5: "已取消",
    8: "指派单",
    9: "妥投异常之物品返回中",
    10: "妥投异常之物品返回完成",
    100: "骑士到店",
    1000: "创建达达运单失败",
}
WALK = {1: 2, 8: 2, 2: 3, 100: 3, 3: 4}
_LEGAL = {2: {1, 8}, 100: {2}, 3: {2, 100}, 4: {3}, 5: {1, 2, 8, 100}, 9: {3}, 10: {9}, 1000: {1}}
_REQUIRED = ("shop_no", "origin_id", "cargo_price", "is_prepay", "receiver_name", "receiver_address", "callback")
RIDERS = (("骑手甲", "13800000001"), ("骑手乙", "13800000002"), ("骑手丙", "13800000003"))
QUOTE_LIFE = timedelta(minutes=3)


class DadaShop(BaseModel):
    """The shop's account, as the sandbox's environment sets it."""

    app_key: str = "dada-app"
    app_secret: SecretStr = SecretStr("dada-secret")
    source_id: str = "73753"
    callback_intervals_s: tuple[float, ...] = (1, 2, 5, 10, 20, 30, 60, 60)


SHOP = DadaShop


@dataclass(eq=False)
class DadaRefusal(Exception):
    """A failed reply: {"status": "fail", code, msg}."""

    code: int
    msg: str


@dataclass(frozen=True, slots=True)
class DadaOrder:
    """A delivery; `terms` are the fields of its addOrder, `times` what happened when (epoch ms), amounts in fen."""

    origin_id: str
    client_id: str
    status: int
    terms: Mapping[str, object]
    fee_fen: int
    tip_fen: int
    deduct_fen: int
    distance_m: int
    finish_code: str
    rider: int
    times: Mapping[str, int]
    walk_at_ms: int | None


def signature(envelope: Mapping[str, object], secret: str) -> str:
    """UPPER(MD5(secret + k1v1k2v2… + secret)) over all members but the signature, sorted by name."""
    joined = "".join(f"{name}{envelope[name]}" for name in sorted(envelope) if name != "signature")
    return _md5(f"{secret}{joined}{secret}").upper()


def callback_checksum(client_id: str, order_id: str, update_time: int) -> str:
    """Lowercase MD5 of the three values sorted as texts: anybody can compute it."""
    return _md5("".join(sorted((client_id, order_id, str(update_time)))))


def check_terms(terms: Mapping[str, object]) -> None:
    missing = [name for name in _REQUIRED if terms.get(name) in (None, "")]
    if missing:
        raise DadaRefusal(PARAMETER_WRONG, f"缺少参数：{'、'.join(missing)}")
    if not str(terms["callback"]).startswith(("http://", "https://")):
        raise DadaRefusal(PARAMETER_WRONG, "callback 无效")


def check_move(status: int, target: int) -> None:
    """Refuse a step that the provider never makes."""
    if target in _LEGAL and status not in _LEGAL[target]:
        raise DadaRefusal(STATE_WRONG, f"{STATUS_TEXT.get(status, status)} 的订单不能变为 {STATUS_TEXT[target]}")


def price(distance_m: int, weight_kg: float) -> int:
    """Fen: six yuan within three kilometres and five kilograms, one yuan for every further one begun."""
    return 600 + 100 * max(0, math.ceil(distance_m / 1000) - 3) + 100 * max(0, math.ceil(weight_kg) - 5)


def cancel_fee(status: int, accepted_at: datetime | None, now: datetime) -> int:
    """Fen: free within a minute of acceptance, and after fifteen if the rider never came; else two yuan."""
    if accepted_at is None or now - accepted_at <= timedelta(minutes=1):
        return 0
    if now - accepted_at > timedelta(minutes=15) and status != 100:
        return 0
    return 200


def distance_m(here: tuple[float, float], there: tuple[float, float]) -> int:
    """Great-circle metres between two (lat, lng)."""
    lat1, lng1, lat2, lng2 = map(math.radians, (*here, *there))
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lng2 - lng1) / 2) ** 2
    return round(2 * 6_371_008.8 * math.asin(math.sqrt(half)))


def _md5(text: str) -> str:
    # The provider's protocol prescribes MD5.
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
