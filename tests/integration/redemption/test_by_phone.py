"""A buyer's certificates by his phone: what the shop may tell him, and nothing that redeems."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from services.redemption import consumers
from services.redemption.domain.guessing import LIMITS, Level
from services.redemption.use_cases.by_phone import ORDERS_SHOWN
from shared.contracts.catalog import StaffRole
from shared.contracts.use_rules import UseRules
from shared.phones import normal_phone, phone_lookup
from shared.sealed import Seals
from tests.integration.redemption.stage import Shop, Stage, as_, other_store, refund_request

LIMIT = next(one.wrong for one in LIMITS if one.level is Level.OPERATOR)


def new_phone() -> str:
    return f"138{uuid4().int % 10**8:08d}"


def left(stage: Stage, phone: str) -> str:
    """What checkout's event says of a phone."""
    normal = normal_phone(phone)
    assert normal is not None
    lookup = phone_lookup(stage.world.seals, normal)
    assert lookup is not None
    return lookup


async def ask(stage: Stage, shop: Shop, phone: str) -> httpx.Response:
    body = {"store_id": str(shop.store_id), "phone": phone}
    return await stage.http.post("/preparations/by-phone", json=body, headers=as_(shop.clerk))


async def test_a_phone_lists_what_can_be_used_masked_and_without_anything_that_redeems(stage: Stage) -> None:
    shop, phone = await stage.open_shop(), new_phone()
    order = await stage.pay(shop, units=2, phone_lookup=left(stage, phone))
    answer = await ask(stage, shop, f"+86 {phone[:3]}-{phone[3:7]} {phone[7:]}")
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    assert [(one["title"], one["usable"], one["uses_left"]) for one in items] == [(order.title, True, 1)] * 2
    for position in range(2):
        code = await stage.code(order, position)
        assert code not in answer.text
        assert items[position]["masked_code"] == "*" * 8 + code[-4:]
    assert set(items[0]) == {"title", "masked_code", "uses_left", "starts_at", "until", "usable", "reason"}
    assert "token" not in answer.text
    assert str(order.order_id) not in answer.text


async def test_only_this_merchants_unused_certificates_are_listed_each_with_its_reason_here(stage: Stage) -> None:
    shop, phone = await stage.open_shop(), new_phone()
    lookup, sister = left(stage, phone), await stage.open_shop(other_store(shop))
    await stage.pay(await stage.open_shop(), phone_lookup=lookup)
    used = await stage.pay(shop, phone_lookup=lookup)
    assert (await stage.redeem(shop, used)).status_code == 201
    fenced = await stage.pay(shop, phone_lookup=lookup)
    await consumers.fence_refund(refund_request(fenced), stage.db)
    await stage.pay(shop, phone_lookup=lookup, rules=UseRules(use_until=stage.now() - timedelta(hours=1)))
    await stage.pay(shop, phone_lookup=left(stage, new_phone()))
    await stage.pay(shop)
    here, there = await stage.pay(shop, phone_lookup=lookup), await stage.pay(sister, phone_lookup=lookup)
    items = (await ask(stage, shop, phone)).json()["items"]
    codes = {(await stage.code(order))[-4:] for order in (here, there)}
    assert {one["masked_code"][-4:] for one in items} == codes
    assert {one["masked_code"][-4:]: one["reason"] and one["reason"]["code"] for one in items} == {
        (await stage.code(here))[-4:]: None,
        (await stage.code(there))[-4:]: "other_store",
    }


async def test_the_list_is_short_and_its_newest_orders_come_first(stage: Stage) -> None:
    shop, phone = await stage.open_shop(), new_phone()
    orders = [await stage.pay(shop, phone_lookup=left(stage, phone)) for _ in range(ORDERS_SHOWN + 1)]
    items = (await ask(stage, shop, phone)).json()["items"]
    assert len(items) == ORDERS_SHOWN
    assert items[0]["masked_code"][-4:] == (await stage.code(orders[-1]))[-4:]


async def test_who_asked_for_which_certificates_is_noted(stage: Stage) -> None:
    shop, phone = await stage.open_shop(), new_phone()
    order = await stage.pay(shop, phone_lookup=left(stage, phone))
    await ask(stage, shop, phone)
    await ask(stage, shop, new_phone())
    async with stage.db.transaction() as tx:
        rows = await tx.fetch(
            "select step, code, unit_ids, guess from refusals where operator = $1 order by refusal_id", shop.clerk
        )
    assert [(row["step"], row["code"], row["guess"]) for row in rows] == [
        ("PHONE", "phone_listed", False),
        ("PHONE", "phone_unknown", True),
    ]
    assert list(rows[0]["unit_ids"]) == [unit.unit_id for unit in order.units]
    assert phone not in str([dict(row) for row in rows])


async def test_phones_that_nobody_left_lock_out_like_wrong_codes_and_both_count_together(stage: Stage) -> None:
    shop, phone = await stage.open_shop(), new_phone()
    order = await stage.pay(shop, phone_lookup=left(stage, phone))
    for number in range(LIMIT):
        if number % 2:
            assert (await ask(stage, shop, new_phone())).json() == {"items": [], "next_cursor": None}
        else:
            assert (await stage.prepare(shop, code=f"{number:012d}")).status_code == 404
    for locked in (await ask(stage, shop, phone), await stage.prepare(shop, code=await stage.code(order))):
        assert (locked.status_code, locked.json()["code"]) == (429, "too_many_attempts")
        assert int(locked.headers["retry-after"]) > 0


@pytest.mark.parametrize("role", [StaffRole.FINANCE, None])
async def test_only_who_may_redeem_here_may_ask(stage: Stage, role: StaffRole | None) -> None:
    shop, phone = await stage.open_shop(), new_phone()
    await stage.pay(shop, phone_lookup=left(stage, phone))
    if role is None:
        shop = replace(shop, clerk="somebody-else")
    else:
        await stage.keep_staff(shop, version=2, role=role)
    answer = await ask(stage, shop, phone)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_staff_of_store")


@pytest.mark.parametrize("phone", ["12345", "not a phone", "+86 138"])
async def test_what_is_no_phone_is_refused(stage: Stage, phone: str) -> None:
    answer = await ask(stage, await stage.open_shop(), phone)
    assert (answer.status_code, answer.json()["code"]) == (422, "phone_invalid")


async def test_without_the_key_nothing_is_found_by_phone_and_that_is_said(stage: Stage) -> None:
    without = replace(stage.world, seals=Seals({}))
    stage.app.state.world = without
    try:
        answer = await ask(stage, await stage.open_shop(), new_phone())
    finally:
        stage.app.state.world = stage.world
    assert (answer.status_code, answer.json()["code"]) == (409, "phones_not_kept")
