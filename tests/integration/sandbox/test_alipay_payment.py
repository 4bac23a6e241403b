"""From the pay link over the cashier to the notify, as an independent SDK sees it."""

from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.integration.sandbox.stage import ShopSide, until, wire


def test_a_pay_link_leads_to_the_cashier_and_the_trade_exists_only_from_then_on(
    alipay: ShopSide, http: httpx.Client, out_no: str
) -> None:
    to_cashier = http.get(alipay.pay_url(out_no))
    assert to_cashier.status_code == 302
    assert alipay.call("alipay.trade.query", out_trade_no=out_no)["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    assert alipay.call("alipay.trade.close", out_trade_no=out_no)["sub_code"] == "ACQ.TRADE_NOT_EXIST"

    cashier = http.get(to_cashier.headers["location"])
    assert "模拟环境，不会扣款" in cashier.text
    assert "128.00" in cashier.text
    assert alipay.call("alipay.trade.query", out_trade_no=out_no)["trade_status"] == "WAIT_BUYER_PAY"


def test_a_browser_form_post_leads_to_the_same_cashier_as_the_link(
    alipay: ShopSide, http: httpx.Client, out_no: str
) -> None:
    url = alipay.pay_url(out_no)
    posted = http.post("/alipay/gateway.do", data=dict(parse_qsl(urlsplit(url).query)))
    assert posted.status_code == 302
    assert posted.headers["location"] == http.get(url).headers["location"]


def test_paying_at_the_cashier_returns_and_notifies_with_signatures_that_the_sdk_accepts(
    alipay: ShopSide, http: httpx.Client, out_no: str
) -> None:
    cashier = http.get(alipay.pay_url(out_no, passback_params="a b&c")).headers["location"]
    pressed = http.post(cashier, data={"scenario": "success"})
    assert pressed.status_code == 303
    back = urlsplit(pressed.headers["location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == f"{alipay.shop.url}/return"
    assert alipay.accepts(dict(parse_qsl(back.query)))

    [notify] = alipay.shop.wait_for(f"/notify/{out_no}")
    assert notify.content_type.startswith("application/x-www-form-urlencoded")
    assert alipay.accepts(notify.form)
    assert notify.form["trade_status"] == "TRADE_SUCCESS"
    assert notify.form["out_trade_no"] == out_no
    assert notify.form["total_amount"] == "128.00"
    assert notify.form["app_id"] == "2021000000000001"
    assert notify.form["seller_id"] == "2088000000000001"
    assert notify.form["passback_params"] == "a b&c"

    paid = alipay.call("alipay.trade.query", out_trade_no=out_no)
    assert (paid["code"], paid["trade_status"], paid["total_amount"]) == ("10000", "TRADE_SUCCESS", "128.00")


def test_a_failed_or_cancelled_payment_leaves_the_trade_payable(
    alipay: ShopSide, http: httpx.Client, out_no: str
) -> None:
    cashier = http.get(alipay.pay_url(out_no, quit_url=f"{alipay.shop.url}/quit")).headers["location"]
    assert "支付失败" in http.post(cashier, data={"scenario": "fail"}).text
    assert http.post(cashier, data={"scenario": "cancel"}).headers["location"] == f"{alipay.shop.url}/quit"
    assert alipay.call("alipay.trade.query", out_trade_no=out_no)["trade_status"] == "WAIT_BUYER_PAY"
    assert http.post(cashier, data={"scenario": "success"}).status_code == 303
    assert alipay.call("alipay.trade.query", out_trade_no=out_no)["trade_status"] == "TRADE_SUCCESS"


def test_a_closed_trade_cannot_be_paid_and_a_paid_one_cannot_be_closed(
    alipay: ShopSide, http: httpx.Client, out_no: str
) -> None:
    closed_no = f"{out_no}_a"
    cashier = http.get(alipay.pay_url(closed_no)).headers["location"]
    http.get(cashier)
    assert alipay.call("alipay.trade.close", out_trade_no=closed_no)["code"] == "10000"
    assert http.post(cashier, data={"scenario": "success"}).status_code == 409
    assert alipay.call("alipay.trade.close", out_trade_no=closed_no)["sub_code"] == "ACQ.TRADE_HAS_CLOSE"

    alipay.paid(out_no)
    refused = alipay.call("alipay.trade.close", out_trade_no=out_no)
    assert refused["sub_code"] == "ACQ.REASON_TRADE_STATUS_INVALID"


def test_a_notify_comes_again_with_the_same_id_until_the_shop_says_exactly_success(
    alipay: ShopSide, out_no: str
) -> None:
    path = f"/notify/{out_no}"
    alipay.shop.answers[path] = [(500, "no"), (200, "SUCCESS"), (200, "success\n"), (200, "success")]
    alipay.paid(out_no)
    notifies = alipay.shop.wait_for(path, 4)
    assert len({notify.form["notify_id"] for notify in notifies}) == 1
    assert all(alipay.accepts(notify.form) for notify in notifies)
    until(lambda: _states(alipay, out_no) == ["done"], "the notify is done")
    assert len(alipay.shop.at(path)) == 4


def test_after_eight_repetitions_alipay_gives_up(alipay: ShopSide, out_no: str) -> None:
    path = f"/notify/{out_no}"
    alipay.shop.answers[path] = [(200, "fail")]
    alipay.paid(out_no)
    until(lambda: _states(alipay, out_no) == ["given_up"], "Alipay gives up")
    assert len(alipay.shop.at(path)) == 9


def test_the_duplicated_scenario_delivers_one_notify_three_times(alipay: ShopSide, out_no: str) -> None:
    alipay.paid(out_no, scenario="duplicated")
    notifies = alipay.shop.wait_for(f"/notify/{out_no}", 3)
    assert len({notify.form["notify_id"] for notify in notifies}) == 1


def test_the_mismatch_scenario_tells_a_signed_untruth_that_a_query_corrects(alipay: ShopSide, out_no: str) -> None:
    alipay.paid(out_no, scenario="amount_mismatch")
    notify = alipay.shop.wait_for(f"/notify/{out_no}")[0]
    assert alipay.accepts(notify.form)
    assert notify.form["total_amount"] == "127.99"
    assert alipay.call("alipay.trade.query", out_trade_no=out_no)["total_amount"] == "128.00"


def test_the_tampered_scenario_sends_a_false_signature_first_and_the_truth_after_it(
    alipay: ShopSide, out_no: str
) -> None:
    alipay.paid(out_no, scenario="tampered")
    false, true = alipay.shop.wait_for(f"/notify/{out_no}", 2)[:2]
    assert not alipay.accepts(false.form)
    assert alipay.accepts(true.form)


def test_without_a_notify_only_the_query_knows_of_the_payment(alipay: ShopSide, out_no: str) -> None:
    alipay.paid(out_no, scenario="no_notify")
    assert alipay.call("alipay.trade.query", out_trade_no=out_no)["trade_status"] == "TRADE_SUCCESS"
    assert _states(alipay, out_no) == []


def test_a_late_notify_waits_its_time(alipay: ShopSide, out_no: str) -> None:
    body = {"pay_url": alipay.pay_url(out_no), "scenario": "late", "delay_s": 600}
    trade = alipay.http.post("/_sim/alipay/pay", json=body).json()
    assert trade["trade_status"] == "TRADE_SUCCESS"
    assert [notify["state"] for notify in trade["notifies"]] == ["pending"]
    assert alipay.shop.at(f"/notify/{out_no}") == []


def test_the_same_number_with_another_amount_is_refused_at_the_cashier(
    alipay: ShopSide, http: httpx.Client, out_no: str
) -> None:
    http.get(http.get(alipay.pay_url(out_no, "10.00")).headers["location"])
    other = http.get(http.get(alipay.pay_url(out_no, "11.00")).headers["location"])
    assert other.status_code == 409
    assert "ACQ.CONTEXT_INCONSISTENT" in other.text


def test_an_expired_pay_link_opens_no_trade(alipay: ShopSide, http: httpx.Client, out_no: str) -> None:
    cashier = http.get(alipay.pay_url(out_no, time_expire=wire(minutes=-1))).headers["location"]
    assert http.get(cashier).status_code == 409
    assert alipay.call("alipay.trade.query", out_trade_no=out_no)["sub_code"] == "ACQ.TRADE_NOT_EXIST"


@pytest.mark.parametrize(
    ("change", "sub_code"),
    [
        ({"sign": "AAAA"}, "isv.invalid-signature"),
        ({"biz_content": '{"out_trade_no":"other"}'}, "isv.invalid-signature"),
        ({"app_id": "2021999999999999"}, "isv.invalid-app-id"),
        ({"sign": ""}, "isv.missing-sign"),
        ({"sign_type": "RSA"}, "isv.invalid-signature-type"),
    ],
)
def test_a_request_that_the_shop_did_not_sign_is_refused(
    alipay: ShopSide, out_no: str, change: dict[str, str], sub_code: str
) -> None:
    form = alipay.signed_form("alipay.trade.query", out_trade_no=out_no)
    answer = alipay.http.post("/alipay/gateway.do", data={**form, **change})
    node = alipay.verified("alipay.trade.query", answer)
    assert node["sub_code"] == sub_code
    assert node["code"] in ("40001", "40002")


def test_a_pay_link_with_a_changed_amount_is_refused(alipay: ShopSide, http: httpx.Client, out_no: str) -> None:
    refused = http.get(alipay.pay_url(out_no, "128.00").replace("128.00", "1.00"))
    assert refused.status_code == 400
    assert "isv.invalid-signature" in refused.text


def test_an_unpaid_trade_closes_at_its_time_and_the_shop_is_told(travelling: ShopSide, out_no: str) -> None:
    alipay = travelling
    cashier = alipay.http.get(alipay.pay_url(out_no)).headers["location"]
    alipay.http.get(cashier)
    alipay.http.post("/clock/advance", json={"seconds": 16 * 60}).raise_for_status()
    [notify] = alipay.shop.wait_for(f"/notify/{out_no}")
    assert alipay.accepts(notify.form)
    assert notify.form["trade_status"] == "TRADE_CLOSED"
    assert alipay.call("alipay.trade.query", out_trade_no=out_no)["trade_status"] == "TRADE_CLOSED"


def _states(alipay: ShopSide, out_no: str) -> list[str]:
    trade = alipay.http.get(f"/_sim/alipay/trades/{out_no}").json()
    return [notify["state"] for notify in trade["notifies"]]
