"""闪送 as text: signed form calls, fen, whole kilograms, BD-09, and callbacks that prove nothing. Pure, no I/O.

Source: the provider's open platform documents (open.ishansong.com) and its official command line."""

import hashlib
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, Field, SecretStr

from services.dispatch.domain.attempts import PICKED_UP, AttemptState, CancelledBy, Rider, Snapshot
from services.dispatch.domain.routing import GeoPoint
from services.dispatch.gateways.code_meanings import Meaning, read_code
from services.dispatch.gateways.coordinates import from_baidu, to_baidu
from services.dispatch.gateways.port import (
    Outcome,
    Quote,
    RawResponse,
    Reason,
    Result,
    RiderPosition,
    Shipment,
    Trust,
    WebhookBatch,
)
from services.dispatch.gateways.wire_values import compact_json, fen, read_json, shanghai_time, whole_number, words


class IshansongAccount(BaseModel):
    """One merchant account. The provider publishes no table of errors, so what a status means is a setting; the
    defaults are the sandbox's. Its console takes one callback address per account: `callback_token` is the secret part
    of it, and the order's number says which attempt is meant."""

    name: str = "platform"
    base_url: str = "http://127.0.0.1:8006/ishansong"
    client_id: str = "ishansong-client"
    app_secret: SecretStr = SecretStr("ishansong-secret")
    shop_id: str = "ishansong-shop"
    callback_token: SecretStr = SecretStr("ishansong-callback")
    timestamp_unit: Literal["ms", "s"] = Field(default="ms", description="The official command line sends ms")
    quote_valid_s: int = Field(default=600, ge=30, description="Not documented; an older quote is asked for again")
    agree_to_deduct: bool = Field(default=False, description="Let a cancellation cost more than the order did")
    timeout_s: float = Field(default=8.0, gt=0, le=10)
    calls_per_s: float = Field(default=20.0, gt=0)
    merchant_abort_types: frozenset[int] = Field(
        default=frozenset({1, 2}),
        description="Who cancelled is a number without a public table; these are the shop, as clients take them",
    )
    rider_abort_types: frozenset[int] = Field(default=frozenset({3}), description="All others: the provider itself")
    not_found_codes: frozenset[int] = frozenset({80004})
    bad_input_codes: frozenset[int] = frozenset({80002})
    auth_codes: frozenset[int] = frozenset({80001})
    funds_codes: frozenset[int] = frozenset({80007})
    stale_codes: frozenset[int] = frozenset({80008})
    too_late_codes: frozenset[int] = frozenset({80005})
    throttled_codes: frozenset[int] = frozenset({80006, 429})
    unknown_codes: frozenset[int] = Field(default=frozenset({500}), description="Answers that decide nothing")


STATES: dict[int, AttemptState] = {
    20: AttemptState.SEARCHING,
    30: AttemptState.ASSIGNED,
    40: AttemptState.IN_TRANSIT,
    50: AttemptState.DELIVERED,
    60: AttemptState.CANCELLED,
}
_FETCHED = 40
_GOODS = {"document": 1, "cake": 5, "food": 6, "snack": 6, "flower": 7, "medicine": 13, "grocery": 15, "fruit": 16}
_OTHER_GOODS = 10
HEARD = RawResponse(200, '{"status":200,"msg":"","data":""}')
REFUSED = RawResponse(400, '{"status":400,"msg":"bad request","data":""}')


def sign(secret: str, client_id: str, shop_id: str, timestamp: str, data: str) -> str:
    """Upper-case MD5 over the secret and the named values; without data its name is left out as well."""
    named = f"data{data}" if data else ""
    joined = f"{secret}clientId{client_id}{named}shopId{shop_id}timestamp{timestamp}"
    return hashlib.md5(joined.encode(), usedforsecurity=False).hexdigest().upper()


def build_call(account: IshansongAccount, body: Mapping[str, Any], at: datetime) -> bytes:
    """The signed form of a call."""
    seconds = at.timestamp()
    timestamp = str(int(seconds * 1000) if account.timestamp_unit == "ms" else int(seconds))
    data = compact_json(body) if body else ""
    secret = account.app_secret.get_secret_value()
    form = {
        "clientId": account.client_id,
        "shopId": account.shop_id,
        "timestamp": timestamp,
        "sign": sign(secret, account.client_id, account.shop_id, timestamp, data),
    }
    return urlencode({**form, "data": data} if data else form).encode()


def build_quote(shipment: Shipment, attempt_key: str) -> dict[str, Any]:
    """The data of orderCalculate: our number, whole kilograms begun, BD-09."""
    sender, receiver = shipment.pickup, shipment.dropoff
    here, there = to_baidu(sender.place), to_baidu(receiver.place)
    return {
        "cityName": sender.city,
        "appointType": 0,
        "sender": {
            "fromAddress": sender.address,
            "fromSenderName": sender.name,
            "fromMobile": sender.phone,
            "fromLatitude": f"{here.latitude:.6f}",
            "fromLongitude": f"{here.longitude:.6f}",
        },
        "receiverList": [
            {
                "orderNo": attempt_key,
                "toAddress": receiver.address,
                "toLatitude": f"{there.latitude:.6f}",
                "toLongitude": f"{there.longitude:.6f}",
                "toReceiverName": receiver.name,
                "toMobile": receiver.phone,
                "goodType": _GOODS.get(shipment.category.lower(), _OTHER_GOODS),
                "weight": max(1, math.ceil(shipment.weight_g / 1000)),
                "remarks": shipment.title[:80],
                "orderingSourceNo": shipment.order_no,
            }
        ],
    }


def parse_answer(account: IshansongAccount, raw: bytes) -> Result[dict[str, Any]]:
    """The outcome of a call from its answer. Anything that is not the documented shape is unknown."""
    try:
        answer = read_json(raw)
        status, data = int(answer["status"]), answer.get("data")
        message = str(answer.get("msg") or "")[:200]
    except (ValueError, TypeError, KeyError, AttributeError):
        return Result(Outcome.UNKNOWN, code="unreadable")
    if status == 200:
        return Result(Outcome.OK, data if isinstance(data, dict) else {})
    return read_code(status, message, _meanings(account))


def _meanings(account: IshansongAccount) -> tuple[Meaning, ...]:
    return (
        (account.throttled_codes, Outcome.RATE_LIMITED),
        (account.unknown_codes, Outcome.UNKNOWN),
        (account.not_found_codes, Reason.NOT_FOUND),
        (account.bad_input_codes, Reason.BAD_INPUT),
        (account.auth_codes, Reason.AUTH),
        (account.funds_codes, Reason.FUNDS),
        (account.stale_codes, Reason.QUOTE_STALE),
        (account.too_late_codes, Reason.TOO_LATE),
    )


def parse_quote(account: IshansongAccount, data: Mapping[str, Any], now: datetime) -> Quote | None:
    """What orderCalculate's data says; None without a number to order under, or without a price."""
    number = str(data.get("orderNumber") or "")
    saved, total = fen(data.get("totalFeeAfterSave")), fen(data.get("totalAmount"))
    fee_fen = saved if saved is not None else total
    if not number or fee_fen is None:
        return None
    grab, receive = whole_number(data.get("estimateGrabSecond")), whole_number(data.get("estimateReceiveSecond"))
    known = grab is not None and receive is not None and grab >= 0 and receive >= 0
    return Quote(
        fee_fen=fee_fen,
        distance_m=whole_number(data.get("totalDistance")),
        eta=timedelta(seconds=min((grab or 0) + (receive or 0), 864_000)) if known else None,
        token=number,
        expires_at=now + timedelta(seconds=account.quote_valid_s),
    )


def parse_placed(data: Mapping[str, Any], number: str) -> Snapshot:
    """What orderPlace's data says: the order is out for riders under the number that was quoted."""
    return Snapshot("20", AttemptState.SEARCHING, fee_fen=fen(data.get("totalFeeAfterSave")), provider_id=number)


def parse_status(account: IshansongAccount, data: Mapping[str, Any], number: str) -> Snapshot:
    """What orderInfo's data says. An order that is called off after the rider took the goods stays "on the way" until
    they are back: that is a return."""
    status = whole_number(data.get("orderStatus"))
    state = STATES.get(status) if status is not None else None
    log = [entry for entry in _list(data.get("statusChangeLog")) if isinstance(entry, dict)]
    fetched = any(whole_number(entry.get("orderStatus")) == _FETCHED for entry in log)
    aborted = data.get("abortInfo") if isinstance(data.get("abortInfo"), dict) else None
    if state is AttemptState.IN_TRANSIT and aborted:
        state = AttemptState.RETURNING
    elif state is AttemptState.CANCELLED and fetched and aborted:
        state = AttemptState.RETURNED
    return Snapshot(
        raw_status=str(status),
        state=state,
        occurred_at=_time_of(log, status),
        picked_up=fetched or state in PICKED_UP,
        rider=_rider(data.get("courier")),
        fee_fen=fen(data.get("totalFeeAfterSave")),
        cancel_fee_fen=parse_cancel_fee(aborted or {}) if status == 60 or aborted else None,
        provider_id=number or None,
        cancelled_by=_who(account, (aborted or {}).get("abortType")),
        cancel_words=words((aborted or {}).get("abortReason")),
        position=_place(data.get("courier")),
        receive_code=str(data.get("deliveryPassword") or "") or None,
    )


def _who(account: IshansongAccount, abort_type: object) -> CancelledBy | None:
    """Whose doing a cancellation was; None while nothing is said about it."""
    kind = whole_number(abort_type)
    if kind is None:
        return None
    if kind in account.merchant_abort_types:
        return CancelledBy.MERCHANT
    return CancelledBy.RIDER if kind in account.rider_abort_types else CancelledBy.SYSTEM


def parse_cancel_fee(data: Mapping[str, Any]) -> int | None:
    """What a cancellation costs: what is kept of the price and what the way back costs; None while it is not said."""
    kept, way_back = fen(data.get("deductAmount")), fen(data.get("sendBackFee"))
    return None if kept is None else kept + (way_back or 0)


def parse_position(data: Mapping[str, Any]) -> RiderPosition | None:
    """Where courierInfo's data has the rider, from BD-09; None while it has none."""
    place = _place(dict(data))
    return None if place is None else RiderPosition(place, shanghai_time(data.get("time")))


def _place(courier: object) -> GeoPoint | None:
    if not isinstance(courier, dict):
        return None
    try:
        return from_baidu(GeoPoint(float(courier["latitude"]), float(courier["longitude"])))
    except (ValueError, KeyError, TypeError):
        return None


def parse_callback(account: IshansongAccount, body: bytes) -> WebhookBatch:
    """A callback. Nothing in it proves its sender, and it carries no time: it only makes us ask."""
    refused = WebhookBatch(Trust.FAILED, REFUSED)
    try:
        said = read_json(body)
        number, key, status = str(said["issOrderNo"]), str(said["orderNo"]), int(said["status"])
    except (ValueError, TypeError, KeyError):
        return refused
    if not number or not key:
        return refused
    told = Snapshot(
        str(status),
        STATES.get(status),
        rider=_rider(said.get("courier")),
        cancelled_by=_who(account, said.get("abortType")),
    )
    return WebhookBatch(Trust.WEAK, HEARD, (told,), attempt_key=key, provider_id=number, ask=True)


def _rider(courier: object) -> Rider | None:
    if not isinstance(courier, dict) or not courier.get("name"):
        return None
    return Rider(str(courier["name"])[:100], str(courier.get("mobile") or "")[:30])


def _time_of(log: list[dict[str, Any]], status: int | None) -> datetime | None:
    times = [
        shanghai_time(entry.get("updateTime")) for entry in log if whole_number(entry.get("orderStatus")) == status
    ]
    return max((time for time in times if time is not None), default=None)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
