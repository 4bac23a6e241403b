"""The phone that a buyer leaves with an order: sealed here, a keyed hash for whoever redeems, part of the request."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.checkout.use_cases.place_order import Wanted
from shared.contracts.checkout import OrderPaid
from shared.ids import new_id
from shared.phones import normal_phone, phone_lookup
from shared.sealed import Seals
from tests.integration.checkout.catalog_side import Deal
from tests.integration.checkout.stage import Purchase, Stage, a_buyer

pytestmark = pytest.mark.usefixtures("alipay_sandbox")

TYPED, PHONE = "138 0013-8000", "+8613800138000"


async def place(stage: Stage, deal: Deal, buyer: str, order_id: UUID | None = None, **more: Any) -> httpx.Response:
    body = {"deal_id": str(deal.deal_id), "deal_version": 1, "quantity": 1, **more}
    return await stage.put(buyer, f"/orders/{order_id or new_id()}", body)


async def paid_events(stage: Stage, order_id: UUID) -> list[OrderPaid]:
    async with stage.db.transaction() as tx:
        rows = await tx.fetch(
            "select payload from history where topic = $1 and aggregate_id = $2", OrderPaid.topic, str(order_id)
        )
    return [OrderPaid.model_validate_json(row["payload"]) for row in rows]


async def test_a_phone_reaches_redemption_as_a_keyed_hash_and_stands_nowhere_else(stage: Stage) -> None:
    deal, buyer = await stage.sell(), a_buyer()
    answer = await place(stage, deal, buyer, phone=TYPED)
    assert answer.status_code == 201, answer.text
    assert "8000" not in answer.text
    purchase = Purchase(stage, deal, buyer, UUID(answer.json()["order_id"]))
    await purchase.pay()
    (event,) = await paid_events(stage, purchase.order_id)
    assert event.phone_lookup == phone_lookup(stage.world.seals, PHONE)
    async with stage.db.transaction() as tx:
        row = await tx.row("select * from orders where order_id = $1", purchase.order_id)
    assert row is not None
    assert stage.world.seals.open(row["sealed_phone"]) == PHONE
    for text in (str(dict(row)), event.model_dump_json()):
        assert "138001" not in text


@pytest.mark.usefixtures("both_ways")
async def test_orders_placed_together_keep_each_its_own_phone(stage: Stage) -> None:
    deal = await stage.sell()
    phones = [f"1380013{number:04d}" for number in range(8)] + [None]
    answers = await asyncio.gather(*(place(stage, deal, a_buyer(), phone=phone) for phone in phones))
    async with stage.db.transaction() as tx:
        rows = await tx.fetch(
            "select order_id, phone_lookup from orders where order_id = any($1)",
            [UUID(one.json()["order_id"]) for one in answers],
        )
    kept = {str(row["order_id"]): row["phone_lookup"] for row in rows}
    for phone, answer in zip(phones, answers, strict=True):
        normal = normal_phone(phone) if phone else None
        expected = phone_lookup(stage.world.seals, normal) if normal else None
        assert kept[answer.json()["order_id"]] == expected


async def test_another_phone_is_another_request_and_the_same_one_typed_otherwise_is_not(stage: Stage) -> None:
    deal, buyer, order_id = await stage.sell(), a_buyer(), new_id()
    first = await place(stage, deal, buyer, order_id, phone=TYPED)
    again = await place(stage, deal, buyer, order_id, phone=PHONE)
    assert (again.status_code, again.json()) == (201, first.json())
    for other in ({"phone": "13900139000"}, {}):
        answer = await place(stage, deal, buyer, order_id, **other)
        assert (answer.status_code, answer.json()["code"]) == (409, "id_taken")


def test_a_request_without_a_phone_is_recognised_by_processes_that_know_of_none() -> None:
    seals = Seals({"checkout": {"k1": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="}})
    wanted = Wanted(UUID(int=1), "buyer", UUID(int=2), 1, 1)
    parts = '["buyer", "00000000-0000-0000-0000-000000000002", "1", "1", "None", "None", null]'
    assert wanted.digest(seals) == seals.lookup("checkout", parts)
    assert replace(wanted, phone=PHONE).digest(seals) != wanted.digest(seals)


@pytest.mark.parametrize("phone", ["12345", "not a phone"])
async def test_what_is_no_phone_is_refused(stage: Stage, phone: str) -> None:
    answer = await place(stage, await stage.sell(), a_buyer(), phone=phone)
    assert (answer.status_code, answer.json()["code"]) == (422, "phone_invalid")
