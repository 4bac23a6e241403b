"""Money that went back at the channel itself: recorded once, never sent, whatever else was going on."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from services.checkout.consumers import losses
from services.checkout.domain.refusals import TradeNotOfOrder
from services.checkout.use_cases.schedule import OF_REFUNDS
from shared.contracts.catalog import DealKind, StaffRole
from shared.contracts.checkout import DisputeClosed, RefundAbandoned, RefundCause, RefundRequested, RefundSucceeded
from shared.contracts.settlement import ExternalRefundFound
from shared.errors import NotYet
from shared.ids import new_id
from tests.integration.checkout.catalog_side import Deal
from tests.integration.checkout.channel_side import WHOLE, found, outside
from tests.integration.checkout.redemption_side import fence, fenced, finish, use
from tests.integration.checkout.review_side import Dispute, contested, in_arbitration, in_review, used
from tests.integration.checkout.stage import Purchase, Stage, code_of

pytestmark = pytest.mark.usefixtures("alipay_sandbox")


async def hear(stage: Stage, event: ExternalRefundFound) -> UUID:
    await losses.record_external_refund(event, stage.db)
    return event.refund_id


async def refund_of(purchase: Purchase, refund_id: UUID) -> dict[str, Any]:
    (refund,) = [one for one in (await purchase.view())["refunds"] if one["refund_id"] == str(refund_id)]
    return dict(refund)


async def misfits(stage: Stage, purchase: Purchase) -> list[dict[str, str]]:
    ids = (purchase.deal.deal_id, purchase.order_id, purchase.attempt_id, *await purchase.unit_ids())
    return await stage.misfits(*ids)


async def test_a_whole_refund_at_the_channel_refunds_everything_here_and_sends_nothing(stage: Stage) -> None:
    purchase = await stage.paid(quantity=2)
    await outside(stage, purchase, 2 * WHOLE)
    event = found(stage, purchase, 2 * WHOLE)
    refund_id = await hear(stage, event)
    await hear(stage, event)
    await hear(stage, event.model_copy(update={"event_id": new_id()}))

    order = await purchase.view()
    assert (order["state"], order["refunded_fen"]) == ("COMPLETED", 2 * WHOLE)
    assert await purchase.unit_states() == ["REFUNDED"] * 2
    refund = await refund_of(purchase, refund_id)
    assert (refund["state"], refund["cause"], refund["amount_fen"]) == ("SUCCEEDED", "EXTERNAL", 2 * WHOLE)
    (said,) = await stage.said(RefundSucceeded, refund_id)
    assert (said.external, said.cause, len(said.units)) == (True, RefundCause.EXTERNAL, 2)
    assert "REFUNDED_OUTSIDE" in [entry["what"] for entry in order["timeline"]]
    assert await stage.timer("send_refund", refund_id) is None
    assert await stage.book(purchase.out_trade_no) == [("payment", 2 * WHOLE), ("refund", 2 * WHOLE)]
    assert await stage.stock(purchase.deal) == (0, 0)
    assert await stage.incident_of(purchase.order_id) is None
    assert await misfits(stage, purchase) == []


async def test_an_unused_unit_is_taken_before_a_used_one_and_a_used_one_if_there_is_no_other(stage: Stage) -> None:
    purchase = await stage.paid(quantity=2)
    first, _ = await purchase.unit_ids()
    await finish(stage, await use(stage, purchase, first))
    event = found(stage, purchase, WHOLE)
    await hear(stage, event)
    await hear(stage, event.model_copy(update={"event_id": new_id()}))
    assert await purchase.unit_states() == ["FINAL", "REFUNDED"]
    await hear(stage, found(stage, purchase, WHOLE, "merchant-2"))
    assert await purchase.unit_states() == ["REFUNDED", "REFUNDED"]
    assert (await purchase.view())["refunded_fen"] == 2 * WHOLE
    assert await stage.stock(purchase.deal) == (0, 1), "what was used is not for sale again"
    assert await misfits(stage, purchase) == []


@pytest.mark.parametrize("approved", [False, True])
async def test_a_refund_that_waits_for_the_same_unit_is_ended_and_never_sent(stage: Stage, approved: bool) -> None:
    purchase = await stage.paid(quantity=2)
    unit, other = await purchase.unit_ids()
    waiting = await purchase.refunding(other)
    if approved:
        await fence(stage, purchase, waiting, other)
    await outside(stage, purchase, WHOLE)
    await hear(stage, found(stage, purchase, WHOLE))
    assert await purchase.unit_states() == ["OPEN", "REFUNDED"], "what was asked for is what was refunded"
    assert await purchase.refund_state(waiting) == "ABANDONED"
    assert await stage.said(RefundAbandoned, waiting) == [], "the fence is taken over"
    if not approved:
        await fence(stage, purchase, waiting, other)
    assert (await stage.timer("send_refund", waiting), await stage.timer("fence_overdue", waiting)) == (None, None)
    assert await stage.book(purchase.out_trade_no) == [("payment", 2 * WHOLE), ("refund", WHOLE)]
    assert await misfits(stage, purchase) == []
    assert unit != other


async def test_a_refused_refund_that_would_be_sent_again_is_ended(stage: Stage) -> None:
    purchase = await stage.paid()
    failed = await fenced(stage, purchase)
    await stage.faults("business_error", "trade.refund", code="ACQ.SELLER_BALANCE_NOT_ENOUGH")
    await stage.act("send_refund", failed)
    assert await purchase.refund_state(failed) == "FAILED"
    await hear(stage, found(stage, purchase, WHOLE))
    assert (await purchase.refund_state(failed), await stage.timer("send_refund", failed)) == ("ABANDONED", None)
    assert await purchase.unit_states() == ["REFUNDED"]


async def test_what_a_refund_held_beside_it_is_free_again(stage: Stage) -> None:
    purchase = await stage.paid(quantity=2)
    first, second = await purchase.unit_ids()
    waiting = await fenced(stage, purchase, first, second)
    await hear(stage, found(stage, purchase, WHOLE))
    assert await purchase.unit_states() == ["REFUNDED", "OPEN"]
    (released,) = await stage.said(RefundAbandoned, waiting)
    assert released.unit_ids == (second,)
    again = await fenced(stage, purchase, second)
    await stage.act("send_refund", again)
    assert await purchase.unit_states() == ["REFUNDED", "REFUNDED"]
    assert await misfits(stage, purchase) == []


@pytest.mark.parametrize("reached", [in_review, contested, in_arbitration])
async def test_a_review_whose_money_went_back_at_the_channel_is_over_for_all_it_was_about(
    stage: Stage, reached: Callable[[Stage, Purchase], Awaitable[Dispute]]
) -> None:
    purchase = await used(stage, quantity=2)
    reviewed = (await reached(stage, purchase)).refund_id
    await hear(stage, found(stage, purchase, WHOLE))
    (closed,) = await stage.said(DisputeClosed, reviewed)
    assert set(closed.unit_ids) == set(await purchase.unit_ids())
    assert await purchase.unit_states() == ["REFUNDED", "USED"]
    assert await purchase.refund_state(reviewed) == "ABANDONED"
    assert [await stage.timer(kind, reviewed) for kind in OF_REFUNDS] == [None] * len(OF_REFUNDS)
    assert await stage.stock(purchase.deal) == (0, 2), "what was used is not for sale again"
    assert await misfits(stage, purchase) == []


@pytest.mark.parametrize("ends", ["SUCCEEDED", "FAILED"])
async def test_while_a_refund_is_under_way_the_news_waits_for_its_end(stage: Stage, ends: str) -> None:
    purchase = await stage.paid(quantity=2)
    unit, _ = await purchase.unit_ids()
    sent = await fenced(stage, purchase, unit)
    await stage.faults("http_500", "trade.refund")
    await stage.act("send_refund", sent)
    assert await purchase.refund_state(sent) == "UNKNOWN"
    event = found(stage, purchase, WHOLE)
    with pytest.raises(NotYet):
        await hear(stage, event)
    if ends == "FAILED":
        await stage.faults("business_error", "trade.refund", code="ACQ.REASON_TRADE_REFUND_FEE_ERR")
    await stage.act_when_due("send_refund", sent)
    await hear(stage, event)
    states = await purchase.unit_states()
    assert states == (["REFUNDED", "REFUNDED"] if ends == "SUCCEEDED" else ["REFUNDED", "OPEN"])
    assert await purchase.refund_state(sent) == ("SUCCEEDED" if ends == "SUCCEEDED" else "ABANDONED")


async def test_a_refund_of_ours_in_the_book_is_not_another_one(stage: Stage) -> None:
    purchase = await stage.paid()
    ours = await fenced(stage, purchase)
    await stage.faults("commit_then_http_500", "trade.refund")
    await stage.act("send_refund", ours)
    assert await purchase.refund_state(ours) == "UNKNOWN"
    event = found(stage, purchase, WHOLE, ours.hex)
    await hear(stage, event)
    await stage.act("send_refund", ours)
    await hear(stage, event.model_copy(update={"event_id": new_id()}))
    assert [one["state"] for one in (await purchase.view())["refunds"]] == ["SUCCEEDED"]
    assert await stage.book(purchase.out_trade_no) == [("payment", WHOLE), ("refund", WHOLE)]


async def test_a_refund_of_ours_that_we_took_for_refused_is_settled_under_its_number(stage: Stage) -> None:
    purchase = await stage.paid()
    ours = await fenced(stage, purchase)
    await stage.faults("business_error", "trade.refund", code="ACQ.REASON_TRADE_REFUND_FEE_ERR")
    await stage.act("send_refund", ours)
    await hear(stage, found(stage, purchase, WHOLE, ours.hex))
    await stage.act("send_refund", ours)
    assert [one["state"] for one in (await purchase.view())["refunds"]] == ["SUCCEEDED"]


async def test_the_news_ahead_of_the_payment_waits_and_another_trades_is_refused(stage: Stage) -> None:
    purchase = await stage.placed(await stage.sell())
    event = found(stage, purchase, WHOLE)
    with pytest.raises(NotYet):
        await hear(stage, event)
    with pytest.raises(NotYet):
        await hear(stage, found(stage, purchase, WHOLE, order_id=new_id()))
    await purchase.pay()
    with pytest.raises(TradeNotOfOrder):
        await hear(stage, found(stage, purchase, WHOLE, out_trade_no=new_id().hex))
    await hear(stage, event)
    assert await purchase.unit_states() == ["REFUNDED"]


async def test_the_news_and_the_sender_at_once_never_both_take_the_unit(stage: Stage) -> None:
    outcomes = set()
    for number in range(24):
        purchase = await stage.paid()
        waiting = await fenced(stage, purchase)
        event = found(stage, purchase, WHOLE)

        async def news(event: ExternalRefundFound = event, number: int = number) -> bool:
            await asyncio.sleep(number % 8 * 0.0007)
            try:
                await hear(stage, event)
            except NotYet:
                return False
            return True

        taken, _ = await asyncio.gather(news(), stage.act("send_refund", waiting))
        state = await purchase.refund_state(waiting)
        sent = ("refund", WHOLE) in await stage.book(purchase.out_trade_no)
        incident = await stage.incident_of(purchase.order_id)
        # Before the sender: it sends nothing. While it sends: later. After it: nothing is left that it could be for.
        assert (taken, state, sent, incident is not None) in {
            (True, "ABANDONED", False, False),
            (False, "SUCCEEDED", True, False),
            (True, "SUCCEEDED", True, True),
        }
        outcomes.add((taken, state))
    assert len(outcomes) > 1, "a race that one side always wins proves nothing"


async def test_an_amount_that_fits_no_units_waits_for_an_operator_who_names_them(stage: Stage) -> None:
    purchase, operator = await stage.paid(await stage.sell(Deal(uses=4))), await stage.operator()
    (card,) = await purchase.unit_ids()
    await use(stage, purchase, card)
    refund_id = await hear(stage, found(stage, purchase, WHOLE))
    incident = await stage.incident_of(purchase.order_id)
    assert incident is not None
    assert (incident["kind"], incident["claimed_fen"]) == ("EXTERNAL_REFUND", WHOLE)
    assert incident["incident_id"] == str(refund_id)
    assert str(refund_id) in await waiting_ids(stage, operator)
    assert await purchase.unit_states() == ["OPEN"]

    for _ in range(2):
        answer = await allocate(stage, operator, refund_id, card)
        assert (answer.status_code, answer.json()["state"], answer.json()["amount_fen"]) == (200, "SUCCEEDED", WHOLE)
    assert await purchase.unit_states() == ["REFUNDED"]
    assert await stage.incident_of(purchase.order_id) is None
    assert str(refund_id) not in await waiting_ids(stage, operator)
    assert await misfits(stage, purchase) == []


async def waiting_ids(stage: Stage, operator: str) -> list[str]:
    answer = await stage.get(operator, "/admin/external-refunds")
    assert answer.status_code == 200, answer.text
    return [one["refund_id"] for one in answer.json()["items"]]


async def allocate(stage: Stage, who: str, refund_id: UUID, *unit_ids: UUID, together_with: tuple[UUID, ...] = ()) -> (
    Any
):  # fmt: skip
    body = {"unit_ids": [str(one) for one in unit_ids], "together_with": [str(one) for one in together_with]}
    return await stage.put(who, f"/admin/external-refunds/{refund_id}/allocation", body)


async def test_two_parts_of_one_refund_at_the_channel_are_one_here(stage: Stage) -> None:
    purchase, operator = await stage.paid(quantity=2), await stage.operator()
    unit, other = await purchase.unit_ids()
    parts = [await hear(stage, found(stage, purchase, fen, f"part-{fen}")) for fen in (10_000, 2_800)]
    assert code_of(await allocate(stage, operator, parts[0], unit)) == (409, "allocation_does_not_fit")
    for _ in range(2):
        answer = await allocate(stage, operator, parts[0], unit, together_with=(parts[1],))
        assert (answer.status_code, answer.json()["amount_fen"]) == (200, WHOLE)
    assert code_of(await allocate(stage, operator, parts[1], other)) == (409, "external_refund_allocated")
    assert await purchase.unit_states() == ["REFUNDED", "OPEN"]
    assert await stage.incident_of(purchase.order_id) is None
    assert await misfits(stage, purchase) == []


async def test_an_allocation_that_cannot_be_is_refused(stage: Stage) -> None:
    purchase, other, operator = await stage.paid(quantity=2), await stage.paid(), await stage.operator()
    unit, second = await purchase.unit_ids()
    refund_id = await hear(stage, found(stage, purchase, 5_000))
    foreign = await hear(stage, found(stage, other, 5_000))
    owner = await stage.staff(purchase.deal, StaffRole.OWNER)
    stranger = (await other.unit_ids())[0]
    table = [
        (await allocate(stage, owner, refund_id, unit), (403, "forbidden")),
        (await allocate(stage, operator, new_id(), unit), (404, "external_refund_not_found")),
        (
            await allocate(stage, operator, refund_id, unit, together_with=(new_id(),)),
            (404, "external_refund_not_found"),
        ),
        (
            await allocate(stage, operator, refund_id, unit, together_with=(foreign,)),
            (404, "external_refund_not_found"),
        ),
        (await allocate(stage, operator, refund_id, stranger), (422, "unit_not_of_order")),
        (await allocate(stage, operator, refund_id, unit), (409, "allocation_does_not_fit")),
        (await allocate(stage, operator, refund_id, unit, second), (409, "allocation_does_not_fit")),
        (await allocate(stage, operator, refund_id), (422, "malformed_input")),
    ]
    for answer, refusal in table:
        assert code_of(answer) == refusal
    assert code_of(await stage.get(owner, "/admin/external-refunds"))[0] == 403
    assert await purchase.unit_states() == ["OPEN", "OPEN"]


async def test_no_allocation_while_a_refund_of_the_order_is_under_way(stage: Stage) -> None:
    purchase, operator = await stage.paid(quantity=2), await stage.operator()
    unit, other = await purchase.unit_ids()
    parts = [await hear(stage, found(stage, purchase, fen, f"part-{fen}")) for fen in (10_000, 2_800)]
    sent = await fenced(stage, purchase, unit)
    await stage.faults("http_500", "trade.refund")
    await stage.act("send_refund", sent)
    answer = await allocate(stage, operator, parts[0], other, together_with=(parts[1],))
    assert code_of(answer) == (409, "refund_under_way")
    await stage.no_faults()


async def test_an_incident_that_was_a_mistake_is_resolved_without_an_allocation(stage: Stage) -> None:
    purchase, operator = await stage.paid(), await stage.operator()
    refund_id = await hear(stage, found(stage, purchase, 5_000))
    body = {"reason": "typed for the wrong trade"}
    assert (await stage.put(operator, f"/admin/incidents/{refund_id}/resolution", body)).status_code == 204
    assert await stage.incident_of(purchase.order_id) is None
    assert str(refund_id) not in await waiting_ids(stage, operator)
    assert await purchase.unit_states() == ["OPEN"]


async def test_goods_of_which_a_part_was_refunded_outside_can_still_be_refunded_for_the_rest(stage: Stage) -> None:
    purchase = await stage.paid(await stage.sell(Deal(kind=DealKind.GOODS)), quantity=2)
    waiting = await purchase.refunding()
    refund_id = await hear(stage, found(stage, purchase, WHOLE))
    (given_up,) = await stage.said(RefundAbandoned, waiting)
    assert len(given_up.unit_ids) == 2, "a parcel is one thing"
    (said,) = await stage.said(RefundSucceeded, refund_id)
    rest = [one for one in await purchase.unit_ids() if one != said.units[0].unit_id]
    (request,) = await stage.said(RefundRequested, await purchase.refunding(*rest))
    assert list(request.unit_ids) == rest


async def test_a_use_that_is_told_after_the_money_went_back_outside_changes_nothing(stage: Stage) -> None:
    purchase = await stage.paid()
    (unit,) = await purchase.unit_ids()
    await hear(stage, found(stage, purchase, WHOLE))
    await finish(stage, await use(stage, purchase, unit))
    assert await purchase.unit_states() == ["REFUNDED"]
    assert await misfits(stage, purchase) == []
