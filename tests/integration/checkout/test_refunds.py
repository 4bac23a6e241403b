"""Refunds behind the fence: asked for, decided elsewhere, sent to a real sandbox, and never paid twice."""

import asyncio
from dataclasses import dataclass, replace
from uuid import UUID

import asyncpg
import pytest

from services.checkout.consumers import fulfilment, handles, refunds
from services.checkout.domain.orders import Order
from services.checkout.domain.payments import Attempt, Trade
from services.checkout.domain.refunds import Refund, RefundAnswer
from services.checkout.gateways import PaymentGateway
from shared.contracts.catalog import DealKind
from shared.contracts.checkout import RefundAbandoned, RefundCause, RefundRequested, RefundSucceeded
from shared.contracts.dispatch import GoodsRefundFenced, GoodsRefundRefused, ParcelFailed, ParcelFailure
from shared.contracts.redemption import CertificateUsed, FencedUnit, RefundFenced, RefundRefused
from shared.errors import NotYet
from shared.ids import derived_id, new_id
from tests.integration.checkout.stage import Deal, Purchase, Stage, a_buyer, code_of

pytestmark = pytest.mark.usefixtures("alipay_sandbox")


async def fence(stage: Stage, purchase: Purchase, refund_id: UUID, *unit_ids: UUID) -> None:
    """Redemption answers that these certificates can no longer be used."""
    event = RefundFenced(
        occurred_at=stage.now(), refund_id=refund_id, order_id=purchase.order_id,
        units=tuple(FencedUnit(unit_id=unit_id, uses_left=1) for unit_id in unit_ids),
    )  # fmt: skip
    await refunds.approve_voucher_refund(event, stage.db)


async def refuse(stage: Stage, purchase: Purchase, refund_id: UUID, code: str = "certificate_used") -> None:
    """Redemption answers that a certificate was used first."""
    event = RefundRefused(occurred_at=stage.now(), refund_id=refund_id, order_id=purchase.order_id, code=code)
    await refunds.refuse_voucher_refund(event, stage.db)


async def use(stage: Stage, purchase: Purchase, unit_id: UUID) -> None:
    """Redemption reports a use."""
    event = CertificateUsed(
        occurred_at=stage.now(), use_id=new_id(), unit_id=unit_id, use_no=1, order_id=purchase.order_id,
        merchant_id=purchase.deal.merchant_id, store_id=purchase.deal.store_id, used_at=stage.now(),
        reversible_until=stage.now(),
    )  # fmt: skip
    await fulfilment.record_use(event, stage.db)


async def fenced(stage: Stage, purchase: Purchase, *unit_ids: UUID) -> UUID:
    """A refund that is about to be sent."""
    units = unit_ids or tuple(await purchase.unit_ids())
    refund_id = await purchase.refunding(*units)
    await fence(stage, purchase, refund_id, *units)
    return refund_id


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
    assert code_of(await purchase.request_refund(used)) == (409, "unit_used")
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


FAULTS = ["commit_then_http_500", "commit_then_html_body", "commit_then_unknown_code", "bad_signature"]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_refund_done_behind_a_spoiled_answer_is_found_by_asking_and_not_sent_again(
    stage: Stage, fault: str
) -> None:
    purchase = await stage.paid()
    refund_id = await fenced(stage, purchase)
    await stage.faults(fault, "trade.refund")
    await stage.act("send_refund", refund_id)
    assert await purchase.refund_state(refund_id) == "UNKNOWN"

    # Whoever sent it again now would learn nothing.
    await stage.faults("http_500", "trade.refund")
    await stage.act_when_due("send_refund", refund_id)
    await stage.no_faults()

    assert await purchase.refund_state(refund_id) == "SUCCEEDED"
    assert await stage.book(purchase.out_trade_no) == [("payment", 12_800), ("refund", 12_800)]


@pytest.mark.parametrize("fault", ["http_500", "unknown_code"])
async def test_an_unknown_outcome_that_was_none_is_sent_again_under_the_same_number(stage: Stage, fault: str) -> None:
    purchase = await stage.paid()
    refund_id = await fenced(stage, purchase)

    await stage.faults(fault, "trade.refund")
    await stage.act("send_refund", refund_id)
    assert await purchase.refund_state(refund_id) == "UNKNOWN"
    assert await stage.said(RefundSucceeded, refund_id) == []

    stage.later(minutes=1)
    await stage.act("send_refund", refund_id)
    assert await purchase.refund_state(refund_id) == "SUCCEEDED"
    assert await stage.book(purchase.out_trade_no) == [("payment", 12_800), ("refund", 12_800)]


async def test_a_throttled_refund_is_simply_sent_again(stage: Stage) -> None:
    purchase = await stage.paid()
    refund_id = await fenced(stage, purchase)

    await stage.faults("throttle", "trade.refund")
    await stage.act("send_refund", refund_id)
    assert await purchase.refund_state(refund_id) == "SENT"
    stage.later(minutes=1)
    await stage.act("send_refund", refund_id)

    assert await purchase.refund_state(refund_id) == "SUCCEEDED"


async def test_a_refusal_that_may_pass_is_tried_again_and_one_that_cannot_waits_for_an_operator(stage: Stage) -> None:
    purchase, operator = await stage.paid(), await stage.operator()
    refund_id = await fenced(stage, purchase)

    await stage.faults("business_error", "trade.refund", code="ACQ.SELLER_BALANCE_NOT_ENOUGH")
    await stage.act("send_refund", refund_id)
    assert await purchase.refund_state(refund_id) == "FAILED"
    stage.later(minutes=1)
    await stage.faults("business_error", "trade.refund", code="ACQ.REASON_TRADE_REFUND_FEE_ERR")
    await stage.act("send_refund", refund_id)
    assert await stage.timer("send_refund", refund_id) is None
    stuck = (await stage.get(operator, "/admin/refunds")).json()["items"]
    assert str(refund_id) in [one["refund_id"] for one in stuck]

    assert code_of(await stage.put(purchase.buyer, f"/admin/refunds/{refund_id}/retry", {"reason": "x"}))[0] == 403
    assert (await stage.put(operator, f"/admin/refunds/{refund_id}/retry", {"reason": "ok now"})).status_code == 202
    await stage.act("send_refund", refund_id)
    assert await purchase.refund_state(refund_id) == "SUCCEEDED"
    answer = await stage.put(operator, f"/admin/refunds/{refund_id}/abandonment", {"reason": "x"})
    assert code_of(answer) == (409, "refund_not_stuck")


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


class Died(BaseException):
    """The process is killed here."""


@dataclass(frozen=True)
class DyingChannel:
    """A channel whose caller dies when it sends a refund: before the call is made, or after it was carried out."""

    real: PaymentGateway
    after: bool

    def pay_link(self, attempt: Attempt, order: Order) -> str:
        return self.real.pay_link(attempt, order)

    async def query(self, attempt: Attempt) -> Trade:
        return await self.real.query(attempt)

    async def close(self, attempt: Attempt) -> Trade:
        return await self.real.close(attempt)

    async def refund(self, refund: Refund, attempt: Attempt) -> RefundAnswer:
        if self.after:
            await self.real.refund(refund, attempt)
        raise Died

    async def query_refund(self, refund: Refund, attempt: Attempt) -> RefundAnswer:
        return await self.real.query_refund(refund, attempt)


@pytest.mark.parametrize("after", [False, True])
async def test_a_process_that_dies_while_sending_leaves_nothing_half_done(stage: Stage, after: bool) -> None:
    purchase = await stage.paid()
    refund_id = await fenced(stage, purchase)
    living = stage.world
    stage.world = replace(living, payments=DyingChannel(living.payments, after))

    with pytest.raises(Died):
        await stage.act("send_refund", refund_id)
    assert await purchase.refund_state(refund_id) == "SENT"

    stage.world = living
    await stage.act("send_refund", refund_id)
    assert await purchase.refund_state(refund_id) == "SUCCEEDED"
    assert await stage.book(purchase.out_trade_no) == [("payment", 12_800), ("refund", 12_800)]
    assert len(await stage.said(RefundSucceeded, refund_id)) == 1


async def test_two_processes_sending_the_same_refund_pay_it_once(stage: Stage) -> None:
    purchase = await stage.paid(quantity=2)
    refund_id = await fenced(stage, purchase, (await purchase.unit_ids())[0])

    await asyncio.gather(*(stage.act("send_refund", refund_id) for _ in range(4)), return_exceptions=True)

    assert await purchase.refund_state(refund_id) == "SUCCEEDED"
    assert await stage.book(purchase.out_trade_no) == [("payment", 25_600), ("refund", 12_800)]
    assert len(await stage.said(RefundSucceeded, refund_id)) == 1
    assert (await purchase.view())["refunded_fen"] == 12_800


async def test_a_delivery_order_is_refunded_as_a_whole_when_dispatch_has_stopped_it(stage: Stage) -> None:
    deal = await stage.sell(Deal(kind=DealKind.GOODS, fee_fen=1_000))
    purchase = await stage.paid(deal, quantity=3)
    units = await purchase.unit_ids()
    assert code_of(await purchase.request_refund(units[0])) == (409, "whole_parcel_only")

    refund_id = await purchase.refunding(*units)
    refused = GoodsRefundRefused(
        occurred_at=stage.now(), refund_id=refund_id, order_id=purchase.order_id, code="parcel_handed_over"
    )
    await refunds.refuse_goods_refund(refused, stage.db)
    assert await purchase.unit_states() == ["OPEN"] * 3

    refund_id = await purchase.refunding(*units)
    event = GoodsRefundFenced(
        occurred_at=stage.now(), refund_id=refund_id, order_id=purchase.order_id, unit_ids=tuple(units)
    )
    await refunds.approve_goods_refund(event, stage.db)
    await stage.act("send_refund", refund_id)

    (done,) = await stage.said(RefundSucceeded, refund_id)
    assert (done.amount_fen, done.kind) == (3 * 12_800 + 1_000, DealKind.GOODS)
    assert await purchase.state() == "COMPLETED"


async def test_a_failed_parcel_is_refunded_once_by_itself(stage: Stage) -> None:
    purchase = await stage.paid(await stage.sell(Deal(kind=DealKind.GOODS)), quantity=2)
    await _fail_parcel(stage, purchase)
    await _fail_parcel(stage, purchase)

    refund_id = derived_id(purchase.order_id, "PARCEL_FAILED")
    (asked,) = await stage.said(RefundRequested, refund_id)
    assert (asked.cause, set(asked.unit_ids)) == (RefundCause.PARCEL_FAILED, set(await purchase.unit_ids()))
    order = await purchase.view()
    assert order["delivery"]["parcel_state"] == "FAILED"
    assert [one["cause"] for one in order["refunds"]] == ["PARCEL_FAILED"]


async def test_a_parcel_that_fails_while_a_refund_is_refused_is_refunded_after_all(stage: Stage) -> None:
    purchase = await stage.paid(await stage.sell(Deal(kind=DealKind.GOODS)))
    asked = await purchase.refunding()
    await _fail_parcel(stage, purchase)
    assert await stage.said(RefundRequested, derived_id(purchase.order_id, "PARCEL_FAILED")) == []

    refused = GoodsRefundRefused(
        occurred_at=stage.now(), refund_id=asked, order_id=purchase.order_id, code="parcel_handed_over"
    )
    await refunds.refuse_goods_refund(refused, stage.db)

    assert len(await stage.said(RefundRequested, derived_id(purchase.order_id, "PARCEL_FAILED"))) == 1
    assert await purchase.unit_states() == ["REFUNDING"]


async def _fail_parcel(stage: Stage, purchase: Purchase) -> None:
    event = ParcelFailed(
        occurred_at=stage.now(), parcel_id=new_id(), order_id=purchase.order_id,
        unit_ids=tuple(await purchase.unit_ids()), failure=ParcelFailure.LOST,
    )  # fmt: skip
    await fulfilment.refund_failed_parcel(event, stage.db)


async def test_every_queue_of_the_contracts_has_its_handler() -> None:
    assert handles.missing() == []
