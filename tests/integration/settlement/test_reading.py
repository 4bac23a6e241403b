"""What merchants and operators read: statements, payouts, the preview, the audit; and who may not."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.settlement import consumers
from services.settlement.routes import statement_files
from services.settlement.store import misfits
from shared.contracts.catalog import DealKind, PayoutAccountState, StaffRole
from shared.database import Transaction
from shared.ids import new_id
from shared.paging import cursor_of
from tests.integration.settlement.stage import UNKNOWN, Merchant, Stage, as_

NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)


async def test_a_statement_lists_the_uses_of_a_day_with_what_they_will_bring(stage: Stage) -> None:
    merchant = await stage.merchant()
    order, other = await stage.pay(merchant, 6_400, 6_400), await stage.pay(merchant, 1_000)
    await stage.use(order, 0)
    await stage.use(order, 1)
    await stage.use(other)
    await stage.pay(merchant)
    found = await stage.get(f"/merchants/{merchant.merchant_id}/statement", merchant.finance, day=str(stage.today()))
    assert found["totals"] == {"uses": 3, "gross_fen": 13_800, "fee_fen": 83, "net_fen": 13_717}
    assert [item["net_fen"] for item in found["items"]] == [6_362, 6_361, 994]
    assert {item["state"] for item in found["items"]} == {"FINAL"}
    assert {item["due_on"] for item in found["items"]} == {str(stage.today() + timedelta(days=1))}


async def test_the_payout_is_what_the_preview_and_the_statement_said_to_the_fen(stage: Stage) -> None:
    merchant = await stage.merchant()
    day = stage.today()
    for amounts in ((6_400, 6_400, 6_400), (12_801,), (99,), (8_333, 4_167)):
        order = await stage.pay(merchant, *amounts)
        for unit in range(len(amounts)):
            await stage.use(order, unit)
    goods = await stage.pay(merchant, 5_555, 5_555, kind=DealKind.GOODS)
    await consumers.finalise_parcel(stage.received(goods), stage.db)
    await stage.run()
    address = f"/merchants/{merchant.merchant_id}"
    promised = await stage.get(f"{address}/preview", merchant.finance)
    before = await stage.get(f"{address}/statement", merchant.finance, day=str(day))
    await stage.settle(merchant)
    (paid,) = (await stage.get(f"{address}/payouts", merchant.finance))["items"]
    after = await stage.get(f"{address}/statement", merchant.finance, day=str(day))
    amounts_of = ("uses", "gross_fen", "fee_fen", "net_fen")
    assert [promised[name] for name in amounts_of] == [paid[name] for name in amounts_of]
    assert promised["due_on"] == paid["run_date"]
    assert before["totals"] == after["totals"] == {name: paid[name] for name in amounts_of}
    assert paid["state"] == "PAID"
    assert {item["payout_id"] for item in after["items"]} == {paid["payout_id"]}


async def test_a_statement_is_told_by_store_and_as_a_file_for_spreadsheets(stage: Stage) -> None:
    merchant, other_store = await stage.merchant(), new_id()
    order = await stage.pay(merchant, 6_400, 6_400, title="=1+1,双人餐")
    elsewhere = await stage.pay(merchant, 1_000, store_ids=(other_store,))
    await stage.use(order, 0)
    await stage.use(order, 1)
    await stage.use(elsewhere)
    address, day = f"/merchants/{merchant.merchant_id}/statement", str(stage.today())
    stores = await stage.get(f"{address}/stores", merchant.finance, day=day)
    assert [(one["store_id"], one["uses"], one["fee_fen"], one["net_fen"]) for one in stores["items"]] == [
        (str(merchant.store_id), 2, 77, 12_723),
        (str(other_store), 1, 6, 994),
    ]
    one_store = await stage.get(address, merchant.finance, day=day, store_id=str(other_store))
    assert (len(one_store["items"]), one_store["totals"]["net_fen"]) == (1, 994)
    answer = await stage.http.get(f"{address}.csv", params={"day": day}, headers=as_(merchant.finance))
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["结算金额（元）"], row["手续费（元）"], row["到账金额（元）"]) for row in rows] == [
        ("64.00", "0.38", "63.62"),
        ("64.00", "0.39", "63.61"),
        ("10.00", "0.06", "9.94"),
    ]
    assert {row["商品"] for row in rows[:2]} == {"'=1+1,双人餐"}
    assert {row["券编号"] for row in rows[:2]} == {str(unit.unit_id) for unit in order.units}
    only = await stage.http.get(
        f"{address}.csv", params={"day": day, "store_id": str(other_store)}, headers=as_(merchant.finance)
    )
    assert len(list(csv.reader(io.StringIO(only.text)))) == 2


async def test_a_file_is_sent_page_by_page_without_gap_or_repeat(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statement_files, "_PAGE", 2)
    merchant = await stage.merchant()
    order = await stage.pay(merchant, *(1_000,) * 5)
    for unit in range(5):
        await stage.use(order, unit)
    answer = await stage.http.get(
        f"/merchants/{merchant.merchant_id}/statement.csv",
        params={"day": str(stage.today())},
        headers=as_(merchant.finance),
    )
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert sorted(row["券编号"] for row in rows) == sorted(str(unit.unit_id) for unit in order.units)


async def test_what_is_bought_and_not_redeemed_is_a_liability_until_it_is_used(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant, 6_400, 6_400)
    await stage.pay(merchant, 9_000, uses=3)
    await stage.use(order, 0)
    operator = await stage.operator()
    (mine,) = [
        one
        for one in await pages(stage, "/admin/liabilities", operator)
        if one["merchant_id"] == str(merchant.merchant_id)
    ]
    assert (mine["units"], mine["uses"], mine["paid_fen"]) == (2, 4, 15_400)
    deals = await pages(stage, f"/merchants/{merchant.merchant_id}/liabilities", merchant.finance)
    assert sorted((one["units"], one["uses"], one["paid_fen"]) for one in deals) == [(1, 1, 6_400), (1, 3, 9_000)]


async def test_a_merchant_who_was_paid_for_what_went_back_stands_on_the_dunning_list(stage: Stage) -> None:
    merchant, operator = await stage.merchant(), await stage.operator()
    order = await stage.pay(merchant, 6_400, 6_400)
    await stage.use(order, 0)
    await stage.use(order, 1)
    await stage.settle(merchant)
    assert not await owing(stage, merchant, operator)
    await consumers.record_refund(stage.refund(order, units=(1,)), stage.db)
    (mine,) = await owing(stage, merchant, operator)
    assert (mine["uses"], mine["owed_fen"], mine["rail"], mine["taken_by_channel"]) == (1, 6_400, "ZHIFUTONG", True)


async def owing(stage: Stage, merchant: Merchant, operator: str) -> list[Any]:
    return [
        one for one in await pages(stage, "/admin/dunning", operator) if one["merchant_id"] == str(merchant.merchant_id)
    ]


async def pages(stage: Stage, path: str, caller: str) -> list[Any]:
    items: list[Any] = []
    query: dict[str, Any] = {"limit": 1}
    while True:
        page = await stage.get(path, caller, **query)
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        query["cursor"] = page["next_cursor"]


async def test_the_preview_counts_uses_that_will_be_final_by_then(stage: Stage) -> None:
    merchant = await stage.merchant()
    await stage.run()
    await stage.use(await stage.pay(merchant), final=False)
    promised = await stage.get(f"/merchants/{merchant.merchant_id}/preview", merchant.finance)
    assert (promised["uses"], promised["net_fen"], promised["held_back"]) == (1, 12_723, None)


async def test_the_preview_says_what_holds_the_payout_back(stage: Stage) -> None:
    merchant = await stage.merchant(account=PayoutAccountState.SUBMITTED)
    await stage.use(await stage.pay(merchant))
    promised = await stage.get(f"/merchants/{merchant.merchant_id}/preview", merchant.finance)
    assert promised["held_back"] == "payout_account_not_verified"


async def test_a_statement_is_read_page_by_page_without_gap_or_repeat(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant, *[1_000] * 7)
    for unit in range(7):
        await stage.use(order, unit)
    seen: list[str] = []
    cursor = None
    while True:
        query = {"day": str(stage.today()), "limit": 3, **({"cursor": cursor} if cursor else {})}
        page = await stage.get(f"/merchants/{merchant.merchant_id}/statement", merchant.finance, **query)
        seen += [item["unit_id"] for item in page["items"]]
        assert page["totals"]["uses"] == 7
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [str(unit.unit_id) for unit in order.units]


async def test_payouts_are_read_page_by_page_newest_first(stage: Stage) -> None:
    merchant = await stage.merchant()
    for _ in range(3):
        await stage.use(await stage.pay(merchant))
        await stage.settle(merchant)
    address = f"/merchants/{merchant.merchant_id}/payouts"
    first = await stage.get(address, merchant.finance, limit=2)
    rest = await stage.get(address, merchant.finance, limit=2, cursor=first["next_cursor"])
    days = [item["run_date"] for item in first["items"] + rest["items"]]
    assert days == sorted(days, reverse=True)
    assert len(set(days)) == 3
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "a~b~c",
        cursor_of(NOON),
        cursor_of(NOON.replace(tzinfo=None), UUID(int=1), 1),
        cursor_of(NOON, "1", "1"),
    ],
)
async def test_a_cursor_that_no_list_gave_is_refused(stage: Stage, cursor: str) -> None:
    merchant = await stage.merchant()
    answer = await stage.http.get(
        f"/merchants/{merchant.merchant_id}/statement",
        params={"day": "2026-11-22", "cursor": cursor},
        headers=as_(merchant.finance),
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "cursor_invalid")


async def test_a_cursor_may_name_a_row_that_no_list_has(stage: Stage) -> None:
    merchant = await stage.merchant()
    address = f"/merchants/{merchant.merchant_id}"
    far = cursor_of(NOON, UUID(int=1), 2**40)
    assert (await stage.get(f"{address}/statement", merchant.finance, day="2026-11-22", cursor=far))["items"] == []
    far = cursor_of(NOON.date(), 2**40)
    assert (await stage.get(f"{address}/payouts", merchant.finance, cursor=far))["items"] == []


@pytest.mark.parametrize("page", ["statement?day=2026-11-22", "payouts", "preview"])
async def test_only_owner_manager_finance_and_operator_read_a_merchants_money(stage: Stage, page: str) -> None:
    merchant, stranger = await stage.merchant(), await stage.merchant()
    people = {role: f"{role}-{merchant.merchant_id}" for role in StaffRole if role is not StaffRole.OPERATOR}
    for role, subject in people.items():
        await stage.staff(subject, merchant.merchant_id, role)
    people_allowed = {StaffRole.OWNER, StaffRole.MANAGER, StaffRole.FINANCE}
    address = f"/merchants/{merchant.merchant_id}/{page}"
    for role, subject in people.items():
        answer = await stage.http.get(address, headers=as_(subject))
        assert answer.status_code == (200 if role in people_allowed else 403), role
    assert (await stage.http.get(address, headers=as_(stranger.finance))).status_code == 403
    assert (await stage.http.get(address, headers=as_(await stage.operator()))).status_code == 200
    assert (await stage.http.get(address)).status_code == 401


async def test_a_merchants_own_people_cannot_decide_about_money(stage: Stage) -> None:
    merchant = await stage.merchant()
    for method, address in (
        ("PUT", "/admin/runs/2026-11-22"),
        ("GET", "/admin/money"),
        ("GET", "/admin/money/orders"),
        ("GET", "/admin/instructions"),
        ("PUT", f"/admin/instructions/{merchant.merchant_id}/retry"),
    ):
        answer = await stage.http.request(method, address, headers=as_(merchant.finance))
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), address


async def test_a_day_that_has_not_come_cannot_be_run(stage: Stage) -> None:
    tomorrow = stage.today() + timedelta(days=1)
    answer = await stage.http.put(f"/admin/runs/{tomorrow}", headers=as_(await stage.operator()))
    assert (answer.status_code, answer.json()["code"]) == (409, "run_in_future")


async def test_a_run_asked_for_twice_gives_the_same_answer(stage: Stage) -> None:
    merchant, operator = await stage.merchant(), as_(await stage.operator())
    await stage.use(await stage.pay(merchant))
    stage.next_day()
    first = await stage.http.put(f"/admin/runs/{stage.today()}", headers=operator)
    again = await stage.http.put(f"/admin/runs/{stage.today()}", headers=operator)
    assert first.status_code == 200, first.text
    assert first.json() == again.json()
    assert first.json()["uses"] >= 1


async def test_the_audit_balances_and_names_what_is_in_flight(stage: Stage) -> None:
    merchant, operator = await stage.merchant(), await stage.operator()
    await stage.use(await stage.pay(merchant))
    stage.rail.script = [UNKNOWN]
    await stage.settle(merchant)
    (instruction,) = await stage.instructions(merchant)
    found = await stage.get("/admin/money", operator)
    terms = found["terms"]
    assert terms["received_fen"] + terms["owed_fen"] == (
        terms["refunded_fen"] + terms["paid_net_fen"] + terms["fee_fen"] + terms["held_fen"]
    )
    assert str(instruction["instruction_id"]) in {one["id"] for one in found["in_flight"]}
    waiting = await stage.get("/admin/instructions", operator)
    assert str(instruction["instruction_id"]) in {one["instruction_id"] for one in waiting["items"]}


async def test_each_orders_money_is_told_to_the_fen(stage: Stage) -> None:
    merchant, operator = await stage.merchant(), await stage.operator()
    order = await stage.pay(merchant, 12_800, 6_400, 3_200)
    await stage.use(order, 0)
    await stage.settle(merchant)
    await consumers.record_refund(stage.refund(order, units=(1,)), stage.db)
    (found,) = (
        await stage.get(
            "/admin/money/orders", operator, limit=1, after=str(type(order.order_id)(int=order.order_id.int - 1))
        )
    )["items"]
    found.pop("changed_at")
    assert found == {
        "order_id": str(order.order_id),
        "received_fen": 22_400,
        "refunded_fen": 6_400,
        "paid_net_fen": 12_723,
        "fee_fen": 77,
        "held_fen": 3_200,
        "owed_fen": 0,
        "units": {
            str(order.units[0].unit_id): {"1": "PAID"},
            str(order.units[1].unit_id): {"1": "REFUNDED"},
            str(order.units[2].unit_id): {"1": "HELD"},
        },
    }


async def test_the_money_is_read_at_one_moment_while_orders_arrive(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    merchant, operator = await stage.merchant(), await stage.operator()
    walk = misfits.misfits

    async def meanwhile(tx: Transaction) -> misfits.Walk:
        await stage.use(await stage.pay(merchant, 6_400))
        return await walk(tx)

    monkeypatch.setattr(misfits, "misfits", meanwhile)
    money = await stage.get("/admin/money", operator)
    assert money["misfits"] == []
    assert money["is_complete"]
