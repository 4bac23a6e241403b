"""快递100 as its documents describe it: signed orders, de-duplication, tracks and pushes."""

import hashlib
import json
import time
import uuid
from typing import Any

import httpx
import pytest

from tests.integration.sandbox.stage import Received, Shop, ShopSide, as_json, until

KEY, SECRET, CUSTOMER, SALT = "kuaidi-key", "kuaidi-secret", "kuaidi-customer", "pepper"
ACK = '{"result":true,"returnCode":"200","message":"成功"}'


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()


class Kuaidi:
    """The merchant's half of the protocol, written again for these tests."""

    def __init__(self, http: httpx.Client, shop: Shop) -> None:
        self.http = http
        self.shop = shop

    def call(self, method: str, secret: str = SECRET, **content: Any) -> dict[str, Any]:
        # The provider's own demo signs Python's default json.dumps, spaces and escapes included.
        param, t = json.dumps(content), str(int(time.time() * 1000))
        form = {"key": KEY, "method": method, "t": t, "param": param, "sign": md5(param + t + KEY + secret)}
        return as_json(self.http.post("/kuaidi100/order/borderapi.do", data=form).text)

    def terms(self, third_order_id: str, **more: Any) -> dict[str, Any]:
        self.shop.answers.setdefault(f"/kd/{third_order_id}", [(200, ACK)])
        self.shop.answers.setdefault(f"/track/{third_order_id}", [(200, ACK)])
        return {
            "kuaidicom": "yuantong",
            "recManName": "小陈",
            "recManMobile": "13800138000",
            "recManPrintAddr": "北京市朝阳区建国路1号",
            "sendManName": "鲜果",
            "sendManMobile": "13900139000",
            "sendManPrintAddr": "海口市美兰区国贸路56号",
            "cargo": "芒果",
            "weight": "2.5",
            "payment": "SHIPPER",
            "callBackUrl": f"{self.shop.url}/kd/{third_order_id}",
            "salt": SALT,
            "op": "1",
            "pollCallBackUrl": f"{self.shop.url}/track/{third_order_id}",
            "resultv2": "1",
            "thirdOrderId": third_order_id,
            **more,
        }

    def control(self, order_id: str, action: str, **query: Any) -> httpx.Response:
        return self.http.post(f"/_sim/kuaidi100/orders/{order_id}/{action}", params=query)

    def statuses(self, third_order_id: str, count: int) -> list[int]:
        found = self.shop.wait_for(f"/kd/{third_order_id}", count)
        return sorted(pushed(request)["data"]["status"] for request in found)


def pushed(request: Received, salt: str = SALT) -> dict[str, Any]:
    """What a push says, once its signature has been checked."""
    assert request.form["sign"] == md5(request.form["param"] + salt)
    return as_json(request.form["param"])


@pytest.fixture
def kuaidi(http: httpx.Client, shop: Shop) -> Kuaidi:
    return Kuaidi(http, shop)


@pytest.fixture
def third() -> str:
    return uuid.uuid4().hex


def test_a_parcel_is_priced_collected_tracked_and_signed_for(kuaidi: Kuaidi, third: str) -> None:
    price = kuaidi.call("price", kuaidicom="yuantong", weight="2.5", sendManPrintAddr="海口", recManPrintAddr="北京")
    assert price["data"]["price"] == "18.00"
    placed = kuaidi.call("bOrder", **kuaidi.terms(third))
    assert placed["returnCode"] == "200"
    order = placed["data"]
    for action in ("accept", "pickup", "transit", "deliver", "sign"):
        assert kuaidi.control(order["orderId"], action).status_code == 200
    assert kuaidi.statuses(third, 3) == [0, 1, 10]
    pushes = [pushed(request) for request in kuaidi.shop.wait_for(f"/track/{third}", 4)]
    last = max(pushes, key=lambda push: len(push["lastResult"]["data"]))
    assert last["status"] == "shutdown"
    assert last["lastResult"]["nu"] == order["kuaidinum"]
    assert [trace["statusCode"] for trace in last["lastResult"]["data"]] == ["3", "5", "0", "1"]
    detail = kuaidi.call("detail", taskId=order["taskId"])["data"]
    assert (detail["status"], detail["freight"]) == (10, "18.00")


def test_the_same_third_order_id_returns_the_first_order_for_48_hours(travelling: ShopSide, third: str) -> None:
    kuaidi = Kuaidi(travelling.http, travelling.shop)
    first = kuaidi.call("bOrder", **kuaidi.terms(third))["data"]
    assert kuaidi.call("bOrder", **kuaidi.terms(third))["data"] == first
    travelling.http.post("/clock/advance", json={"seconds": 48 * 3600 + 1}).raise_for_status()
    assert kuaidi.call("bOrder", **kuaidi.terms(third))["data"]["orderId"] != first["orderId"]


def test_a_parcel_can_be_cancelled_once_and_only_before_collection(kuaidi: Kuaidi, third: str) -> None:
    order = kuaidi.call("bOrder", **kuaidi.terms(third))["data"]
    named = {"taskId": order["taskId"], "orderId": order["orderId"], "cancelMsg": "买家退款"}
    assert kuaidi.call("cancel", **named)["message"] == "取消成功"
    assert kuaidi.call("cancel", **named)["returnCode"] == "500"
    assert kuaidi.statuses(third, 2) == [0, 9]
    late = kuaidi.call("bOrder", **kuaidi.terms(f"{third[:31]}x"))["data"]
    kuaidi.control(late["orderId"], "pickup")
    refused = kuaidi.call("cancel", taskId=late["taskId"], orderId=late["orderId"], cancelMsg="")
    assert refused["returnCode"] == "500"


def test_some_couriers_tell_the_waybill_only_when_they_accept(kuaidi: Kuaidi, third: str) -> None:
    order = kuaidi.call("bOrder", **kuaidi.terms(third, kuaidicom="yunda"))["data"]
    assert order["kuaidinum"] == ""
    kuaidi.control(order["orderId"], "accept")
    told = [pushed(request)["kuaidinum"] for request in kuaidi.shop.wait_for(f"/kd/{third}", 2)]
    assert sorted(map(bool, told)) == [False, True]


def test_fee_events_are_no_states(kuaidi: Kuaidi, third: str) -> None:
    order = kuaidi.call("bOrder", **kuaidi.terms(third))["data"]
    kuaidi.control(order["orderId"], "pickup")
    kuaidi.control(order["orderId"], "fee", freight_fen=2150)
    kuaidi.control(order["orderId"], "reweigh")
    assert kuaidi.statuses(third, 4) == [0, 10, 15, 155]
    detail = kuaidi.call("detail", taskId=order["taskId"])["data"]
    assert (detail["status"], detail["freight"]) == (10, "21.50")


def test_a_wrong_signature_and_missing_fields_are_refused(kuaidi: Kuaidi, third: str) -> None:
    assert kuaidi.call("price", secret="another", kuaidicom="yuantong")["returnCode"] == "503"
    terms = kuaidi.terms(third)
    del terms["recManMobile"]
    assert kuaidi.call("bOrder", **terms)["returnCode"] == "400"
    assert kuaidi.call("bOrder", **kuaidi.terms(third, weight="heavy"))["returnCode"] == "400"
    assert kuaidi.call("nonsense")["returnCode"] == "400"


def test_a_push_is_repeated_until_the_documented_acknowledgement(kuaidi: Kuaidi, third: str) -> None:
    kuaidi.shop.answers[f"/kd/{third}"] = [(200, "success"), (200, '{"returnCode":"500"}'), (200, ACK)]
    order = kuaidi.call("bOrder", **kuaidi.terms(third))["data"]
    kuaidi.shop.wait_for(f"/kd/{third}", 3)
    until(lambda: {c["state"] for c in show(kuaidi, order["orderId"])["callbacks"]} == {"done"}, "the callback is done")


def test_a_waybill_of_any_origin_can_be_subscribed_to_once_and_is_pushed(kuaidi: Kuaidi, third: str) -> None:
    kuaidi.shop.answers[f"/sub/{third}"] = [(200, ACK)]
    parameters = {"callbackurl": f"{kuaidi.shop.url}/sub/{third}", "salt": SALT, "resultv2": "1"}
    param = json.dumps({"company": "shunfeng", "number": third, "key": KEY, "parameters": parameters})
    first = kuaidi.http.post("/kuaidi100/poll", data={"schema": "json", "param": param}).json()
    assert (first["result"], first["returnCode"]) == (True, "200")
    assert kuaidi.http.post("/kuaidi100/poll", data={"schema": "json", "param": param}).json()["returnCode"] == "501"

    for state in ("1", "3"):
        kuaidi.http.post(f"/_sim/kuaidi100/tracks/{third}", json={"state": state, "context": "…"}).raise_for_status()
    found = kuaidi.shop.wait_for(f"/sub/{third}", 2)
    assert {pushed(request)["status"] for request in found} == {"polling", "shutdown"}

    asked = json.dumps({"com": "shunfeng", "num": third})
    form = {"customer": CUSTOMER, "param": asked, "sign": md5(asked + KEY + CUSTOMER)}
    assert kuaidi.http.post("/kuaidi100/poll/query.do", data=form).json()["state"] == "3"
    false = kuaidi.http.post("/kuaidi100/poll/query.do", data={**form, "sign": "0"}).json()
    assert false["returnCode"] == "503"


def test_in_automatic_mode_a_parcel_reaches_its_receiver_by_itself(travelling: ShopSide, third: str) -> None:
    travelling.http.put("/_sim/carriers", json={"automatic": True, "step_s": 0.05}).raise_for_status()
    kuaidi = Kuaidi(travelling.http, travelling.shop)
    order = kuaidi.call("bOrder", **kuaidi.terms(third))["data"]
    until(lambda: show(kuaidi, order["orderId"])["traces"][:1] == ["3"], "the parcel is signed for")
    travelling.http.put("/_sim/carriers", json={"automatic": False}).raise_for_status()
    assert travelling.http.get("/_sim/carriers").json()["automatic"] is False


def show(kuaidi: Kuaidi, order_id: str) -> dict[str, Any]:
    return as_json(kuaidi.http.get(f"/_sim/kuaidi100/orders/{order_id}").text)
