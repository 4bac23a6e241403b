"""达达 as its documents describe it: signed calls, quotes, riders, callbacks."""

import hashlib
import json
import time
import uuid
from typing import Any

import httpx
import pytest

from tests.integration.sandbox.stage import Received, SandboxProcess, Shop, StartSandbox, as_json, until

KEY, SECRET, SOURCE = "dada-app", "dada-secret", "73753"


class Dada:
    """The merchant's half of the protocol, written again for these tests."""

    def __init__(self, http: httpx.Client, shop: Shop) -> None:
        self.http = http
        self.shop = shop

    def envelope(self, body: dict[str, Any], secret: str = SECRET) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "app_key": KEY,
            "body": json.dumps(body, ensure_ascii=False),
            "format": "json",
            "source_id": SOURCE,
            "timestamp": int(time.time()),
            "v": "1.0",
        }
        joined = secret + "".join(f"{name}{fields[name]}" for name in sorted(fields)) + secret
        return {**fields, "signature": hashlib.md5(joined.encode(), usedforsecurity=False).hexdigest().upper()}

    def call(self, operation: str, **body: Any) -> dict[str, Any]:
        answer = self.http.post(f"/dada/api/order/{operation}", json=self.envelope(body))
        assert answer.status_code == 200, answer.text
        return as_json(answer.text)

    def terms(self, origin_id: str, **more: Any) -> dict[str, Any]:
        return {
            "shop_no": "11047059",
            "origin_id": origin_id,
            "cargo_price": 128.0,
            "is_prepay": 0,
            "receiver_name": "小陈",
            "receiver_address": "海口市美兰区国贸路56号",
            "receiver_phone": "13800138000",
            "receiver_lat": 20.0331,
            "receiver_lng": 110.3585,
            "callback": f"{self.shop.url}/dada/{origin_id}",
            "cargo_weight": 1.5,
            "cargo_type": 13,
            "cargo_num": 1,
            **more,
        }

    def control(self, origin_id: str, action: str, **query: Any) -> httpx.Response:
        return self.http.post(f"/_sim/dada/orders/{origin_id}/{action}", params=query)

    def callbacks(self, origin_id: str, count: int) -> list[dict[str, Any]]:
        return [checked(request) for request in self.shop.wait_for(f"/dada/{origin_id}", count)]


def checked(request: Received) -> dict[str, Any]:
    """A callback whose checksum is right."""
    said = as_json(request.body)
    joined = "".join(sorted((said["client_id"], said["order_id"], str(said["update_time"]))))
    assert said["signature"] == hashlib.md5(joined.encode(), usedforsecurity=False).hexdigest()
    return said


@pytest.fixture
def dada(http: httpx.Client, shop: Shop) -> Dada:
    return Dada(http, shop)


@pytest.fixture
def origin_id() -> str:
    return uuid.uuid4().hex


def test_a_quote_becomes_an_order_that_a_rider_carries_to_its_receiver(dada: Dada, origin_id: str) -> None:
    quote = dada.call("queryDeliverFee", **dada.terms(origin_id))["result"]
    assert quote["fee"] == 6.0
    assert 0 < quote["distance"] < 3000
    assert dada.call("status/query", order_id=origin_id)["status"] == "fail"

    assert dada.call("addAfterQuery", deliveryNo=quote["deliveryNo"])["code"] == 0
    for action in ("accept", "arrive", "fetch", "finish"):
        assert dada.control(origin_id, action).status_code == 200
    said = dada.callbacks(origin_id, 5)
    assert sorted(s["order_status"] for s in said) == [1, 2, 3, 4, 100]
    accepted = next(s for s in said if s["order_status"] == 2)
    assert accepted["dm_name"]
    status = dada.call("status/query", order_id=origin_id)["result"]
    assert (status["statusCode"], status["statusMsg"], status["deliveryFee"]) == (4, "已完成", 6.0)
    assert status["acceptTime"]
    assert status["finishTime"]


def test_a_quote_is_good_for_one_order_and_not_for_ever(dada: Dada, origin_id: str) -> None:
    quote = dada.call("queryDeliverFee", **dada.terms(origin_id))["result"]
    assert dada.call("addAfterQuery", deliveryNo=quote["deliveryNo"])["code"] == 0
    assert dada.call("addAfterQuery", deliveryNo=quote["deliveryNo"])["code"] == 2062
    assert dada.call("addAfterQuery", deliveryNo="nonsense")["code"] == 2062


def test_the_same_origin_id_is_not_carried_twice_but_may_be_published_again_after_cancelling(
    dada: Dada, origin_id: str
) -> None:
    assert dada.call("addOrder", **dada.terms(origin_id))["code"] == 0
    assert dada.call("addOrder", **dada.terms(origin_id))["status"] == "fail"
    assert dada.call("reAddOrder", **dada.terms(origin_id))["status"] == "fail"
    cancelled = dada.call("formalCancel", order_id=origin_id, cancel_reason_id=4, cancel_reason="")
    assert cancelled["result"]["deduct_fee"] == 0
    assert dada.call("reAddOrder", **dada.terms(origin_id))["code"] == 0
    assert dada.call("status/query", order_id=origin_id)["result"]["statusCode"] == 1


def test_an_order_that_was_fetched_cannot_be_cancelled(dada: Dada, origin_id: str) -> None:
    dada.call("addOrder", **dada.terms(origin_id))
    dada.control(origin_id, "accept")
    dada.control(origin_id, "fetch")
    refused = dada.call("formalCancel", order_id=origin_id, cancel_reason_id=4)
    assert refused["status"] == "fail"
    illegal = dada.control(origin_id, "accept")
    assert (illegal.status_code, illegal.json()["code"]) == (409, "move_illegal")


def test_the_shops_own_cancellation_is_called_back_as_the_merchants(dada: Dada, origin_id: str) -> None:
    dada.call("addOrder", **dada.terms(origin_id))
    dada.call("formalCancel", order_id=origin_id, cancel_reason_id=10000, cancel_reason="买家退款")
    said = dada.callbacks(origin_id, 2)
    cancelled = next(s for s in said if s["order_status"] == 5)
    assert (cancelled["cancel_from"], cancelled["cancel_reason"]) == (2, "买家退款")


def test_a_rider_who_drops_the_order_sends_it_back_to_searching(dada: Dada, origin_id: str) -> None:
    dada.call("addOrder", **dada.terms(origin_id))
    dada.control(origin_id, "accept")
    dada.control(origin_id, "reassign")
    dada.control(origin_id, "accept")
    said = dada.callbacks(origin_id, 4)
    assert [s["repeat_reason_type"] for s in said if "repeat_reason_type" in s] == [1]
    riders = {s["dm_name"] for s in said if s["order_status"] == 2}
    assert len(riders) == 2


def test_an_unknown_status_changes_nothing_but_is_called_back(dada: Dada, origin_id: str) -> None:
    dada.call("addOrder", **dada.terms(origin_id))
    dada.control(origin_id, "status", code=777)
    assert 777 in [s["order_status"] for s in dada.callbacks(origin_id, 2)]
    assert dada.call("status/query", order_id=origin_id)["result"]["statusCode"] == 1


def test_a_finish_code_is_given_only_to_orders_that_asked_for_one(dada: Dada, origin_id: str) -> None:
    dada.call("addOrder", **dada.terms(origin_id, is_finish_code_needed=1))
    assert len(dada.call("status/query", order_id=origin_id)["result"]["orderFinishCode"]) == 6


def test_a_callback_is_repeated_until_the_shop_answers_200(dada: Dada, origin_id: str) -> None:
    path = f"/dada/{origin_id}"
    dada.shop.answers[path] = [(503, ""), (500, ""), (200, "")]
    dada.call("addOrder", **dada.terms(origin_id))
    dada.shop.wait_for(path, 3)
    until(lambda: states(dada, origin_id) == ["done"], "the callback is done")


def test_a_wrong_signature_is_refused(dada: Dada, origin_id: str) -> None:
    envelope = dada.envelope({"order_id": origin_id}, secret="another")
    assert dada.http.post("/dada/api/order/status/query", json=envelope).json()["status"] == "fail"


def test_what_is_not_an_order_is_refused(dada: Dada, origin_id: str) -> None:
    terms = dada.terms(origin_id)
    del terms["receiver_address"]
    assert "receiver_address" in dada.call("addOrder", **terms)["msg"]
    assert dada.call("addOrder", **dada.terms(origin_id, receiver_lat="north"))["status"] == "fail"
    assert dada.http.post("/dada/api/order/addOrder", content=b"[1]").json()["status"] == "fail"


def test_the_providers_own_test_operations_move_an_order(dada: Dada, origin_id: str) -> None:
    dada.call("addOrder", **dada.terms(origin_id))
    for operation, status in (("accept", 2), ("fetch", 3), ("finish", 4)):
        assert dada.call(operation, order_id=origin_id)["code"] == 0
        assert dada.call("status/query", order_id=origin_id)["result"]["statusCode"] == status


@pytest.fixture(scope="module")
def walking(start_sandbox: StartSandbox) -> SandboxProcess:
    return start_sandbox(GROUPBUY_SANDBOX_CARRIERS_AUTOMATIC="true")


def test_in_automatic_mode_an_order_walks_to_its_end_by_itself(
    walking: SandboxProcess, shop: Shop, origin_id: str
) -> None:
    with httpx.Client(base_url=walking.url, trust_env=False) as http:
        dada = Dada(http, shop)
        dada.call("addOrder", **dada.terms(origin_id))
        assert sorted(s["order_status"] for s in dada.callbacks(origin_id, 4)) == [1, 2, 3, 4]


def states(dada: Dada, origin_id: str) -> list[str]:
    return [c["state"] for c in dada.http.get(f"/_sim/dada/orders/{origin_id}").json()["callbacks"]]
