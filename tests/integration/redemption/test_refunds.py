"""The fence: a certificate is refunded or used, never both, whatever comes first."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import httpx
import pytest

from services.redemption import consumers
from services.redemption.domain.codes import Prepared
from services.redemption.domain.refusals import RefundNotFenced
from shared.contracts.catalog import DealKind
from shared.contracts.checkout import OrderPaid, RefundRequested
from shared.contracts.redemption import CertificateUsed, RefundFenced, RefundRefused
from shared.errors import NotYet
from shared.ids import new_id
from tests.integration.redemption.stage import (
    Shop,
    Stage,
    again,
    refund_abandoned,
    refund_request,
    refund_succeeded,
    units_of,
)

RACES = 2_000


async def answers(stage: Stage, request: RefundRequested) -> list[str]:
    """What checkout was told about a refund: `fenced`, or the code of the refusal."""
    fenced = await stage.said(RefundFenced, request.refund_id)
    refused = await stage.said(RefundRefused, request.refund_id)
    return ["fenced"] * len(fenced) + [event.code for event in refused]


async def test_a_refund_fences_all_its_units_and_says_so(stage: Stage) -> None:
    order = await stage.pay(await stage.open_shop(), units=3)
    request = refund_request(order, units_of(order)[:2])
    await consumers.fence_refund(request, stage.db)
    (fenced,) = await stage.said(RefundFenced, request.refund_id)
    assert {unit.unit_id: unit.uses_left for unit in fenced.units} == dict.fromkeys(units_of(order)[:2], 1)
    assert await stage.states(order) == ["REFUNDING", "REFUNDING", "VALID"]


async def test_a_times_card_is_fenced_with_the_uses_it_has_left(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop, uses=3)
    assert (await stage.redeem(shop, order)).status_code == 201
    request = refund_request(order)
    await consumers.fence_refund(request, stage.db)
    (fenced,) = await stage.said(RefundFenced, request.refund_id)
    assert [unit.uses_left for unit in fenced.units] == [2]


async def test_a_used_certificate_cannot_be_refunded_nor_can_its_neighbours_in_the_same_request(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop, units=2)
    token = await stage.token(shop, order)
    assert (await stage.verify(shop, token, units_of(order)[:1])).status_code == 201
    request = refund_request(order)
    await consumers.fence_refund(request, stage.db)
    assert await answers(stage, request) == ["certificate_used"]
    assert await stage.states(order) == ["USED", "VALID"]


async def test_a_unit_is_fenced_by_one_refund_at_a_time(stage: Stage) -> None:
    order = await stage.pay(await stage.open_shop())
    first, second = refund_request(order), refund_request(order)
    await consumers.fence_refund(first, stage.db)
    await consumers.fence_refund(second, stage.db)
    assert await answers(stage, first) == ["fenced"]
    assert await answers(stage, second) == ["certificate_refunding"]


async def test_a_unit_of_another_order_is_not_fenced(stage: Stage) -> None:
    shop = await stage.open_shop()
    order, other = await stage.pay(shop), await stage.pay(shop)
    request = refund_request(order, units_of(order) + units_of(other))
    await consumers.fence_refund(request, stage.db)
    assert await answers(stage, request) == ["certificate_unknown"]
    assert await stage.states(order) + await stage.states(other) == ["VALID", "VALID"]


async def test_a_request_asked_again_gets_the_same_answer_again(stage: Stage) -> None:
    shop = await stage.open_shop()
    order, used = await stage.pay(shop), await stage.pay(shop)
    assert (await stage.redeem(shop, used)).status_code == 201
    granted, refused = refund_request(order), refund_request(used)
    for request in (granted, refused):
        await consumers.fence_refund(request, stage.db)
        await consumers.fence_refund(again(request), stage.db)
    assert await answers(stage, granted) == ["fenced", "fenced"]
    assert await answers(stage, refused) == ["certificate_used", "certificate_used"]


async def test_a_copy_of_the_request_is_answered_once(stage: Stage) -> None:
    request = refund_request(await stage.pay(await stage.open_shop()))
    await consumers.fence_refund(request, stage.db)
    await consumers.fence_refund(request, stage.db)
    assert await answers(stage, request) == ["fenced"]


async def test_a_request_ahead_of_its_order_waits_for_it_and_wins(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = stage.order(shop, units=2)
    request = refund_request(order, units_of(order)[:1])
    await consumers.fence_refund(request, stage.db)
    await consumers.fence_refund(again(request), stage.db)
    assert await answers(stage, request) == []
    await consumers.issue_certificates(order, stage.db, stage.world)
    assert await stage.states(order) == ["REFUNDING", "VALID"]
    assert await answers(stage, request) == ["fenced"]


async def test_an_order_and_its_refund_at_the_same_instant_always_end_fenced(stage: Stage) -> None:
    shop = await stage.open_shop()

    async def race() -> tuple[list[str], list[str]]:
        order = stage.order(shop)
        request = refund_request(order)
        both: list[Callable[[], Awaitable[None]]] = [
            lambda: consumers.issue_certificates(order, stage.db, stage.world),
            lambda: consumers.fence_refund(request, stage.db),
        ]
        random.shuffle(both)
        await asyncio.gather(*(act() for act in both))
        return await answers(stage, request), await stage.states(order)

    for outcome in await asyncio.gather(*(race() for _ in range(60))):
        assert outcome == (["fenced"], ["REFUNDING"])


async def test_money_that_is_back_ends_the_certificates(stage: Stage) -> None:
    order = await stage.pay(await stage.open_shop(), units=2)
    request = refund_request(order, units_of(order)[1:])
    await consumers.fence_refund(request, stage.db)
    done = refund_succeeded(request)
    await consumers.close_refund(done, stage.db)
    await consumers.close_refund(done, stage.db)
    await consumers.close_refund(again(done), stage.db)
    assert await stage.states(order) == ["VALID", "REFUNDED"]


async def test_a_refund_that_was_given_up_gives_the_certificates_back(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    request = refund_request(order)
    await consumers.fence_refund(request, stage.db)
    await consumers.lift_fence(refund_abandoned(request), stage.db)
    assert await stage.states(order) == ["VALID"]
    later = refund_request(order)
    await consumers.fence_refund(later, stage.db)
    assert await answers(stage, later) == ["fenced"]


async def test_a_request_that_was_given_up_before_it_arrived_fences_nothing(stage: Stage) -> None:
    order = await stage.pay(await stage.open_shop())
    request = refund_request(order)
    await consumers.lift_fence(refund_abandoned(request), stage.db)
    await consumers.fence_refund(request, stage.db)
    assert await answers(stage, request) == ["refund_abandoned"]
    assert await stage.states(order) == ["VALID"]


async def test_a_waiting_request_that_is_given_up_does_not_meet_the_order(stage: Stage) -> None:
    order = stage.order(await stage.open_shop())
    request = refund_request(order)
    await consumers.fence_refund(request, stage.db)
    await consumers.lift_fence(refund_abandoned(request), stage.db)
    await consumers.issue_certificates(order, stage.db, stage.world)
    assert await stage.states(order) == ["VALID"]


async def test_success_before_the_request_waits_and_success_of_a_refused_refund_is_a_dead_letter(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    request = refund_request(order)
    with pytest.raises(NotYet):
        await consumers.close_refund(refund_succeeded(request), stage.db)
    assert (await stage.redeem(shop, order)).status_code == 201
    await consumers.fence_refund(request, stage.db)
    with pytest.raises(RefundNotFenced):
        await consumers.close_refund(refund_succeeded(request), stage.db)
    assert await stage.states(order) == ["USED"]


async def test_a_refund_made_at_the_channel_ends_what_is_unused(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop, units=2)
    token = await stage.token(shop, order)
    assert (await stage.verify(shop, token, units_of(order)[:1])).status_code == 201
    await consumers.close_refund(refund_succeeded(refund_request(order), external=True), stage.db)
    assert await stage.states(order) == ["USED", "REFUNDED"]
    with pytest.raises(NotYet):
        unknown = refund_request(stage.order(shop))
        await consumers.close_refund(refund_succeeded(unknown, external=True), stage.db)


@pytest.mark.parametrize("external_first", [True, False])
async def test_an_external_refund_takes_over_what_another_one_has_fenced(stage: Stage, external_first: bool) -> None:
    order = await stage.pay(await stage.open_shop(), units=2)
    first, second = units_of(order)
    waiting = refund_request(order)
    await consumers.fence_refund(waiting, stage.db)
    # Checkout has ended that refund, and names only what is free again.
    released = refund_abandoned(waiting).model_copy(update={"unit_ids": (second,)})
    external = refund_succeeded(refund_request(order, [first]), external=True)
    if not external_first:
        await consumers.lift_fence(released, stage.db)
        assert await stage.states(order) == ["REFUNDING", "VALID"], "no moment in which it could be used"
    await consumers.close_refund(external, stage.db)
    if external_first:
        assert await stage.states(order) == ["REFUNDED", "REFUNDING"]
        await consumers.lift_fence(released, stage.db)
    assert await stage.states(order) == ["REFUNDED", "VALID"]
    again_ = refund_request(order, [second])
    await consumers.fence_refund(again_, stage.db)
    assert len(await stage.said(RefundFenced, again_.refund_id)) == 1


async def test_a_request_that_comes_after_the_external_refund_is_refused(stage: Stage) -> None:
    order = await stage.pay(await stage.open_shop())
    late = refund_request(order)
    await consumers.close_refund(refund_succeeded(refund_request(order), external=True), stage.db)
    await consumers.fence_refund(late, stage.db)
    (refused,) = await stage.said(RefundRefused, late.refund_id)
    assert refused.code == "certificate_refunded"


async def test_refunds_of_goods_are_none_of_our_business(stage: Stage) -> None:
    order = stage.order(await stage.open_shop(), kind=DealKind.GOODS)
    request = refund_request(order)
    await consumers.issue_certificates(order, stage.db, stage.world)
    await consumers.fence_refund(request, stage.db)
    await consumers.close_refund(refund_succeeded(request), stage.db)
    await consumers.lift_fence(refund_abandoned(request), stage.db)
    assert await answers(stage, request) == []


async def test_refund_and_redemption_of_the_same_certificates_have_exactly_one_winner(stage: Stage) -> None:
    """Thousands of races on overlapping certificates; the loser is told why, and both ends agree on the winner."""
    shop = await stage.open_shop()
    at_once = asyncio.Semaphore(8)
    wins = {"refund": 0, "redemption": 0}
    head_start_s = 0.0

    async def race(number: int) -> None:
        # Whoever has won gives the other one a little more of a start, so that on any machine both come to win.
        nonlocal head_start_s
        async with at_once:
            order = await stage.pay(shop, units=1 + number % 3)
            winner = await winner_of(stage, shop, order, head_start_s)
            wins[winner] += 1
            head_start_s += 0.0005 if winner == "refund" else -0.0005

    await asyncio.gather(*(race(number) for number in range(RACES)))
    assert wins["refund"] + wins["redemption"] == RACES
    # A race that one side always wins proves nothing.
    assert min(wins.values()) > RACES // 20, wins


async def winner_of(stage: Stage, shop: Shop, order: OrderPaid, head_start_s: float) -> str:
    """A race in which the redemption starts earlier by this much (negative: the refund does)."""
    units = units_of(order)
    # Each side names the certificates in an order of its own: they must not wait for each other in a circle.
    request = refund_request(order, random.sample(units, len(units)))
    prepared = Prepared(shop.clerk, shop.store_id, order.order_id, tuple(units))
    token, _ = stage.codes.preparation_token(prepared, datetime.now(UTC))

    async def refund() -> None:
        await asyncio.sleep(max(0.0, head_start_s))
        await consumers.fence_refund(request, stage.db)

    async def verify() -> httpx.Response:
        await asyncio.sleep(max(0.0, -head_start_s))
        return await stage.verify(shop, token, units, new_id())

    verified, _ = await asyncio.gather(verify(), refund())
    states, (answer,) = set(await stage.states(order)), await answers(stage, request)
    if verified.status_code == 201:
        uses = verified.json()["uses"]
        assert (answer, states) == ("certificate_used", {"USED"})
        assert [len(await stage.said(CertificateUsed, use["use_id"])) for use in uses] == [1] * len(units)
        return "redemption"
    assert (verified.status_code, verified.json()["code"]) == (409, "certificate_refunding")
    assert (answer, states) == ("fenced", {"REFUNDING"})
    return "refund"
