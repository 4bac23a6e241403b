"""快递100's texts: the vector derived from its rule, its official samples, and pushes signed with our salt."""

import json
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlencode

import pytest

from services.dispatch.domain.attempts import AttemptState
from services.dispatch.gateways import kuaidi100_mapper as mapper
from services.dispatch.gateways.kuaidi100_mapper import Kuaidi100Account
from services.dispatch.gateways.port import Outcome, RawRequest, Reason, Trust
from tests.unit.dispatch.shipment import SHIPMENT

SALT = "kuaidi-salt"
PLACED = (
    '{"data":{"kuaidinum":"YT2213099035201","orderId":"20066771","attach":null,'
    '"taskId":"9FC293CA417E431F33046E64F4C4EC20"},"message":"提交成功","result":true,"returnCode":"200"}'
)


def test_an_order_call_is_signed_over_the_exact_text() -> None:
    param = '{"taskId":"9FC293CA417E431F33046E64F4C4EC20","orderId":"20066771","cancelMsg":"内部测试单"}'
    assert mapper.order_signature(param, "1576123932000", "testkey", "testsecret") == (
        "2F178A2A8CD966A221A6AF3912128543"
    )


def test_the_official_sample_of_a_placed_order_is_understood() -> None:
    answer = mapper.parse_answer(PLACED.encode())
    assert answer.outcome is Outcome.OK
    assert answer.value is not None
    created = mapper.parse_created(answer.value)
    assert created is not None
    assert (created.provider_id, created.waybill) == ("9FC293CA417E431F33046E64F4C4EC20/20066771", "YT2213099035201")


def test_an_order_without_its_ids_is_no_order() -> None:
    assert mapper.parse_created({"kuaidinum": "YT1"}) is None


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("400", Reason.BAD_INPUT),
        ("500", Reason.OTHER),
        ("503", Reason.AUTH),
        ("600", Reason.AUTH),
        ("601", Reason.FUNDS),
    ],
)
def test_refusals_have_reasons(code: str, reason: Reason) -> None:
    result = mapper.parse_answer(json.dumps({"result": False, "returnCode": code, "message": "x"}).encode())
    assert (result.outcome, result.reason) == (Outcome.REJECTED, reason)


def test_an_order_carries_our_number_and_one_callback_for_order_and_track() -> None:
    param = mapper.build_order(Kuaidi100Account(), SHIPMENT, "c" * 32, "https://shop.example/w/t")
    assert (param["thirdOrderId"], param["weight"], param["salt"]) == ("c" * 32, "2.5", SALT)
    assert param["callBackUrl"] == param["pollCallBackUrl"]
    form = parse_qs(mapper.build_call(Kuaidi100Account(), "bOrder", param, 1).decode())
    assert form["sign"] == [mapper.order_signature(form["param"][0], "1", "kuaidi-key", "kuaidi-secret")]
    assert json.loads(form["param"][0]) == param


def _form(param: dict[str, object], *, salt: str = SALT, **extra: str) -> RawRequest:
    text = json.dumps(param, ensure_ascii=False)
    return RawRequest(urlencode({"param": text, "sign": mapper.push_signature(text, salt), **extra}).encode())


def _order(status: int, **data: object) -> dict[str, object]:
    return {"kuaidicom": "yuantong", "kuaidinum": "YT1", "data": {"orderId": "77", "status": status, **data}}


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (0, AttemptState.SEARCHING),
        (1, AttemptState.ASSIGNED),
        (10, AttemptState.IN_TRANSIT),
        (9, AttemptState.CANCELLED),
        (99, AttemptState.CANCELLED),
        (610, AttemptState.REJECTED),
        (777, None),
    ],
)
def test_an_order_callback_tells_a_state(status: int, state: AttemptState | None) -> None:
    batch = mapper.parse_webhook(_form(_order(status), taskId="T"), SALT)
    assert batch.trust is Trust.STRONG
    assert json.loads(batch.ack.body)["returnCode"] == "200"
    assert (batch.snapshots[0].state, batch.snapshots[0].provider_id) == (state, "T/77")


@pytest.mark.parametrize("status", sorted(mapper.FEE_EVENTS))
def test_a_settled_fee_is_an_event_and_no_state(status: int) -> None:
    (snapshot,) = mapper.parse_webhook(_form(_order(status, freight="12.30")), SALT).snapshots
    assert (snapshot.state, snapshot.fee_fen, snapshot.picked_up) == (None, 1230, False)


def test_a_track_push_tells_the_newest_row() -> None:
    rows = [{"ftime": "2026-11-22 12:00:00", "context": "已签收"}, {"ftime": "2026-11-22 08:00:00", "context": "派件"}]
    push: dict[str, object] = {
        "status": "shutdown",
        "lastResult": {"state": "3", "nu": "YT1", "com": "yuantong", "data": rows},
    }
    (snapshot,) = mapper.parse_webhook(_form(push), SALT).snapshots
    assert snapshot.state is AttemptState.DELIVERED
    assert snapshot.picked_up
    assert snapshot.occurred_at == datetime(2026, 11, 22, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    "raw",
    [
        _form(_order(10), salt="somebody else's"),
        RawRequest(b""),
        RawRequest(b"param=%7B%7D"),
        RawRequest(b"\xff\xfe"),
        _form({}),
    ],
)
def test_a_push_without_our_salt_tells_nothing(raw: RawRequest) -> None:
    assert mapper.parse_webhook(raw, SALT).snapshots == ()


def test_a_signature_in_small_letters_counts() -> None:
    text = json.dumps(_order(1))
    form = {"param": text, "sign": mapper.push_signature(text, SALT).lower()}
    assert mapper.parse_webhook(RawRequest(urlencode(form).encode()), SALT).trust is Trust.STRONG


def test_a_push_tells_the_whole_way_oldest_row_first() -> None:
    rows = [
        {"ftime": "2026-11-22 12:00:00", "statusCode": "3"},
        {"ftime": "2026-11-22 08:00:00", "statusCode": "5"},
        {"ftime": "2026-11-22 07:00:00", "statusCode": "no code of ours"},
        {"ftime": "2026-11-21 08:00:00", "statusCode": "1"},
    ]
    push: dict[str, object] = {"status": "shutdown", "lastResult": {"state": "3", "nu": "YT1", "data": rows}}
    told = mapper.parse_webhook(_form(push), SALT).snapshots
    assert [snapshot.raw_status for snapshot in told] == ["track:1", "track:5", "track:3"]
    assert all(snapshot.picked_up for snapshot in told)


@pytest.mark.parametrize("track", [{}, {"state": "0"}, {"state": "0", "data": None}, {"state": "0", "data": ["x", 1]}])
def test_a_track_without_rows_is_still_a_state(track: dict[str, object]) -> None:
    assert len(mapper.parse_rows(track)) == 1


def test_a_price_is_asked_for_and_told_in_yuan() -> None:
    asked = mapper.build_price(Kuaidi100Account(), SHIPMENT)
    assert (asked["kuaidicom"], asked["weight"]) == ("yuantong", "2.5")
    quote = mapper.parse_quote({"price": "18.00", "defPrice": "20.00"})
    assert quote is not None
    assert quote.fee_fen == 1_800
    assert mapper.parse_quote({}) is None
    assert mapper.parse_quote({"price": "-1"}) is None


@pytest.mark.parametrize(
    ("code", "outcome", "reason"),
    [
        ("200", Outcome.OK, None),
        ("501", Outcome.OK, None),
        ("500", Outcome.UNKNOWN, None),
        ("600", Outcome.REJECTED, Reason.AUTH),
        ("601", Outcome.REJECTED, Reason.FUNDS),
        ("700", Outcome.REJECTED, Reason.BAD_INPUT),
        ("701", Outcome.REJECTED, Reason.CATEGORY),
        ("702", Outcome.REJECTED, Reason.BAD_INPUT),
    ],
)
def test_a_subscription_that_exists_is_as_good_as_a_new_one(code: str, outcome: Outcome, reason: Reason | None) -> None:
    answer = mapper.parse_subscribed(json.dumps({"result": code == "200", "returnCode": code}).encode())
    assert (answer.outcome, answer.reason) == (outcome, reason)


def test_a_subscription_names_waybill_courier_and_salt() -> None:
    form = parse_qs(
        mapper.build_subscription(Kuaidi100Account(), "YT1", "13800138000", "https://shop.example/w").decode()
    )
    assert form["schema"] == ["json"]
    param = json.loads(form["param"][0])
    assert (param["company"], param["number"], param["key"]) == ("yuantong", "YT1", "kuaidi-key")
    assert param["parameters"]["salt"] == SALT
    assert Kuaidi100Account().subscribe_url == "http://127.0.0.1:8006/kuaidi100/poll"


@pytest.mark.parametrize("raw", ["<html>错误".encode("gbk"), b"", b"[" * 200_000, b'{"result":true}'])
def test_an_answer_that_cannot_be_read_is_unknown(raw: bytes) -> None:
    assert mapper.parse_answer(raw).outcome is Outcome.UNKNOWN
    assert mapper.parse_subscribed(raw).outcome is Outcome.UNKNOWN
