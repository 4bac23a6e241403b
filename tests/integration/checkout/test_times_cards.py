"""Times-cards: a card is open until its last use, and what is left of it goes back."""

from itertools import permutations

import pytest

from services.checkout.consumers import fulfilment
from shared.contracts.catalog import DealForm
from shared.contracts.checkout import OrderPaid, RefundSucceeded
from tests.integration.checkout.catalog_side import Deal
from tests.integration.checkout.redemption_side import a_use, fence, finish, refuse, use
from tests.integration.checkout.stage import Stage, code_of

pytestmark = pytest.mark.usefixtures("alipay_sandbox")

PRICE_FEN = 10_000
"""Over three uses: 3334, 3333, 3333."""


def card(quota: int = 100) -> Deal:
    return Deal(form=DealForm.TIMES_CARD, price_fen=PRICE_FEN, uses=3, quota=quota)


async def test_a_card_is_paid_once_and_worth_its_uses(stage: Stage) -> None:
    purchase = await stage.paid(await stage.sell(card()), quantity=2)

    (paid,) = await stage.said(OrderPaid, purchase.order_id)
    assert [[one.paid_fen for one in unit.uses] for unit in paid.units] == [[3_334, 3_333, 3_333]] * 2
    assert paid.paid_fen == 2 * PRICE_FEN
    unit = (await purchase.view())["units"][0]
    assert (unit["paid_fen"], unit["uses"], unit["uses_left"]) == (PRICE_FEN, 3, 3)


async def test_a_part_used_card_pays_back_the_uses_that_are_left(stage: Stage) -> None:
    deal = await stage.sell(card(quota=2))
    purchase = await stage.paid(deal, quantity=2)
    first, second = await purchase.unit_ids()
    await use(stage, purchase, first)
    assert (await purchase.view())["units"][0]["uses_left"] == 2
    assert await purchase.unit_states() == ["OPEN", "OPEN"]

    asked = await purchase.request_refund(first)
    assert asked.json()["amount_fen"] == 6_666
    refund_id = asked.json()["refund_id"]
    await fence(stage, purchase, refund_id, first, uses_left=2)
    await stage.act("send_refund", refund_id)

    order = await purchase.view()
    assert ([one["state"] for one in order["units"]], order["refunded_fen"]) == (["REFUNDED", "OPEN"], 6_666)
    (done,) = await stage.said(RefundSucceeded, refund_id)
    assert [(one.unit_id, one.amount_fen) for one in done.units] == [(first, 6_666)]
    assert await stage.book(purchase.out_trade_no) == [("payment", 2 * PRICE_FEN), ("refund", 6_666)]
    assert await stage.misfits(deal.deal_id, purchase.order_id, purchase.attempt_id, first, second) == []


async def test_what_is_left_is_redemptions_word_not_checkouts(stage: Stage) -> None:
    purchase = await stage.paid(await stage.sell(card()))
    (unit,) = await purchase.unit_ids()
    refund_id = await purchase.refunding()

    # Two uses won before the fence; their reports are still under way.
    await fence(stage, purchase, refund_id, unit, uses_left=1)
    for use_no in (1, 2):
        await use(stage, purchase, unit, use_no)
    await stage.act("send_refund", refund_id)

    assert (await stage.said(RefundSucceeded, refund_id))[0].amount_fen == 3_333
    assert (await purchase.state(), await purchase.unit_states()) == ("COMPLETED", ["REFUNDED"])


async def test_a_refused_fence_leaves_a_card_open_as_long_as_a_use_is_left(stage: Stage) -> None:
    purchase = await stage.paid(await stage.sell(card()), quantity=2)
    part_used, used_up = await purchase.unit_ids()
    refund_id = await purchase.refunding(part_used, used_up)
    await use(stage, purchase, part_used)
    for use_no in (1, 2, 3):
        await use(stage, purchase, used_up, use_no)

    await refuse(stage, purchase, refund_id)

    assert await purchase.unit_states() == ["OPEN", "USED"]
    assert (await purchase.request_refund(used_up)).json()["cause"] == "AFTER_USE"
    assert (await purchase.request_refund(part_used)).status_code == 201


async def test_a_card_is_final_with_its_last_use_however_its_reports_arrive(stage: Stage) -> None:
    deal = await stage.sell(card())
    for order in permutations((1, 2, 3)):
        purchase = await stage.paid(deal)
        (unit,) = await purchase.unit_ids()
        for use_no in order[:2]:
            used = await use(stage, purchase, unit, use_no)
            await fulfilment.record_use(used, stage.db)
            await finish(stage, used)
            await finish(stage, used)
        assert (await purchase.state(), await purchase.unit_states()) == ("FULFILLING", ["OPEN"]), order

        last = await use(stage, purchase, unit, order[2])
        assert await purchase.unit_states() == ["USED"], order
        await finish(stage, last)
        assert (await purchase.state(), await purchase.unit_states()) == ("COMPLETED", ["FINAL"]), order


async def test_a_use_whose_finality_overtakes_it_counts_once(stage: Stage) -> None:
    purchase = await stage.paid(await stage.sell(card()))
    (unit,) = await purchase.unit_ids()
    first = a_use(stage, purchase, unit, 1)

    await finish(stage, first)
    await fulfilment.record_use(first, stage.db)

    assert (await purchase.view())["units"][0]["uses_left"] == 2
    await use(stage, purchase, unit, 2)
    assert await purchase.unit_states() == ["OPEN"]


async def test_a_card_cheaper_than_its_uses_is_not_sold(stage: Stage) -> None:
    deal = await stage.sell(Deal(form=DealForm.TIMES_CARD, price_fen=9, uses=10))

    assert code_of(await stage.place(deal, "anybody")) == (409, "deal_offline")
