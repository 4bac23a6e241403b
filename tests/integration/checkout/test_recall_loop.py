"""From the lost store to the money at the buyer's: both services' handlers, with doubled messages in any order."""

from collections.abc import AsyncIterator, Callable

import pytest

from shared.contracts import Event
from shared.contracts.catalog import DealForm, MerchantState, MerchantSuspended, StoreClosed, StoreClosure
from shared.contracts.redemption import CertificateRecalled
from tests.integration.checkout.stage import Purchase, Stage
from tests.integration.checkout.two_services import Two, beside
from tests.support.environment import Environment

pytestmark = pytest.mark.usefixtures("alipay_sandbox")

ROUNDS = range(6)


@pytest.fixture
async def two(stage: Stage, environment: Environment) -> AsyncIterator[Two]:
    async with beside(stage, environment) as both:
        yield both


def closed(stage: Stage, purchase: Purchase) -> StoreClosed:
    """The deal's only store closes."""
    return StoreClosed(
        occurred_at=stage.now(), version=2, store_id=purchase.deal.store_id, merchant_id=purchase.deal.merchant_id,
        name="老码头火锅", city="成都", closure=StoreClosure.CLOSED, reason="租约到期",
    )  # fmt: skip


def suspended(stage: Stage, purchase: Purchase) -> MerchantSuspended:
    """The deal's merchant is suspended."""
    return MerchantSuspended(
        occurred_at=stage.now(), version=2, merchant_id=purchase.deal.merchant_id, name="老码头火锅",
        phone="02812345678", state=MerchantState.SUSPENDED, reason="涉嫌欺诈",
    )  # fmt: skip


async def bought(stage: Stage, two: Two, quantity: int = 2, form: DealForm | None = None) -> Purchase:
    purchase = await stage.paid(quantity=quantity)
    await two.open_store(purchase)
    await two.issue(purchase, form=form)
    await two.exchange(purchase)
    return purchase


async def everything_is_back(stage: Stage, two: Two, purchase: Purchase) -> None:
    """Every unit was refunded, exactly once, and nothing is left under way."""
    quantity = len(await purchase.unit_ids())
    assert await two.certificates(purchase) == ["REFUNDED"] * quantity
    order = await purchase.view()
    assert {unit["state"] for unit in order["units"]} == {"REFUNDED"}
    assert (order["state"], order["refunded_fen"]) == ("COMPLETED", quantity * 12_800)
    back = [fen for kind, fen in await stage.book(purchase.out_trade_no) if kind == "refund"]
    assert sum(back) == quantity * 12_800
    assert {refund["state"] for refund in order["refunds"]} <= {"SUCCEEDED", "REFUSED", "ABANDONED"}
    ids = (purchase.deal.deal_id, purchase.order_id, purchase.attempt_id, *await purchase.unit_ids())
    assert await stage.misfits(*ids) == []


@pytest.mark.parametrize("lose", [closed, suspended])
async def test_a_recall_ends_with_the_money_back(
    stage: Stage, two: Two, lose: Callable[[Stage, Purchase], Event]
) -> None:
    purchase = await bought(stage, two)
    await two.hear(lose(stage, purchase))
    await two.act()
    assert await two.certificates(purchase) == ["REFUNDING"] * 2
    await two.exchange(purchase)
    await two.send_refunds(purchase)
    await two.exchange(purchase)
    await everything_is_back(stage, two, purchase)


@pytest.mark.parametrize("number", ROUNDS)
async def test_a_recall_and_a_buyers_own_request_at_once_end_with_the_money_back_once(
    stage: Stage, two: Two, number: int
) -> None:
    purchase = await bought(stage, two)
    units = await purchase.unit_ids()
    await purchase.refunding(*units[: 1 + number % 2])
    await two.hear(closed(stage, purchase))
    if number % 3:
        # The recall is there before the request; otherwise the request is fenced first.
        await two.act()
    await two.exchange(purchase)
    await two.act()
    await two.exchange(purchase)
    await two.send_refunds(purchase)
    await two.exchange(purchase)
    await everything_is_back(stage, two, purchase)


async def test_a_buyers_refund_that_an_operator_gives_up_is_followed_by_the_recall(stage: Stage, two: Two) -> None:
    purchase = await bought(stage, two)
    buyers = await purchase.refunding()
    await two.exchange(purchase)
    await two.hear(closed(stage, purchase))
    await two.act()
    assert await two.certificates(purchase) == ["REFUNDING"] * 2
    await stage.faults("business_error", "trade.refund", code="ACQ.REASON_TRADE_REFUND_FEE_ERR")
    await two.send_refunds(purchase)
    await stage.no_faults()
    assert await purchase.refund_state(buyers) == "FAILED"
    answer = await stage.put(
        await stage.operator(), f"/admin/refunds/{buyers}/abandonment", {"reason": "the channel refused"}
    )
    assert answer.status_code == 200, answer.text
    await two.exchange(purchase)
    await two.send_refunds(purchase)
    await two.exchange(purchase)
    await everything_is_back(stage, two, purchase)


async def test_codes_that_never_come_end_with_the_money_back(stage: Stage, two: Two) -> None:
    purchase = await bought(stage, two, form=DealForm.THIRD_PARTY_CODE)
    assert await two.certificates(purchase) == ["ISSUING"] * 2
    assert await purchase.state() == "PAID"
    stage.later(minutes=10)
    await two.act()
    await two.exchange(purchase)
    await two.send_refunds(purchase)
    await two.exchange(purchase)
    await everything_is_back(stage, two, purchase)
    assert {refund["cause"] for refund in (await purchase.view())["refunds"]} == {"ISSUE_FAILED"}


@pytest.mark.parametrize("number", ROUNDS)
async def test_a_missing_code_a_recall_and_a_buyers_request_at_once_end_with_the_money_back_once(
    stage: Stage, two: Two, number: int
) -> None:
    purchase = await bought(stage, two, form=DealForm.THIRD_PARTY_CODE)
    stage.later(minutes=10)
    if number % 2:
        await purchase.refunding((await purchase.unit_ids())[0])
    await two.act()
    await two.hear(closed(stage, purchase))
    if number % 3:
        await two.act()
    await two.exchange(purchase)
    await two.act()
    await two.exchange(purchase)
    await two.send_refunds(purchase)
    await two.exchange(purchase)
    await everything_is_back(stage, two, purchase)


async def test_recalled_certificates_are_announced_once_each(stage: Stage, two: Two) -> None:
    purchase = await bought(stage, two)
    for _ in range(3):
        await two.hear(closed(stage, purchase))
        await two.act()
        await two.exchange(purchase)
    async with two.db.transaction() as tx:
        said = await tx.value(
            "select count(*) from history where topic = $1 and aggregate_id = any($2)",
            CertificateRecalled.topic,
            [str(unit_id) for unit_id in await purchase.unit_ids()],
        )
    assert said == 2
