"""Checkout forgets its copies of what catalog says, all of them and nothing else."""

from typing import Any

import pytest

from services.checkout.consumers import COPIES
from shared.contracts.catalog import StaffRole
from tests.integration.checkout.stage import Stage

ASKED = {"publisher": "catalog", "reason": "a copy was damaged"}


async def rows(stage: Stage) -> dict[str, int]:
    async with stage.db.transaction(read_only=True) as tx:
        return {table: await tx.value(f"select count(*) from {table}") for table in COPIES.values()}


async def empty(stage: Stage, subject: str, body: dict[str, Any]) -> tuple[int, Any]:
    headers = {"authorization": f"Bearer {subject}"}
    answer = await stage.http.put("/admin/copies/emptying", json=body, headers=headers)
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({**ASKED, "publisher": "settlement"}, 404, "no_such_copies"),
        ({**ASKED, "publisher": "checkout"}, 404, "no_such_copies"),
        ({**ASKED, "publisher": ""}, 404, "no_such_copies"),
        ({**ASKED, "reason": ""}, 422, "malformed_input"),
        ({"publisher": "catalog"}, 422, "malformed_input"),
    ],
)
async def test_emptying_is_refused_and_nothing_is_lost(
    stage: Stage, body: dict[str, Any], status: int, code: str
) -> None:
    await stage.sell()
    operator = await stage.operator()
    before = await rows(stage)
    answered, problem = await empty(stage, operator, body)
    assert (answered, problem["code"]) == (status, code)
    assert await rows(stage) == before


async def test_only_an_operator_may_empty_or_look_at_the_copies(stage: Stage) -> None:
    deal = await stage.sell()
    owner = await stage.staff(deal, StaffRole.OWNER)
    before = await rows(stage)
    status, problem = await empty(stage, owner, ASKED)
    assert (status, problem["code"]) == (403, "forbidden")
    assert await rows(stage) == before
    headers = {"authorization": f"Bearer {owner}"}
    assert (await stage.http.get("/admin/copies", headers=headers)).status_code == 403


async def test_copies_are_counted_and_emptied_and_stock_stays_as_it_is(stage: Stage) -> None:
    deal = await stage.sell()
    operator = await stage.operator()
    before = await rows(stage)
    headers = {"authorization": f"Bearer {operator}"}
    counted = (await stage.http.get("/admin/copies", headers=headers)).json()
    assert {one["table"]: one["rows"] for one in counted} == before
    async with stage.db.transaction() as tx:
        stock = await tx.fetch("select * from stock order by deal_id")
    status, emptied = await empty(stage, operator, ASKED)
    assert status == 200
    assert {one["table"]: one["rows"] for one in emptied} == before
    assert set((await rows(stage)).values()) == {0}
    async with stage.db.transaction() as tx:
        assert await tx.fetch("select * from stock order by deal_id") == stock
    again, problem = await empty(stage, operator, ASKED)
    assert (again, problem["code"]) == (403, "forbidden"), "with the staff went the operators"
    await stage.sell(deal)
    async with stage.db.transaction() as tx:
        assert await tx.value("select quota from stock where deal_id = $1", deal.deal_id) == deal.quota
