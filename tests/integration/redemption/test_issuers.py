"""A merchant's own issuer: asked until its codes are here or the time is over, and told what nobody uses.

The issuer is the sandbox's, written without our code; the client is redemption's real one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import uvicorn

from services.redemption import consumers
from services.redemption.domain.refusals import IssuerUrlRefused
from services.redemption.domain.third_party import Asked
from services.redemption.gateways.issuer import CodeIssuer, Issued, IssuerAccount, Outcome
from services.redemption.use_cases import issuing
from shared.contracts.catalog import CodeSource, StaffRole
from shared.contracts.checkout import OrderPaid
from shared.ids import new_id
from tests.integration.redemption.stage import (
    Stage,
    as_,
    refund_abandoned,
    refund_request,
    refund_succeeded,
    units_of,
)
from tests.integration.redemption.third_party import (
    SECRET,
    Deal,
    Simulator,
    codes,
    deal_of,
    failures,
    issued,
    name_issuer,
    simulate,
)
from tests.support.waiting import eventually

TEN_MINUTES = timedelta(minutes=10)


@pytest.fixture
async def issuer(stage: Stage, tmp_path: Path) -> AsyncIterator[Simulator]:
    simulator = simulate(stage, tmp_path)
    async with stage.db.transaction() as tx:
        # What other tests left to be asked is none of this issuer's.
        await tx.execute("delete from timers where kind in ($1, $2)", issuing.ASK_ISSUER, issuing.VOID_AT_ISSUER)
    async with simulator.http:
        yield simulator


@pytest.fixture
async def deal(stage: Stage, issuer: Simulator) -> Deal:
    """A deal whose merchant has an issuer."""
    deal = await deal_of(stage)
    assert (await name_issuer(deal, f"http://127.0.0.1:9/issuer/{issuer.name}")).status_code == 200
    return deal


async def asked(deal: Deal, units: int = 1) -> OrderPaid:
    """An order of which the issuer was asked once."""
    order = await deal.sell(units, source=CodeSource.CALLBACK)
    await deal.stage.act()
    await deal.stage.act_outside()
    return order


async def ask_again(stage: Stage, after: timedelta = timedelta(seconds=31)) -> None:
    await stage.pass_time(after)
    await stage.act_outside()


async def timers_of(stage: Stage, kind: str, order: OrderPaid) -> int:
    async with stage.db.transaction() as tx:
        count: int = await tx.value(
            "select count(*) from timers where kind = $1 and key = $2", kind, str(order.order_id)
        )
    return count


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


async def test_what_never_comes_fails_after_ten_minutes_and_the_issuer_is_told_to_void_it(
    stage: Stage, issuer: Simulator, deal: Deal
) -> None:
    await issuer.behave("late")
    order = await asked(deal)
    await stage.pass_time(TEN_MINUTES)
    assert (await stage.states(order), await failures(stage, order)) == (["ISSUE_FAILED"], [1])
    await stage.act_outside()
    (made,) = (await issuer.made()).values()
    assert made["void"] is True
    assert await timers_of(stage, issuing.VOID_AT_ISSUER, order) == 0
    given = [{"unit_id": made["unit_id"], "code": made["code"]}]
    late = await deal.signed_put(f"issued-codes/{order.order_id}", {"codes": given})
    assert (late.status_code, late.json()) == (200, {"taken": []})
    assert await stage.states(order) == ["ISSUE_FAILED"]
    assert await timers_of(stage, issuing.VOID_AT_ISSUER, order) == 1, "a late code is voided once more"


async def test_a_void_that_fails_is_tried_until_the_issuer_says_that_it_is_done(
    stage: Stage, issuer: Simulator, deal: Deal
) -> None:
    await issuer.behave("late")
    order = await asked(deal)
    await issuer.break_next("void", "http_500", times=2)
    await stage.pass_time(TEN_MINUTES)
    for voided in (False, False, True):
        await stage.act_outside()
        assert (await issuer.made())[str(units_of(order)[0])]["void"] is voided
        await stage.pass_time(timedelta(seconds=10))


async def test_an_issuer_that_was_never_asked_has_nothing_to_void(stage: Stage, issuer: Simulator, deal: Deal) -> None:
    await issuer.behave("late")
    order = await deal.sell(source=CodeSource.CALLBACK)
    await stage.pass_time(timedelta())
    stage.clock.move_to_offset(TEN_MINUTES.total_seconds() * 2)
    await stage.act()
    assert (await failures(stage, order), await timers_of(stage, issuing.VOID_AT_ISSUER, order)) == ([1], 0)


async def test_a_code_whose_certificate_is_refunded_is_voided_at_its_issuer(
    stage: Stage, issuer: Simulator, deal: Deal
) -> None:
    await issuer.behave("at_once")
    order = await asked(deal, units=2)
    request = refund_request(order, units_of(order)[:1])
    await consumers.fence_refund(request, stage.db)
    await consumers.close_refund(refund_succeeded(request), stage.db)
    await stage.act_outside()
    made = await issuer.made()
    assert [made[str(unit_id)]["void"] for unit_id in units_of(order)] == [True, False]


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


async def test_units_of_another_order_that_an_issuer_names_are_left_alone(
    stage: Stage, issuer: Simulator, deal: Deal
) -> None:
    await issuer.behave("late")
    failed = await asked(deal)
    await stage.pass_time(TEN_MINUTES)
    await stage.act_outside()
    order = await asked(deal)
    content = {"codes": [{"unit_id": str(units_of(failed)[0]), "code": codes(1)[0]}]}
    answer = await deal.signed_put(f"issued-codes/{order.order_id}", content)
    assert answer.json() == {"taken": []}
    assert await timers_of(stage, issuing.VOID_AT_ISSUER, failed) == 0


async def test_a_unit_that_is_lost_while_another_is_being_voided_is_voided_too(
    stage: Stage, issuer: Simulator, deal: Deal
) -> None:
    await issuer.behave("at_once")
    order = await asked(deal, units=2)
    first, second = units_of(order)

    async def refund(unit_id: UUID) -> None:
        request = refund_request(order, [unit_id])
        await consumers.fence_refund(request, stage.db)
        await consumers.close_refund(refund_succeeded(request), stage.db)

    class Slow:
        def __init__(self, real: CodeIssuer) -> None:
            self.real = real
            self.voided: list[set[UUID]] = []

        async def issue(self, account: IssuerAccount, asked: Asked) -> Issued:
            return await self.real.issue(account, asked)

        async def void(self, account: IssuerAccount, order_id: UUID, unit_ids: Sequence[UUID]) -> Outcome:
            if not self.voided:
                await refund(second)
            self.voided.append(set(unit_ids))
            return await self.real.void(account, order_id, unit_ids)

    slow = Slow(stage.world.issuer)
    stage.world = replace(stage.world, issuer=slow)
    await refund(first)
    await stage.act_outside()
    assert slow.voided == [{first}, {second}]
    assert await timers_of(stage, issuing.VOID_AT_ISSUER, order) == 0


@pytest.mark.parametrize("secret", ["x" * 31, "x" * 201, "x" * 40 + "\u0000", "密" * 40])
async def test_a_secret_that_is_short_or_cannot_be_typed_is_refused(stage: Stage, secret: str) -> None:
    answer = await name_issuer(await deal_of(stage), secret=secret)
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed_input")
    assert secret not in answer.text


async def test_the_secret_is_written_and_never_read(stage: Stage, deal: Deal) -> None:
    path = f"/merchants/{deal.shop.merchant_id}/code-issuer"
    shown = await stage.http.get(path, headers=as_(deal.shop.clerk))
    assert set(shown.json()) == {"url", "changed_at"}
    async with stage.db.transaction() as tx:
        row = await tx.row("select * from code_issuers where merchant_id = $1", deal.shop.merchant_id)
    assert row is not None
    assert SECRET not in str(dict(row)) + shown.text


@pytest.mark.parametrize("role", [StaffRole.MANAGER, StaffRole.CLERK, StaffRole.FINANCE])
async def test_only_the_owner_names_the_issuer_and_sees_it(stage: Stage, deal: Deal, role: StaffRole) -> None:
    await stage.keep_staff(deal.shop, version=3, role=role)
    assert (await name_issuer(deal)).status_code == 403
    path = f"/merchants/{deal.shop.merchant_id}/code-issuer"
    assert (await stage.http.get(path, headers=as_(deal.shop.clerk))).status_code == 403


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/codes",
        "ftp://example.com/codes",
        "https://user:pass@example.com/",
        "https://10.0.0.8/codes",
        "https://169.254.169.254/latest",
        "https://[::ffff:192.168.1.1]/",
        "https://[fd00::1]/",
        "not a url",
    ],
)
async def test_an_address_that_is_not_public_https_is_refused(stage: Stage, url: str) -> None:
    deal = await deal_of(stage)
    answer = await name_issuer(deal, url)
    assert (answer.status_code, answer.json()["code"]) == (422, "issuer_url_refused")


async def test_in_production_loopback_is_refused_as_well(stage: Stage) -> None:
    deal = await deal_of(stage)
    async with stage.db.transaction() as tx:
        with pytest.raises(IssuerUrlRefused):
            await issuing.set_issuer(
                tx,
                stage.codes,
                deal.shop.merchant_id,
                deal.shop.clerk,
                "http://127.0.0.1:8006/",
                SECRET,
                allow_loopback=False,
            )


@pytest.mark.parametrize("why", ["wrong secret", "old", "early", "other path", "other merchant", "unsigned"])
async def test_what_is_not_signed_rightly_and_lately_is_refused(stage: Stage, deal: Deal, why: str) -> None:
    path, content = f"issued-codes/{new_id()}", {"codes": [{"unit_id": str(new_id()), "code": "A"}]}
    if why == "wrong secret":
        answer = await deal.signed_put(path, content, secret=SECRET[::-1])
    elif why in ("old", "early"):
        answer = await deal.signed_put(path, content, age=timedelta(seconds=310 if why == "old" else -310))
    elif why == "other merchant":
        answer = await (await deal_of(stage)).signed_put(path, content)
    else:
        right = await deal.signed_put(path, content)
        assert right.status_code == 404, "the signature holds, there is no such order"
        headers = dict(right.request.headers) if why == "other path" else {"content-type": "application/json"}
        target = f"/merchants/{deal.shop.merchant_id}/issued-codes/{new_id()}"
        answer = await stage.http.put(target, content=right.request.content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")


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
