"""What does not come right by itself ends with an operator: payouts that stay denied or are refused."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from services.settlement.domain.incidents import IncidentKind
from services.settlement.gateways import RailAnswer
from shared.alipay import Outcome
from shared.contracts.settlement import PayoutFailed
from tests.integration.settlement.stage import OK, REFUSED, UNKNOWN, Stage, as_

DENIED = RailAnswer(Outcome.UNKNOWN, "ACQ.TRADE_SETTLE_ERROR", "结算异常", denied=True)


async def incident_of(stage: Stage, instruction_id: object) -> Any:
    async with stage.db.transaction() as tx:
        return await tx.row("select * from incidents where subject = $1", str(instruction_id))


async def test_a_payout_that_stays_denied_is_asked_for_under_one_number_and_then_fails_for_the_operator(
    stage: Stage,
) -> None:
    merchant, operator = await stage.merchant(), await stage.operator()
    order = await stage.pay(merchant)
    await stage.use(order)
    times = stage.world.terms.denials_max
    stage.rail.script = [DENIED] * times
    await stage.settle(merchant)
    for asked in range(1, times):
        (instruction,) = await stage.instructions(merchant)
        assert (instruction["state"], instruction["denials"]) == ("UNKNOWN", asked)
        await stage.send_all(merchant)
    (failed,) = await stage.instructions(merchant)
    assert (failed["state"], len(set(stage.rail.calls)), len(stage.rail.calls)) == ("FAILED", 1, times)
    (said,) = await stage.said(PayoutFailed, failed["instruction_id"])
    assert said.code == "ACQ.TRADE_SETTLE_ERROR"
    incident = await incident_of(stage, failed["instruction_id"])
    assert (incident["kind"], incident["amount_fen"]) == (IncidentKind.PAYOUT_DENIED, 12_800)
    await stage.http.put(f"/admin/instructions/{failed['instruction_id']}/retry", headers=as_(operator))
    await stage.send_all(merchant)
    assert await stage.states(order) == ["PAID"]
    assert await stage.misfits() == []


async def test_answers_that_never_came_are_no_denials(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant)
    await stage.use(order)
    times = stage.world.terms.denials_max
    stage.rail.script = [DENIED] * (times - 1) + [UNKNOWN] * 5 + [OK]
    await stage.settle(merchant)
    for _ in range(times + 4):
        await stage.send_all(merchant)
    assert await stage.states(order) == ["PAID"]


async def test_an_incident_is_taken_and_resolved_once(stage: Stage) -> None:
    merchant, first, second = await stage.merchant(), await stage.operator(), await stage.operator()
    await stage.use(await stage.pay(merchant))
    stage.rail.script = [REFUSED]
    await stage.settle(merchant)
    (failed,) = await stage.instructions(merchant)
    incident = await incident_of(stage, failed["instruction_id"])
    address = f"/admin/incidents/{incident['incident_id']}"
    taken = await stage.http.put(f"{address}/owner", headers=as_(first))
    assert (taken.status_code, taken.json()["owner"]) == (200, first)
    words = {"resolution": "账号已更正，已重新付款"}
    ended = await stage.http.put(f"{address}/resolution", json=words, headers=as_(first))
    again = await stage.http.put(f"{address}/resolution", json=words, headers=as_(second))
    assert ended.json() == again.json()
    assert (ended.json()["resolved_by"], ended.json()["resolution"]) == (first, words["resolution"])
    other = await stage.http.put(f"{address}/resolution", json={"resolution": "x"}, headers=as_(second))
    assert (other.status_code, other.json()["code"]) == (409, "incident_resolved")
    late = await stage.http.put(f"{address}/owner", headers=as_(second))
    assert (late.status_code, late.json()["code"]) == (409, "incident_resolved")


async def test_open_incidents_are_listed_page_by_page_and_resolved_ones_apart(stage: Stage) -> None:
    merchant, operator = await stage.merchant(), await stage.operator()
    for _ in range(3):
        await stage.use(await stage.pay(merchant))
    stage.rail.script = [REFUSED] * 3
    await stage.settle(merchant)
    wanted = {str(one["instruction_id"]) for one in await stage.instructions(merchant)}
    assert wanted <= {one["subject"] for one in await listed(stage, operator, resolved=False)}
    some = next(iter(wanted))
    incident = await incident_of(stage, some)
    await stage.http.put(
        f"/admin/incidents/{incident['incident_id']}/resolution", json={"resolution": "ok"}, headers=as_(operator)
    )
    assert some not in {one["subject"] for one in await listed(stage, operator, resolved=False)}
    assert some in {one["subject"] for one in await listed(stage, operator, resolved=True)}


async def listed(stage: Stage, operator: str, *, resolved: bool) -> list[Any]:
    items: list[Any] = []
    query: dict[str, Any] = {"limit": 2, "resolved": resolved}
    while True:
        page = await stage.get("/admin/incidents", operator, **query)
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        query["cursor"] = page["next_cursor"]


async def test_only_operators_see_or_end_incidents_and_bills(stage: Stage) -> None:
    stranger, merchant = f"stranger-{uuid4().hex[:6]}", await stage.merchant()
    yesterday = stage.today() - timedelta(days=1)
    for caller in (stranger, merchant.finance):
        for method, path, body in (
            ("GET", "/admin/incidents", None),
            ("PUT", f"/admin/incidents/{uuid4()}/owner", None),
            ("PUT", f"/admin/incidents/{uuid4()}/resolution", {"resolution": "x"}),
            ("PUT", f"/admin/bills/{yesterday}", None),
            ("GET", f"/admin/bills/{yesterday}", None),
            ("GET", f"/admin/bills/{yesterday}/lines", None),
            ("GET", f"/admin/bills/{yesterday}/payouts", None),
            ("POST", "/admin/bills/payouts", {"numbers": []}),
            ("PUT", f"/admin/bills/{yesterday}/comparison", {"matched": 0, "differences": []}),
        ):
            answer = await stage.http.request(method, path, json=body, headers=as_(caller))
            assert answer.status_code == 403, (method, path)
