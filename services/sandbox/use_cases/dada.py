"""What 达达 does when asked: quotes, takes and cancels orders, and plays its own test environment."""

import json
import secrets
import sqlite3
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from services.sandbox.domain import dada as rules
from services.sandbox.domain.dada import DadaOrder, DadaRefusal, DadaShop
from services.sandbox.domain.money import format_yuan, parse_yuan
from services.sandbox.domain.times import Instant, from_ms, to_ms, wire_time
from services.sandbox.store import dada
from services.sandbox.use_cases.dada_moves import move

_SHOP = (20.0231, 110.3485)  # where riders collect in this sandbox: Haikou, GCJ-02
_CANCEL_REASONS = (
    (1, "没有配送员接单"),
    (2, "配送员没来取货"),
    (3, "配送员态度太差"),
    (4, "顾客取消订单"),
    (5, "订单填写错误"),
    (36, "我不需要配送了"),
    (10000, "其他"),
)

Result = dict[str, Any] | list[Any] | None
Operation = Callable[[sqlite3.Connection, Mapping[str, Any], "DadaTerms", Instant], Result]


@dataclass(frozen=True, slots=True)
class DadaTerms:
    """The shop's contract; `walk_step` is set while orders walk by themselves."""

    shop: DadaShop
    walk_step: timedelta | None


def read_envelope(envelope: Mapping[str, Any], terms: DadaTerms) -> dict[str, Any]:
    """The business body of a correctly signed request."""
    signed = {name: value for name, value in envelope.items() if value is not None}
    if signed.get("app_key") != terms.shop.app_key or str(signed.get("source_id", "")) != terms.shop.source_id:
        raise DadaRefusal(rules.SIGNATURE_WRONG, "app_key 或 source_id 无效")
    if signed.get("signature") != rules.signature(signed, terms.shop.app_secret.get_secret_value()):
        raise DadaRefusal(rules.SIGNATURE_WRONG, "签名错误")
    try:
        body = json.loads(signed.get("body") or "{}")
    except (TypeError, ValueError):
        raise DadaRefusal(rules.PARAMETER_WRONG, "body 不是 JSON") from None
    if not isinstance(body, dict):
        raise DadaRefusal(rules.PARAMETER_WRONG, "body 不是 JSON 对象")
    return body


def perform(tx: sqlite3.Connection, operation: str, body: Mapping[str, Any], terms: DadaTerms, at: Instant) -> Result:
    """One operation of /api/order and its neighbours; `operation` is the path behind /api/."""
    if operation not in _OPERATIONS:
        raise DadaRefusal(rules.PARAMETER_WRONG, f"没有这个接口：{operation}")
    return _OPERATIONS[operation](tx, body, terms, at)


def find(tx: sqlite3.Connection, body: Mapping[str, Any]) -> DadaOrder:
    order = dada.find_order(tx, str(body.get("order_id", "")))
    if order is None:
        raise DadaRefusal(rules.ORDER_UNKNOWN, "订单不存在")
    return order


def _quote(tx: sqlite3.Connection, body: Mapping[str, Any], _: DadaTerms, at: Instant) -> Result:
    rules.check_terms(body)
    distance_m, fee_fen = _measure(body)
    delivery_no = f"Dada{uuid.uuid4().hex[:20]}"
    expires_at = at.now + rules.QUOTE_LIFE
    dada.add_quote(tx, delivery_no, body, fee_fen, distance_m, expires_at)
    return {
        **_fees(distance_m, fee_fen),
        "deliveryNo": delivery_no,
        "expiredTime": int(expires_at.timestamp()),
    }


def _add_after_query(tx: sqlite3.Connection, body: Mapping[str, Any], terms: DadaTerms, at: Instant) -> Result:
    quote = dada.take_quote(tx, str(body.get("deliveryNo", "")), at.now)
    if quote is None:
        raise DadaRefusal(rules.QUOTE_STALE, "运费查询已失效，请重新查询")
    order_terms, fee_fen, distance_m = quote
    _create(tx, order_terms, fee_fen, distance_m, terms, at)
    return None


def _add(tx: sqlite3.Connection, body: Mapping[str, Any], terms: DadaTerms, at: Instant) -> Result:
    rules.check_terms(body)
    distance_m, fee_fen = _measure(body)
    _create(tx, body, fee_fen, distance_m, terms, at)
    return _fees(distance_m, fee_fen)


def _add_again(tx: sqlite3.Connection, body: Mapping[str, Any], terms: DadaTerms, at: Instant) -> Result:
    rules.check_terms(body)
    earlier = dada.find_order(tx, str(body["origin_id"]))
    if earlier is None or earlier.status not in (5, 10, 1000):
        raise DadaRefusal(rules.STATE_WRONG, "只有已取消或已退回的订单可以重新发布")
    distance_m, fee_fen = _measure(body)
    _place(tx, body, fee_fen, distance_m, terms, at)
    return _fees(distance_m, fee_fen)


def _status(tx: sqlite3.Connection, body: Mapping[str, Any], _: DadaTerms, __: Instant) -> Result:
    return status_view(find(tx, body))


def _cancel(tx: sqlite3.Connection, body: Mapping[str, Any], _: DadaTerms, at: Instant) -> Result:
    order = find(tx, body)
    if body.get("cancel_reason_id") not in [number for number, _ in _CANCEL_REASONS]:
        raise DadaRefusal(rules.PARAMETER_WRONG, "cancel_reason_id 无效")
    rules.check_move(order.status, 5)
    accepted_ms = order.times.get("accept")
    deduct_fen = rules.cancel_fee(order.status, from_ms(accepted_ms) if accepted_ms else None, at.now)
    reason = str(body.get("cancel_reason") or dict(_CANCEL_REASONS)[body["cancel_reason_id"]])
    move(tx, replace(order, deduct_fen=deduct_fen), 5, at, cancel_from=2, reason=reason)
    return {"deduct_fee": deduct_fen / 100}


def _tip(tx: sqlite3.Connection, body: Mapping[str, Any], _: DadaTerms, __: Instant) -> Result:
    order = find(tx, body)
    if order.status not in (1, 8):
        raise DadaRefusal(rules.STATE_WRONG, "只能给待接单的订单加小费")
    try:
        tip_fen = parse_yuan(body.get("tips"))
    except ValueError:
        raise DadaRefusal(rules.PARAMETER_WRONG, "tips 无效") from None
    dada.save_order(tx, replace(order, tip_fen=max(order.tip_fen, tip_fen)))
    return None


def _goods_returned(tx: sqlite3.Connection, body: Mapping[str, Any], _: DadaTerms, at: Instant) -> Result:
    order = find(tx, body)
    rules.check_move(order.status, 10)
    move(tx, order, 10, at)
    return None


def _positions(tx: sqlite3.Connection, body: Mapping[str, Any], _: DadaTerms, __: Instant) -> Result:
    numbers = body.get("orderIds")
    if not isinstance(numbers, list) or not 0 < len(numbers) <= 50:
        raise DadaRefusal(rules.PARAMETER_WRONG, "orderIds 须为 1 至 50 个")
    orders = [order for number in numbers if (order := dada.find_order(tx, str(number))) is not None]
    return [{"orderId": order.origin_id, **_rider(order)} for order in orders]


def _reasons(_: sqlite3.Connection, __: Mapping[str, Any], ___: DadaTerms, ____: Instant) -> Result:
    return [{"id": number, "reason": reason} for number, reason in _CANCEL_REASONS]


def _simulated(status: int, cancel_from: int = 0) -> Operation:
    """The test environment's own operations: what a rider or the system would do."""

    def operation(tx: sqlite3.Connection, body: Mapping[str, Any], _: DadaTerms, at: Instant) -> Result:
        order = find(tx, body)
        rules.check_move(order.status, status)
        move(tx, order, status, at, cancel_from=cancel_from, reason=str(body.get("reason", "")))
        return None

    return operation


def status_view(order: DadaOrder) -> dict[str, Any]:
    """The answer of status/query, amounts in yuan."""

    def moment(name: str) -> str:
        return wire_time(from_ms(order.times[name])) if name in order.times else ""

    return {
        "orderId": order.origin_id,
        "statusCode": order.status,
        "statusMsg": rules.STATUS_TEXT.get(order.status, ""),
        **_rider(order),
        "deliveryFee": order.fee_fen / 100,
        "actualFee": (order.fee_fen + order.tip_fen) / 100,
        "tips": order.tip_fen / 100,
        "deductFee": order.deduct_fen / 100,
        "insuranceFee": 0,
        "distance": order.distance_m,
        "createTime": moment("create"),
        "acceptTime": moment("accept"),
        "fetchTime": moment("fetch"),
        "finishTime": moment("finish"),
        "cancelTime": moment("cancel"),
        "orderFinishCode": order.finish_code,
    }


def _create(
    tx: sqlite3.Connection, body: Mapping[str, Any], fee_fen: int, distance_m: int, terms: DadaTerms, at: Instant
) -> None:
    if dada.find_order(tx, str(body["origin_id"])) is not None:
        raise DadaRefusal(rules.DUPLICATE_ORDER, "订单已存在，请勿重复提交")
    _place(tx, body, fee_fen, distance_m, terms, at)


def _place(
    tx: sqlite3.Connection, body: Mapping[str, Any], fee_fen: int, distance_m: int, terms: DadaTerms, at: Instant
) -> None:
    needs_code = body.get("is_finish_code_needed") in (1, "1")
    order = DadaOrder(
        origin_id=str(body["origin_id"]),
        client_id=f"3{secrets.randbelow(10**11):011d}",
        status=1,
        terms=dict(body),
        fee_fen=fee_fen,
        tip_fen=0,
        deduct_fen=0,
        distance_m=distance_m,
        finish_code=f"{secrets.randbelow(10**6):06d}" if needs_code else "",
        rider=0,
        times={"create": to_ms(at.now)},
        walk_at_ms=None,
    )
    move(tx, order, 1, at, step=terms.walk_step)


def _measure(body: Mapping[str, Any]) -> tuple[int, int]:
    """Metres to the receiver and the fee in fen."""
    try:
        there = (float(body["receiver_lat"]), float(body["receiver_lng"]))
        weight_kg = float(body.get("cargo_weight", 1))
    except (KeyError, TypeError, ValueError):
        raise DadaRefusal(rules.PARAMETER_WRONG, "receiver_lat、receiver_lng 或 cargo_weight 无效") from None
    metres = rules.distance_m(_SHOP, there)
    return metres, rules.price(metres, weight_kg)


def _fees(distance_m: int, fee_fen: int) -> dict[str, Any]:
    fee = float(format_yuan(fee_fen))
    return {"distance": distance_m, "fee": fee, "deliverFee": fee, "couponFee": 0.0, "tips": 0.0, "insuranceFee": 0.0}


def _rider(order: DadaOrder) -> dict[str, Any]:
    if not order.rider or order.status in (1, 8, 1000):
        return {}
    name, phone = rules.RIDERS[(order.rider - 1) % len(rules.RIDERS)]
    return {
        "transporterId": 660_000 + order.rider,
        "transporterName": name,
        "transporterPhone": phone,
        "transporterLat": str(_SHOP[0]),
        "transporterLng": str(_SHOP[1]),
    }


_OPERATIONS: dict[str, Operation] = {
    "order/queryDeliverFee": _quote,
    "order/addAfterQuery": _add_after_query,
    "order/addOrder": _add,
    "order/reAddOrder": _add_again,
    "order/status/query": _status,
    "order/formalCancel": _cancel,
    "order/addTip": _tip,
    "order/cancel/reasons": _reasons,
    "order/transporter/position": _positions,
    "order/confirm/goods": _goods_returned,
    "order/accept": _simulated(2),
    "order/fetch": _simulated(3),
    "order/finish": _simulated(4),
    "order/cancel": _simulated(5, cancel_from=1),
    "order/expire": _simulated(5, cancel_from=3),
}
