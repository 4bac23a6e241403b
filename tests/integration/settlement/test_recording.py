"""Facts from the other services, in any order and any number of times, on a real database."""

from typing import Any

import pytest

from services.settlement import consumers
from services.settlement.domain.uses import RefundDoesNotFit, ValueDoesNotAddUp
from services.settlement.store import uses as store
from shared.contracts.catalog import DealKind
from shared.contracts.checkout import Unit, UseValue
from shared.errors import NotYet
from shared.ids import new_id
from tests.integration.settlement.stage import Stage


async def test_a_paid_order_is_held_use_by_use(stage: Stage) -> None:
    order = await stage.pay(await stage.merchant(), 12_800, 12_800)
    assert await stage.states(order) == ["HELD", "HELD"]
    assert await stage.postings(order) == {"CHANNEL_RECEIVED": 25_600, "BUYER_CLEARING": -25_600}


async def test_an_order_that_does_not_add_up_is_refused_whole(stage: Stage) -> None:
    order = stage.order(await stage.merchant(), 12_800, paid_fen=12_799)
    with pytest.raises(ValueDoesNotAddUp):
        await consumers.record_order(order, stage.db)
    assert await stage.states(order) == []


async def test_a_copy_of_a_paid_order_changes_nothing_even_past_the_inbox(stage: Stage) -> None:
    order = await stage.pay(await stage.merchant())
    await consumers.record_order(order, stage.db)
    await consumers.record_order(order.model_copy(update={"event_id": new_id()}), stage.db)
    assert await stage.postings(order) == {"CHANNEL_RECEIVED": 12_800, "BUYER_CLEARING": -12_800}


async def test_a_final_use_is_owed_to_its_merchant(stage: Stage) -> None:
    order = await stage.pay(await stage.merchant())
    await stage.use(order, final=False)
    assert await stage.states(order) == ["USED"]
    assert (await stage.postings(order))["BUYER_CLEARING"] == -12_800
    await consumers.finalise_use(stage.final(stage.used(order)), stage.db)
    assert await stage.states(order) == ["FINAL"]
    assert await stage.postings(order) == {"CHANNEL_RECEIVED": 12_800, "MERCHANT_PAYABLE": -12_800}


async def test_the_shares_of_a_use_are_posted_when_it_is_final(stage: Stage) -> None:
    value = UseValue(
        paid_fen=10_000, commission_fen=500, creator_share_fen=300, agency_share_fen=200, platform_subsidy_fen=1_000
    )
    unit = Unit(unit_id=new_id(), original_price_fen=20_000, uses=(value,))
    order = await stage.pay(await stage.merchant(), 10_000, units=(unit,))
    await stage.use(order)
    assert await stage.postings(order) == {
        "CHANNEL_RECEIVED": 10_000,
        "MERCHANT_PAYABLE": -9_000,
        "PLATFORM_COMMISSION": -500,
        "CREATOR_PAYABLE": -300,
        "AGENCY_PAYABLE": -200,
        "SUBSIDY_FUNDED": 1_000,
        "SUBSIDY_PAYABLE": -1_000,
    }
    assert await stage.misfits() == []


async def test_a_use_before_its_order_waits(stage: Stage) -> None:
    order = stage.order(await stage.merchant())
    with pytest.raises(NotYet):
        await consumers.record_use(stage.used(order), stage.db)
    await consumers.record_order(order, stage.db)
    await stage.use(order)
    assert await stage.states(order) == ["FINAL"]


async def test_a_final_use_before_the_use_waits(stage: Stage) -> None:
    order = await stage.pay(await stage.merchant())
    used = stage.used(order)
    with pytest.raises(NotYet):
        await consumers.finalise_use(stage.final(used), stage.db)
    await consumers.record_use(used, stage.db)
    await consumers.finalise_use(stage.final(used), stage.db)
    assert await stage.states(order) == ["FINAL"]


async def test_received_goods_are_final_at_once(stage: Stage) -> None:
    order = await stage.pay(await stage.merchant(), 5_000, 5_001, kind=DealKind.GOODS)
    await consumers.finalise_parcel(stage.received(order), stage.db)
    assert await stage.states(order) == ["FINAL", "FINAL"]
    assert (await stage.postings(order))["MERCHANT_PAYABLE"] == -10_001


async def test_received_goods_before_their_order_wait(stage: Stage) -> None:
    order = stage.order(await stage.merchant(), kind=DealKind.GOODS)
    with pytest.raises(NotYet):
        await consumers.finalise_parcel(stage.received(order), stage.db)


async def test_copies_of_receipt_and_use_earn_once(stage: Stage) -> None:
    merchant = await stage.merchant()
    goods, voucher = await stage.pay(merchant, kind=DealKind.GOODS), await stage.pay(merchant)
    for _ in range(2):
        await consumers.finalise_parcel(stage.received(goods), stage.db)
        await stage.use(voucher)
    assert (await stage.postings(goods))["MERCHANT_PAYABLE"] == -12_800
    assert (await stage.postings(voucher))["MERCHANT_PAYABLE"] == -12_800


async def test_a_refund_before_use_leaves_nothing_held(stage: Stage) -> None:
    order = await stage.pay(await stage.merchant(), 12_800, 6_400)
    await consumers.record_refund(stage.refund(order, units=(0,)), stage.db)
    assert await stage.states(order) == ["REFUNDED", "HELD"]
    assert await stage.postings(order) == {
        "CHANNEL_RECEIVED": 19_200,
        "CHANNEL_REFUNDED": -12_800,
        "BUYER_CLEARING": -6_400,
    }


async def test_a_refund_before_its_order_waits(stage: Stage) -> None:
    order = stage.order(await stage.merchant())
    with pytest.raises(NotYet):
        await consumers.record_refund(stage.refund(order), stage.db)


async def test_a_refund_of_the_uses_left_on_a_times_card_waits_for_the_use_it_has_not_heard_of(stage: Stage) -> None:
    order = await stage.pay(await stage.merchant(), 9_000, uses=3)
    refund = stage.refund(order, amount_fen=6_000)
    with pytest.raises(NotYet):
        await consumers.record_refund(refund, stage.db)
    await stage.use(order, use_no=2)
    await consumers.record_refund(refund, stage.db)
    assert await stage.states(order) == ["REFUNDED", "FINAL", "REFUNDED"]
    assert await stage.misfits() == []


async def test_a_refund_beyond_the_units_value_is_refused(stage: Stage) -> None:
    order = await stage.pay(await stage.merchant())
    with pytest.raises(RefundDoesNotFit):
        await consumers.record_refund(stage.refund(order, amount_fen=12_801), stage.db)
    assert await stage.states(order) == ["HELD"]


async def test_a_copy_of_a_refund_changes_nothing_even_past_the_inbox(stage: Stage) -> None:
    order = await stage.pay(await stage.merchant())
    refund = stage.refund(order)
    await consumers.record_refund(refund, stage.db)
    await consumers.record_refund(refund, stage.db)
    await consumers.record_refund(refund.model_copy(update={"event_id": new_id()}), stage.db)
    assert (await stage.postings(order))["CHANNEL_REFUNDED"] == -12_800


async def test_a_refund_of_a_final_use_is_taken_from_the_merchants_payable(stage: Stage) -> None:
    order = await stage.pay(await stage.merchant())
    await stage.use(order)
    await consumers.record_refund(stage.refund(order), stage.db)
    assert await stage.postings(order) == {"CHANNEL_RECEIVED": 12_800, "CHANNEL_REFUNDED": -12_800}


async def test_a_use_told_after_its_refund_does_not_earn(stage: Stage) -> None:
    order = await stage.pay(await stage.merchant())
    await consumers.record_refund(stage.refund(order), stage.db)
    await stage.use(order)
    assert await stage.states(order) == ["REFUNDED"]
    assert "MERCHANT_PAYABLE" not in await stage.postings(order)


@pytest.mark.parametrize("fact", ["used", "final", "received"])
async def test_a_fact_whose_predecessor_commits_while_it_looks_is_not_lost(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, fact: str
) -> None:
    """Seen in a chaos run: the guarded update found nothing, the next statement found what it had waited for."""
    kind = DealKind.GOODS if fact == "received" else DealKind.VOUCHER
    order = stage.order(await stage.merchant(), kind=kind)
    handle, event, update = {
        "used": (consumers.record_use, stage.used(order), "mark_used"),
        "final": (consumers.finalise_use, stage.final(stage.used(order)), "mark_final"),
        "received": (consumers.finalise_parcel, stage.received(order), "mark_received"),
    }[fact]
    look: Any = getattr(store, update)

    async def look_too_soon(*arguments: Any) -> Any:
        found = await look(*arguments)
        monkeypatch.setattr(store, update, look)
        await consumers.record_order(order, stage.db)
        if fact == "final":
            await consumers.record_use(stage.used(order), stage.db)
        return found

    monkeypatch.setattr(store, update, look_too_soon)
    with pytest.raises(NotYet):
        await handle(event, stage.db)
    await handle(event, stage.db)
    assert await stage.states(order) == [{"used": "USED"}.get(fact, "FINAL")]
