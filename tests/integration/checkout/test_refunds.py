"""Refunds behind the fence: asked for, decided elsewhere, given back or given up."""

import asyncio

import asyncpg
import pytest

from services.checkout.consumers import handles
from shared.contracts.catalog import DealKind
from shared.contracts.checkout import RefundAbandoned, RefundCause, RefundRequested, RefundSucceeded
from shared.errors import NotYet
from shared.ids import new_id
from tests.integration.checkout.catalog_side import Deal
from tests.integration.checkout.redemption_side import fence, fenced, refuse, use
from tests.integration.checkout.stage import Purchase, Stage, a_buyer, code_of

pytestmark = pytest.mark.usefixtures("alipay_sandbox")


async def test_one_unit_of_three_is_refunded_and_can_be_bought_again(stage: Stage) -> None:
    deal = await stage.sell(Deal(quota=3, limit=3))
    purchase = await stage.paid(deal, quantity=3)
    unit = (await purchase.unit_ids())[1]

    refund_id = await purchase.refunding(unit)
    (asked,) = await stage.said(RefundRequested, refund_id)
    assert (asked.unit_ids, asked.cause, asked.kind) == ((unit,), RefundCause.BUYER, DealKind.VOUCHER)
    assert await purchase.unit_states() == ["OPEN", "REFUNDING", "OPEN"]

    await fence(stage, purchase, refund_id, unit)
    await stage.act("send_refund", refund_id)

    order = await purchase.view()
    assert (order["state"], order["refunded_fen"]) == ("PAID", 12_800)
    assert [one["state"] for one in order["units"]] == ["OPEN", "REFUNDED", "OPEN"]
    (done,) = await stage.said(RefundSucceeded, refund_id)
    assert [(one.unit_id, one.amount_fen) for one in done.units] == [(unit, 12_800)]
    assert await stage.book(purchase.out_trade_no) == [("payment", 38_400), ("refund", 12_800)]
    assert await stage.stock(deal) == (0, 2)
    assert (await stage.place(deal, purchase.buyer)).status_code == 201
    assert await stage.misfits(deal.deal_id, purchase.order_id, purchase.attempt_id, *await purchase.unit_ids()) == []


async def test_an_order_refunded_in_full_is_completed(stage: Stage) -> None:
    purchase = await stage.paid(quantity=2)
    refund_id = await fenced(stage, purchase)
    await stage.act("send_refund", refund_id)

    order = await purchase.view()
    assert (order["state"], order["refunded_fen"]) == ("COMPLETED", 25_600)
    what = [entry["what"] for entry in order["timeline"]]
    assert what[:2] == ["PLACED", "PAID"]
    assert set(what[2:]) == {"REFUND_REQUESTED", "REFUND_SUCCEEDED", "COMPLETED"}


async def test_the_same_request_again_finds_the_same_refund(stage: Stage) -> None:
    purchase = await stage.paid(quantity=2)
    first, second = await purchase.unit_ids()
    refund_id = new_id()

    answers = await asyncio.gather(*(purchase.request_refund(first, refund_id=refund_id) for _ in range(5)))

    assert {answer.status_code for answer in answers} == {201}
    assert len(await stage.said(RefundRequested, refund_id)) == 1
    assert code_of(await purchase.request_refund(second, refund_id=refund_id)) == (409, "id_taken")


async def test_many_requests_for_one_unit_at_once_leave_one_live_refund(stage: Stage) -> None:
    purchase = await stage.paid()
    (unit,) = await purchase.unit_ids()

    answers = await asyncio.gather(*(purchase.request_refund(unit) for _ in range(10)))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
    assert {code_of(answer)[1] for answer in answers if answer.status_code == 409} == {"refund_under_way"}


async def test_the_database_itself_allows_one_live_refund_per_unit(stage: Stage) -> None:
    purchase = await stage.paid()
    (unit,) = await purchase.unit_ids()
    refund_id = await purchase.refunding(unit)

    with pytest.raises(asyncpg.UniqueViolationError):
        async with stage.db.transaction() as tx:
            other = new_id()
            await tx.execute(
                """insert into refunds (refund_id, order_id, attempt_id, cause, state, amount_fen, reason, requested_at)
                   select $2, order_id, attempt_id, cause, state, amount_fen, reason, requested_at
                   from refunds where refund_id = $1""",
                refund_id,
                other,
            )
            await tx.execute("insert into refund_units values ($1, $2, 1)", other, unit)


async def test_what_cannot_be_refunded_is_refused_by_name(stage: Stage) -> None:
    deal = await stage.sell()
    unpaid, purchase = await stage.placed(deal), await stage.paid(deal, quantity=3)
    used, refunded, _ = await purchase.unit_ids()
    assert code_of(await unpaid.request_refund()) == (409, "order_not_paid")
    assert code_of(await purchase.request_refund(new_id())) == (422, "unit_not_of_order")
    stranger = Purchase(stage, deal, a_buyer(), purchase.order_id)
    assert code_of(await stranger.request_refund(used)) == (404, "order_not_found")

    await use(stage, purchase, used)
    assert code_of(await purchase.request_refund(used, refunded)) == (409, "used_units_apart")
    refund_id = await fenced(stage, purchase, refunded)
    assert code_of(await purchase.request_refund(refunded)) == (409, "refund_under_way")
    await stage.act("send_refund", refund_id)
    assert code_of(await purchase.request_refund(refunded)) == (409, "unit_refunded")
    assert code_of(await stage.get(a_buyer(), f"/refunds/{refund_id}")) == (404, "refund_not_found")


async def test_a_refused_fence_gives_the_units_back_and_they_may_be_asked_for_again(stage: Stage) -> None:
    purchase = await stage.paid(quantity=2)
    units = await purchase.unit_ids()
    refund_id = await purchase.refunding(*units)

    # The use that won the race may be reported before or after the refusal.
    await use(stage, purchase, units[0])
    assert await purchase.unit_states() == ["REFUNDING", "REFUNDING"]
    await refuse(stage, purchase, refund_id)

    assert await purchase.unit_states() == ["USED", "OPEN"]
    answer = await stage.get(purchase.buyer, f"/refunds/{refund_id}")
    assert (answer.json()["state"], answer.json()["refused_code"]) == ("REFUSED", "certificate_used")
    assert await purchase.refunding(units[1])


async def test_answers_to_a_fence_may_be_repeated_and_come_late(stage: Stage) -> None:
    purchase = await stage.paid()
    (unit,) = await purchase.unit_ids()
    refund_id = await fenced(stage, purchase)

    await fence(stage, purchase, refund_id, unit)
    await stage.act("send_refund", refund_id)
    await fence(stage, purchase, refund_id, unit)
    await refuse(stage, purchase, refund_id)

    assert await purchase.refund_state(refund_id) == "SUCCEEDED"
    assert len(await stage.said(RefundSucceeded, refund_id)) == 1
    with pytest.raises(NotYet):
        await fence(stage, purchase, new_id(), unit)


async def test_a_fence_that_never_answers_is_shown_to_an_operator_who_may_give_it_up(stage: Stage) -> None:
    purchase, operator = await stage.paid(), await stage.operator()
    refund_id = await purchase.refunding()
    stage.later(minutes=31)
    await stage.act("fence_overdue", refund_id)
    stuck = (await stage.get(operator, "/admin/refunds")).json()["items"]
    assert str(refund_id) in [one["refund_id"] for one in stuck]

    for _ in range(2):
        answer = await stage.put(operator, f"/admin/refunds/{refund_id}/abandonment", {"reason": "buyer agreed"})
        assert (answer.status_code, answer.json()["state"]) == (200, "ABANDONED")

    assert await purchase.unit_states() == ["OPEN"]
    assert len(await stage.said(RefundAbandoned, refund_id)) == 1
    # The fence answers after all: nothing may move any more.
    await fence(stage, purchase, refund_id, *await purchase.unit_ids())
    assert await stage.timer("send_refund", refund_id) is None


async def test_every_queue_of_the_contracts_has_its_handler() -> None:
    assert handles.missing() == []
