"""闪送 as its documents and its official command line describe it: signed forms, numbers before orders, callbacks."""

import hashlib
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.integration.sandbox.stage import Shop, ShopSide, StartSandbox, as_json, client_for, until

CLIENT, SECRET, SHOP_ID = "ishansong-client", "ishansong-secret", "ishansong-shop"
ACK = '{"status":200,"msg":"","data":""}'


class Ishansong:
    """The merchant's half of the protocol, written again for these tests."""

    def __init__(self, http: httpx.Client, shop: Shop) -> None:
        self.http = http
        self.shop = shop

    def form(self, data: dict[str, Any], secret: str = SECRET) -> dict[str, str]:
        text, at = json.dumps(data, ensure_ascii=False), str(int(time.time() * 1000))
        joined = f"{secret}clientId{CLIENT}data{text}shopId{SHOP_ID}timestamp{at}"
        signed = hashlib.md5(joined.encode(), usedforsecurity=False).hexdigest().upper()
        return {"clientId": CLIENT, "shopId": SHOP_ID, "timestamp": at, "data": text, "sign": signed}

    def call(self, operation: str, **data: Any) -> dict[str, Any]:
        answer = self.http.post(f"/ishansong/openapi/merchants/v5/{operation}", data=self.form(data))
        assert answer.status_code == 200, answer.text
        return as_json(answer.text)

    def terms(self, third_no: str, **more: Any) -> dict[str, Any]:
        receiver = {
            "orderNo": third_no,
            "toAddress": "海口市美兰区国贸路56号",
            "toLatitude": "20.039", "toLongitude": "110.365",
            "toReceiverName": "小陈", "toMobile": "13800138000", "goodType": 16, "weight": 2,
        }  # fmt: skip
        sender = {
            "fromAddress": "海口市龙昆南路8号", "fromSenderName": "鲜果铺", "fromMobile": "089812345678",
            "fromLatitude": "20.029", "fromLongitude": "110.355",
        }  # fmt: skip
        return {"cityName": "海口市", "appointType": 0, "sender": sender, "receiverList": [{**receiver, **more}]}

    def placed(self, third_no: str) -> str:
        number = str(self.call("orderCalculate", **self.terms(third_no))["data"]["orderNumber"])
        assert self.call("orderPlace", issOrderNo=number)["status"] == 200
        return number

    def act(self, number: str, *actions: str) -> None:
        for action in actions:
            assert self.http.post(f"/_sim/ishansong/orders/{number}/{action}").status_code == 200


@pytest.fixture(scope="module")
def side(start_sandbox: StartSandbox, shop: Shop) -> ShopSide:
    """A sandbox of this module's own: the callback address is one for the whole account."""
    return client_for(start_sandbox(), shop)


@pytest.fixture
def ishansong(side: ShopSide, shop: Shop) -> Iterator[Ishansong]:
    path = f"/ss/{uuid.uuid4().hex}"
    shop.answers[path] = [(200, ACK)]
    side.http.put("/_sim/ishansong/console", json={"callback_url": f"{shop.url}{path}"}).raise_for_status()
    yield Ishansong(side.http, shop)
    side.http.delete("/_sim/faults/ishansong")


def heard(ishansong: Ishansong, number: str, count: int) -> list[dict[str, Any]]:
    """The callbacks about an order, once there are so many."""

    def found() -> list[dict[str, Any]]:
        said = [as_json(one.body) for one in ishansong.shop.received if one.path.startswith("/ss/")]
        mine = [one for one in said if one["issOrderNo"] == number]
        return mine if len(mine) >= count else []

    return until(found, f"{count} callbacks about {number}")


def test_a_quote_gives_the_number_under_which_the_order_is_placed_and_carried(ishansong: Ishansong) -> None:
    third_no = uuid.uuid4().hex
    quoted = ishansong.call("orderCalculate", **ishansong.terms(third_no))["data"]
    assert (quoted["totalAmount"], quoted["totalFeeAfterSave"]) == (1_600, 1_600)
    number = quoted["orderNumber"]
    assert ishansong.call("orderInfo", issOrderNo=number)["status"] != 200, "nothing is ordered yet"
    assert ishansong.call("orderPlace", issOrderNo=number)["data"]["orderNumber"] == number
    ishansong.act(number, "accept", "fetch", "finish")
    said = heard(ishansong, number, 4)
    assert sorted(one["status"] for one in said) == [20, 30, 40, 50]
    assert {one["orderNo"] for one in said} == {third_no}
    told = ishansong.call("orderInfo", thirdOrderNo=third_no)["data"]
    assert [change["orderStatus"] for change in told["statusChangeLog"]] == [20, 30, 40, 50]
    assert told["courier"]["name"]


def test_a_number_is_placed_once_and_not_after_its_quote_ran_out(side: ShopSide, ishansong: Ishansong) -> None:
    number = ishansong.placed(uuid.uuid4().hex)
    assert ishansong.call("orderPlace", issOrderNo=number)["status"] == 80005
    stale = ishansong.call("orderCalculate", **ishansong.terms(uuid.uuid4().hex))["data"]["orderNumber"]
    side.http.post("/clock/advance", json={"seconds": 16 * 60}).raise_for_status()
    try:
        assert ishansong.call("orderPlace", issOrderNo=stale)["status"] == 80008
        assert ishansong.call("orderPlace", issOrderNo="TDH0")["status"] == 80008
    finally:
        side.http.put("/clock", json={"offset_s": 0}).raise_for_status()


def test_a_cancellation_is_free_until_a_rider_came_and_with_the_goods_needs_consent(ishansong: Ishansong) -> None:
    early = ishansong.placed(uuid.uuid4().hex)
    assert ishansong.call("preAbortOrder", issOrderNo=early)["data"]["deductAmount"] == 0
    assert ishansong.call("abortOrder", issOrderNo=early)["data"]["deductAmount"] == 0
    late = ishansong.placed(uuid.uuid4().hex)
    ishansong.act(late, "accept", "fetch")
    assert ishansong.call("abortOrder", issOrderNo=late)["status"] == 80005
    assert ishansong.call("abortOrder", issOrderNo=late, deductFlag=True)["data"]["deductAmount"] == 1_600
    assert ishansong.call("orderInfo", issOrderNo=late)["data"]["orderStatus"] == 40
    assert ishansong.call("confirmGoodsReturn", issOrderNo=late)["status"] == 200
    assert ishansong.call("orderInfo", issOrderNo=late)["data"]["orderStatus"] == 60


def test_a_rider_who_drops_out_is_replaced(ishansong: Ishansong) -> None:
    number = ishansong.placed(uuid.uuid4().hex)
    ishansong.act(number, "accept", "drop", "accept")
    riders = {one["courier"]["name"] for one in heard(ishansong, number, 4) if one["status"] == 30}
    assert len(riders) == 2


def test_only_whole_yuan_are_added_and_only_while_riders_are_sought(ishansong: Ishansong) -> None:
    number = ishansong.placed(uuid.uuid4().hex)
    assert ishansong.call("addition", issOrderNo=number, additionAmount=150)["status"] == 80002
    assert ishansong.call("addition", issOrderNo=number, additionAmount=200)["status"] == 200
    assert ishansong.call("orderInfo", issOrderNo=number)["data"]["totalFeeAfterSave"] == 1_800
    ishansong.act(number, "accept")
    assert ishansong.call("addition", issOrderNo=number, additionAmount=200)["status"] == 80005


@pytest.mark.parametrize(
    "more", [{"weight": 1.5}, {"weight": 51}, {"goodType": 99}, {"toMobile": ""}, {"toLatitude": "north"}]
)
def test_what_is_no_shipment_is_refused(ishansong: Ishansong, more: dict[str, Any]) -> None:
    assert ishansong.call("orderCalculate", **ishansong.terms(uuid.uuid4().hex, **more))["status"] == 80002


def test_a_wrong_signature_or_a_timestamp_in_seconds_is_refused(ishansong: Ishansong) -> None:
    path = "/ishansong/openapi/merchants/v5/getUserAccount"
    assert ishansong.http.post(path, data=ishansong.form({}, secret="another")).json()["status"] == 80001
    text, at = "{}", str(int(time.time()))
    joined = f"{SECRET}clientId{CLIENT}data{text}shopId{SHOP_ID}timestamp{at}"
    signed = hashlib.md5(joined.encode(), usedforsecurity=False).hexdigest().upper()
    form = {"clientId": CLIENT, "shopId": SHOP_ID, "timestamp": at, "data": text, "sign": signed}
    assert ishansong.http.post(path, data=form).json()["status"] == 80002
    assert ishansong.call("getUserAccount")["data"]["balance"] > 0


def test_a_callback_is_repeated_until_the_documented_acknowledgement(ishansong: Ishansong) -> None:
    shown = ishansong.http.get("/_sim/ishansong/console").json()["callback_url"]
    ishansong.shop.answers[shown.removeprefix(ishansong.shop.url)] = [(200, "success"), (500, ACK), (200, ACK)]
    number = ishansong.placed(uuid.uuid4().hex)
    heard(ishansong, number, 3)

    def done() -> bool:
        calls = ishansong.http.get(f"/_sim/ishansong/orders/{number}").json()["callbacks"]
        return [call["state"] for call in calls] == ["done"]

    until(done, "the callback is done")


def test_riders_walk_by_themselves_when_they_are_told_to(side: ShopSide, ishansong: Ishansong) -> None:
    side.http.put("/_sim/carriers", json={"automatic": True, "step_s": 0.05}).raise_for_status()
    number = ishansong.placed(uuid.uuid4().hex)
    until(lambda: ishansong.call("orderInfo", issOrderNo=number)["data"]["orderStatus"] == 50, "it arrives")
    side.http.put("/_sim/carriers", json={"automatic": False}).raise_for_status()
