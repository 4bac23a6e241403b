"""Page, app and precreate as an independent SDK asks for them: each has its product, its way in and its way back."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.integration.sandbox.stage import ShopSide, wire


def test_a_page_payment_leads_to_the_cashier_and_back_by_its_own_name(
    alipay: ShopSide, http: httpx.Client, out_no: str
) -> None:
    to_cashier = http.get(alipay.page_url(out_no))
    assert to_cashier.status_code == 302
    assert alipay.call("alipay.trade.query", out_trade_no=out_no)["sub_code"] == "ACQ.TRADE_NOT_EXIST"

    pressed = http.post(to_cashier.headers["location"], data={"scenario": "success"})
    back = dict(parse_qsl(urlsplit(pressed.headers["location"]).query))
    assert back["method"] == "alipay.trade.page.pay.return"
    assert alipay.accepts(back)
    [notify] = alipay.shop.wait_for(f"/notify/{out_no}")
    assert (notify.form["trade_status"], alipay.accepts(notify.form)) == ("TRADE_SUCCESS", True)


def test_an_apps_order_is_opened_by_the_control_that_stands_for_alipays_app(alipay: ShopSide, out_no: str) -> None:
    order = alipay.app_order(out_no)
    assert alipay.call("alipay.trade.query", out_trade_no=out_no)["sub_code"] == "ACQ.TRADE_NOT_EXIST"

    looked = alipay.http.post("/_sim/alipay/app", json={"order_string": order, "scenario": "cancel"}).json()
    assert (looked["trade_status"], looked["return_url"]) == ("WAIT_BUYER_PAY", "")
    paid = alipay.http.post("/_sim/alipay/app", json={"order_string": order}).json()
    assert paid["trade_status"] == "TRADE_SUCCESS"
    [notify] = alipay.shop.wait_for(f"/notify/{out_no}")
    assert alipay.accepts(notify.form)


def test_a_precreate_answers_with_a_code_that_opens_the_trade_when_it_is_scanned(
    alipay: ShopSide, http: httpx.Client, out_no: str
) -> None:
    node = alipay.precreated(out_no)
    assert (node["code"], node["out_trade_no"]) == ("10000", out_no)
    assert alipay.call("alipay.trade.query", out_trade_no=out_no)["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    assert alipay.call("alipay.trade.close", out_trade_no=out_no)["sub_code"] == "ACQ.TRADE_NOT_EXIST"

    assert "128.00" in http.get(node["qr_code"]).text
    assert alipay.call("alipay.trade.query", out_trade_no=out_no)["trade_status"] == "WAIT_BUYER_PAY"
    stays = http.post(node["qr_code"], data={"scenario": "success"})
    assert stays.headers["location"] == urlsplit(node["qr_code"]).path, "who scanned has no shop to go back to"
    [notify] = alipay.shop.wait_for(f"/notify/{out_no}")
    assert alipay.accepts(notify.form)


def test_every_code_of_a_number_leads_to_one_trade(alipay: ShopSide, http: httpx.Client, out_no: str) -> None:
    first = alipay.precreated(out_no)["qr_code"]
    second = alipay.precreated(out_no, subject="另一个标题")["qr_code"]
    assert first != second
    for code in (first, second):
        assert http.get(code).status_code == 200
    assert http.post(first, data={"scenario": "success"}).status_code == 303
    assert http.post(second, data={"scenario": "success"}).status_code == 409


def test_a_precreate_for_what_is_over_is_refused(alipay: ShopSide, http: httpx.Client, out_no: str) -> None:
    paid, closed = f"{out_no}_a", f"{out_no}_b"
    http.post(alipay.precreated(paid)["qr_code"], data={"scenario": "success"})
    http.get(alipay.precreated(closed)["qr_code"])
    alipay.call("alipay.trade.close", out_trade_no=closed)

    assert alipay.precreated(paid)["sub_code"] == "ACQ.TRADE_HAS_SUCCESS"
    assert alipay.precreated(closed)["sub_code"] == "ACQ.TRADE_HAS_CLOSE"


def test_a_code_past_its_time_opens_no_trade(alipay: ShopSide, http: httpx.Client, out_no: str) -> None:
    assert http.get(alipay.precreated(out_no, time_expire=wire(minutes=-1))["qr_code"]).status_code == 409
    assert alipay.call("alipay.trade.query", out_trade_no=out_no)["sub_code"] == "ACQ.TRADE_NOT_EXIST"


def test_each_way_takes_only_its_own_products(alipay: ShopSide, http: httpx.Client, out_no: str) -> None:
    wrong: dict[str, Any] = {"product_code": "QUICK_WAP_PAY"}
    assert "ACQ.INVALID_PARAMETER" in http.get(alipay.page_url(out_no, **wrong)).text
    assert alipay.precreated(out_no, **wrong)["sub_code"] == "ACQ.INVALID_PARAMETER"
    refused = alipay.http.post("/_sim/alipay/app", json={"order_string": alipay.app_order(out_no, **wrong)})
    assert refused.json()["alipay_sub_code"] == "ACQ.INVALID_PARAMETER"
    assert "ACQ.INVALID_PARAMETER" in http.get(alipay.pay_url(out_no, product_code="FAST_INSTANT_TRADE_PAY")).text


@pytest.mark.parametrize("way", ["app", "page"])
def test_what_was_changed_after_signing_opens_nothing(alipay: ShopSide, out_no: str, way: str) -> None:
    if way == "app":
        changed = alipay.app_order(out_no).replace("128.00", "1.00")
        answer = alipay.http.post("/_sim/alipay/app", json={"order_string": changed})
        assert answer.json()["alipay_sub_code"] == "isv.invalid-signature"
    else:
        refused = alipay.http.get(alipay.page_url(out_no).replace("128.00", "1.00"))
        assert "isv.invalid-signature" in refused.text
    assert alipay.call("alipay.trade.query", out_trade_no=out_no)["sub_code"] == "ACQ.TRADE_NOT_EXIST"


def test_an_apps_order_is_no_link_and_a_link_no_apps_order(alipay: ShopSide, out_no: str) -> None:
    link = alipay.page_url(out_no)
    wrong = alipay.http.post("/_sim/alipay/app", json={"order_string": urlsplit(link).query})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "method_wrong")
    order = alipay.app_order(out_no)
    wrong = alipay.http.post("/_sim/alipay/pay", json={"pay_url": f"https://x.example/?{order}"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "method_wrong")
    called = alipay.http.post("/alipay/gateway.do", data=dict(parse_qsl(order)))
    assert alipay.verified("alipay.trade.app.pay", called)["sub_code"] == "isv.invalid-method"
