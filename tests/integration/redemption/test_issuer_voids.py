"""What an issuer has made and nobody uses is taken back, until the issuer says that it is."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from services.redemption import consumers
from services.redemption.domain.third_party import Asked
from services.redemption.gateways.issuer import CodeIssuer, Issued, IssuerAccount, Outcome
from services.redemption.use_cases import issuing
from shared.contracts.catalog import CodeSource
from tests.integration.redemption.stage import (
    Stage,
    refund_request,
    refund_succeeded,
    units_of,
)
from tests.integration.redemption.third_party import (
    TEN_MINUTES,
    Deal,
    Simulator,
    asked,
    codes,
    failures,
    timers_of,
)


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
