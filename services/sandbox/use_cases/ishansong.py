"""What 闪送 does when asked: quotes, places, tells of and calls off orders."""

import json
import sqlite3
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from services.sandbox.domain import ishansong as rules
from services.sandbox.domain.ishansong import IshansongOrder, IshansongRefusal, IshansongShop
from services.sandbox.domain.times import Instant, from_ms, to_ms, wire_time
from services.sandbox.store import ishansong
from services.sandbox.use_cases.ishansong_moves import courier_of, move

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class IshansongTerms:
    """The shop's contract; `walk_step` is set while orders walk by themselves."""

    shop: IshansongShop
    callback_url: str
    walk_step: timedelta | None


Operation = Callable[[sqlite3.Connection, Mapping[str, Any], IshansongTerms, Instant], Data]


def read_call(form: Mapping[str, str], terms: IshansongTerms) -> dict[str, Any]:
    """The business data of a correctly signed call."""
    if form.get("clientId") != terms.shop.client_id or form.get("shopId") != terms.shop.shop_id:
        raise IshansongRefusal(rules.SIGNATURE_WRONG, "clientId 或 shopId 无效")
    if form.get("sign") != rules.signature(terms.shop.app_secret.get_secret_value(), form):
        raise IshansongRefusal(rules.SIGNATURE_WRONG, "签名错误")
    if not form.get("timestamp", "").isdecimal() or len(form["timestamp"]) != len("1700000000000"):
        raise IshansongRefusal(rules.PARAMETER_WRONG, "timestamp 须为毫秒")
    try:
        data = json.loads(form.get("data") or "{}")
    except ValueError:
        raise IshansongRefusal(rules.PARAMETER_WRONG, "data 不是 JSON") from None
    if not isinstance(data, dict):
        raise IshansongRefusal(rules.PARAMETER_WRONG, "data 不是 JSON 对象")
    return data


def perform(
    tx: sqlite3.Connection, operation: str, data: Mapping[str, Any], terms: IshansongTerms, at: Instant
) -> Data:
    """One operation of merchants/v5."""
    if operation not in _OPERATIONS:
        raise IshansongRefusal(rules.PARAMETER_WRONG, f"没有这个接口：{operation}")
    return _OPERATIONS[operation](tx, data, terms, at)


def find(tx: sqlite3.Connection, data: Mapping[str, Any]) -> IshansongOrder:
    """A placed order by the provider's number, or else by the shop's."""
    number, third_no = str(data.get("issOrderNo") or ""), str(data.get("thirdOrderNo") or "")
    order = ishansong.find_order(tx, number) if number else next(iter(ishansong.placed_for(tx, third_no)), None)
    if order is None or order.status == rules.QUOTED:
        raise IshansongRefusal(rules.ORDER_UNKNOWN, "订单不存在")
    return order


def _calculate(tx: sqlite3.Connection, data: Mapping[str, Any], _: IshansongTerms, at: Instant) -> Data:
    receiver = rules.check_terms(data)
    distance_m = rules.measure(data["sender"], receiver)
    order = IshansongOrder(
        number=f"TDH{at.now:%Y%m%d}{uuid.uuid4().int % 10**10:010d}",
        third_no=str(receiver["orderNo"]),
        status=rules.QUOTED,
        terms=dict(data),
        fee_fen=rules.price(distance_m, receiver["weight"]),
        tip_fen=0,
        distance_m=distance_m,
        rider=0,
        log=(),
        abort=None,
        expires_ms=to_ms(at.now + rules.QUOTE_LIFE),
        walk_at_ms=None,
    )
    ishansong.save_order(tx, order)
    return _fees(order)


def _place(tx: sqlite3.Connection, data: Mapping[str, Any], terms: IshansongTerms, at: Instant) -> Data:
    order = ishansong.find_order(tx, str(data.get("issOrderNo") or ""))
    if order is None or (order.status == rules.QUOTED and order.expires_ms <= to_ms(at.now)):
        raise IshansongRefusal(rules.QUOTE_STALE, "计费已失效，请重新计费")
    if order.status != rules.QUOTED:
        raise IshansongRefusal(rules.STATE_WRONG, "订单已提交，请勿重复提交")
    return _fees(move(tx, order, rules.SEARCHING, terms.callback_url, at, step=terms.walk_step))


def _info(tx: sqlite3.Connection, data: Mapping[str, Any], _: IshansongTerms, __: Instant) -> Data:
    return status_view(find(tx, data))


def _courier(tx: sqlite3.Connection, data: Mapping[str, Any], _: IshansongTerms, at: Instant) -> Data:
    courier = courier_of(find(tx, data))
    if courier is None:
        raise IshansongRefusal(rules.STATE_WRONG, "订单暂无闪送员")
    return {**courier, "time": wire_time(at.now)}


def _pre_abort(tx: sqlite3.Connection, data: Mapping[str, Any], _: IshansongTerms, at: Instant) -> Data:
    order = find(tx, data)
    rules.check_move(order.status, rules.CANCELLED)
    return {"deductAmount": rules.abort_fee(order, at.now), "sendBackFee": 0}


def _abort(tx: sqlite3.Connection, data: Mapping[str, Any], terms: IshansongTerms, at: Instant) -> Data:
    order = find(tx, data)
    rules.check_move(order.status, rules.CANCELLED)
    if order.status == rules.ON_THE_WAY and data.get("deductFlag") is not True:
        raise IshansongRefusal(rules.STATE_WRONG, "已取件，取消将产生送回费，请确认扣款")
    kept = rules.abort_fee(order, at.now)
    told = {"sendBackFee": 0, "deductAmount": kept, "abortType": 1, "punishType": None, "abortReason": "商户取消"}
    order = replace(order, abort=told)
    if order.status == rules.ON_THE_WAY:
        # The rider brings the goods back; the order stays what it is until the shop has confirmed that.
        ishansong.save_order(tx, order)
    else:
        move(tx, order, rules.CANCELLED, terms.callback_url, at)
    return told


def told_abort(abort_type: int, reason: str, deduct_fen: int | None) -> Data:
    """Who cancelled and why; without an amount it is not settled yet what that costs."""
    amount = {} if deduct_fen is None else {"sendBackFee": 0, "deductAmount": deduct_fen}
    return {**amount, "abortType": abort_type, "punishType": None, "abortReason": reason}


def bill(tx: sqlite3.Connection, order: IshansongOrder, deduct_fen: int | None) -> IshansongOrder:
    """Settle what a cancelled order costs, without telling the shop."""
    amount = {"sendBackFee": 0, "deductAmount": deduct_fen or 0}
    order = replace(order, abort={**(order.abort or {}), **amount})
    ishansong.save_order(tx, order)
    return order


def _returned(tx: sqlite3.Connection, data: Mapping[str, Any], terms: IshansongTerms, at: Instant) -> Data:
    order = find(tx, data)
    if order.status != rules.ON_THE_WAY or order.abort is None:
        raise IshansongRefusal(rules.STATE_WRONG, "没有待送回的物品")
    move(tx, order, rules.CANCELLED, terms.callback_url, at)
    return {}


def _tip(tx: sqlite3.Connection, data: Mapping[str, Any], _: IshansongTerms, __: Instant) -> Data:
    order, amount = find(tx, data), data.get("additionAmount")
    if order.status != rules.SEARCHING:
        raise IshansongRefusal(rules.STATE_WRONG, "只能给派单中的订单加价")
    if type(amount) is not int or amount % 100 or not 100 <= amount <= 10_000:
        raise IshansongRefusal(rules.PARAMETER_WRONG, "additionAmount 须为 100 的整数倍，最大 10000")
    ishansong.save_order(tx, replace(order, tip_fen=order.tip_fen + amount))
    return {}


def _account(_: sqlite3.Connection, __: Mapping[str, Any], ___: IshansongTerms, ____: Instant) -> Data:
    return {"balance": 1_000_000}


def status_view(order: IshansongOrder) -> Data:
    """The answer of orderInfo, amounts in fen."""
    courier = courier_of(order)
    return {
        "orderNo": order.number,
        "thirdOrderNo": order.third_no,
        "orderStatus": order.status,
        "orderStatusDesc": rules.STATUS_TEXT.get(order.status, ""),
        "pickupPassword": "",
        "deliveryPassword": "",
        "statusChangeLog": [
            {"orderStatus": status, "updateTime": wire_time(from_ms(at_ms))} for status, at_ms in order.log
        ],
        **({"courier": courier} if courier else {}),
        **({"abortInfo": dict(order.abort)} if order.abort else {}),
        **_fees(order),
    }


def _fees(order: IshansongOrder) -> Data:
    total = order.fee_fen + order.tip_fen
    return {
        "orderNumber": order.number,
        "totalDistance": order.distance_m,
        "totalAmount": total,
        "couponSaveFee": 0,
        "totalFeeAfterSave": total,
        "feeInfoList": [{"type": 1, "des": "里程费", "fee": order.fee_fen}],
        "estimateGrabSecond": 120,
        "estimateReceiveSecond": 1_800,
    }


_OPERATIONS: dict[str, Operation] = {
    "orderCalculate": _calculate,
    "orderPlace": _place,
    "orderInfo": _info,
    "courierInfo": _courier,
    "preAbortOrder": _pre_abort,
    "abortOrder": _abort,
    "confirmGoodsReturn": _returned,
    "addition": _tip,
    "getUserAccount": _account,
}
