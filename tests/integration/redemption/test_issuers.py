"""A merchant's own issuer: asked until its codes are here or the time is over, and told what nobody uses.

The issuer is the sandbox's, written without our code; the client is redemption's real one."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest
import uvicorn

from services.redemption import consumers
from services.redemption.domain.third_party import Asked
from services.redemption.gateways.issuer import CodeIssuer, Issued, IssuerAccount, Outcome
from services.redemption.use_cases import issuing
from shared.contracts.catalog import CodeSource
from tests.integration.redemption.stage import (
    Stage,
    refund_abandoned,
    refund_request,
    units_of,
)
from tests.integration.redemption.third_party import (
    TEN_MINUTES,
    Deal,
    Simulator,
    ask_again,
    asked,
    codes,
    deal_of,
    failures,
    issued,
    name_issuer,
    timers_of,
)
from tests.support.waiting import eventually


async def test_an_issuer_that_answers_at_once_gives_every_unit_its_code(
    stage: Stage, issuer: Simulator, deal: Deal
) -> None:
    await issuer.behave("at_once")
    order = await asked(deal, units=3)
    assert await stage.states(order) == ["VALID"] * 3
    made = await issuer.made()
    assert await deal.shown(order) == [made[str(unit_id)]["code"] for unit_id in units_of(order)]
    assert await issued(stage, order) == [set(units_of(order))]
    await ask_again(stage)
    assert await timers_of(stage, issuing.ASK_ISSUER, order) == 0
    await stage.pass_time(TEN_MINUTES)
    assert await failures(stage, order) == [0, 0, 0]


@pytest.mark.parametrize("fault", ["http_500", "commit_then_http_500", "html_body", "throttle", "business_error"])
async def test_after_an_unknown_outcome_the_same_units_are_asked_for_again_and_get_one_code_each(
    stage: Stage, issuer: Simulator, deal: Deal, fault: str
) -> None:
    await issuer.behave("at_once")
    await issuer.break_next("issue", fault)
    order = await asked(deal, units=2)
    assert await stage.states(order) == ["ISSUING"] * 2
    made = {unit_id: one["code"] for unit_id, one in (await issuer.made()).items()}
    assert len(made) == (2 if fault == "commit_then_http_500" else 0)
    await ask_again(stage)
    assert await stage.states(order) == ["VALID"] * 2
    if made:
        assert await deal.shown(order) == [made[str(unit_id)] for unit_id in units_of(order)]


async def test_the_intent_is_committed_before_the_call_and_a_crash_in_between_asks_again(
    stage: Stage, issuer: Simulator, deal: Deal
) -> None:
    await issuer.behave("at_once")

    class Crashing:
        def __init__(self, real: CodeIssuer) -> None:
            self.real = real
            self.attempts: list[int] = []

        async def void(self, account: IssuerAccount, order_id: UUID, unit_ids: Sequence[UUID]) -> Outcome:
            return await self.real.void(account, order_id, unit_ids)

        async def issue(self, account: IssuerAccount, asked: Asked) -> Issued:
            async with stage.db.transaction() as tx:
                self.attempts.append(
                    await tx.value("select attempts from code_requests where unit_id = $1", asked.unit_ids[0])
                )
            await self.real.issue(account, asked)
            raise RuntimeError("the process dies with the answer in its hands")

    world = stage.world
    crashing = Crashing(world.issuer)
    stage.world = replace(world, issuer=crashing)
    order = await asked(deal)
    assert (crashing.attempts, await stage.states(order)) == ([1], ["ISSUING"])
    stage.world = world
    await ask_again(stage)
    assert await deal.shown(order) == [(await issuer.made())[str(units_of(order)[0])]["code"]]


async def test_codes_that_the_issuer_sends_later_are_taken_in_time(stage: Stage, issuer: Simulator, deal: Deal) -> None:
    await issuer.behave("late")
    order = await asked(deal, units=2)
    assert await stage.states(order) == ["ISSUING"] * 2
    given = [{"unit_id": unit_id, "code": one["code"]} for unit_id, one in (await issuer.made()).items()]
    answer = await deal.signed_put(f"issued-codes/{order.order_id}", {"codes": given})
    assert (answer.status_code, answer.json()) == (200, {"taken": sorted(str(one) for one in units_of(order))})
    assert await stage.states(order) == ["VALID"] * 2
    again = await deal.signed_put(f"issued-codes/{order.order_id}", {"codes": given})
    assert (again.status_code, again.json()) == (200, {"taken": []})
    assert await issued(stage, order) == [set(units_of(order))]


async def test_a_code_that_comes_while_its_unit_is_fenced_is_asked_for_again_when_the_fence_is_lifted(
    stage: Stage, issuer: Simulator, deal: Deal
) -> None:
    await issuer.behave("late")
    order = await asked(deal)
    request = refund_request(order)
    await consumers.fence_refund(request, stage.db)
    (made,) = (await issuer.made()).values()
    given = [{"unit_id": made["unit_id"], "code": made["code"]}]
    answer = await deal.signed_put(f"issued-codes/{order.order_id}", {"codes": given})
    assert answer.json() == {"taken": []}
    await issuer.behave("at_once")
    await consumers.lift_fence(refund_abandoned(request), stage.db)
    await stage.act()
    await stage.act_outside()
    assert await deal.shown(order) == [made["code"]]


async def test_a_code_that_was_given_before_is_not_taken_twice(stage: Stage, issuer: Simulator, deal: Deal) -> None:
    await issuer.behave("duplicate")
    order = await asked(deal, units=2)
    assert sorted(await stage.states(order)) == ["ISSUING", "VALID"]
    await stage.pass_time(TEN_MINUTES)
    assert sorted(await stage.states(order)) == ["ISSUE_FAILED", "VALID"]


async def test_an_issuer_named_after_the_order_was_paid_is_asked_in_time(stage: Stage, issuer: Simulator) -> None:
    deal = await deal_of(stage)
    await issuer.behave("at_once")
    order = await asked(deal)
    assert await stage.states(order) == ["ISSUING"]
    await name_issuer(deal, f"http://127.0.0.1:9/issuer/{issuer.name}")
    await ask_again(stage)
    assert await stage.states(order) == ["VALID"]


async def test_a_wrong_secret_gets_no_codes(stage: Stage, issuer: Simulator, deal: Deal) -> None:
    await issuer.behave("at_once", secret="another secret that is long enough")
    order = await asked(deal)
    assert (await stage.states(order), await issuer.made()) == (["ISSUING"], {})


async def test_codes_for_a_pool_are_not_asked_of_the_issuer(stage: Stage, issuer: Simulator, deal: Deal) -> None:
    await issuer.behave("at_once")
    order = await deal.sell(source=CodeSource.POOL)
    await stage.act()
    await stage.act_outside()
    assert (await stage.states(order), await issuer.made()) == (["ISSUING"], {})
    answer = await deal.signed_put(
        f"issued-codes/{order.order_id}", {"codes": [{"unit_id": str(units_of(order)[0]), "code": codes(1)[0]}]}
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_another_merchants_order_takes_no_codes(stage: Stage, issuer: Simulator, deal: Deal) -> None:
    await issuer.behave("late")
    other = await deal_of(stage)
    assert (await name_issuer(other, f"http://127.0.0.1:9/issuer/{issuer.name}")).status_code == 200
    order = await asked(deal)
    content = {"codes": [{"unit_id": str(units_of(order)[0]), "code": codes(1)[0]}]}
    assert (await other.signed_put(f"issued-codes/{order.order_id}", content)).status_code == 404
    assert await stage.states(order) == ["ISSUING"]


async def test_the_sandboxs_issuer_and_till_reach_redemption_over_real_http(
    stage: Stage, issuer: Simulator, deal: Deal
) -> None:
    server = uvicorn.Server(uvicorn.Config(stage.app, host="127.0.0.1", port=0, lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await eventually(started, what="redemption's HTTP is up")
    port = server.servers[0].sockets[0].getsockname()[1]
    await issuer.behave("late", platform_url=f"http://127.0.0.1:{port}")
    order = await asked(deal)
    sent = (await issuer.http.post(f"/_sim/issuer/{issuer.name}/send/{order.order_id}")).json()
    assert sent == {"status": 200, "answer": {"taken": [str(units_of(order)[0])]}}
    (code,) = await deal.shown(order)
    use = {"merchant_id": str(deal.shop.merchant_id), "store_id": str(deal.shop.store_id), "code": code}
    taken = (await issuer.http.post(f"/_sim/issuer/{issuer.name}/till", json=use)).json()
    assert (taken["status"], taken["answer"]["operator"]) == (201, "external")
    assert await stage.states(order) == ["USED"]
    server.should_exit = True
    await serving
