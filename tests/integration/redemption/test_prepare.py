"""What the till learns from what the customer shows."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.clock import business_day
from shared.contracts.catalog import StaffRole
from shared.contracts.use_rules import UseRules
from tests.integration.redemption.stage import Stage, as_, other_store, units_of


async def test_a_typed_code_lists_every_certificate_of_its_order(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop, units=3)
    first = await stage.token(shop, order)
    assert (await stage.verify(shop, first, units_of(order)[:1])).status_code == 201
    found = (await stage.prepare(shop, code=await stage.code(order, 1))).json()
    assert [one["unit_id"] for one in found["certificates"]] == [str(unit_id) for unit_id in units_of(order)]
    assert [one["usable"] for one in found["certificates"]] == [False, True, True]
    used = found["certificates"][0]
    assert used["reason"]["code"] == "certificate_used"
    assert shop.name in used["reason"]["zh"]
    assert shop.name in used["reason"]["en"]
    assert used["used_store_name"] == shop.name
    assert found["certificates"][1]["masked_code"] == "*" * 8 + (await stage.code(order, 1))[-4:]
    assert found["token"]


async def test_scanning_the_barcode_is_as_good_as_typing_the_code(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    assert (await stage.prepare(shop, scanned=await stage.code(order))).json()["order_id"] == str(order.order_id)


async def test_a_typed_code_of_another_merchant_answers_exactly_like_an_unknown_one(stage: Stage) -> None:
    shop, stranger = await stage.open_shop(), await stage.open_shop()
    order = await stage.pay(shop)
    code = await stage.code(order)
    unknown = "000000000000" if code != "000000000000" else "000000000001"
    answers = [await stage.prepare(stranger, code=shown) for shown in (code, unknown, "12", "no code at all")]
    assert {answer.status_code for answer in answers} == {404}
    bodies = [{**answer.json(), "trace_id": ""} for answer in answers]
    assert all(body == bodies[0] for body in bodies)
    assert bodies[0]["code"] == "code_unknown"


async def test_only_a_valid_qr_code_may_say_that_it_is_another_merchants(stage: Stage) -> None:
    shop, stranger = await stage.open_shop(), await stage.open_shop()
    order = await stage.pay(shop)
    token, _ = stage.codes.qr_token(units_of(order)[0], datetime.now(UTC))
    answer = await stage.prepare(stranger, scanned=token)
    assert (answer.status_code, answer.json()["code"]) == (409, "other_merchant")


async def test_an_old_qr_code_is_refused_and_a_forged_one_is_unknown(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    old, _ = stage.codes.qr_token(units_of(order)[0], datetime.now(UTC) - timedelta(seconds=61))
    assert (await stage.prepare(shop, scanned=old)).json()["code"] == "qr_expired"
    # Not the last character: some of its bits may mean nothing.
    forged = old[:-8] + ("B" if old[-8] == "A" else "A") + old[-7:]
    assert (await stage.prepare(shop, scanned=forged)).json()["code"] == "code_unknown"
    assert (await stage.prepare(shop, scanned="https://example.org/")).json()["code"] == "code_unknown"


@pytest.mark.parametrize("role", [StaffRole.FINANCE, StaffRole.RIDER])
async def test_finance_and_riders_do_not_redeem(stage: Stage, role: StaffRole) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    await stage.keep_staff(shop, version=2, role=role)
    answer = await stage.prepare(shop, code=await stage.code(order))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_staff_of_store")


@pytest.mark.parametrize("role", [StaffRole.OWNER, StaffRole.MANAGER, StaffRole.CLERK])
async def test_staff_without_named_stores_work_in_every_store(stage: Stage, role: StaffRole) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    await stage.keep_staff(shop, version=2, role=role, stores=())
    assert (await stage.prepare(shop, code=await stage.code(order))).status_code == 200


async def test_a_clerk_of_another_store_is_refused_at_this_one(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    elsewhere = await stage.open_shop(other_store(shop))
    body = {"store_id": str(shop.store_id), "code": await stage.code(order)}
    answer = await stage.http.post("/preparations", json=body, headers=as_(elsewhere.clerk))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_staff_of_store")
    assert await stage.refusals(elsewhere.clerk) == ["not_staff_of_store"]


async def test_either_a_scan_or_a_code_is_given(stage: Stage) -> None:
    shop = await stage.open_shop()
    for shown in (
        {},
        {"scanned": "GB1:A", "code": "837146205519"},
        {"code": ""},
        {"code": "1" * 65},
        {"code": "1", "device_id": "\x00"},
        {"code": "1", "device_id": ""},
    ):
        assert (await stage.prepare(shop, **shown)).status_code == 422


async def test_the_newest_state_of_a_store_is_kept_in_whatever_order_it_comes(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    await stage.keep_store(shop, version=3, is_open=False)
    await stage.keep_store(shop, version=2, is_open=True)
    (one,) = (await stage.prepare(shop, code=await stage.code(order))).json()["certificates"]
    assert (one["usable"], one["reason"]["code"]) == (False, "store_closed")


@pytest.mark.parametrize("today_off", [False, True], ids=["by its rules usable today", "by its rules not today"])
async def test_a_closed_store_says_so_of_a_code_that_another_store_still_takes(stage: Stage, today_off: bool) -> None:
    shop = await stage.open_shop()
    sister = await stage.open_shop(other_store(shop))
    rules = UseRules(valid_days=30, blackout_dates=(business_day(stage.now()),) if today_off else ())
    order = await stage.pay(shop, rules=rules, also=(sister,))
    await stage.keep_store(shop, version=2, is_open=False)
    found = (await stage.prepare(shop, code=await stage.code(order))).json()
    reason = found["certificates"][0]["reason"]
    assert (reason["code"], reason["zh"], reason["en"]) == (
        "store_closed",
        "该门店已停业，不能核销",
        "This store is closed",
    )
    refused = await stage.verify(shop, found["token"], units_of(order))
    assert (refused.status_code, refused.json()["code"]) == (409, "store_closed")
    elsewhere = await stage.prepare(sister, code=await stage.code(order))
    assert elsewhere.json()["certificates"][0]["usable"] is not today_off
