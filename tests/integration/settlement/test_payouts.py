"""The daily run and its payments: claimed once, paid once, whatever is repeated, killed, refused or unknown."""

import asyncio
from datetime import timedelta

import pytest

from services.settlement import consumers
from services.settlement.domain.payouts import Instruction, run_moment
from services.settlement.gateways import RailAnswer, World
from services.settlement.use_cases import pay, run
from shared.alipay import Outcome
from shared.contracts.catalog import PayoutAccountState, Rail
from shared.contracts.settlement import PaidUse, PayoutFailed, PayoutPaid
from tests.integration.settlement.stage import NOT_SENT, OK, REFUSED, UNKNOWN, ScriptedRail, Stage


class Killed(BaseException):
    """The process dies here."""


class KilledAfterPaying(ScriptedRail):
    async def pay(self, instruction: Instruction) -> RailAnswer:
        await super().pay(instruction)
        raise Killed


async def test_a_final_use_is_paid_on_the_next_day_less_the_fee(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant)
    await stage.use(order)
    await stage.settle(merchant)
    assert await stage.states(order) == ["PAID"]
    assert await stage.postings(order) == {"CHANNEL_RECEIVED": 12_800, "CHANNEL_PAID": -12_723, "CHANNEL_FEE": -77}
    (instruction,) = await stage.instructions(merchant)
    (paid,) = await stage.said(PayoutPaid, instruction["instruction_id"])
    assert (paid.gross_fen, paid.fee_fen, paid.net_fen) == (12_800, 77, 12_723)
    assert paid.uses == (PaidUse(unit_id=order.units[0].unit_id, use_no=1),)


async def test_nothing_is_paid_on_the_day_of_the_use(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant)
    await stage.use(order)
    await stage.run()
    assert await stage.states(order) == ["FINAL"]


async def test_a_use_that_is_not_final_is_not_paid(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant)
    await stage.use(order, final=False)
    await stage.settle(merchant)
    assert await stage.states(order) == ["USED"]


async def test_one_trade_gets_one_instruction_and_its_fee_is_shared_to_the_fen(stage: Stage) -> None:
    merchant = await stage.merchant()
    order, other = await stage.pay(merchant, 6_400, 6_400), await stage.pay(merchant, 1_000)
    await stage.use(order, 0)
    await stage.use(order, 1)
    await stage.use(other)
    await stage.settle(merchant)
    instructions = await stage.instructions(merchant)
    assert sorted((one["gross_fen"], one["fee_fen"]) for one in instructions) == [(1_000, 6), (12_800, 77)]
    assert len({one["payout_id"] for one in instructions}) == 1
    assert await stage.misfits() == []


async def test_a_run_made_twice_claims_nothing_the_second_time(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant)
    await stage.use(order)
    stage.next_day()
    await stage.run()
    await stage.run()
    assert len(await stage.instructions(merchant)) == 1


async def test_ten_runs_at_once_claim_every_use_once(stage: Stage) -> None:
    merchant = await stage.merchant()
    orders = [await stage.pay(merchant, 3_000, 3_000) for _ in range(10)]
    for order in orders:
        await stage.use(order, 0)
        await stage.use(order, 1)
    stage.next_day()
    await asyncio.gather(*(stage.run() for _ in range(10)))
    instructions = await stage.instructions(merchant)
    assert len(instructions) == 10
    assert sum(one["gross_fen"] for one in instructions) == 60_000
    assert await stage.misfits() == []


async def test_a_use_that_arrives_late_joins_the_next_run_of_the_same_day(stage: Stage) -> None:
    merchant = await stage.merchant()
    early, late = await stage.pay(merchant), await stage.pay(merchant)
    await stage.use(early)
    late_use = stage.used(late)
    stage.next_day()
    await stage.run()
    await consumers.record_use(late_use, stage.db)
    await consumers.finalise_use(stage.final(late_use), stage.db)
    await stage.run()
    page = await stage.get(f"/merchants/{merchant.merchant_id}/payouts", merchant.finance)
    assert [(item["sequence"], item["uses"]) for item in page["items"]] == [(2, 1), (1, 1)]


async def test_a_run_killed_between_claim_and_call_pays_once_when_resumed(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant)
    await stage.use(order)
    stage.next_day()
    await stage.run()
    (claimed,) = await stage.instructions(merchant)
    async with stage.db.transaction() as tx:
        await pay.begin_sending(tx, claimed["instruction_id"])
    await stage.run()
    await stage.send_all(merchant)
    assert stage.rail.paid == {claimed["instruction_id"].hex: 12_800}
    assert await stage.states(order) == ["PAID"]


async def test_a_process_killed_after_the_call_repeats_the_same_number(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant)
    await stage.use(order)
    stage.next_day()
    await stage.run()
    (claimed,) = await stage.instructions(merchant)
    dying = KilledAfterPaying(paid=stage.rail.paid)
    with pytest.raises(Killed):
        await stage.send(claimed["instruction_id"], World(stage.world.terms, {Rail.ZHIFUTONG: dying}))
    assert await stage.states(order) == ["CLAIMED"]
    await stage.send_all(merchant)
    assert stage.rail.calls == [claimed["instruction_id"].hex]
    assert stage.rail.paid == {claimed["instruction_id"].hex: 12_800}
    assert (await stage.postings(order))["CHANNEL_PAID"] == -12_723


async def test_an_unknown_answer_is_asked_again_under_the_same_number(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant)
    await stage.use(order)
    stage.rail.script = [UNKNOWN, NOT_SENT, OK]
    await stage.settle(merchant)
    page = await stage.get(f"/merchants/{merchant.merchant_id}/payouts", merchant.finance)
    assert page["items"][0]["state"] == "UNKNOWN"
    await stage.send_all(merchant)
    (undecided,) = await stage.instructions(merchant)
    assert undecided["state"] == "UNKNOWN"
    await stage.send_all(merchant)
    assert len(set(stage.rail.calls)) == 1
    assert await stage.states(order) == ["PAID"]


async def test_a_call_that_never_left_is_due_again(stage: Stage) -> None:
    merchant = await stage.merchant()
    await stage.use(await stage.pay(merchant))
    stage.rail.script = [NOT_SENT]
    await stage.settle(merchant)
    (instruction,) = await stage.instructions(merchant)
    assert (instruction["state"], instruction["attempts"]) == ("DUE", 0)


async def test_two_answers_to_one_instruction_pay_once(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant)
    await stage.use(order)
    stage.next_day()
    await stage.run()
    (claimed,) = await stage.instructions(merchant)
    await asyncio.gather(*(stage.send(claimed["instruction_id"]) for _ in range(5)))
    assert len(await stage.said(PayoutPaid, claimed["instruction_id"])) == 1
    assert (await stage.postings(order))["CHANNEL_PAID"] == -12_723


async def test_a_refused_payment_waits_for_the_operator_and_is_paid_under_a_new_number(stage: Stage) -> None:
    merchant, operator = await stage.merchant(), await stage.operator()
    order = await stage.pay(merchant)
    await stage.use(order)
    stage.rail.script = [REFUSED]
    await stage.settle(merchant)
    (failed,) = await stage.instructions(merchant)
    (said,) = await stage.said(PayoutFailed, failed["instruction_id"])
    assert said.code == "ACQ.TRADE_STATUS_ERROR"
    assert await stage.states(order) == ["CLAIMED"]
    address = f"/admin/instructions/{failed['instruction_id']}/retry"
    headers = {"Authorization": f"Bearer {operator}"}
    first, again = await stage.http.put(address, headers=headers), await stage.http.put(address, headers=headers)
    assert first.status_code == 200, first.text
    assert first.json()["instruction_id"] == again.json()["instruction_id"] != str(failed["instruction_id"])
    await stage.send_all(merchant)
    assert await stage.states(order) == ["PAID"]
    page = await stage.get(f"/merchants/{merchant.merchant_id}/payouts", merchant.finance)
    assert [(item["state"], item["gross_fen"], item["uses"]) for item in page["items"]] == [("PAID", 12_800, 1)]
    assert await stage.misfits() == []


async def test_a_payment_that_has_not_failed_cannot_be_made_again(stage: Stage) -> None:
    merchant, operator = await stage.merchant(), await stage.operator()
    await stage.use(await stage.pay(merchant))
    stage.rail.script = [UNKNOWN]
    await stage.settle(merchant)
    (unknown,) = await stage.instructions(merchant)
    answer = await stage.http.put(
        f"/admin/instructions/{unknown['instruction_id']}/retry", headers={"Authorization": f"Bearer {operator}"}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "instruction_not_failed")


async def test_an_instruction_already_on_its_way_is_asked_about_even_if_the_account_changed(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant)
    await stage.use(order)
    stage.rail.script = [UNKNOWN]
    await stage.settle(merchant)
    await stage.set_account(merchant, PayoutAccountState.SUBMITTED, version=2)
    await stage.send_all(merchant)
    assert await stage.states(order) == ["PAID"]


async def test_a_trade_on_a_rail_that_cannot_pay_third_parties_is_not_claimed(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant, rail=Rail.TRANSFER)
    await stage.use(order)
    await stage.settle(merchant)
    assert await stage.states(order) == ["FINAL"]


async def test_without_partial_confirms_a_trade_is_paid_when_its_last_use_is_final(stage: Stage) -> None:
    stage.rail.partial_confirms = False
    merchant = await stage.merchant()
    order = await stage.pay(merchant, 6_400, 6_400)
    await stage.use(order, 0)
    await stage.settle(merchant)
    assert await stage.states(order) == ["FINAL", "HELD"]
    await stage.use(order, 1)
    await stage.settle(merchant)
    assert await stage.states(order) == ["PAID", "PAID"]
    (instruction,) = await stage.instructions(merchant)
    assert instruction["gross_fen"] == 12_800


async def test_a_fee_that_the_channel_reports_differently_is_corrected_by_a_posting(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant)
    await stage.use(order)
    stage.rail.script = [RailAnswer(Outcome.OK, fee_fen=76)]
    await stage.settle(merchant)
    assert (await stage.postings(order))["CHANNEL_FEE"] == -76
    (instruction,) = await stage.instructions(merchant)
    (paid,) = await stage.said(PayoutPaid, instruction["instruction_id"])
    assert (paid.fee_fen, paid.net_fen) == (76, 12_724)
    assert await stage.misfits() == []


async def test_a_fee_is_corrected_from_the_bill_any_number_of_times(stage: Stage) -> None:
    merchant, operator = await stage.merchant(), await stage.operator()
    order = await stage.pay(merchant)
    await stage.use(order)
    await stage.settle(merchant)
    (instruction,) = await stage.instructions(merchant)
    for fee_fen in (78, 78, 77, 78):
        answer = await stage.http.put(
            f"/admin/instructions/{instruction['instruction_id']}/fee",
            json={"taken_fen": fee_fen},
            headers={"Authorization": f"Bearer {operator}"},
        )
        assert answer.status_code == 204, answer.text
        assert (await stage.postings(order))["CHANNEL_FEE"] == -fee_fen
    page = await stage.get(f"/merchants/{merchant.merchant_id}/payouts", merchant.finance)
    assert page["items"][0]["net_fen"] == 12_800 - 78


async def test_the_daily_run_makes_up_for_missed_days_and_sets_the_next(stage: Stage) -> None:
    merchant = await stage.merchant()
    order = await stage.pay(merchant)
    await stage.use(order)
    stage.go_to_noon_of(stage.today() + timedelta(days=4))
    await run.run_today(stage.db, stage.world, within_s=600)
    async with stage.db.transaction() as tx:
        timer = await tx.row("select due_at from timers where kind = $1", run.DAILY_RUN)
    assert await stage.states(order) == ["CLAIMED"]
    assert timer is not None
    assert timer["due_at"] == run_moment(stage.today() + timedelta(days=1), stage.world.terms.run_at)
