"""The edge: what a client sees of a refusal, a malformed request, an outage and a bug."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from shared.errors import Conflict
from shared.http import BODY_LIMIT, Edge, add_problems


class DealSoldOut(Conflict):
    code = "deal_sold_out"
    zh = "已抢光，剩余 {available} 份"
    en = "Sold out, {available} left"


class Order(BaseModel):
    quantity: int


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()

    @app.put("/orders")
    async def order(body: Order) -> None:
        raise DealSoldOut(available=0)

    @app.get("/bug")
    async def bug() -> None:
        raise LookupError("13800138000")

    @app.get("/outage")
    async def outage() -> None:
        raise ConnectionRefusedError

    add_problems(app)
    app.add_middleware(Edge)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as made:
        yield made


async def test_a_refusal_has_a_stable_code_its_facts_and_the_clients_language(client: httpx.AsyncClient) -> None:
    chinese = await client.put("/orders", json={"quantity": 1})
    english = await client.put("/orders", json={"quantity": 1}, headers={"accept-language": "en-GB"})
    assert chinese.status_code == 409
    assert chinese.headers["content-type"] == "application/problem+json"
    assert (chinese.json()["code"], chinese.json()["available"]) == ("deal_sold_out", 0)
    assert (chinese.json()["title"], english.json()["title"]) == ("已抢光，剩余 0 份", "Sold out, 0 left")


async def test_malformed_input_names_the_field_but_never_repeats_what_was_sent(client: httpx.AsyncClient) -> None:
    answer = await client.put("/orders", json={"quantity": "13800138000x"})
    assert answer.status_code == 422
    assert answer.json()["code"] == "malformed_input"
    assert answer.json()["errors"][0]["field"] == "body.quantity"
    assert "13800138000" not in answer.text


async def test_a_bug_is_a_500_without_its_reason_and_an_outage_asks_to_come_again(client: httpx.AsyncClient) -> None:
    bug, outage = await client.get("/bug"), await client.get("/outage")
    assert (bug.status_code, bug.json()["code"]) == (500, "internal_error")
    assert "13800138000" not in bug.text
    assert (outage.status_code, outage.json()["code"]) == (503, "temporarily_unavailable")
    assert outage.headers["retry-after"] == "1"


async def test_the_correlation_id_comes_back_and_a_strange_one_is_replaced(client: httpx.AsyncClient) -> None:
    kept = await client.get("/bug", headers={"x-correlation-id": "till-7:42"})
    replaced = await client.get("/bug", headers={"x-correlation-id": "a b\tc"})
    assert kept.headers["x-correlation-id"] == kept.json()["trace_id"] == "till-7:42"
    assert len(replaced.headers["x-correlation-id"]) == 32


async def test_a_body_over_the_limit_is_refused_before_it_is_read(client: httpx.AsyncClient) -> None:
    answer = await client.put("/orders", content=b"x" * (BODY_LIMIT + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_an_unknown_address_and_a_wrong_method_have_codes_too(client: httpx.AsyncClient) -> None:
    assert (await client.get("/nowhere")).json()["code"] == "no_such_route"
    assert (await client.post("/bug")).json()["code"] == "method_not_allowed"
