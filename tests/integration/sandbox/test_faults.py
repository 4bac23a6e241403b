"""Scripted faults: what the client sees, and whether the act was done all the same."""

from typing import Any

import httpx
import pytest
from alipay.exceptions import AliPayValidationError

from tests.integration.sandbox.stage import Shop, ShopSide, StartSandbox, client_for, until


@pytest.fixture(scope="module")
def alipay(start_sandbox: StartSandbox, shop: Shop) -> ShopSide:
    """A sandbox of this module's own: faults are shared by everybody who calls it."""
    return client_for(start_sandbox(), shop)


def script(alipay: ShopSide, *faults: dict[str, Any], provider: str = "alipay") -> None:
    alipay.http.put(f"/_sim/faults/{provider}", json=list(faults)).raise_for_status()


def post_refund(alipay: ShopSide, out_no: str) -> httpx.Response:
    terms = {"out_trade_no": out_no, "refund_amount": "1.00", "out_request_no": f"{out_no}r"}
    return alipay.http.post("/alipay/gateway.do", data=alipay.signed_form("alipay.trade.refund", **terms))


def refunded_fen(alipay: ShopSide, out_no: str) -> int:
    return int(alipay.http.get(f"/_sim/alipay/trades/{out_no}").json()["refunded_fen"])


@pytest.mark.parametrize(("fault", "done"), [("commit_then_timeout", 100), ("drop_before_commit", 0)])
def test_a_broken_connection_hides_whether_the_refund_was_made(
    alipay: ShopSide, out_no: str, fault: str, done: int
) -> None:
    alipay.paid(out_no)
    script(alipay, {"operation": "alipay.trade.refund", "fault": fault, "seconds": 0})
    # Closed or reset: which of the two a client sees depends on what is still unread.
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        post_refund(alipay, out_no)
    assert refunded_fen(alipay, out_no) == done
    assert post_refund(alipay, out_no).status_code == 200
    assert refunded_fen(alipay, out_no) == 100


def test_a_hung_call_lasts_until_the_client_gives_up(alipay: ShopSide, out_no: str) -> None:
    alipay.paid(out_no)
    script(alipay, {"operation": "trade.refund", "fault": "commit_then_timeout", "seconds": 60})
    form = alipay.signed_form(
        "alipay.trade.refund", out_trade_no=out_no, refund_amount="1.00", out_request_no=f"{out_no}r"
    )
    with pytest.raises(httpx.ReadTimeout):
        alipay.http.post("/alipay/gateway.do", data=form, timeout=0.5)
    until(lambda: refunded_fen(alipay, out_no) == 100, "the refund is made although nobody waits for its answer")


@pytest.mark.parametrize(
    ("fault", "status", "text", "done"),
    [
        ("http_500", 500, "Internal Server Error", 0),
        ("commit_then_http_500", 500, "Internal Server Error", 100),
        ("html_body", 200, "<html>", 0),
        ("commit_then_html_body", 200, "<html>", 100),
        ("unknown_code", 200, '"code":"20000"', 0),
        ("commit_then_unknown_code", 200, '"code":"20000"', 100),
        ("throttle", 200, '"code":"40005"', 0),
        ("slow", 200, '"code":"10000"', 100),
    ],
)
def test_a_spoiled_answer_says_nothing_about_the_act(
    alipay: ShopSide, out_no: str, fault: str, status: int, text: str, done: int
) -> None:
    alipay.paid(out_no)
    script(alipay, {"operation": "trade.refund", "fault": fault, "seconds": 0.05})
    answer = post_refund(alipay, out_no)
    assert answer.status_code == status
    assert text in answer.text
    assert refunded_fen(alipay, out_no) == done


def test_a_bad_signature_is_noticed_by_the_sdk(alipay: ShopSide, out_no: str) -> None:
    alipay.paid(out_no)
    script(alipay, {"operation": "*", "fault": "bad_signature"})
    with pytest.raises(AliPayValidationError):
        alipay.call("alipay.trade.query", out_trade_no=out_no)
    assert alipay.call("alipay.trade.query", out_trade_no=out_no)["code"] == "10000"


def test_a_scripted_business_error_answers_the_wanted_code(alipay: ShopSide, out_no: str) -> None:
    alipay.paid(out_no)
    script(alipay, {"operation": "trade.refund", "fault": "business_error", "code": "ACQ.SELLER_BALANCE_NOT_ENOUGH"})
    refused = alipay.verified("alipay.trade.refund", post_refund(alipay, out_no))
    assert (refused["code"], refused["sub_code"]) == ("40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH")


def test_a_fault_happens_as_often_as_scripted_and_only_to_its_operation(alipay: ShopSide, out_no: str) -> None:
    alipay.paid(out_no)
    script(alipay, {"operation": "trade.refund", "fault": "http_500", "times": 2})
    assert alipay.call("alipay.trade.query", out_trade_no=out_no)["code"] == "10000"
    assert [post_refund(alipay, out_no).status_code for _ in range(3)] == [500, 500, 200]
    assert alipay.http.get("/_sim/faults/alipay").json() == []


def test_scripts_can_be_cleared_and_unknown_providers_are_refused(alipay: ShopSide) -> None:
    script(alipay, {"operation": "*", "fault": "http_500", "times": 5, "probability": 0.5})
    [listed] = alipay.http.get("/_sim/faults/alipay").json()
    assert (listed["times"], listed["probability"]) == (5, 0.5)
    assert alipay.http.delete("/_sim/faults/alipay").status_code == 204
    assert alipay.http.get("/_sim/faults/alipay").json() == []
    assert alipay.http.get("/_sim/faults/nobody").json()["code"] == "provider_unknown"
    assert alipay.http.put("/_sim/faults/dada", json=[{"operation": "*", "fault": "none"}]).status_code == 422


def test_lost_and_false_notifies_are_followed_by_true_ones(alipay: ShopSide, out_no: str) -> None:
    script(
        alipay,
        {"operation": "notify", "fault": "drop_before_commit"},
        {"operation": "notify", "fault": "bad_signature"},
        {"operation": "notify", "fault": "commit_then_timeout"},
    )
    path = f"/notify/{out_no}"
    alipay.shop.answers[path] = [(400, "fail"), (200, "success")]
    alipay.paid(out_no)
    false, lost_answer, repeated = alipay.shop.wait_for(path, 3)
    assert not alipay.accepts(false.form)
    assert alipay.accepts(lost_answer.form)
    assert alipay.accepts(repeated.form)
    assert lost_answer.form["notify_id"] == repeated.form["notify_id"]


@pytest.mark.parametrize(
    ("path", "provider", "fault", "answered"),
    [
        ("/dada/api/order/addOrder", "dada", {"fault": "throttle"}, '"code":90006'),
        ("/dada/api/order/addOrder", "dada", {"fault": "business_error", "code": "2155"}, '"code":2155'),
        ("/dada/api/order/addOrder", "dada", {"fault": "unknown_code"}, '"code":2155'),
        ("/kuaidi100/order/borderapi.do", "kuaidi100", {"fault": "throttle"}, "Too Many Requests"),
        ("/kuaidi100/order/borderapi.do", "kuaidi100", {"fault": "business_error", "code": "601"}, '"601"'),
        ("/kuaidi100/order/borderapi.do", "kuaidi100", {"fault": "html_body"}, "<html>"),
        ("/dada/api/order/addOrder", "dada", {"fault": "balance_short"}, '"code":90007'),
        ("/dada/api/order/addOrder", "dada", {"fault": "stale_quote"}, '"code":2062'),
        ("/kuaidi100/order/borderapi.do", "kuaidi100", {"fault": "balance_short"}, '"601"'),
        ("/ishansong/openapi/merchants/v5/orderPlace", "ishansong", {"fault": "throttle"}, '"status":80006'),
        ("/ishansong/openapi/merchants/v5/orderPlace", "ishansong", {"fault": "balance_short"}, '"status":80007'),
        ("/ishansong/openapi/merchants/v5/orderPlace", "ishansong", {"fault": "stale_quote"}, '"status":80008'),
        ("/ishansong/openapi/merchants/v5/orderPlace", "ishansong", {"fault": "unknown_code"}, '"status":500'),
    ],
)
def test_carriers_fail_in_their_own_words(
    alipay: ShopSide, path: str, provider: str, fault: dict[str, Any], answered: str
) -> None:
    script(alipay, {"operation": "*", **fault}, provider=provider)
    assert answered in alipay.http.post(path, content=b"").text


def test_an_error_page_in_gbk_is_no_utf_8(alipay: ShopSide) -> None:
    script(alipay, {"operation": "*", "fault": "gbk_body"}, provider="dada")
    content = alipay.http.post("/dada/api/order/addOrder", content=b"").content
    assert "系统繁忙" in content.decode("gbk")
    with pytest.raises(UnicodeDecodeError):
        content.decode()
