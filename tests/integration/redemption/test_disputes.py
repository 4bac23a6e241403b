"""Refunds after the use: the certificates stand still until checkout's last word, in whatever order things are told."""

import asyncio
import random
from datetime import timedelta

import asyncpg
import pytest

from services.redemption import consumers
from services.redemption.domain.refusals import RefundNotFenced
from shared.contracts.checkout import DisputeClosed, OrderPaid, RefundCause, RefundRequested
from shared.contracts.redemption import RefundFenced, RefundRefused, UseDisputed
from shared.errors import NotYet
from tests.integration.redemption.redeeming import payout, settled
from tests.integration.redemption.stage import (
    Stage,
    again,
    refund_request,
    refund_succeeded,
    units_of,
)
from tests.integration.redemption.test_money import money


def dispute(order: OrderPaid, *positions: int) -> RefundRequested:
    """The buyer wants the money of used certificates back (all, if none are named)."""
    units = [units_of(order)[position] for position in positions] or None
    return refund_request(order, units).model_copy(update={"cause": RefundCause.AFTER_USE})


def closed(request: RefundRequested, order: OrderPaid) -> DisputeClosed:
    return DisputeClosed(
        occurred_at=request.occurred_at,
        refund_id=request.refund_id,
        order_id=request.order_id,
        merchant_id=order.merchant_id,
        kind=request.kind,
        unit_ids=request.unit_ids,
    )


async def used(stage: Stage, units: int = 1, uses: int = 1) -> OrderPaid:
    """An order whose certificates are all used, once."""
    shop = await stage.open_shop()
    order = await stage.pay(shop, units, uses=uses)
    assert (await stage.redeem(shop, order)).status_code == 201
    return order


async def answers(stage: Stage, request: RefundRequested) -> list[str]:
    """What was said of a refund: `disputed`, `fenced`, or the code of the refusal."""
    said = ["disputed" for _ in await stage.said(UseDisputed, request.refund_id)]
    said += ["fenced" for _ in await stage.said(RefundFenced, request.refund_id)]
    return said + [event.code for event in await stage.said(RefundRefused, request.refund_id)]


async def test_used_certificates_are_held_and_checkout_and_settlement_told(stage: Stage) -> None:
    order = await used(stage, units=3)
    request = dispute(order, 0, 2)
    await consumers.fence_refund(request, stage.db)
    await consumers.fence_refund(request, stage.db)
    (said,) = await stage.said(UseDisputed, request.refund_id)
    assert (set(said.unit_ids), said.merchant_id) == (set(request.unit_ids), order.merchant_id)
    assert await stage.states(order) == ["DISPUTED", "USED", "DISPUTED"]
    await consumers.fence_refund(again(request), stage.db)
    assert await answers(stage, request) == ["disputed", "disputed"]


@pytest.mark.parametrize("paid_out", [True, False])
async def test_money_that_is_back_ends_disputed_certificates(stage: Stage, paid_out: bool) -> None:
    order = await settled(stage, await stage.open_shop()) if paid_out else await used(stage)
    request = dispute(order)
    await consumers.fence_refund(request, stage.db)
    done = refund_succeeded(request)
    for event in (done, done, again(done)):
        await consumers.close_refund(event, stage.db)
    assert await stage.states(order) == ["REFUNDED"]


@pytest.mark.parametrize("paid_out", [True, False])
async def test_a_dispute_that_ends_without_money_leaves_them_what_they_were(stage: Stage, paid_out: bool) -> None:
    order = await settled(stage, await stage.open_shop()) if paid_out else await used(stage)
    request = dispute(order)
    await consumers.fence_refund(request, stage.db)
    end = closed(request, order)
    for event in (end, end, again(end)):
        await consumers.close_dispute(event, stage.db)
    assert await stage.states(order) == ["SETTLED" if paid_out else "USED"]
    await consumers.fence_refund(again(request), stage.db)
    assert (await answers(stage, request))[-1] == "refund_abandoned"


async def test_a_payout_during_the_dispute_is_remembered(stage: Stage) -> None:
    order = await used(stage)
    request = dispute(order)
    await consumers.fence_refund(request, stage.db)
    await stage.pass_time(timedelta(hours=1))
    await consumers.mark_settled(payout(order), stage.db)
    assert await stage.states(order) == ["DISPUTED"]
    await consumers.close_dispute(closed(request, order), stage.db)
    assert await stage.states(order) == ["SETTLED"]


async def test_unused_certificates_are_not_disputed_nor_their_neighbours_in_the_same_request(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop, units=2)
    assert (await stage.verify(shop, await stage.token(shop, order), units_of(order)[:1])).status_code == 201
    request = dispute(order)
    await consumers.fence_refund(request, stage.db)
    assert await answers(stage, request) == ["certificate_not_used"]
    assert await stage.states(order) == ["USED", "VALID"]


async def test_a_card_with_a_use_left_is_not_disputed(stage: Stage) -> None:
    order = await used(stage, uses=2)
    request = dispute(order)
    await consumers.fence_refund(request, stage.db)
    assert await answers(stage, request) == ["certificate_not_used"]
    assert await stage.states(order) == ["VALID"]


async def test_what_is_refunded_or_disputed_already_is_refused_by_name(stage: Stage) -> None:
    order = await used(stage, units=2)
    first, second, late = dispute(order, 0), dispute(order), dispute(order, 0)
    await consumers.fence_refund(first, stage.db)
    await consumers.fence_refund(second, stage.db)
    assert await answers(stage, second) == ["certificate_refunding"]
    plain = refund_request(order, units_of(order)[:1])
    await consumers.fence_refund(plain, stage.db)
    assert await answers(stage, plain) == ["certificate_used"]
    await consumers.close_refund(refund_succeeded(first), stage.db)
    await consumers.fence_refund(late, stage.db)
    assert await answers(stage, late) == ["certificate_refunded"]
    assert await stage.states(order) == ["REFUNDED", "USED"]


async def test_a_refund_before_use_still_loses_against_the_use_and_is_told_why(stage: Stage) -> None:
    order = await used(stage)
    request = refund_request(order)
    await consumers.fence_refund(request, stage.db)
    assert await answers(stage, request) == ["certificate_used"]
    assert await stage.states(order) == ["USED"]


async def test_a_disputed_certificate_is_not_used_again_and_its_buyer_sees_it(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    token = await stage.token(shop, order)
    assert (await stage.verify(shop, token, units_of(order))).status_code == 201
    await consumers.fence_refund(dispute(order), stage.db)
    refused = await stage.verify(shop, token, units_of(order))
    assert (refused.status_code, refused.json()["code"]) == (409, "certificate_used")
    (shown,) = await stage.certificates(order)
    assert (shown["state"], shown["code"], shown["used_store_name"]) == ("DISPUTED", None, shop.name)


async def test_a_dispute_ahead_of_its_order_waits_and_then_finds_nothing_used(stage: Stage) -> None:
    order = stage.order(await stage.open_shop())
    request = dispute(order)
    await consumers.fence_refund(request, stage.db)
    assert await answers(stage, request) == []
    await consumers.issue_certificates(order, stage.db, stage.world)
    assert await answers(stage, request) == ["certificate_not_used"]
    assert await stage.states(order) == ["VALID"]


async def test_a_dispute_that_ended_before_it_arrived_holds_nothing(stage: Stage) -> None:
    order = await used(stage)
    request = dispute(order)
    await consumers.close_dispute(closed(request, order), stage.db)
    await consumers.fence_refund(request, stage.db)
    assert await answers(stage, request) == ["refund_abandoned"]
    assert await stage.states(order) == ["USED"]


async def test_success_before_the_request_waits_and_after_the_end_is_a_dead_letter(stage: Stage) -> None:
    order = await used(stage)
    request = dispute(order)
    with pytest.raises(NotYet):
        await consumers.close_refund(refund_succeeded(request), stage.db)
    await consumers.fence_refund(request, stage.db)
    await consumers.close_dispute(closed(request, order), stage.db)
    with pytest.raises(RefundNotFenced):
        await consumers.close_refund(refund_succeeded(request), stage.db)
    assert await stage.states(order) == ["USED"]


async def test_use_and_dispute_at_the_same_moment_agree_on_what_was_first(stage: Stage) -> None:
    shop = await stage.open_shop()

    async def race(number: int) -> tuple[str, str]:
        order = await stage.pay(shop, units=1 + number % 3)
        units, request = units_of(order), dispute(order)
        request = request.model_copy(update={"unit_ids": tuple(random.sample(units, len(units)))})
        token = await stage.token(shop, order)
        verified, _ = await asyncio.gather(stage.verify(shop, token, units), consumers.fence_refund(request, stage.db))
        assert verified.status_code == 201, "a dispute never stops a use"
        (state,), (answer,) = set(await stage.states(order)), await answers(stage, request)
        return answer, state

    for answer, state in await asyncio.gather(*(race(number) for number in range(30))):
        assert (answer, state) in {("disputed", "DISPUTED"), ("certificate_not_used", "USED")}


async def test_the_audit_counts_disputes_as_held_and_names_one_without_its_refund(stage: Stage) -> None:
    operator, order = await stage.operator(), await used(stage)
    request = dispute(order)
    await consumers.fence_refund(request, stage.db)
    seen = await money(stage, operator)
    assert seen["terms"]["certificates_disputed"] >= 1
    assert str(units_of(order)[0]) not in str(seen["misfits"]) + str(seen["in_flight"])
    async with stage.db.transaction() as tx:
        await tx.execute("update refunds set state = 'ABANDONED' where refund_id = $1", request.refund_id)
    named = [one["id"] for one in (await money(stage, operator))["misfits"] if one["what"] == "fence_without_refund"]
    assert str(units_of(order)[0]) in named


@pytest.mark.parametrize(
    "statement",
    [
        "update certificates set state = 'DISPUTED', state_before = 'VALID', refund_id = gen_random_uuid()",
        "update certificates set state = 'DISPUTED', state_before = 'USED', refund_id = gen_random_uuid()",
    ],
)
async def test_the_database_itself_disputes_no_unused_certificate(stage: Stage, statement: str) -> None:
    order = await stage.pay(await stage.open_shop())
    with pytest.raises(asyncpg.CheckViolationError):
        async with stage.db.transaction() as tx:
            await tx.execute(f"{statement} where unit_id = $1", units_of(order)[0])
