"""What 快递100 does for a shop's own parcels: prices, takes orders, moves them on, and calls back."""

import json
import secrets
import sqlite3
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from services.sandbox.domain import kuaidi100 as rules
from services.sandbox.domain.kuaidi100 import KuaidiOrder, KuaidiRefusal, Subscription, Trace
from services.sandbox.domain.money import format_yuan
from services.sandbox.domain.times import Instant, to_ms, wire_time
from services.sandbox.gateways import Answer
from services.sandbox.store import kuaidi100, outgoing
from services.sandbox.store.outgoing import Delivery
from services.sandbox.use_cases import kuaidi100_tracks as tracks
from services.sandbox.use_cases.sender import Letter

CHANNEL = "kuaidi100"
_COURIER = ("王师傅", "13900000001")
_REQUIRED = (
    "kuaidicom",
    "recManName",
    "recManMobile",
    "recManPrintAddr",
    "sendManName",
    "sendManMobile",
    "sendManPrintAddr",
    "cargo",
    "callBackUrl",
)

Reply = dict[str, Any]
Method = Callable[[sqlite3.Connection, Mapping[str, Any], timedelta | None, Instant], Reply]


@dataclass(frozen=True, slots=True)
class Kuaidi100Channel:
    intervals_s: tuple[float, ...]

    def compose(self, delivery: Delivery, _at: Instant) -> Letter:
        """The form {taskId?, sign, param}; the salt is the one that the order or subscription brought."""
        kept = json.loads(delivery.body)
        signature = rules.push_signature(kept["param"], kept["salt"])
        form = {"param": kept["param"], "sign": signature[::-1] if delivery.flaw else signature}
        if kept["task_id"]:
            form["taskId"] = kept["task_id"]
        return Letter(urlencode(form).encode(), "application/x-www-form-urlencoded; charset=utf-8")

    def is_acknowledged(self, answer: Answer) -> bool:
        try:
            said = json.loads(answer.body)
        except ValueError:
            return False
        return answer.status == 200 and isinstance(said, dict) and str(said.get("returnCode")) == "200"


def perform(
    tx: sqlite3.Connection, form: Mapping[str, str], key: str, secret: str, step: timedelta | None, at: Instant
) -> Reply:
    """One signed call of borderapi.do: the members of the reply beside result and returnCode."""
    param, t = form.get("param", ""), form.get("t", "")
    if form.get("key") != key:
        raise KuaidiRefusal("601", "key 无效")
    if form.get("sign") != rules.order_signature(param, t, key, secret):
        raise KuaidiRefusal("503", "验证签名失败")
    if not t.isdecimal():
        raise KuaidiRefusal("400", "t 无效")
    method = form.get("method", "")
    if method not in _METHODS:
        raise KuaidiRefusal("400", "没有这个方法")
    return _METHODS[method](tx, read_param(param), step, at)


def read_param(param: str) -> dict[str, Any]:
    try:
        content = json.loads(param)
    except ValueError:
        raise KuaidiRefusal("400", "param 不是 JSON") from None
    if not isinstance(content, dict):
        raise KuaidiRefusal("400", "param 不是 JSON 对象")
    return content


def act(
    tx: sqlite3.Connection, order: KuaidiOrder, action: str, at: Instant, step: timedelta | None = None
) -> KuaidiOrder:
    """The carrier does something: the order's status, its track or both move on, and the shop is told."""
    allowed, status, track_state, text = rules.ACTIONS[action]
    if order.status not in allowed:
        raise KuaidiRefusal("500", "订单当前状态不能这样变化")
    following = rules.WALK[rules.WALK.index(action) + 1 :] if action in rules.WALK else ()
    walk_at_ms = to_ms(at.real + step) if step is not None and following else None
    order = replace(order, status=order.status if status is None else status, walk_at_ms=walk_at_ms)
    kuaidi100.save_order(tx, order)
    if status is not None:
        tell(tx, order, status, at)
    if track_state is not None:
        tracks.add_trace(tx, order.kuaidinum, Trace(track_state, text, at.now), at)
    return order


def tell(tx: sqlite3.Connection, order: KuaidiOrder, status: int, at: Instant) -> None:
    """Enqueue a callback that says `status`; fee events 15 and 155 bring weight and freight."""
    data: dict[str, Any] = {
        "orderId": order.order_id,
        "status": status,
        "courierName": _COURIER[0] if status else "",
        "courierMobile": _COURIER[1] if status else "",
        "weight": str(order.terms.get("weight", "1")),
        "freight": format_yuan(order.fee_fen),
    }
    param = json.dumps(
        {
            "kuaidicom": order.kuaidicom,
            "kuaidinum": rules.told_number(order, status),
            "status": "200",
            "message": "成功",
            "data": data,
        },
        ensure_ascii=False,
    )
    outgoing.enqueue(
        tx,
        id=uuid.uuid4().hex,
        channel=CHANNEL,
        url=str(order.terms["callBackUrl"]),
        body=json.dumps({"param": param, "salt": str(order.terms.get("salt") or ""), "task_id": order.task_id}),
        ref=order.order_id,
        due_at=at.real,
        created_at=at.real,
    )


def walk(tx: sqlite3.Connection, at: Instant, step: timedelta) -> None:
    """Move every order on whose automatic step is due."""
    for order in kuaidi100.walking(tx, at.real):
        act(tx, order, _next_action(tx, order), at, step)


def _next_action(tx: sqlite3.Connection, order: KuaidiOrder) -> str:
    if order.status != rules.PICKED_UP:
        return "accept" if order.status == rules.PLACED else "pickup"
    newest = kuaidi100.traces(tx, order.kuaidinum, limit=1)[0].state
    return {rules.COLLECTED: "transit", rules.IN_TRANSIT: "deliver"}.get(newest, "sign")


def _price(_: sqlite3.Connection, param: Mapping[str, Any], __: timedelta | None, ___: Instant) -> Reply:
    if not param.get("kuaidicom"):
        raise KuaidiRefusal("400", "kuaidicom 不能为空")
    first_fen, further_fen = rules.tariff(_weight_kg(param))
    total = format_yuan(first_fen + further_fen)
    data = {
        "price": total,
        "defPrice": total,
        "firstPrice": format_yuan(first_fen),
        "overPrice": format_yuan(further_fen),
        "serviceType": param.get("serviceType") or "标准快递",
        "kuaidiCom": param["kuaidicom"],
    }
    return {"message": "成功", "data": data}


def _place(tx: sqlite3.Connection, param: Mapping[str, Any], step: timedelta | None, at: Instant) -> Reply:
    _check_order(param)
    third_order_id = str(param.get("thirdOrderId") or "")
    if third_order_id:
        earlier = kuaidi100.find_by_third(tx, third_order_id, at.now - rules.DEDUPE)
        if earlier is not None:
            return _placed(earlier)
    first_fen, further_fen = rules.tariff(_weight_kg(param))
    order = KuaidiOrder(
        order_id=str(20_000_000 + secrets.randbelow(10**12)),
        task_id=uuid.uuid4().hex.upper(),
        third_order_id=third_order_id,
        kuaidicom=str(param["kuaidicom"]),
        kuaidinum=f"SB{secrets.randbelow(10**13):013d}",
        status=rules.PLACED,
        terms=dict(param),
        fee_fen=first_fen + further_fen,
        created_at=at.now,
        walk_at_ms=to_ms(at.real + step) if step is not None else None,
    )
    kuaidi100.save_order(tx, order)
    if str(param.get("op") or "") == "1" and param.get("pollCallBackUrl"):
        subscription = Subscription(
            order.kuaidinum, order.kuaidicom, str(param["pollCallBackUrl"]), str(param.get("salt") or ""), True
        )
        kuaidi100.save_subscription(tx, subscription, at.now)
    tell(tx, order, rules.PLACED, at)
    return _placed(order)


def _cancel(tx: sqlite3.Connection, param: Mapping[str, Any], _: timedelta | None, at: Instant) -> Reply:
    order = kuaidi100.find_order(tx, str(param.get("orderId", "")))
    if order is None or order.task_id != param.get("taskId"):
        raise KuaidiRefusal("500", "订单不存在")
    if len(str(param.get("cancelMsg") or "")) > 30:
        raise KuaidiRefusal("400", "cancelMsg 最长30字")
    if order.status == rules.USER_CANCELLED:
        raise KuaidiRefusal("500", "订单已取消，请勿重复取消")
    if order.status not in (rules.PLACED, rules.ACCEPTED):
        raise KuaidiRefusal("500", "订单当前状态不能取消")
    order = replace(order, status=rules.USER_CANCELLED, walk_at_ms=None)
    kuaidi100.save_order(tx, order)
    tell(tx, order, rules.USER_CANCELLED, at)
    return {"message": "取消成功", "data": {}}


def _detail(tx: sqlite3.Connection, param: Mapping[str, Any], _: timedelta | None, __: Instant) -> Reply:
    order = kuaidi100.find_by_task(tx, str(param.get("taskId", "")))
    if order is None:
        raise KuaidiRefusal("500", "订单不存在")
    return {"message": "成功", "data": view(order)}


def view(order: KuaidiOrder) -> dict[str, Any]:
    """The order as `detail` tells it, amounts in yuan."""
    return {
        "taskId": order.task_id,
        "orderId": order.order_id,
        "thirdOrderId": order.third_order_id,
        "kuaidiCom": order.kuaidicom,
        "kuaidiNum": rules.told_number(order, order.status),
        "status": order.status,
        "createTime": wire_time(order.created_at),
        "courierName": _COURIER[0] if order.status else "",
        "courierMobile": _COURIER[1] if order.status else "",
        "weight": str(order.terms.get("weight", "1")),
        "freight": format_yuan(order.fee_fen),
    }


def _placed(order: KuaidiOrder) -> Reply:
    number = rules.told_number(order, order.status)
    data = {"taskId": order.task_id, "orderId": order.order_id, "kuaidinum": number, "attach": None}
    return {"message": "提交成功", "data": data}


def _check_order(param: Mapping[str, Any]) -> None:
    missing = [name for name in _REQUIRED if not param.get(name)]
    if missing:
        raise KuaidiRefusal("400", f"缺少参数：{'、'.join(missing)}")
    if len(str(param["callBackUrl"]).encode()) > 200:
        raise KuaidiRefusal("400", "callBackUrl 最长200字节")
    if len(str(param.get("thirdOrderId") or "")) > 32:
        raise KuaidiRefusal("400", "thirdOrderId 最长32字符")


def _weight_kg(param: Mapping[str, Any]) -> float:
    try:
        weight_kg = float(param.get("weight") or 1)
    except (TypeError, ValueError):
        raise KuaidiRefusal("400", "weight 无效") from None
    if not 0 < weight_kg <= 1_000:
        raise KuaidiRefusal("400", "weight 无效")
    return weight_kg


_METHODS: dict[str, Method] = {"price": _price, "bOrder": _place, "cancel": _cancel, "detail": _detail}
