"""闪送's texts: the vector of its signature, and the shapes that its official command line knows."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from services.dispatch.domain.attempts import AttemptState, CancelledBy
from services.dispatch.gateways import ishansong_mapper as mapper
from services.dispatch.gateways.coordinates import to_baidu
from services.dispatch.gateways.ishansong_mapper import IshansongAccount
from services.dispatch.gateways.port import Outcome, Reason, Trust
from tests.unit.dispatch.shipment import SHIPMENT

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
ACCOUNT = IshansongAccount()


def test_the_signature_is_the_one_that_others_compute() -> None:
    signed = mapper.sign("secret-1", "cid-1", "shop-9", "1700000000000", '{"a":1}')
    assert signed == "683042FE4702409D69A75ABB10D43409"


def test_without_data_its_name_is_not_signed_either() -> None:
    form = parse_qs(mapper.build_call(ACCOUNT, {}, NOW).decode())
    assert "data" not in form
    assert form["sign"] == [
        mapper.sign("ishansong-secret", "ishansong-client", "ishansong-shop", form["timestamp"][0], "")
    ]


@pytest.mark.parametrize(("unit", "timestamp"), [("ms", "1795320000000"), ("s", "1795320000")])
def test_the_unit_of_the_timestamp_is_a_setting(unit: str, timestamp: str) -> None:
    account = IshansongAccount.model_validate({"timestamp_unit": unit})
    assert parse_qs(mapper.build_call(account, {"a": 1}, NOW).decode())["timestamp"] == [timestamp]


def test_a_call_is_signed_over_the_text_that_it_carries() -> None:
    form = parse_qs(mapper.build_call(ACCOUNT, {"cityName": "成都市"}, NOW).decode())
    (data,) = form["data"]
    assert data == '{"cityName":"成都市"}'
    expected = mapper.sign("ishansong-secret", "ishansong-client", "ishansong-shop", form["timestamp"][0], data)
    assert form["sign"] == [expected]


def test_a_quote_asks_in_whole_kilograms_and_in_the_coordinates_of_baidu() -> None:
    asked = mapper.build_quote(SHIPMENT, "a" * 32)
    (receiver,) = asked["receiverList"]
    assert (receiver["orderNo"], receiver["weight"], receiver["goodType"]) == ("a" * 32, 3, 16)
    there = to_baidu(SHIPMENT.dropoff.place)
    assert float(receiver["toLatitude"]) == pytest.approx(there.latitude, abs=1e-6)
    assert float(receiver["toLongitude"]) == pytest.approx(there.longitude, abs=1e-6)


def test_a_quote_is_the_price_and_the_number_of_the_order_to_be() -> None:
    told = {
        "orderNumber": "TDH1", "totalAmount": 1_900, "totalFeeAfterSave": 1_600, "totalDistance": 1_679,
        "estimateGrabSecond": 120, "estimateReceiveSecond": 1_800,
    }  # fmt: skip
    quote = mapper.parse_quote(ACCOUNT, told, NOW)
    assert quote is not None
    assert (quote.fee_fen, quote.token, quote.distance_m) == (1_600, "TDH1", 1_679)
    assert quote.eta == timedelta(minutes=32)
    assert quote.expires_at == NOW + timedelta(minutes=10)


@pytest.mark.parametrize(
    "told", [{}, {"orderNumber": "TDH1"}, {"totalAmount": 1}, {"orderNumber": "", "totalAmount": 1}]
)
def test_a_quote_without_number_or_price_is_none(told: dict[str, Any]) -> None:
    assert mapper.parse_quote(ACCOUNT, told, NOW) is None


def test_a_duration_that_the_carrier_does_not_know_is_unknown() -> None:
    told = {"orderNumber": "TDH1", "totalAmount": 1, "estimateGrabSecond": -1, "estimateReceiveSecond": -1}
    quote = mapper.parse_quote(ACCOUNT, told, NOW)
    assert quote is not None
    assert quote.eta is None


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        ({"status": 200, "msg": None, "data": {}}, Outcome.OK, None),
        ({"status": 500, "msg": "系统繁忙"}, Outcome.UNKNOWN, None),
        ({"status": 80001, "msg": "签名错误"}, Outcome.REJECTED, Reason.AUTH),
        ({"status": 80002, "msg": "参数"}, Outcome.REJECTED, Reason.BAD_INPUT),
        ({"status": 80004, "msg": "不存在"}, Outcome.REJECTED, Reason.NOT_FOUND),
        ({"status": 80005, "msg": "状态"}, Outcome.REJECTED, Reason.TOO_LATE),
        ({"status": 80006, "msg": "太快"}, Outcome.RATE_LIMITED, None),
        ({"status": 80007, "msg": "余额"}, Outcome.REJECTED, Reason.FUNDS),
        ({"status": 80008, "msg": "失效"}, Outcome.REJECTED, Reason.QUOTE_STALE),
        ({"status": 4711, "msg": "别的"}, Outcome.REJECTED, Reason.OTHER),
        ({"status": "abc"}, Outcome.UNKNOWN, None),
        (["no", "object"], Outcome.UNKNOWN, None),
        (None, Outcome.UNKNOWN, None),
    ],
)
def test_an_answer_means_one_of_five_things(answer: object, outcome: Outcome, reason: Reason | None) -> None:
    result = mapper.parse_answer(ACCOUNT, json.dumps(answer).encode())
    assert (result.outcome, result.reason) == (outcome, reason)


@pytest.mark.parametrize("raw", ["<html>502 错误".encode("gbk"), b"", b'{"status":2', b"[" * 200_000])
def test_what_cannot_be_read_leaves_the_outcome_unknown(raw: bytes) -> None:
    assert mapper.parse_answer(ACCOUNT, raw).outcome is Outcome.UNKNOWN


def _info(status: int, *log: int, **more: object) -> dict[str, Any]:
    changes = [{"orderStatus": one, "updateTime": f"2026-11-22 12:{minute:02d}:00"} for minute, one in enumerate(log)]
    return {"orderStatus": status, "statusChangeLog": changes, "totalFeeAfterSave": 1_600, **more}


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (20, AttemptState.SEARCHING),
        (30, AttemptState.ASSIGNED),
        (40, AttemptState.IN_TRANSIT),
        (50, AttemptState.DELIVERED),
        (60, AttemptState.CANCELLED),
        (777, None),
    ],
)
def test_a_status_is_a_state(status: int, state: AttemptState | None) -> None:
    assert mapper.parse_status(ACCOUNT, _info(status), "TDH1").state is state


def test_the_log_tells_since_when_and_whether_the_goods_were_fetched() -> None:
    snapshot = mapper.parse_status(ACCOUNT, _info(60, 20, 30, 60, abortInfo={"deductAmount": 200}), "TDH1")
    assert (snapshot.picked_up, snapshot.occurred_at) == (False, datetime(2026, 11, 22, 4, 2, tzinfo=UTC))
    assert (snapshot.cancel_fee_fen, snapshot.fee_fen, snapshot.provider_id) == (200, 1_600, "TDH1")


def test_an_order_called_off_with_the_goods_on_the_way_is_a_return() -> None:
    aborted = {"abortInfo": {"deductAmount": 1_600, "sendBackFee": 300, "abortType": 1}}
    under_way = mapper.parse_status(ACCOUNT, _info(40, 20, 30, 40, **aborted), "TDH1")
    assert (under_way.state, under_way.picked_up, under_way.cancel_fee_fen) == (AttemptState.RETURNING, True, 1_900)
    back = mapper.parse_status(ACCOUNT, _info(60, 20, 30, 40, 60, **aborted), "TDH1")
    assert back.state is AttemptState.RETURNED


@pytest.mark.parametrize(
    ("kind", "doing"),
    [
        (1, CancelledBy.MERCHANT),
        ("2", CancelledBy.MERCHANT),
        (3, CancelledBy.RIDER),
        (10, CancelledBy.SYSTEM),
        (0, CancelledBy.SYSTEM),
        (None, None),
        ("谁", None),
    ],
)
def test_who_cancelled_is_a_number(kind: object, doing: CancelledBy | None) -> None:
    aborted = {"abortInfo": {"deductAmount": 200, "abortType": kind, "abortReason": "联系不上 13800138000"}}
    snapshot = mapper.parse_status(ACCOUNT, _info(60, 20, 30, 60, **aborted), "TDH1")
    assert (snapshot.cancelled_by, snapshot.cancel_words) == (doing, "联系不上 ***")
    said = {"issOrderNo": "TDH1", "orderNo": "a" * 32, "status": 60, "abortType": kind}
    (told,) = mapper.parse_callback(ACCOUNT, json.dumps(said).encode()).snapshots
    assert told.cancelled_by is doing


def test_the_numbers_of_who_cancelled_are_the_deployments_to_set() -> None:
    account = IshansongAccount(merchant_abort_types=frozenset({7}), rider_abort_types=frozenset({8}))
    told = [
        mapper.parse_status(account, _info(60, 20, 60, abortInfo={"abortType": kind}), "TDH1").cancelled_by
        for kind in (7, 8, 1)
    ]
    assert told == [CancelledBy.MERCHANT, CancelledBy.RIDER, CancelledBy.SYSTEM]


def test_the_password_at_the_door_is_the_buyers_code() -> None:
    told = [
        mapper.parse_status(ACCOUNT, _info(30, 20, 30, deliveryPassword=password), "TDH1").receive_code
        for password in ("8152", "", None)
    ]
    assert told == ["8152", None, None]


def test_an_order_that_was_not_called_off_was_called_off_by_nobody() -> None:
    snapshot = mapper.parse_status(ACCOUNT, _info(60, 20, 60), "TDH1")
    assert (snapshot.cancelled_by, snapshot.cancel_words) == (None, None)


def test_a_cancellation_whose_fee_is_not_told_is_not_free() -> None:
    assert mapper.parse_cancel_fee({}) is None
    assert mapper.parse_cancel_fee({"deductAmount": 0}) == 0
    assert mapper.parse_status(ACCOUNT, _info(60, 20, 60), "TDH1").cancel_fee_fen is None


def test_a_position_is_converted_at_the_edge() -> None:
    baidu = to_baidu(SHIPMENT.pickup.place)
    told = {"latitude": str(baidu.latitude), "longitude": str(baidu.longitude), "time": "2026-11-22 12:00:00"}
    position = mapper.parse_position(told)
    assert position is not None
    assert position.place.latitude == pytest.approx(SHIPMENT.pickup.place.latitude, abs=1e-5)
    assert position.place.longitude == pytest.approx(SHIPMENT.pickup.place.longitude, abs=1e-5)
    assert mapper.parse_position({"latitude": "", "longitude": ""}) is None


def test_a_callback_proves_nothing_and_always_makes_us_ask() -> None:
    said = {"issOrderNo": "TDH1", "orderNo": "b" * 32, "status": 30, "courier": {"name": "闪送员甲", "mobile": "137"}}
    batch = mapper.parse_callback(ACCOUNT, json.dumps(said).encode())
    assert (batch.trust, batch.ask, batch.attempt_key, batch.provider_id) == (Trust.WEAK, True, "b" * 32, "TDH1")
    assert (batch.ack.status, batch.ack.body) == (200, '{"status":200,"msg":"","data":""}')


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"issOrderNo":"","orderNo":"x","status":20}',
        b'{"issOrderNo":"T","orderNo":"x","status":null}',
        b'{"orderNo":"x","status":20}',
    ],
)
def test_a_callback_that_cannot_be_read_is_refused_and_never_raises(body: bytes) -> None:
    batch = mapper.parse_callback(ACCOUNT, body)
    assert (batch.trust, batch.snapshots) == (Trust.FAILED, ())
    assert json.loads(batch.ack.body)["status"] != 200
