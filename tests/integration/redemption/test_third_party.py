"""Third-party codes: a certificate without its code waits ten minutes, and then its money goes back."""

from datetime import timedelta

import pytest

from services.redemption import consumers, use_cases
from services.redemption.settings import Settings
from shared.contracts.catalog import DealForm
from shared.contracts.checkout import OrderPaid
from shared.contracts.redemption import CertificateIssueFailed, CertificatesIssued, RefundFenced
from tests.integration.redemption.losses import lose, store_lost
from tests.integration.redemption.stage import Stage, again, refund_abandoned, refund_request, units_of
from tests.integration.redemption.third_party import TEN_MINUTES


async def bought(stage: Stage, units: int = 1) -> OrderPaid:
    return await stage.pay(await stage.open_shop(), units=units, form=DealForm.THIRD_PARTY_CODE)


async def failures(stage: Stage, order: OrderPaid) -> list[int]:
    """How often each unit was said to have failed."""
    return [len(await stage.said(CertificateIssueFailed, unit_id)) for unit_id in units_of(order)]


async def test_no_code_is_invented_and_the_buyer_sees_that_it_is_awaited(stage: Stage) -> None:
    order = await bought(stage, units=2)
    for item in await stage.certificates(order):
        assert item["state"] == "ISSUING"
        assert (item["code"], item["qr_svg"], item["barcode_svg"]) == (None, None, None)
    assert await stage.said(CertificatesIssued, order.order_id) == []


async def test_without_a_code_after_ten_minutes_each_unit_fails_once(stage: Stage) -> None:
    order = await bought(stage, units=2)
    await consumers.issue_certificates(again(order), stage.db, stage.world)
    await stage.pass_time(TEN_MINUTES - timedelta(seconds=5))
    assert await stage.states(order) == ["ISSUING"] * 2
    await stage.pass_time(timedelta(seconds=5))
    assert await stage.states(order) == ["ISSUE_FAILED"] * 2
    await stage.pass_time(TEN_MINUTES)
    assert await failures(stage, order) == [1, 1]
    assert [item["state"] for item in await stage.certificates(order)] == ["ISSUE_FAILED"] * 2
    (failed,) = await stage.said(CertificateIssueFailed, units_of(order)[0])
    assert failed.order_id == order.order_id


async def test_how_long_a_code_may_take_is_a_setting(stage: Stage, settings: Settings) -> None:
    assert stage.world.code_timeout == timedelta(seconds=settings.code_timeout_s) == TEN_MINUTES


async def test_a_timer_that_comes_too_early_fails_nothing(stage: Stage) -> None:
    order = await bought(stage)
    async with stage.db.transaction() as tx:
        await tx.execute("update timers set due_at = $2 where key = $1", str(order.order_id), stage.now())
    await stage.act()
    assert await stage.states(order) == ["ISSUING"]


@pytest.mark.parametrize("minutes", [1, 30])
async def test_a_unit_that_is_refunded_or_recalled_meanwhile_does_not_fail(stage: Stage, minutes: int) -> None:
    shop = await stage.open_shop()
    refunded = await stage.pay(shop, form=DealForm.THIRD_PARTY_CODE)
    recalled = await stage.pay(shop, form=DealForm.THIRD_PARTY_CODE)
    await consumers.fence_refund(refund_request(refunded), stage.db)
    await lose(stage, store_lost(stage, shop))
    await stage.pass_time(timedelta(minutes=minutes))
    async with stage.db.transaction() as tx:
        await use_cases.fail_without_code(tx, [refunded.order_id, recalled.order_id])
    for order in (refunded, recalled):
        assert (await stage.states(order), await failures(stage, order)) == (["REFUNDING"], [0])


async def test_a_failed_unit_can_be_fenced_for_its_refund(stage: Stage) -> None:
    order = await bought(stage)
    await stage.pass_time(TEN_MINUTES)
    request = refund_request(order)
    await consumers.fence_refund(request, stage.db)
    (fenced,) = await stage.said(RefundFenced, request.refund_id)
    assert [unit.uses_left for unit in fenced.units] == [1]


@pytest.mark.parametrize("in_time", [True, False])
async def test_a_unit_that_is_given_back_without_a_code_fails_after_all(stage: Stage, *, in_time: bool) -> None:
    order = await bought(stage)
    request = refund_request(order)
    await consumers.fence_refund(request, stage.db)
    if not in_time:
        await stage.pass_time(TEN_MINUTES)
    await consumers.lift_fence(refund_abandoned(request), stage.db)
    assert await stage.states(order) == ["ISSUING"]
    await stage.act()
    assert await failures(stage, order) == [0 if in_time else 1]
    await stage.pass_time(TEN_MINUTES)
    assert await failures(stage, order) == [1]


async def test_a_failed_unit_that_is_given_back_is_announced_again(stage: Stage) -> None:
    order = await bought(stage)
    await stage.pass_time(TEN_MINUTES)
    request = refund_request(order)
    await consumers.fence_refund(request, stage.db)
    await consumers.lift_fence(refund_abandoned(request), stage.db)
    assert (await stage.states(order), await failures(stage, order)) == (["ISSUE_FAILED"], [2])
