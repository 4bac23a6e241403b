"""Disputed uses: held back from every run until the review ends, whatever order the events arrive in."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from uuid import UUID

import asyncpg
import pytest

from services.settlement import consumers
from services.settlement.store import disputes as store
from shared.contracts.catalog import DealKind
from shared.contracts.checkout import DisputeClosed, OrderPaid
from shared.contracts.dispatch import GoodsDisputed
from shared.contracts.redemption import UseDisputed
from shared.errors import NotYet
from shared.ids import new_id
from tests.integration.settlement.stage import Stage
from tests.support.waiting import eventually


def disputed(stage: Stage, order: OrderPaid, *units: int, refund_id: UUID | None = None) -> UseDisputed:
    """Redemption says that these certificates (the first, if none are named) are disputed."""
    return UseDisputed(
        occurred_at=stage.now(), refund_id=refund_id or new_id(), order_id=order.order_id,
        merchant_id=order.merchant_id, unit_ids=tuple(order.units[unit].unit_id for unit in units or (0,)),
    )  # fmt: skip


def closed(stage: Stage, dispute: UseDisputed | GoodsDisputed, kind: DealKind = DealKind.VOUCHER) -> DisputeClosed:
    return DisputeClosed(
        occurred_at=stage.now(), refund_id=dispute.refund_id, order_id=dispute.order_id,
        merchant_id=dispute.merchant_id, kind=kind, unit_ids=dispute.unit_ids,
    )  # fmt: skip


async def test_a_disputed_use_is_skipped_by_every_run_and_paid_by_the_next_one_after_the_review(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant, 6_400, 6_400)
    await stage.use(order, 0)
    await stage.use(order, 1)
    dispute = disputed(stage, order)
    await consumers.hold_disputed(dispute, stage.db)
    for _ in range(3):
        await stage.settle(merchant)
    assert await stage.states(order) == ["FINAL", "PAID"]

    await consumers.close_dispute(closed(stage, dispute), stage.db)
    await stage.settle(merchant)
    assert await stage.states(order) == ["PAID", "PAID"]
    assert await stage.misfits() == []


async def test_goods_are_held_alike(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant, kind=DealKind.GOODS)
    dispute = GoodsDisputed(
        occurred_at=stage.now(), refund_id=new_id(), order_id=order.order_id, merchant_id=order.merchant_id,
        unit_ids=(order.units[0].unit_id,),
    )  # fmt: skip
    await consumers.hold_disputed_goods(dispute, stage.db)
    await consumers.finalise_parcel(stage.received(order), stage.db)
    await stage.settle(merchant)
    assert await stage.states(order) == ["FINAL"]
    await consumers.close_dispute(closed(stage, dispute, DealKind.GOODS), stage.db)
    await stage.settle(merchant)
    assert await stage.states(order) == ["PAID"]


async def test_dispute_and_finality_hold_the_payout_whichever_is_heard_first(stage: Stage) -> None:
    for sequence in itertools.permutations(("use", "final", "dispute")):
        merchant = await stage.merchant()
        order = await stage.pay(merchant)
        use, dispute = stage.used(order), disputed(stage, order)
        waiting: list[Callable[[], Awaitable[None]]] = [
            {
                "use": lambda use=use: consumers.record_use(use, stage.db),
                "final": lambda use=use: consumers.finalise_use(stage.final(use), stage.db),
                "dispute": lambda dispute=dispute: consumers.hold_disputed(dispute, stage.db),
            }[name]
            for name in sequence
        ]
        while waiting:
            hear = waiting.pop(0)
            try:
                await hear()
            except NotYet:
                waiting.append(hear)
        await stage.settle(merchant)
        assert await stage.states(order) == ["FINAL"], sequence


async def test_a_dispute_of_an_order_that_has_not_arrived_waits_for_it(stage: Stage) -> None:
    order = stage.order(await stage.merchant())
    dispute = disputed(stage, order)
    with pytest.raises(NotYet):
        await consumers.hold_disputed(dispute, stage.db)
    await consumers.record_order(order, stage.db)
    await consumers.hold_disputed(dispute, stage.db)
    assert await held_by(stage, order) == [dispute.refund_id]


async def test_a_dispute_that_ended_before_it_was_heard_of_holds_nothing(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant)
    await stage.use(order)
    dispute = disputed(stage, order)
    await consumers.close_dispute(closed(stage, dispute), stage.db)
    await consumers.hold_disputed(dispute, stage.db)
    assert await held_by(stage, order) == [None]
    await stage.settle(merchant)
    assert await stage.states(order) == ["PAID"]


async def test_a_copy_of_a_dispute_that_is_over_does_not_hold_again(stage: Stage) -> None:
    order = await stage.pay(await stage.merchant())
    dispute = disputed(stage, order)
    await consumers.hold_disputed(dispute, stage.db)
    await consumers.close_dispute(closed(stage, dispute), stage.db)
    await consumers.hold_disputed(dispute, stage.db)
    await consumers.hold_disputed(dispute.model_copy(update={"event_id": new_id()}), stage.db)
    assert await held_by(stage, order) == [None]


async def test_the_end_of_one_dispute_leaves_another_ones_hold(stage: Stage) -> None:
    order = await stage.pay(await stage.merchant(), 6_400, 6_400)
    first, second = disputed(stage, order, 0), disputed(stage, order, 1)
    await consumers.hold_disputed(first, stage.db)
    await consumers.hold_disputed(second, stage.db)
    await consumers.close_dispute(closed(stage, first), stage.db)
    assert await held_by(stage, order) == [None, second.refund_id]


@pytest.mark.parametrize("final", [True, False])
async def test_the_refund_of_a_held_use_comes_from_what_is_held_and_its_finality_is_harmless_later(
    stage: Stage, final: bool
) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant)
    await stage.use(order, final=final)
    dispute = disputed(stage, order)
    await consumers.hold_disputed(dispute, stage.db)
    done = stage.refund(order).model_copy(update={"refund_id": dispute.refund_id})
    await consumers.record_refund(done, stage.db)
    await consumers.finalise_use(stage.final(stage.used(order)), stage.db)
    assert await stage.states(order) == ["REFUNDED"]
    assert await stage.postings(order) == {"CHANNEL_RECEIVED": 12_800, "CHANNEL_REFUNDED": -12_800}
    await stage.settle(merchant)
    assert await stage.instructions(merchant) == []
    assert await stage.misfits() == []


async def test_a_used_up_card_is_paid_back_whole_although_its_last_use_is_not_heard_of(stage: Stage) -> None:
    order = await stage.pay(await stage.merchant(), 9_000, uses=3)
    await stage.use(order, use_no=1)
    await stage.use(order, use_no=2, final=False)
    dispute = disputed(stage, order)
    await consumers.hold_disputed(dispute, stage.db)
    done = stage.refund(order).model_copy(update={"refund_id": dispute.refund_id})
    await consumers.record_refund(done, stage.db)
    await stage.use(order, use_no=3)
    assert await stage.states(order) == ["REFUNDED"] * 3
    assert await stage.postings(order) == {"CHANNEL_RECEIVED": 9_000, "CHANNEL_REFUNDED": -9_000}


@pytest.mark.parametrize("sent", [True, False])
async def test_what_a_run_has_claimed_cannot_be_held_and_is_owed_once_it_was_paid(stage: Stage, sent: bool) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant)
    await stage.use(order)
    stage.next_day()
    await stage.run()
    if sent:
        await stage.send_all(merchant)
    dispute = disputed(stage, order)
    await consumers.hold_disputed(dispute, stage.db)
    assert await held_by(stage, order) == [None]
    await stage.send_all(merchant)
    done = stage.refund(order).model_copy(update={"refund_id": dispute.refund_id})
    await consumers.record_refund(done, stage.db)
    assert (await stage.postings(order))["MERCHANT_RECEIVABLE"] == 12_800
    assert await stage.misfits() == []


async def test_a_trade_that_is_paid_whole_waits_for_all_of_its_uses(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant, 6_400, 6_400)
    await stage.use(order, 0)
    await stage.use(order, 1)
    dispute = disputed(stage, order, 1)
    await consumers.hold_disputed(dispute, stage.db)
    stage.rail.partial_confirms = False
    await stage.settle(merchant)
    assert await stage.states(order) == ["FINAL", "FINAL"]
    await consumers.close_dispute(closed(stage, dispute), stage.db)
    await stage.settle(merchant)
    assert await stage.states(order) == ["PAID", "PAID"]


async def test_a_run_waits_for_a_dispute_that_is_being_recorded(stage: Stage) -> None:
    """On a rail that pays trades whole the neighbour of a disputed use must not slip through either."""
    merchant = await stage.merchant()
    order = await stage.pay(merchant, 6_400, 6_400)
    await stage.use(order, 0)
    await stage.use(order, 1)
    stage.next_day()
    stage.rail.partial_confirms = False
    dispute = disputed(stage, order, 1)
    async with stage.db.transaction() as tx:
        await store.open_dispute(tx, dispute.refund_id, dispute.order_id, dispute.unit_ids)
        await store.hold(tx, dispute.refund_id, dispute.unit_ids)
        running = asyncio.create_task(stage.run())

        async def run_waits_or_is_through() -> bool:
            return running.done() or bool(await tx.value("select exists (select from pg_locks where not granted)"))

        await eventually(run_waits_or_is_through)
    await running
    assert await stage.states(order) == ["FINAL", "FINAL"]


async def test_dispute_and_run_at_the_same_moment_have_one_winner(stage: Stage) -> None:
    merchant = await stage.merchant()
    orders = [await stage.pay(merchant) for _ in range(24)]
    for order in orders:
        await stage.use(order)
    stage.next_day()
    holding = [consumers.hold_disputed(disputed(stage, order), stage.db) for order in orders]
    await asyncio.gather(*holding[:12], stage.run(), *holding[12:])
    for order in orders:
        (mark,), (state,) = await held_by(stage, order), await stage.states(order)
        assert (state, mark is None) in {("CLAIMED", True), ("FINAL", False)}
    assert await stage.misfits() == []


async def test_the_database_never_holds_what_a_run_has_claimed(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant)
    await stage.use(order)
    dispute = disputed(stage, order)
    await consumers.hold_disputed(dispute, stage.db)
    with pytest.raises(asyncpg.CheckViolationError, match="held_before_it_is_claimed"):
        async with stage.db.transaction() as tx:
            await tx.execute("update uses set state = 'REFUNDED', refund_id = $2, refunded_at = now()"
                             " where order_id = $1", order.order_id, dispute.refund_id)  # fmt: skip


async def test_statement_and_preview_show_what_is_held_and_why(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant, 6_400, 6_400)
    await stage.use(order, 0)
    await stage.use(order, 1)
    dispute = disputed(stage, order)
    await consumers.hold_disputed(dispute, stage.db)
    path, day = f"/merchants/{merchant.merchant_id}", stage.today().isoformat()
    items = (await stage.get(f"{path}/statement", merchant.finance, day=day))["items"]
    held = {one["unit_id"]: one["held"] for one in items}
    assert held == {str(order.units[0].unit_id): "disputed", str(order.units[1].unit_id): None}
    preview = await stage.get(f"{path}/preview", merchant.finance)
    assert (preview["uses"], preview["gross_fen"]) == (1, 6_400)
    assert (preview["disputed_uses"], preview["disputed_fen"]) == (1, 6_400)
    await stage.settle(merchant)
    (paid,) = await stage.instructions(merchant)
    assert (paid["gross_fen"], paid["fee_fen"]) == (preview["gross_fen"], preview["fee_fen"])


async def test_what_is_held_for_a_review_is_a_part_of_what_is_held_and_nothing_under_way(stage: Stage) -> None:
    operator = await stage.operator()
    before = (await stage.get("/admin/money", operator))["terms"]
    order = await stage.pay(await stage.merchant())
    await stage.use(order)
    await consumers.hold_disputed(disputed(stage, order), stage.db)
    money = await stage.get("/admin/money", operator)
    assert money["terms"]["held_disputed_fen"] - before["held_disputed_fen"] == 12_800
    assert money["terms"]["held_fen"] - before["held_fen"] == 12_800
    assert str(order.order_id) not in str(money["in_flight"])


async def held_by(stage: Stage, order: OrderPaid) -> list[UUID | None]:
    """The marks on an order's uses, in the order of its units."""
    async with stage.db.transaction() as tx:
        rows = await tx.fetch("select unit_id, disputed_by from uses where order_id = $1", order.order_id)
    marks = {row["unit_id"]: row["disputed_by"] for row in rows}
    return [marks[unit.unit_id] for unit in order.units]
