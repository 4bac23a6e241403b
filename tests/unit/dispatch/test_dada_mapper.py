"""达达's texts: the provider's published vector, and the shapes that its documents show."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.dispatch.domain.attempts import AttemptState
from services.dispatch.gateways import dada_mapper as mapper
from services.dispatch.gateways.dada_mapper import DadaAccount
from services.dispatch.gateways.port import Outcome, Reason, Trust
from tests.unit.dispatch.shipment import SHIPMENT


def test_the_signature_is_the_published_one() -> None:
    fields = {
        "app_key": "123456",
        "body": '{"order_id":"20170301000001"}',
        "format": "json",
        "source_id": "73753",
        "timestamp": "1488363493",
        "v": "1.0",
    }
    assert mapper.sign("abcdefg123", fields) == "71CEE2D6544277940D8C72979E71D0E1"


def test_the_callback_checksum_sorts_its_values() -> None:
    assert mapper.callback_checksum("300000000001", "DSP2601010001A1", "1767225600") == (
        "1aec642a0e827b73c7fbad385d4d3029"
    )


def test_a_request_is_signed_over_the_body_it_carries() -> None:
    account = DadaAccount()
    sent = json.loads(mapper.build_request(account, {"order_id": "测试"}, 1488363493))
    fields = {name: str(value) for name, value in sent.items() if name != "signature"}
    assert sent["signature"] == mapper.sign("dada-secret", fields)
    assert json.loads(sent["body"]) == {"order_id": "测试"}


def test_an_order_speaks_yuan_kilograms_and_our_own_number() -> None:
    order = mapper.build_order(DadaAccount(), SHIPMENT, "0" * 32, "https://shop.example/webhooks/dada/t")
    assert order["origin_id"] == "0" * 32
    assert (order["cargo_price"], order["cargo_weight"], order["cargo_num"]) == (128.5, 2.5, 2)
    assert order["cargo_type"] == 13
    assert (order["receiver_lat"], order["receiver_lng"]) == (30.66, 104.07)


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        ({"status": "success", "code": 0, "msg": "", "result": {}}, Outcome.OK, None),
        ({"status": "fail", "code": 2155, "msg": "系统繁忙"}, Outcome.UNKNOWN, None),
        ({"status": "fail", "code": 90003, "msg": "订单已存在"}, Outcome.UNKNOWN, None),
        ({"status": "fail", "code": 90004, "msg": "订单不存在"}, Outcome.REJECTED, Reason.NOT_FOUND),
        ({"status": "fail", "code": 4711, "msg": "别的"}, Outcome.REJECTED, Reason.OTHER),
        ({"status": "fail", "code": 90006, "msg": "太快"}, Outcome.RATE_LIMITED, None),
        ({"code": "abc"}, Outcome.UNKNOWN, None),
        (["no", "object"], Outcome.UNKNOWN, None),
    ],
)
def test_an_answer_means_one_of_five_things(answer: object, outcome: Outcome, reason: Reason | None) -> None:
    result = mapper.parse_answer(DadaAccount(), json.dumps(answer).encode())
    assert (result.outcome, result.reason) == (outcome, reason)


def test_an_html_error_page_leaves_the_outcome_unknown() -> None:
    assert mapper.parse_answer(DadaAccount(), "<html>502 错误".encode("gbk")).outcome is Outcome.UNKNOWN


def test_a_status_with_a_fetch_time_means_that_the_goods_were_picked_up() -> None:
    status = mapper.parse_status(
        {
            "statusCode": 5,
            "fetchTime": "2026-11-22 12:00:00",
            "cancelTime": "2026-11-22 12:05:00",
            "deductFee": 2.0,
            "actualFee": 6.5,
            "transporterName": "骑手甲",
            "transporterPhone": "13800000001",
        }
    )
    assert status.state is AttemptState.CANCELLED
    assert status.picked_up
    assert (status.cancel_fee_fen, status.fee_fen) == (200, 650)
    assert status.occurred_at == datetime(2026, 11, 22, 4, 5, tzinfo=UTC)
    assert status.rider is not None


@pytest.mark.parametrize("needed", [True, False])
def test_a_code_at_the_door_is_asked_for_where_it_is_needed(needed: bool) -> None:
    body = mapper.build_order(DadaAccount(), replace(SHIPMENT, needs_code=needed), "a" * 32, "https://shop.example/w")
    assert body["is_finish_code_needed"] == int(needed)


def test_the_code_at_the_door_is_told_by_the_carrier_itself_and_by_no_callback() -> None:
    assert mapper.parse_status({"statusCode": 2, "orderFinishCode": "402817"}).receive_code == "402817"
    assert mapper.parse_status({"statusCode": 2, "orderFinishCode": ""}).receive_code is None
    (told,) = mapper.parse_callback(_callback(order_status=2, finish_code="111111")).snapshots
    assert told.receive_code is None, "whoever knows the address could tell the buyer a wrong one"


def test_an_unknown_status_is_no_state() -> None:
    assert mapper.parse_status({"statusCode": 777}).state is None


def _callback(**extra: object) -> bytes:
    facts: dict[str, object] = {"client_id": "3", "order_id": "a" * 32, "order_status": 3, "update_time": 1767225600}
    facts |= extra
    checksum = mapper.callback_checksum(str(facts["client_id"]), str(facts["order_id"]), str(facts["update_time"]))
    return json.dumps({"signature": checksum} | facts).encode()


def test_a_callback_is_only_weakly_proven() -> None:
    batch = mapper.parse_callback(_callback(dm_name="骑手甲", dm_mobile="13800000001"))
    assert (batch.trust, batch.attempt_key, batch.ack.status) == (Trust.WEAK, "a" * 32, 200)
    assert batch.snapshots[0].state is AttemptState.IN_TRANSIT
    assert batch.snapshots[0].occurred_at == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_failed_creation_is_reported_in_milliseconds() -> None:
    (snapshot,) = mapper.parse_callback(_callback(order_status=1000, update_time=1767225600000)).snapshots
    assert snapshot.state is AttemptState.REJECTED
    assert snapshot.occurred_at == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_rider_who_dropped_out_means_searching_again() -> None:
    (snapshot,) = mapper.parse_callback(_callback(order_status=1, repeat_reason_type=1)).snapshots
    assert snapshot.state is AttemptState.SEARCHING


@pytest.mark.parametrize(("cancel_from", "doing"), [(1, "RIDER"), (2, "MERCHANT"), (3, "SYSTEM"), (9, None)])
def test_a_callback_tells_who_cancelled_and_why(cancel_from: int, doing: str | None) -> None:
    body = _callback(order_status=5, cancel_from=cancel_from, cancel_reason="车坏了，请打 13800138000")
    (snapshot,) = mapper.parse_callback(body).snapshots
    assert (snapshot.cancelled_by, snapshot.cancel_words) == (doing, "车坏了，请打 ***")


def test_a_riders_wish_to_cancel_makes_us_ask() -> None:
    body = {"messageType": 1, "messageBody": {"orderId": "b" * 32, "dadaOrderId": 1, "cancelReason": "车坏了"}}
    batch = mapper.parse_callback(json.dumps(body).encode())
    assert batch.ask
    assert (batch.attempt_key, batch.ack.body) == ("b" * 32, '{"status":"ok"}')


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b'{"order_id": 1}',
        _callback().replace(b'"signature": "', b'"signature": "0'),
        _callback(update_time=10**30),
        b'{"messageType": 1, "messageBody": null}',
        b"\xff\xfe",
    ],
)
def test_a_callback_that_does_not_hold_is_refused_and_never_raises(body: bytes) -> None:
    batch = mapper.parse_callback(body)
    assert (batch.trust, batch.ack.status, batch.snapshots) == (Trust.FAILED, 400, ())
