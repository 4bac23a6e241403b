"""Uses that were undone: the unit is open again, in whatever order that is heard, and refunded like any other."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.checkout.consumers import fulfilment, losses, refunds
from shared.contracts.catalog import DealForm
from shared.contracts.checkout import RefundSucceeded
from shared.contracts.redemption import (
    CertificateExpired,
    CertificateUsed,
    FencedUnit,
    RefundFenced,
    UseFinal,
    UseReversed,
)
from shared.ids import derived_id
from tests.integration.checkout.catalog_side import Deal
from tests.integration.checkout.redemption_side import fence
from tests.integration.checkout.stage import Purchase, Stage
from tests.integration.checkout.test_mass_refunds import call_off, walk
from tests.support.card_lives import STEPS, CardLife, End, Told, orders_of

pytestmark = pytest.mark.usefixtures("alipay_sandbox")

BOUNDED = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
CARD = Deal(form=DealForm.TIMES_CARD, price_fen=10_000, uses=3, quota=10_000)
"""Three uses: 3334, 3333, 3333."""


async def hear(stage: Stage, event: Told) -> None:
    match event:
        case CertificateUsed():
            await fulfilment.record_use(event, stage.db)
        case UseReversed():
            await fulfilment.record_reversed_use(event, stage.db)
        case UseFinal():
            await fulfilment.record_final_use(event, stage.db)


async def life_of(stage: Stage, purchase: Purchase, uses: int = 1) -> CardLife:
    (unit_id,) = await purchase.unit_ids()
    deal = purchase.deal
    return CardLife(unit_id, purchase.order_id, deal.merchant_id, deal.store_id, uses, stage.now() - timedelta(hours=9))


async def test_a_reversed_use_opens_its_unit_again_and_the_buyer_reads_of_both(stage: Stage) -> None:
    purchase = await stage.paid(await stage.sell())
    life = await life_of(stage, purchase)
    life.use(0)
    await hear(stage, life.told[0])
    assert (await purchase.state(), await purchase.unit_states()) == ("FULFILLING", ["USED"])
    life.reverse(0)
    await hear(stage, life.told[1])
    order = await purchase.view()
    assert (order["state"], [unit["state"] for unit in order["units"]]) == ("FULFILLING", ["OPEN"])
    assert [unit["uses_left"] for unit in order["units"]] == [1]
    whats = [entry["what"] for entry in order["timeline"]]
    assert whats[-2:] == ["USED", "USE_REVERSED"] or {"USED", "USE_REVERSED"} <= set(whats)


async def test_a_reversed_unit_is_refunded_as_unused_and_nothing_misfits(stage: Stage) -> None:
    deal = await stage.sell()
    purchase = await stage.paid(deal)
    life = await life_of(stage, purchase)
    life.use(0)
    life.reverse(0)
    for event in life.told:
        await hear(stage, event)
    asked = (await purchase.request_refund(life.unit_id)).json()
    assert asked["cause"] == "BUYER"
    await fence(stage, purchase, asked["refund_id"], life.unit_id)
    await stage.act("send_refund", asked["refund_id"])
    assert await purchase.unit_states() == ["REFUNDED"]
    assert await stage.misfits(deal.deal_id, purchase.order_id, purchase.attempt_id, life.unit_id) == []


@BOUNDED
@given(steps=STEPS, data=st.data())
async def test_whatever_is_told_in_any_order_and_twice_ends_as_redemption_has_it(
    stage: Stage, steps: list[tuple[str, int]], data: st.DataObject
) -> None:
    purchase = await stage.paid(await stage.sell(CARD))
    life = await life_of(stage, purchase, 3)
    for what, which in steps:
        getattr(life, what)(which)
    for event in data.draw(orders_of(life.told)):
        await hear(stage, event)
    ends = [life.end_of(no) for no in (1, 2, 3)]
    (unit,) = (await purchase.view())["units"]
    expected = "FINAL" if set(ends) == {End.FINAL} else "OPEN" if End.FREE in ends else "USED"
    assert (unit["state"], unit["uses_left"]) == (expected, ends.count(End.FREE))
    async with stage.db.transaction() as tx:
        row = await tx.row(
            "select used_nos, used_at, last_used_at, uses_final from units where unit_id = $1", life.unit_id
        )
    assert row is not None
    made = sorted(used.used_at for used in life.live.values())
    assert sorted(row["used_nos"]) == sorted(life.live)
    assert (row["used_at"], row["last_used_at"]) == ((made[0], made[-1]) if made else (None, None))
    assert row["uses_final"] == len(life.final)
    assert await purchase.state() == ("COMPLETED" if expected == "FINAL" else "FULFILLING" if life.told else "PAID")


async def test_what_is_left_of_a_card_is_worth_those_uses_and_settlement_hears_which(stage: Stage) -> None:
    purchase = await stage.paid(await stage.sell(CARD))
    life = await life_of(stage, purchase, 3)
    for step in (life.use, life.use, life.reverse):
        step(0)
    for event in life.told:
        await hear(stage, event)
    asked = (await purchase.request_refund(life.unit_id)).json()
    assert asked["amount_fen"] == 3_334 + 3_333
    left = FencedUnit(unit_id=life.unit_id, uses_left=2, left_nos=(1, 3))
    fenced = RefundFenced(
        occurred_at=stage.now(), refund_id=asked["refund_id"], order_id=purchase.order_id, units=(left,)
    )
    await refunds.approve_voucher_refund(fenced, stage.db)
    await stage.act("send_refund", asked["refund_id"])
    (done,) = await stage.said(RefundSucceeded, asked["refund_id"])
    assert [(unit.amount_fen, unit.use_nos) for unit in done.units] == [(6_667, (1, 3))]


async def test_the_fence_of_a_redemption_from_before_names_no_numbers_and_the_last_uses_are_left(stage: Stage) -> None:
    purchase = await stage.paid(await stage.sell(CARD))
    (unit,) = await purchase.unit_ids()
    refund_id = await purchase.refunding(unit)
    await fence(stage, purchase, refund_id, unit, uses_left=2)
    await stage.act("send_refund", refund_id)
    (done,) = await stage.said(RefundSucceeded, refund_id)
    assert [(one.amount_fen, one.use_nos) for one in done.units] == [(6_666, None)]


@pytest.mark.parametrize("expiry_first", [True, False])
async def test_a_use_that_was_undone_too_late_to_be_used_goes_back_whichever_is_heard_first(
    stage: Stage, expiry_first: bool
) -> None:
    purchase = await stage.paid(await stage.sell())
    life = await life_of(stage, purchase)
    life.use(0)
    life.reverse(0)
    used, undone = life.told
    await hear(stage, used)
    expired = CertificateExpired(
        occurred_at=stage.now(), unit_id=life.unit_id, order_id=purchase.order_id,
        merchant_id=purchase.deal.merchant_id, uses_left=1, expired_at=stage.now(),
    )  # fmt: skip
    if expiry_first:
        await losses.refund_expired(expired, stage.db)
        assert await purchase.unit_states() == ["USED"]
    await hear(stage, undone)
    if not expiry_first:
        await losses.refund_expired(expired, stage.db)
    assert await purchase.unit_states() == ["REFUNDING"]
    (refund,) = (await purchase.view())["refunds"]
    assert refund["refund_id"] == str(derived_id(life.unit_id, "EXPIRED"))


async def test_a_use_that_is_told_after_its_reversal_does_not_count(stage: Stage) -> None:
    purchase = await stage.paid(await stage.sell())
    life = await life_of(stage, purchase)
    life.use(0)
    life.reverse(0)
    used, undone = life.told
    for event in (undone, used, undone, used):
        await hear(stage, event)
        assert await purchase.unit_states() == ["OPEN"]


async def test_a_use_undone_after_its_campaign_was_called_off_goes_back_too(stage: Stage) -> None:
    deal = await stage.sell()
    purchase = await stage.paid(deal)
    life = await life_of(stage, purchase)
    life.use(0)
    life.reverse(0)
    used, undone = life.told
    await hear(stage, used)
    await walk(stage, await call_off(stage, deal))
    assert await purchase.unit_states() == ["USED"]
    await hear(stage, undone)
    assert await purchase.unit_states() == ["REFUNDING"]


async def test_while_a_refund_waits_for_its_fence_a_reversal_is_remembered(stage: Stage) -> None:
    purchase = await stage.paid(await stage.sell())
    life = await life_of(stage, purchase)
    life.use(0)
    life.reverse(0)
    refund_id = await purchase.refunding(life.unit_id)
    for event in life.told:
        await hear(stage, event)
        assert await purchase.unit_states() == ["REFUNDING"]
    await fence(stage, purchase, refund_id, life.unit_id)
    await stage.act("send_refund", refund_id)
    assert await purchase.unit_states() == ["REFUNDED"]
