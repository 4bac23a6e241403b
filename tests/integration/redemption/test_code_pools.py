"""Pools: codes are imported all or none, and every certificate that waits gets one, once."""

import asyncio
from datetime import timedelta

import pytest

from services.redemption import consumers
from services.redemption.store import code_pools as pools
from services.redemption.use_cases import code_pools
from shared.contracts.catalog import StaffRole
from shared.ids import new_id
from shared.messaging.timers import Due
from tests.integration.redemption.stage import Stage, refund_abandoned, refund_request, refund_succeeded, units_of
from tests.integration.redemption.third_party import TEN_MINUTES, Deal, codes, deal_of, failures, issued


async def test_a_paid_order_gets_codes_of_its_deals_pool_at_once_and_in_their_order(stage: Stage) -> None:
    deal = await deal_of(stage)
    texts = codes(5)
    answer = await deal.fill(texts)
    assert (answer.status_code, answer.json()["codes"]) == (201, 5)
    order = await deal.sell(units=2)
    assert await stage.states(order) == ["VALID"] * 2
    assert sorted(str(one) for one in await deal.shown(order)) == texts[:2]
    assert await issued(stage, order) == [set(units_of(order))]
    assert await deal.state() == {"free": 3, "allocated": 2, "used": 0, "void": 0, "waiting": 0}


async def test_codes_that_are_imported_in_time_reach_those_who_wait_the_first_buyers_first(stage: Stage) -> None:
    deal = await deal_of(stage)
    orders = [await deal.sell(units=2) for _ in range(3)]
    assert (await deal.state())["waiting"] == 6
    await stage.pass_time(TEN_MINUTES - timedelta(seconds=5))
    await deal.fill(codes(5))
    await stage.act()
    assert [await stage.states(order) for order in orders] == [["VALID"] * 2, ["VALID"] * 2, ["VALID", "ISSUING"]]
    assert [len(set().union(*await issued(stage, order))) for order in orders] == [2, 2, 1]
    await stage.pass_time(timedelta(seconds=10))
    assert [await failures(stage, order) for order in orders] == [[0, 0], [0, 0], [0, 1]]


async def test_a_code_that_comes_too_late_stays_in_the_pool_for_the_next_buyer(stage: Stage) -> None:
    deal = await deal_of(stage)
    late = await deal.sell()
    # Not even a timer that lags lets a code in after the time.
    stage.clock.move_to_offset(TEN_MINUTES.total_seconds() + 1)
    await deal.fill(codes(1))
    async with stage.db.transaction() as tx:
        await code_pools.hand_out(tx, [hand_out_of(deal)])
    assert await stage.states(late) == ["ISSUING"]
    await stage.act()
    assert (await stage.states(late), await failures(stage, late)) == (["ISSUE_FAILED"], [1])
    assert (await deal.state())["free"] == 1
    assert await stage.states(await deal.sell()) == ["VALID"]


def hand_out_of(deal: Deal) -> Due:
    payload = {"merchant": str(deal.shop.merchant_id), "deal": str(deal.deal_id)}
    return Due(code_pools.HAND_OUT, "test", deal.stage.now(), payload, 0)


async def test_an_order_and_an_import_that_do_not_see_each_other_still_meet(stage: Stage) -> None:
    deal = await deal_of(stage)
    order = stage.order(deal.shop, deal_id=deal.deal_id, form=(await deal.sell()).form)
    batch = code_pools.make_batch(stage.codes, deal.shop.merchant_id, deal.deal_id, new_id(), codes(5))
    async with stage.db.transaction() as tx:
        await code_pools.import_codes(tx, batch, deal.shop.clerk)
        # The order is paid while the import cannot be seen, and what the import hands out is handed out too early.
        await consumers.issue_certificates(order, stage.db, stage.world)
        await tx.execute("delete from timers where kind = $1 and key = $2", code_pools.HAND_OUT, str(batch.import_id))
    assert await stage.states(order) == ["ISSUING"]
    await stage.act()
    assert await stage.states(order) == ["VALID"]


async def test_many_orders_at_once_share_a_pool_without_a_code_given_twice(stage: Stage) -> None:
    deal = await deal_of(stage)
    await deal.fill(codes(30))
    orders = await asyncio.gather(*(deal.sell(units=2) for _ in range(20)))
    await stage.act()
    shown = [code for order in orders for code in await deal.shown(order) if code is not None]
    assert len(shown) == len(set(shown)) == 30
    assert await deal.state() == {"free": 0, "allocated": 30, "used": 0, "void": 0, "waiting": 10}


async def test_an_order_does_not_wait_for_codes_that_another_order_is_taking(stage: Stage) -> None:
    deal = await deal_of(stage)
    texts = codes(2)
    await deal.fill(texts)
    async with stage.db.transaction() as tx:
        assert len(await pools.take_free(tx, deal.shop.merchant_id, deal.deal_id, 1)) == 1
        order = await deal.sell()
        assert await deal.shown(order) == texts[1:]


async def test_those_who_wait_are_served_in_batches_of_their_own_transactions(stage: Stage) -> None:
    deal = await deal_of(stage)
    orders = [await deal.sell(units=10) for _ in range(code_pools.UNITS_AT_ONCE // 10 + 1)]
    await deal.fill(codes(200))
    async with stage.db.transaction() as tx:
        await code_pools.hand_out(tx, [hand_out_of(deal)])
    assert (await deal.state())["waiting"] == 10
    await stage.pass_time(code_pools.PAUSE)
    assert (await deal.state())["waiting"] == 0
    assert [await stage.states(order) for order in orders] == [["VALID"] * 10] * len(orders)


@pytest.mark.parametrize("where", ["in the import", "with an earlier one", "with another deal's", "with one of ours"])
async def test_codes_that_are_there_already_are_named_and_nothing_is_imported(stage: Stage, where: str) -> None:
    deal = await deal_of(stage)
    texts = [*codes(4), "ab-cd EF"]
    same = "ＡＢＣＤef"
    if where == "in the import":
        answer = await deal.fill([*texts, same])
        named = ["ab-cd EF"]
    elif where == "with one of ours":
        ours = await stage.code(await stage.pay(deal.shop))
        answer, named = await deal.fill([*texts, ours]), [ours]
    else:
        first = deal if where == "with an earlier one" else Deal(stage, deal.shop)
        assert (await first.fill([same])).status_code == 201
        answer, named = await deal.fill(texts), ["ab-cd EF"]
    free = (await deal.state())["free"]
    assert (answer.status_code, answer.json()["code"]) == (409, "codes_repeated")
    assert (answer.json()["codes"], answer.json()["count"]) == (named, 1)
    assert free == (1 if where == "with an earlier one" else 0)


async def test_two_merchants_may_have_the_same_code_and_each_till_finds_its_own(stage: Stage) -> None:
    deals = [await deal_of(stage), await deal_of(stage)]
    (text,) = codes(1)
    orders = []
    for deal in deals:
        assert (await deal.fill([text])).status_code == 201
        orders.append(await deal.sell())
    for deal, order in zip(deals, orders, strict=True):
        found = await stage.prepare(deal.shop, code=f" {text.lower()} ")
        assert found.json()["order_id"] == str(order.order_id)
        done = await stage.verify(deal.shop, found.json()["token"], units_of(order))
        assert done.status_code == 201
        assert (await deal.state())["used"] == 1


async def test_a_code_of_ours_is_never_drawn_that_the_merchant_has_imported(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    deal = await deal_of(stage)
    imported, other = "314159265358", f"{new_id().int % 10**12:012d}"
    assert (await deal.fill([imported])).status_code == 201
    draws = iter([int(imported), int(other)])
    monkeypatch.setattr("services.redemption.use_cases.certificates.secrets.randbelow", lambda _: next(draws))
    assert await stage.code(await stage.pay(deal.shop)) == other


async def test_an_import_sent_again_gives_the_first_answer_and_with_other_codes_none(stage: Stage) -> None:
    deal, import_id, texts = await deal_of(stage), new_id(), codes(3)
    answers = await asyncio.gather(*(deal.fill(texts, import_id) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [201] * 4
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert (await deal.state())["free"] == 3
    for other in (await deal.fill(codes(3), import_id), await Deal(stage, deal.shop).fill(texts, import_id)):
        assert (other.status_code, other.json()["code"]) == (409, "id_taken")


async def test_ten_thousand_codes_of_any_kind_are_one_import(stage: Stage) -> None:
    deal = await deal_of(stage)
    texts = [f"券码 №{number} {'ß' * 20}" for number in range(10_000)]
    assert (await deal.fill(texts)).status_code == 201
    assert (await deal.state())["free"] == 10_000
    assert (await deal.fill([*texts, "one more"])).status_code == 422


@pytest.mark.parametrize("bad", ["", "   ", "- -", "a\x00b", "a\nb", "x" * 65])
async def test_what_is_no_code_is_refused_with_its_place(stage: Stage, bad: str) -> None:
    deal = await deal_of(stage)
    answer = await deal.fill(["GOOD", bad])
    assert (answer.status_code, answer.json()["code"], answer.json()["positions"]) == (422, "codes_malformed", [1])
    assert (await deal.state())["free"] == 0


async def test_a_pool_holds_no_more_than_its_limit(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    deal = await deal_of(stage)
    monkeypatch.setattr(code_pools, "MOST_FREE", 4)
    assert (await deal.fill(codes(3))).status_code == 201
    refused = await deal.fill(codes(2))
    assert (refused.status_code, refused.json()["code"]) == (409, "code_pool_full")


@pytest.mark.parametrize("role", [StaffRole.CLERK, StaffRole.FINANCE, None])
async def test_only_owner_and_managers_import(stage: Stage, role: StaffRole | None) -> None:
    deal = await deal_of(stage)
    caller = "a stranger"
    if role is not None:
        caller = deal.shop.clerk
        await stage.keep_staff(deal.shop, version=3, role=role)
    answer = await deal.fill(codes(1), caller=caller)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_neither_code_nor_lookup_can_be_read_in_the_database(stage: Stage) -> None:
    deal = await deal_of(stage)
    (text,) = codes(1)
    await deal.fill([text])
    async with stage.db.transaction() as tx:
        row = await tx.row("select * from pool_codes where merchant_id = $1", deal.shop.merchant_id)
    assert row is not None
    assert text not in str(dict(row))
    assert stage.codes.open(row["sealed_code"]) == text


async def test_a_code_whose_certificate_was_refunded_is_void_and_never_given_again(stage: Stage) -> None:
    deal = await deal_of(stage)
    await deal.fill(codes(1))
    order = await deal.sell()
    request = refund_request(order)
    await consumers.fence_refund(request, stage.db)
    assert (await deal.state())["allocated"] == 1
    await consumers.close_refund(refund_succeeded(request), stage.db)
    assert await deal.state() == {"free": 0, "allocated": 0, "used": 0, "void": 1, "waiting": 0}
    assert await stage.states(await deal.sell()) == ["ISSUING"]


async def test_a_unit_that_is_given_back_in_time_takes_what_was_imported_meanwhile(stage: Stage) -> None:
    deal = await deal_of(stage)
    order = await deal.sell()
    request = refund_request(order)
    await consumers.fence_refund(request, stage.db)
    await deal.fill(codes(1))
    await stage.act()
    assert await stage.states(order) == ["REFUNDING"]
    await consumers.lift_fence(refund_abandoned(request), stage.db)
    await stage.act()
    assert await stage.states(order) == ["VALID"]


async def test_the_buyer_sees_the_code_with_a_barcode_only_if_one_can_hold_it(stage: Stage) -> None:
    deal = await deal_of(stage)
    await deal.fill(["Gutschein-7 x", "火锅券七"])
    order = await deal.sell(units=2)
    by_code = {one["code"]: one for one in await stage.certificates(order)}
    assert {code: one["barcode_svg"] is not None for code, one in by_code.items()} == {
        "Gutschein-7 x": True,
        "火锅券七": False,
    }
    assert all(one["qr_svg"] and one["qr_expires_at"] is None for one in by_code.values())
    assert (await stage.prepare(deal.shop, scanned="火锅券七")).status_code == 200
