"""达达 as text: signed JSON calls, decimal yuan, and callbacks that carry only a checksum. Pure, no I/O.

Source: the provider's open platform documents (newopen.imdada.cn)."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, Field, SecretStr

from services.dispatch.domain.attempts import PICKED_UP, AttemptState, CancelledBy, Rider, Snapshot
from services.dispatch.domain.routing import GeoPoint
from services.dispatch.gateways.code_meanings import Meaning, read_code
from services.dispatch.gateways.port import (
    CancelReason,
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
from services.dispatch.gateways.wire_values import read_json, shanghai_time, whole_number, words, yuan_as_fen
from shared.money import yuan


class DadaAccount(BaseModel):
    """One merchant account. The provider publishes no error table beyond 0 and 2062, so what a code means is a setting;
    the defaults are the sandbox's."""

    name: str = "platform"
    base_url: str = "http://127.0.0.1:8006/dada"
    app_key: str = "dada-app"
    app_secret: SecretStr = SecretStr("dada-secret")
    source_id: str = "73753"
    shop_no: str = "11047059"
    timeout_s: float = Field(default=8.0, gt=0, le=10)
    calls_per_s: float = Field(default=20.0, gt=0)
    not_found_codes: frozenset[int] = frozenset({90004})
    duplicate_codes: frozenset[int] = frozenset({90003})
    auth_codes: frozenset[int] = frozenset({90001})
    throttled_codes: frozenset[int] = frozenset({90006})
    bad_input_codes: frozenset[int] = frozenset({90002})
    too_late_codes: frozenset[int] = frozenset({90005})
    funds_codes: frozenset[int] = frozenset({90007})
    stale_codes: frozenset[int] = frozenset({2062})
    unknown_codes: frozenset[int] = Field(default=frozenset({2155}), description="Answers that decide nothing")


STATES: dict[int, AttemptState] = {
    1: AttemptState.SEARCHING,
    2: AttemptState.ASSIGNED,
    3: AttemptState.IN_TRANSIT,
    4: AttemptState.DELIVERED,
    5: AttemptState.CANCELLED,
    8: AttemptState.SEARCHING,
    9: AttemptState.RETURNING,
    10: AttemptState.RETURNED,
    100: AttemptState.AT_PICKUP,
    1000: AttemptState.REJECTED,
}

_CARGO_TYPES = {"snack": 1, "drink": 2, "flower": 3, "fresh": 13, "fruit": 13, "medicine": 20, "cake": 21}
_OTHER_CARGO = 5
CANCEL_REASONS = {
    CancelReason.NO_RIDER: (1, ""),
    CancelReason.BUYER_REFUND: (4, ""),
    CancelReason.MERCHANT: (36, ""),
    CancelReason.FENCE: (10000, "下单结果未知，作废"),
}
_CANCELLED_BY = {1: CancelledBy.RIDER, 2: CancelledBy.MERCHANT, 3: CancelledBy.SYSTEM}
_TIME_FIELDS = {2: "acceptTime", 3: "fetchTime", 4: "finishTime", 5: "cancelTime"}
# One client saw milliseconds in the callback of a failed creation; everything else is in seconds.
_MILLISECONDS_FROM = 100_000_000_000


def sign(secret: str, fields: Mapping[str, str]) -> str:
    """Upper-case MD5 over secret, every key and value in key order without separators, and secret."""
    joined = "".join(f"{key}{fields[key]}" for key in sorted(fields) if key != "signature")
    return hashlib.md5(f"{secret}{joined}{secret}".encode(), usedforsecurity=False).hexdigest().upper()


def callback_checksum(client_id: str, order_id: str, update_time: str) -> str:
    """Lower-case MD5 over the three values in string order. There is no secret in it."""
    joined = "".join(sorted((client_id, order_id, update_time)))
    return hashlib.md5(joined.encode(), usedforsecurity=False).hexdigest()


def build_request(account: DadaAccount, body: Mapping[str, Any], at_s: int) -> bytes:
    """The signed envelope of a call."""
    fields = {
        "app_key": account.app_key,
        "body": json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        "format": "json",
        "source_id": account.source_id,
        "timestamp": str(at_s),
        "v": "1.0",
    }
    signed = {**fields, "timestamp": at_s, "signature": sign(account.app_secret.get_secret_value(), fields)}
    return json.dumps(signed, ensure_ascii=False).encode()


def build_order(account: DadaAccount, shipment: Shipment, attempt_key: str, callback_url: str) -> dict[str, Any]:
    """The body of addOrder: yuan, kilograms and GCJ-02."""
    to = shipment.dropoff
    return {
        "shop_no": account.shop_no,
        "origin_id": attempt_key,
        "cargo_price": float(yuan(shipment.value_fen)),
        "is_prepay": 0,
        "receiver_name": to.name,
        "receiver_address": to.address,
        "receiver_lat": to.place.latitude,
        "receiver_lng": to.place.longitude,
        "receiver_phone": to.phone,
        "callback": callback_url,
        "cargo_weight": float(Decimal(shipment.weight_g) / 1000),
        "cargo_type": _CARGO_TYPES.get(shipment.category.lower(), _OTHER_CARGO),
        "cargo_num": shipment.units,
        "origin_mark_no": shipment.order_no,
        "info": shipment.title[:80],
        "is_finish_code_needed": int(shipment.needs_code),
    }


def parse_answer(account: DadaAccount, raw: bytes) -> Result[dict[str, Any]]:
    """The outcome of a call from its answer. Anything that is not the documented shape is unknown."""
    try:
        answer = read_json(raw)
        code = int(answer["code"])
        result = answer.get("result")
        success = answer["status"] == "success" and code == 0
        message = str(answer.get("msg") or "")[:200]
    except (ValueError, TypeError, KeyError, AttributeError):
        return Result(Outcome.UNKNOWN, code="unreadable")
    if success:
        return Result(Outcome.OK, result if isinstance(result, dict) else {"list": result})
    return read_code(code, message, _meanings(account))


def _meanings(account: DadaAccount) -> tuple[Meaning, ...]:
    return (
        (account.throttled_codes, Outcome.RATE_LIMITED),
        (account.unknown_codes, Outcome.UNKNOWN),
        (account.duplicate_codes, Outcome.UNKNOWN),
        (account.not_found_codes, Reason.NOT_FOUND),
        (account.funds_codes, Reason.FUNDS),
        (account.auth_codes, Reason.AUTH),
        (account.bad_input_codes, Reason.BAD_INPUT),
        (account.too_late_codes, Reason.TOO_LATE),
        (account.stale_codes, Reason.QUOTE_STALE),
    )


def build_tip(attempt_key: str, tip_fen: int) -> dict[str, Any]:
    """The body of addTip, in yuan."""
    return {"order_id": attempt_key, "tips": float(yuan(tip_fen)), "info": ""}


def parse_quote(result: Mapping[str, Any]) -> Quote | None:
    """What queryDeliverFee's result says; None without a price."""
    fee_fen = yuan_as_fen(result.get("fee"))
    if fee_fen is None or fee_fen < 0:
        return None
    expires_s = whole_number(result.get("expiredTime"))
    try:
        expires_at = datetime.fromtimestamp(expires_s, UTC) if expires_s else None
    except (OverflowError, OSError, ValueError):
        expires_at = None
    return Quote(
        fee_fen=fee_fen,
        distance_m=whole_number(result.get("distance")),
        token=str(result.get("deliveryNo") or "") or None,
        expires_at=expires_at,
    )


def parse_position(result: Mapping[str, Any], attempt_key: str) -> RiderPosition | None:
    """Where transporter/position has an order's rider, in GCJ-02; None while it has none."""
    listed = result.get("list")
    for entry in listed if isinstance(listed, list) else ():
        if isinstance(entry, dict) and str(entry.get("orderId")) == attempt_key:
            place = _place(entry)
            return RiderPosition(place) if place else None
    return None


def _place(entry: Mapping[str, Any]) -> GeoPoint | None:
    try:
        return GeoPoint(float(entry["transporterLat"]), float(entry["transporterLng"]))
    except (KeyError, TypeError, ValueError):
        return None


def parse_created(result: Mapping[str, Any]) -> Snapshot:
    """What addOrder's result says: the order is out for riders, at this fee."""
    return Snapshot("1", AttemptState.SEARCHING, fee_fen=yuan_as_fen(result.get("fee")))


def parse_status(result: Mapping[str, Any]) -> Snapshot:
    """What status/query's result says. A rider who fetched the goods has them, whatever the status is now."""
    status = whole_number(result.get("statusCode"))
    state = STATES.get(status) if status is not None else None
    name, phone = str(result.get("transporterName") or ""), str(result.get("transporterPhone") or "")
    actual = yuan_as_fen(result.get("actualFee"))
    return Snapshot(
        raw_status=str(status),
        state=state,
        occurred_at=shanghai_time(result.get(_TIME_FIELDS.get(status or 0, ""))),
        picked_up=state in PICKED_UP or bool(result.get("fetchTime")),
        rider=Rider(name, phone) if name else None,
        fee_fen=actual if actual is not None else yuan_as_fen(result.get("deliveryFee")),
        cancel_fee_fen=yuan_as_fen(result.get("deductFee")) if state is AttemptState.CANCELLED else None,
        position=_place(result),
        receive_code=str(result.get("orderFinishCode") or "") or None,
    )


def parse_callback(body: bytes) -> WebhookBatch:
    """An order callback or a rider's request to cancel; both unproven beyond a checksum."""
    refused = WebhookBatch(Trust.FAILED, RawResponse(400, '{"status":"fail"}'))
    heard = RawResponse(200, '{"status":"ok"}')
    try:
        said = read_json(body)
        if not isinstance(said, dict):
            return refused
        if "messageType" in said:
            key = str(said["messageBody"]["orderId"])
            return WebhookBatch(Trust.WEAK, heard, attempt_key=key, ask=True)
        client_id, order_id = str(said.get("client_id", "")), str(said["order_id"])
        update_time, status = int(said["update_time"]), int(said["order_status"])
        checksum = callback_checksum(client_id, order_id, str(said["update_time"]))
        if not hmac.compare_digest(checksum.encode(), str(said["signature"]).lower().encode()):
            return refused
        return WebhookBatch(Trust.WEAK, heard, (_reported(said, status, update_time),), order_id)
    except (ValueError, TypeError, KeyError, OverflowError, OSError):
        return refused


def _reported(said: Mapping[str, Any], status: int, update_time: int) -> Snapshot:
    state = STATES.get(status)
    if whole_number(said.get("repeat_reason_type")) == 1:
        state = AttemptState.SEARCHING
    seconds = update_time / 1000 if update_time >= _MILLISECONDS_FROM else update_time
    name, phone = str(said.get("dm_name") or ""), str(said.get("dm_mobile") or "")
    return Snapshot(
        raw_status=str(status),
        state=state,
        occurred_at=datetime.fromtimestamp(seconds, UTC),
        rider=Rider(name, phone) if name else None,
        cancelled_by=_CANCELLED_BY.get(whole_number(said.get("cancel_from")) or 0),
        cancel_words=words(said.get("cancel_reason")),
    )
