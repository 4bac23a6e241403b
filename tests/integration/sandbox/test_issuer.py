"""A merchant's own code issuer: signed calls, one code per unit, and the ways in which it fails."""

import hashlib
import hmac
import json
import time
import uuid
from typing import Any

import httpx
import pytest

from tests.integration.sandbox.stage import Shop

SECRET = "a secret of thirty-two characters"


class Platform:
    """The platform's half of the protocol, written again for these tests."""

    def __init__(self, http: httpx.Client, mode: str = "at_once", platform_url: str = "http://127.0.0.1:9") -> None:
        self.http = http
        self.name = f"shop-{uuid.uuid4().hex[:8]}"
        self.merchant_id = str(uuid.uuid4())
        self.set(mode, platform_url)

    def set(self, mode: str, platform_url: str = "http://127.0.0.1:9") -> None:
        body = {"secret": SECRET, "mode": mode, "platform_url": platform_url}
        self.http.put(f"/_sim/issuer/{self.name}", json=body).raise_for_status()

    def call(self, content: dict[str, Any], secret: str = SECRET, age_s: int = 0) -> httpx.Response:
        path, body, timestamp = f"/issuer/{self.name}", json.dumps(content).encode(), str(int(time.time()) - age_s)
        signature = hmac.new(secret.encode(), f"{timestamp}.{path}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {"x-groupbuy-timestamp": timestamp, "x-groupbuy-signature": signature}
        return self.http.post(path, content=body, headers=headers)

    def issue(self, order_id: str, *unit_ids: str, **signing: Any) -> httpx.Response:
        content = {"type": "issue", "merchant_id": self.merchant_id, "order_id": order_id, "unit_ids": unit_ids}
        return self.call(content, **signing)

    def made(self) -> dict[str, dict[str, Any]]:
        found = self.http.get(f"/_sim/issuer/{self.name}/codes").raise_for_status().json()
        return {one["unit_id"]: one for one in found}


def ids(count: int) -> list[str]:
    return [str(uuid.uuid4()) for _ in range(count)]


def test_a_unit_that_is_asked_for_twice_gets_the_code_that_it_got_first(http: httpx.Client) -> None:
    platform, (order_id, one, two) = Platform(http), ids(3)
    first = {c["unit_id"]: c["code"] for c in platform.issue(order_id, one, two).json()["codes"]}
    again = {c["unit_id"]: c["code"] for c in platform.issue(order_id, two, one).json()["codes"]}
    assert first == again
    assert len(set(first.values())) == 2


@pytest.mark.parametrize(("mode", "makes"), [("late", True), ("never", False)])
def test_an_issuer_that_is_late_makes_codes_and_keeps_them(http: httpx.Client, mode: str, *, makes: bool) -> None:
    platform, (order_id, unit_id) = Platform(http, mode), ids(2)
    answer = platform.issue(order_id, unit_id)
    assert (answer.status_code, answer.json()) == (202, {})
    assert bool(platform.made()) is makes


def test_duplicate_codes_and_voids_can_be_played(http: httpx.Client) -> None:
    platform, (order_id, one, two) = Platform(http, "duplicate"), ids(3)
    codes = [c["code"] for c in platform.issue(order_id, one, two).json()["codes"]]
    assert len(codes) == 2
    assert len(set(codes)) == 1
    assert platform.call({"type": "void", "unit_ids": [one]}).status_code == 200
    assert {unit_id: made["void"] for unit_id, made in platform.made().items()} == {one: True, two: False}
    assert [c["unit_id"] for c in platform.issue(order_id, one, two).json()["codes"]] == [two]


@pytest.mark.parametrize(("signing"), [{"secret": SECRET[::-1]}, {"age_s": 301}, {"age_s": -302}])
def test_what_is_not_signed_rightly_and_lately_is_refused(http: httpx.Client, signing: dict[str, Any]) -> None:
    platform, (order_id, unit_id) = Platform(http), ids(2)
    assert platform.issue(order_id, unit_id, **signing).status_code == 401
    assert platform.made() == {}


def test_a_500_after_the_commit_leaves_a_code_that_the_next_call_hands_over(http: httpx.Client) -> None:
    platform, (order_id, unit_id) = Platform(http), ids(2)
    faults = [{"operation": "issue", "fault": "commit_then_http_500"}]
    http.put("/_sim/faults/issuer", json=faults).raise_for_status()
    assert platform.issue(order_id, unit_id).status_code == 500
    (made,) = platform.made().values()
    assert platform.issue(order_id, unit_id).json()["codes"][0]["code"] == made["code"]


def test_late_codes_and_uses_at_the_till_go_to_the_platform_signed(http: httpx.Client, shop: Shop) -> None:
    """The platform of this test takes no PUT, and what it answers is what the control says."""
    platform, (order_id, unit_id) = Platform(http, "late", shop.url), ids(2)
    platform.issue(order_id, unit_id)
    sent = http.post(f"/_sim/issuer/{platform.name}/send/{order_id}").raise_for_status().json()
    body = {"merchant_id": platform.merchant_id, "store_id": str(uuid.uuid4()), "code": "AB12"}
    taken = http.post(f"/_sim/issuer/{platform.name}/till", json=body).raise_for_status().json()
    assert {sent["status"], taken["status"]} <= {0, 501}
    assert http.post(f"/_sim/issuer/{platform.name}/send/{uuid.uuid4()}").status_code == 404
    assert http.post(f"/_sim/issuer/nobody/send/{order_id}").status_code == 404
