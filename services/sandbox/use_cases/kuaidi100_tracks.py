"""快递100's tracks: what a waybill has passed, and the pushes to whoever subscribed to it."""

import json
import sqlite3
import uuid
from collections.abc import Mapping
from typing import Any

from services.sandbox.domain import kuaidi100 as rules
from services.sandbox.domain.kuaidi100 import KuaidiRefusal, Subscription, Trace
from services.sandbox.domain.times import Instant, wire_time
from services.sandbox.store import kuaidi100, outgoing

_NAMES = {"0": "在途", "1": "揽收", "2": "疑难", "3": "签收", "4": "退签", "5": "派件", "6": "退回", "14": "拒签"}


def subscribe(tx: sqlite3.Connection, param: Mapping[str, Any], key: str, at: Instant) -> None:
    """Take a subscription; refuses with the provider's return codes."""
    if param.get("key") != key:
        raise KuaidiRefusal("601", "key 无效")
    parameters = param.get("parameters")
    if not isinstance(parameters, dict) or not parameters.get("callbackurl"):
        raise KuaidiRefusal("700", "callbackurl 不能为空")
    number, company = str(param.get("number") or ""), str(param.get("company") or "")
    if not number:
        raise KuaidiRefusal("700", "number 不能为空")
    if not company:
        raise KuaidiRefusal("702", "无法识别快递公司")
    earlier = kuaidi100.find_subscription(tx, number)
    if earlier is not None and earlier.active:
        raise KuaidiRefusal("501", "重复订阅")
    salt = str(parameters.get("salt") or "")
    subscription = Subscription(number, company, str(parameters["callbackurl"]), salt, True)
    kuaidi100.save_subscription(tx, subscription, at.now)
    if kuaidi100.traces(tx, number, limit=1):
        _push(tx, subscription, at)


def add_trace(tx: sqlite3.Connection, number: str, trace: Trace, at: Instant) -> None:
    """A waybill passes something; an active subscriber gets the whole track anew."""
    kuaidi100.add_trace(tx, number, trace)
    subscription = kuaidi100.find_subscription(tx, number)
    if subscription is None or not subscription.active:
        return
    _push(tx, subscription, at)
    if trace.state in rules.TRACK_ENDS:
        ended = Subscription(number, subscription.company, subscription.callback_url, subscription.salt, False)
        kuaidi100.save_subscription(tx, ended, at.now)


def query(tx: sqlite3.Connection, form: Mapping[str, str], key: str, customer: str) -> dict[str, Any]:
    """The track of a number for poll/query.do."""
    param = form.get("param", "")
    if form.get("customer") != customer or form.get("sign") != rules.query_signature(param, key, customer):
        raise KuaidiRefusal("503", "验证签名失败")
    try:
        asked = json.loads(param)
        number, company = str(asked["num"]), str(asked["com"])
    except (ValueError, KeyError, TypeError):
        raise KuaidiRefusal("400", "param 无效") from None
    if not kuaidi100.traces(tx, number, limit=1):
        raise KuaidiRefusal("500", "查询无结果，请隔段时间再查")
    return {"message": "ok", "status": "200", **_track(tx, number, company)}


def _push(tx: sqlite3.Connection, subscription: Subscription, at: Instant) -> None:
    track = _track(tx, subscription.number, subscription.company)
    over = track["state"] in rules.TRACK_ENDS
    param = json.dumps(
        {
            "status": "shutdown" if over else "polling",
            "billstatus": "check" if over else "got",
            "message": "",
            "lastResult": {"message": "ok", "status": "200", **track},
        },
        ensure_ascii=False,
    )
    outgoing.enqueue(
        tx,
        id=uuid.uuid4().hex,
        channel="kuaidi100",
        url=subscription.callback_url,
        body=json.dumps({"param": param, "salt": subscription.salt, "task_id": ""}),
        ref=subscription.number,
        due_at=at.real,
        created_at=at.real,
    )


def _track(tx: sqlite3.Connection, number: str, company: str) -> dict[str, Any]:
    """The full snapshot, newest first."""
    passed = kuaidi100.traces(tx, number)
    return {
        "state": passed[0].state,
        "ischeck": "1" if passed[0].state == rules.SIGNED else "0",
        "com": company,
        "nu": number,
        "data": [
            {
                "time": wire_time(trace.at),
                "ftime": wire_time(trace.at),
                "context": trace.context,
                "status": _NAMES.get(trace.state, trace.state),
                "statusCode": trace.state,
                "areaCode": "",
            }
            for trace in passed
        ],
    }
