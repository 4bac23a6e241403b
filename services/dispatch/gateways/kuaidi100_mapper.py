"""快递100 商家寄件 as text: signed form calls, order callbacks and track pushes signed with our salt. Pure, no I/O.

Source: the provider's documents and SDKs (api.kuaidi100.com)."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlencode

from pydantic import BaseModel, Field, SecretStr

from services.dispatch.domain.attempts import PICKED_UP, AttemptState, Rider, Snapshot
from services.dispatch.gateways.port import (
    CancelReason,
    Outcome,
    Party,
    Quote,
    RawRequest,
    RawResponse,
    Reason,
    Result,
    Shipment,
    Trust,
    WebhookBatch,
)
from services.dispatch.gateways.wire_values import compact_json, read_json, shanghai_time, whole_number, yuan_as_fen


class Kuaidi100Account(BaseModel):
    """One merchant account. `company` is the courier that collects, in the provider's code (`yuantong`)."""

    name: str = "platform"
    order_url: str = "http://127.0.0.1:8006/kuaidi100/order/borderapi.do"
    query_url: str = Field(default="", description="Track queries, if not beside the orders")
    key: str = "kuaidi-key"
    secret: SecretStr = SecretStr("kuaidi-secret")
    customer: str = "kuaidi-customer"
    salt: SecretStr = SecretStr("kuaidi-salt")
    company: str = "yuantong"
    service_type: str = "标准快递"
    cancel_fee_fen: int | None = Field(
        default=None,
        ge=0,
        description="What a cancellation costs by the contract; unset: nobody knows, no call tells it",
    )
    timeout_s: float = Field(default=8.0, gt=0, le=10)
    calls_per_s: float = Field(default=10.0, gt=0)

    @property
    def track_url(self) -> str:
        """Where tracks are asked for: beside the orders unless set (the provider's own host for it is another)."""
        return self.query_url or self.order_url.replace("/order/borderapi.do", "/poll/query.do")

    @property
    def subscribe_url(self) -> str:
        """Subscriptions live one level above track queries."""
        return self.track_url.removesuffix("/query.do")


STATES: dict[int, AttemptState] = {
    0: AttemptState.SEARCHING,
    1: AttemptState.ASSIGNED,
    9: AttemptState.CANCELLED,
    10: AttemptState.IN_TRANSIT,
    99: AttemptState.CANCELLED,
    610: AttemptState.REJECTED,
}
_MOST_ROWS = 200
FEE_EVENTS = frozenset({15, 155})
TRACK_STATES: dict[str, AttemptState] = {
    **dict.fromkeys(("0", "1", "7", "8", "10", "11", "12", "13"), AttemptState.IN_TRANSIT),
    "2": AttemptState.EXCEPTION,
    "3": AttemptState.DELIVERED,
    "4": AttemptState.RETURNED,
    "5": AttemptState.OUT_FOR_DELIVERY,
    "6": AttemptState.RETURNING,
    "14": AttemptState.RETURNING,
}
_REASONS = {"400": Reason.BAD_INPUT, "503": Reason.AUTH, "600": Reason.AUTH, "601": Reason.FUNDS}
# "Duplicate submission" and "business error" are also what a repetition of an order that did arrive may answer.
DECIDES_NOTHING = frozenset({"500", "501"})
CANCEL_TEXTS = {
    CancelReason.NO_RIDER: "长时间无人揽收",
    CancelReason.BUYER_REFUND: "买家申请退款",
    CancelReason.MERCHANT: "商家取消寄件",
    CancelReason.FENCE: "下单结果未知，作废",
}
HEARD = RawResponse(200, '{"result":true,"returnCode":"200","message":"成功"}')
REFUSED = RawResponse(200, '{"result":false,"returnCode":"500","message":"验签失败"}')


def _md5_upper(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()


def order_signature(param: str, at_ms: str, key: str, secret: str) -> str:
    """Of a call to 商家寄件: MD5(param + t + key + secret), upper case, over the exact text of `param`."""
    return _md5_upper(f"{param}{at_ms}{key}{secret}")


def track_signature(param: str, key: str, customer: str) -> str:
    """Of a track query: MD5(param + key + customer), upper case."""
    return _md5_upper(f"{param}{key}{customer}")


def push_signature(param: str, salt: str) -> str:
    """Of what the provider sends: MD5(param + salt)."""
    return _md5_upper(f"{param}{salt}")


def build_call(account: Kuaidi100Account, method: str, param: Mapping[str, Any], at_ms: int) -> bytes:
    """The signed form of a call to 商家寄件."""
    text = compact_json(param)
    t = str(at_ms)
    sign = order_signature(text, t, account.key, account.secret.get_secret_value())
    return urlencode({"key": account.key, "method": method, "t": t, "param": text, "sign": sign}).encode()


def build_track(account: Kuaidi100Account, waybill: str, phone: str) -> bytes:
    """The signed form of a track query. Some couriers show a track only with the recipient's phone."""
    text = json.dumps({"com": account.company, "num": waybill, "phone": phone, "resultv2": "4"}, ensure_ascii=False)
    sign = track_signature(text, account.key, account.customer)
    return urlencode({"customer": account.customer, "param": text, "sign": sign}).encode()


def build_price(account: Kuaidi100Account, shipment: Shipment) -> dict[str, Any]:
    """The param of price: kilograms, and where from and to."""
    return {
        "kuaidicom": account.company,
        "sendManPrintAddr": shipment.pickup.address,
        "recManPrintAddr": shipment.dropoff.address,
        "weight": str(Decimal(shipment.weight_g) / 1000),
        "serviceType": account.service_type,
    }


def build_subscription(account: Kuaidi100Account, waybill: str, phone: str, callback_url: str) -> bytes:
    """The form of a subscription to a waybill's track, to be pushed with our salt."""
    parameters = {
        "callbackurl": callback_url,
        "salt": account.salt.get_secret_value(),
        "resultv2": "4",
        "phone": phone,
    }
    param = {"company": account.company, "number": waybill, "key": account.key, "parameters": parameters}
    return urlencode({"schema": "json", "param": compact_json(param)}).encode()


def build_order(account: Kuaidi100Account, shipment: Shipment, attempt_key: str, callback_url: str) -> dict[str, Any]:
    """The param of bOrder: kilograms, whole addresses, and one address for order callbacks and track pushes."""
    return {
        "kuaidicom": account.company,
        **_party("rec", shipment.dropoff),
        **_party("send", shipment.pickup),
        "cargo": shipment.title[:50],
        "weight": str(Decimal(shipment.weight_g) / 1000),
        "payment": "SHIPPER",
        "serviceType": account.service_type,
        "remark": shipment.order_no,
        "callBackUrl": callback_url,
        "salt": account.salt.get_secret_value(),
        "op": "1",
        "pollCallBackUrl": callback_url,
        "resultv2": "4",
        "thirdOrderId": attempt_key,
    }


def _party(prefix: str, party: Party) -> dict[str, str]:
    return {
        f"{prefix}ManName": party.name,
        f"{prefix}ManMobile": party.phone,
        f"{prefix}ManPrintAddr": party.address,
    }


def parse_answer(raw: bytes) -> Result[dict[str, Any]]:
    """The outcome of a call. Anything that is not the documented shape is unknown."""
    try:
        answer = read_json(raw)
        code, success = str(answer["returnCode"]), answer["result"] is True
        data, message = answer.get("data"), str(answer.get("message") or "")[:200]
    except (ValueError, TypeError, KeyError, AttributeError):
        return Result(Outcome.UNKNOWN, code="unreadable")
    if success and code == "200":
        return Result(Outcome.OK, data if isinstance(data, dict) else {})
    return Result(Outcome.REJECTED, reason=_REASONS.get(code, Reason.OTHER), code=code, message=message)


_SUBSCRIPTION_REASONS = {
    "600": Reason.AUTH,
    "601": Reason.FUNDS,
    "700": Reason.BAD_INPUT,
    "701": Reason.CATEGORY,
    "702": Reason.BAD_INPUT,
}
_SUBSCRIBED = frozenset({"200", "501"})  # 501: an earlier subscription of the same number is still active


def parse_subscribed(raw: bytes) -> Result[None]:
    """The outcome of a subscription."""
    try:
        code = str(read_json(raw)["returnCode"])
    except (ValueError, TypeError, KeyError):
        return Result(Outcome.UNKNOWN, code="unreadable")
    if code in _SUBSCRIBED:
        return Result(Outcome.OK, code=code)
    if code not in _SUBSCRIPTION_REASONS:
        return Result(Outcome.UNKNOWN, code=code)
    return Result(Outcome.REJECTED, reason=_SUBSCRIPTION_REASONS[code], code=code)


def parse_quote(data: Mapping[str, Any]) -> Quote | None:
    """What price's data says; None without a price."""
    fee_fen = yuan_as_fen(data.get("price"))
    return None if fee_fen is None or fee_fen < 0 else Quote(fee_fen)


def parse_created(data: Mapping[str, Any]) -> Snapshot | None:
    """What bOrder's data says; None without the ids by which the order can be asked about."""
    if not data.get("taskId") or not data.get("orderId"):
        return None
    return Snapshot(
        "0",
        AttemptState.SEARCHING,
        provider_id=f"{data['taskId']}/{data['orderId']}",
        waybill=str(data.get("kuaidinum") or "") or None,
    )


def parse_order(data: Mapping[str, Any]) -> Snapshot:
    """What a callback's or `detail`'s data says. The provider sends no time with it."""
    status = whole_number(data.get("status"))
    state = STATES.get(status) if status is not None else None
    name, phone = str(data.get("courierName") or ""), str(data.get("courierMobile") or "")
    return Snapshot(
        raw_status=str(status),
        state=state,
        picked_up=state in PICKED_UP,
        rider=Rider(name, phone) if name else None,
        fee_fen=yuan_as_fen(data.get("freight")),
        waybill=str(data.get("kuaidinum") or data.get("kuaidiNum") or "") or None,
    )


def parse_track(track: Mapping[str, Any]) -> Snapshot:
    """Where a track stands. Whatever has a track has been picked up."""
    return parse_rows(track)[-1]


def parse_rows(track: Mapping[str, Any]) -> tuple[Snapshot, ...]:
    """What a track says: the whole way each time, newest row first; here oldest first. The newest row is at least where
    the track as a whole is said to be."""
    listed = track.get("data")
    rows = [row for row in listed if isinstance(row, dict)][:_MOST_ROWS] if isinstance(listed, list) else []
    waybill, raw = str(track.get("nu") or "") or None, str(track.get("state", ""))
    told = [_row(str(row.get("statusCode") or ""), row, waybill) for row in rows[1:]]
    newest = _row(raw, rows[0] if rows else {}, waybill)
    return (*(row for row in reversed(told) if row.state is not None), newest)


def _row(raw: str, row: Mapping[str, Any], waybill: str | None) -> Snapshot:
    state = TRACK_STATES.get(raw)
    return Snapshot(
        raw_status=f"track:{raw}",
        state=state,
        occurred_at=shanghai_time(row.get("ftime") or row.get("time")),
        picked_up=state is not None,
        waybill=waybill,
    )


def parse_webhook(raw: RawRequest, salt: str) -> WebhookBatch:
    """An order callback or a track push; genuine exactly if signed with our salt."""
    refused = WebhookBatch(Trust.FAILED, REFUSED)
    try:
        form = dict(parse_qsl(raw.body.decode(), keep_blank_values=True, strict_parsing=True, max_num_fields=50))
        param = form["param"]
        genuine = hmac.compare_digest(push_signature(param, salt), form.get("sign", "").upper())
        said = read_json(param) if genuine else None
        if not isinstance(said, dict):
            return refused
        return WebhookBatch(Trust.STRONG, HEARD, _told(said, form.get("taskId", "")))
    except (ValueError, TypeError, KeyError):
        return refused


def _told(said: Mapping[str, Any], task_id: str) -> tuple[Snapshot, ...]:
    if isinstance(said.get("lastResult"), dict):
        return parse_rows(said["lastResult"])
    if isinstance(said.get("data"), dict):
        data = said["data"]
        ids = f"{task_id}/{data['orderId']}" if task_id and data.get("orderId") else None
        return (replace(parse_order({"kuaidinum": said.get("kuaidinum"), **data}), provider_id=ids),)
    return ()
