"""Uses that were undone: their value is held again, in whatever order that is heard, and nothing is paid for it."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.settlement import consumers
from shared.contracts.checkout import OrderPaid, RefundedUnit
from shared.contracts.redemption import CertificateUsed, UseReversed, version_of_use
from shared.errors import NotYet
from shared.ids import new_id
from tests.integration.settlement.stage import Merchant, Stage
from tests.support.card_lives import STEPS, CardLife, End, Told, orders_of

BOUNDED = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ENDS = {End.FREE: "HELD", End.USED: "USED", End.FINAL: "FINAL"}


async def hear(stage: Stage, event: Told) -> None:
    match event:
        case CertificateUsed():
            await consumers.record_use(event, stage.db)
        case UseReversed():
            await consumers.record_reversed_use(event, stage.db)
        case _:
            await consumers.finalise_use(event, stage.db)


async def hear_all(stage: Stage, told: list[Told]) -> None:
    """Each until it is taken, as the parking table repeats it."""
    waiting = list(told)
    while waiting:
        later = []
        for event in waiting:
            try:
                await hear(stage, event)
            except NotYet:
                later.append(event)
        assert len(later) < len(waiting), f"nothing moves any more: {later}"
        waiting = later


def life_of(stage: Stage, order: OrderPaid) -> CardLife:
    return CardLife(
        order.units[0].unit_id, order.order_id, order.merchant_id, order.store_ids[0], len(order.units[0].uses),
        stage.now() - timedelta(days=1),
    )  # fmt: skip


async def a_merchant(stage: Stage) -> Merchant:
    return await stage.merchant()


async def test_a_reversed_use_is_held_as_before_and_leaves_no_trace_in_the_ledger(stage: Stage) -> None:
    order = await stage.pay(await a_merchant(stage), uses=2)
    before = await stage.postings(order)
    life = life_of(stage, order)
    life.use(0)
    await hear_all(stage, life.told)
    assert await stage.states(order) == ["USED", "HELD"]
    life.reverse(0)
    await hear(stage, life.told[-1])
    assert await stage.states(order) == ["HELD", "HELD"]
    assert await stage.postings(order) == before
    async with stage.db.transaction() as tx:
        row = await tx.row(
            "select use_id, store_id, used_at, used_on, due_on from uses where unit_id = $1 and use_no = 1",
            order.units[0].unit_id,
        )
    assert row is not None
    assert set(row) == {None}


async def test_a_reversal_ahead_of_its_order_waits_for_it(stage: Stage) -> None:
    order = stage.order(await a_merchant(stage))
    life = life_of(stage, order)
    life.use(0)
    life.reverse(0)
    for event in life.told:
        with pytest.raises(NotYet):
            await hear(stage, event)
    await consumers.record_order(order, stage.db)
    await hear_all(stage, life.told[::-1])
    assert await stage.states(order) == ["HELD"]


async def test_a_use_that_is_told_after_its_reversal_does_not_count(stage: Stage) -> None:
    order = await stage.pay(await a_merchant(stage))
    life = life_of(stage, order)
    life.use(0)
    life.reverse(0)
    used, undone = life.told
    for event in (undone, used, undone.model_copy(update={"event_id": new_id()}), used.model_copy()):
        await hear(stage, event)
        assert await stage.states(order) == ["HELD"]


async def test_a_later_use_of_the_same_number_wins_over_the_news_of_the_earlier_one(stage: Stage) -> None:
    order = await stage.pay(await a_merchant(stage))
    life = life_of(stage, order)
    life.use(0)
    life.reverse(0)
    life.use(0)
    life.finish(0)
    first, undone, second, final = life.told
    await hear(stage, first)
    with pytest.raises(NotYet):
        await hear(stage, final)
    await hear(stage, second)
    await hear(stage, undone)
    assert await stage.states(order) == ["USED"]
    await hear(stage, final)
    assert await stage.states(order) == ["FINAL"]


@BOUNDED
@given(steps=STEPS, data=st.data())
async def test_whatever_is_told_in_any_order_and_twice_ends_as_redemption_has_it(
    stage: Stage, steps: list[tuple[str, int]], data: st.DataObject
) -> None:
    order = await stage.pay(await a_merchant(stage), 12_800, uses=3, paid_fen=12_798)
    life = life_of(stage, order)
    for what, which in steps:
        getattr(life, what)(which)
    told = data.draw(orders_of(life.told))
    await hear_all(stage, told)
    assert await stage.states(order) == [ENDS[life.end_of(no)] for no in (1, 2, 3)]
    async with stage.db.transaction() as tx:
        rows = await tx.fetch(
            "select use_id, heard from uses where unit_id = $1 order by use_no", order.units[0].unit_id
        )
    assert [row["use_id"] for row in rows] == [life.live_use_id(no) for no in (1, 2, 3)]
    earned = sum(order.units[0].uses[no - 1].paid_fen for no in life.final)
    assert (await stage.postings(order)).get("MERCHANT_PAYABLE", 0) == -earned


async def test_a_refund_of_the_uses_that_are_left_takes_those_it_names_whatever_was_heard(stage: Stage) -> None:
    """Uses 1 and 2 were made, 1 was undone, 3 is the next: 1 and 3 are left, but all that was heard is the first."""
    order = await stage.pay(await a_merchant(stage), 12_800, uses=3, paid_fen=12_798)
    life = life_of(stage, order)
    for step in (life.use, life.use, life.reverse):
        step(0)
    await hear(stage, life.told[0])
    each = order.units[0].uses[0].paid_fen
    refund = stage.refund(order, amount_fen=2 * each)
    named = tuple(
        RefundedUnit(unit_id=unit.unit_id, amount_fen=unit.amount_fen, use_nos=(1, 3)) for unit in refund.units
    )
    await consumers.record_refund(refund.model_copy(update={"units": named}), stage.db)
    assert await stage.states(order) == ["REFUNDED", "HELD", "REFUNDED"]
    life.finish(0)
    await hear_all(stage, life.told[1:])
    assert await stage.states(order) == ["REFUNDED", "FINAL", "REFUNDED"]
    assert (await stage.postings(order))["MERCHANT_PAYABLE"] == -each


def test_of_two_uses_with_one_number_the_later_has_the_higher_version() -> None:
    versions = [version_of_use(cycle, is_reversed=undone) for cycle in range(5) for undone in (False, True)]
    assert versions == sorted(set(versions))
