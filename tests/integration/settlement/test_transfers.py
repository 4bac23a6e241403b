"""Transfers to the platform's own shops, against a really running sandbox with its own book."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from services.settlement import consumers
from services.settlement.app import make_world
from services.settlement.domain.bills import BillKind, read_account_bill
from services.settlement.gateways import Transfer
from services.settlement.settings import Settings
from services.settlement.store.misfits import misfits
from services.settlement.use_cases import pay
from shared.alipay import Answer
from shared.clock import business_day
from shared.contracts.catalog import PayoutAccountState, Rail
from shared.contracts.checkout import OrderPaid
from shared.contracts.settlement import PayoutFailed, PayoutPaid
from shared.sealed import Seals
from tests.integration.settlement.channel import Channel
from tests.integration.settlement.stage import Merchant, Stage
from tests.support.waiting import eventually

TRANSFER = "alipay.fund.trans.uni.transfer"
KEYS = {"settlement": {"k1": base64.b64encode(bytes(range(32))).decode()}}
ACCOUNT = "2088456745674567"


@dataclass(frozen=True, slots=True)
class OwnShop:
    """A shop that the platform runs itself, paid by transfer."""

    stage: Stage
    channel: Channel
    merchant: Merchant
    settings: Settings
    http: httpx.AsyncClient

    def under(self, **changes: Any) -> "OwnShop":
        """The same shop under other settings."""
        settings = self.settings.model_copy(update=changes)
        world = make_world(settings, self.http)
        self.stage.app.state.world = world
        return replace(self, settings=settings, stage=replace(self.stage, world=world))

    async def used_order(self, *amounts: int) -> OrderPaid:
        trade = self.channel.own_trade(sum(amounts))
        order = await self.stage.pay(self.merchant, *amounts, rail=Rail.TRANSFER, **trade)
        for unit in range(len(amounts)):
            await self.stage.use(order, unit)
        return order

    async def settle(self) -> None:
        await self.stage.settle(self.merchant)

    async def instruction_of(self, order: OrderPaid) -> Any:
        """The latest instruction of an order."""
        found = [one for one in await self.stage.instructions(self.merchant) if one["order_id"] == order.order_id]
        replaced = {one["retry_of"] for one in found}
        (latest,) = [one for one in found if one["instruction_id"] not in replaced]
        return latest

    async def moved(self, order: OrderPaid) -> list[int]:
        """What the channel booked for an order's latest instruction."""
        return self.channel.transferred((await self.instruction_of(order))["instruction_id"].hex)

    async def dunned_fen(self) -> int:
        """What the dunning list has of this shop."""
        operator, cursor, total_fen = await self.stage.operator(), None, 0
        while True:
            page = await self.stage.get("/admin/dunning", operator, **({"cursor": cursor} if cursor else {}))
            mine = [one for one in page["items"] if one["merchant_id"] == str(self.merchant.merchant_id)]
            total_fen += sum(one["owed_fen"] for one in mine)
            if (cursor := page["next_cursor"]) is None:
                return int(total_fen)


@pytest.fixture
async def own_shop(stage: Stage, channel: Channel, settlement_settings: Settings) -> AsyncIterator[OwnShop]:
    merchant = await stage.merchant()
    sealed = Seals(KEYS).seal("settlement", ACCOUNT)
    await stage.set_account(merchant, PayoutAccountState.VERIFIED, version=2, sealed_account=sealed)
    alipay = settlement_settings.alipay.model_copy(
        update={"gateway_url": f"{channel.process.url}/alipay/gateway.do", "timeout_s": 2.0}
    )
    settings = settlement_settings.model_copy(
        update={"alipay": alipay, "seal_keys": KEYS, "self_operated": frozenset([merchant.merchant_id])}
    )
    async with httpx.AsyncClient(trust_env=False) as http:
        yield OwnShop(stage, channel, merchant, settings, http).under()


async def retry(own_shop: OwnShop, instruction_id: Any) -> None:
    async with own_shop.stage.db.transaction() as tx:
        await pay.retry(tx, instruction_id)


async def test_an_own_shop_is_paid_by_transfer_whole_and_the_books_agree(own_shop: OwnShop) -> None:
    before = own_shop.channel.sums()
    order = await own_shop.used_order(6_400, 6_400)
    await own_shop.settle()
    assert await own_shop.stage.states(order) == ["PAID", "PAID"]
    assert await own_shop.moved(order) == [12_800]
    assert await own_shop.stage.postings(order) == {"CHANNEL_RECEIVED": 12_800, "CHANNEL_PAID": -12_800}
    after = own_shop.channel.sums()
    assert after["settled_fen"] - before["settled_fen"] == 12_800
    assert after["held_fen"] == before["held_fen"]
    assert await own_shop.stage.misfits() == []


async def test_a_third_party_is_never_paid_by_transfer(own_shop: OwnShop) -> None:
    order = await own_shop.used_order(12_800)
    await own_shop.under(self_operated=frozenset()).settle()
    assert await own_shop.stage.states(order) == ["FINAL"]


async def test_one_who_is_no_own_shop_any_more_is_refused_before_the_call(own_shop: OwnShop) -> None:
    order = await own_shop.used_order(12_800)
    own_shop.stage.next_day()
    await own_shop.stage.run()
    await own_shop.under(self_operated=frozenset()).stage.send_all(own_shop.merchant)
    failed = await own_shop.instruction_of(order)
    assert (failed["state"], failed["answer_code"]) == ("FAILED", "not_self_operated")
    assert await own_shop.moved(order) == []


@pytest.mark.parametrize(
    "fault", ["commit_then_timeout", "drop_before_commit", "http_500", "bad_signature", "commit_then_unknown_code"]
)
async def test_a_spoiled_answer_is_unknown_and_the_question_settles_it_once(own_shop: OwnShop, fault: str) -> None:
    order = await own_shop.used_order(12_800)
    own_shop.channel.script(fault, TRANSFER, seconds=3)
    await own_shop.settle()
    assert (await own_shop.instruction_of(order))["state"] == "UNKNOWN"
    await own_shop.stage.send_all(own_shop.merchant)
    assert (await own_shop.instruction_of(order))["state"] == "PAID"
    assert await own_shop.moved(order) == [12_800]


async def test_what_has_worked_is_not_failed_by_what_its_repetition_would_be_answered(own_shop: OwnShop) -> None:
    order = await own_shop.used_order(12_800)
    own_shop.channel.script("commit_then_timeout", TRANSFER, seconds=3)
    await own_shop.settle()
    own_shop.channel.script("business_error", TRANSFER, code="PAYER_BALANCE_NOT_ENOUGH")
    await own_shop.stage.send_all(own_shop.merchant)
    own_shop.channel.forget_scripts()
    assert (await own_shop.instruction_of(order))["state"] == "PAID"
    assert await own_shop.moved(order) == [12_800]


async def test_a_system_error_is_no_refusal(own_shop: OwnShop) -> None:
    order = await own_shop.used_order(12_800)
    own_shop.channel.script("business_error", TRANSFER, code="SYSTEM_ERROR")
    await own_shop.settle()
    assert (await own_shop.instruction_of(order))["state"] == "UNKNOWN"
    await own_shop.stage.send_all(own_shop.merchant)
    assert await own_shop.moved(order) == [12_800]


async def test_a_process_killed_between_the_steps_asks_first_and_pays_once(own_shop: OwnShop) -> None:
    before_call, after_call = await own_shop.used_order(3_000), await own_shop.used_order(5_000)
    own_shop.stage.next_day()
    await own_shop.stage.run()
    world = own_shop.stage.world
    for order in (before_call, after_call):
        async with own_shop.stage.db.transaction() as tx:
            instruction_id = (await own_shop.instruction_of(order))["instruction_id"]
            begun = await pay.begin_sending(tx, instruction_id, world.terms.transfer_min_fen)
        assert begun is not None
        if order is after_call:
            await world.rails[Rail.TRANSFER].pay(begun)
    await own_shop.stage.send_all(own_shop.merchant)
    assert (await own_shop.moved(before_call), await own_shop.moved(after_call)) == ([3_000], [5_000])
    assert await own_shop.stage.states(before_call) + await own_shop.stage.states(after_call) == ["PAID", "PAID"]


@pytest.mark.parametrize("code", ["PAYER_BALANCE_NOT_ENOUGH", "PAYEE_NOT_EXIST"])
async def test_a_refused_transfer_is_an_incident_and_a_retry_pays_under_a_new_number(
    own_shop: OwnShop, code: str
) -> None:
    order = await own_shop.used_order(12_800)
    own_shop.channel.script("business_error", TRANSFER, code=code)
    await own_shop.settle()
    failed = await own_shop.instruction_of(order)
    (said,) = await own_shop.stage.said(PayoutFailed, failed["instruction_id"])
    assert (failed["state"], said.code) == ("FAILED", code)
    async with own_shop.stage.db.transaction() as tx:
        kind = await tx.value("select kind from incidents where subject = $1", str(failed["instruction_id"]))
    assert kind == "PAYOUT_REFUSED"
    await retry(own_shop, failed["instruction_id"])
    await own_shop.stage.send_all(own_shop.merchant)
    assert await own_shop.moved(order) == [12_800]
    assert own_shop.channel.transferred(failed["instruction_id"].hex) == []


async def test_the_channel_itself_refuses_what_the_platform_does_not_have(own_shop: OwnShop) -> None:
    trade = own_shop.channel.paid_trade(12_800)
    beyond_fen = own_shop.channel.sums()["held_fen"]
    order = await own_shop.stage.pay(own_shop.merchant, beyond_fen + 1, rail=Rail.TRANSFER, **trade)
    await own_shop.stage.use(order)
    await own_shop.settle()
    assert (await own_shop.instruction_of(order))["answer_code"] == "PAYER_BALANCE_NOT_ENOUGH"


async def test_an_account_that_does_not_exist_is_refused_by_the_channel_itself(own_shop: OwnShop) -> None:
    sealed = Seals(KEYS).seal("settlement", "nobody@shop.example")
    await own_shop.stage.set_account(own_shop.merchant, PayoutAccountState.VERIFIED, version=3, sealed_account=sealed)
    order = await own_shop.used_order(12_800)
    await own_shop.settle()
    assert (await own_shop.instruction_of(order))["answer_code"] == "PAYEE_NOT_EXIST"


async def test_a_transfer_keeps_its_payee_when_the_account_changes_after_an_unknown_answer(own_shop: OwnShop) -> None:
    order = await own_shop.used_order(12_800)
    own_shop.channel.script("drop_before_commit", TRANSFER, seconds=3)
    await own_shop.settle()
    frozen = (await own_shop.instruction_of(order))["sealed_payee"]
    other = Seals(KEYS).seal("settlement", "nobody@shop.example")
    await own_shop.stage.set_account(own_shop.merchant, PayoutAccountState.VERIFIED, version=3, sealed_account=other)
    await own_shop.stage.send_all(own_shop.merchant)
    assert (await own_shop.instruction_of(order))["sealed_payee"] == frozen
    assert await own_shop.moved(order) == [12_800]


async def test_less_than_the_minimum_waits_until_its_trade_has_enough(own_shop: OwnShop) -> None:
    trade = own_shop.channel.own_trade(12)
    order = await own_shop.stage.pay(own_shop.merchant, 6, 6, rail=Rail.TRANSFER, **trade)
    await own_shop.stage.use(order, 0)
    await own_shop.settle()
    assert await own_shop.stage.states(order) == ["FINAL", "HELD"]
    await own_shop.stage.use(order, 1)
    await own_shop.settle()
    assert await own_shop.stage.states(order) == ["PAID", "PAID"]
    assert await own_shop.moved(order) == [12]


async def test_more_than_the_cap_is_an_incident_and_is_paid_when_the_cap_is_raised(own_shop: OwnShop) -> None:
    order = await own_shop.used_order(12_801)
    await own_shop.under(transfer_cap_fen=12_800).settle()
    failed = await own_shop.instruction_of(order)
    assert (failed["state"], failed["answer_code"]) == ("FAILED", "above_transfer_cap")
    await retry(own_shop, failed["instruction_id"])
    await own_shop.under(transfer_cap_fen=12_801).stage.send_all(own_shop.merchant)
    assert await own_shop.moved(order) == [12_801]


async def refunded_after_payout(own_shop: OwnShop, amount_fen: int) -> OrderPaid:
    """An order that was paid out, and whose buyer has the money back."""
    order = await own_shop.used_order(amount_fen)
    await own_shop.settle()
    await consumers.record_refund(own_shop.stage.refund(order), own_shop.stage.db)
    return order


async def test_a_refund_after_the_payout_is_taken_from_the_next_payouts(own_shop: OwnShop) -> None:
    merchant = own_shop.merchant
    await refunded_after_payout(own_shop, 5_000)
    assert await own_shop.dunned_fen() == 5_000
    preview = await own_shop.stage.get(f"/merchants/{merchant.merchant_id}/preview", merchant.finance)
    assert preview["owed_fen"] == 5_000
    small, large = await own_shop.used_order(2_000), await own_shop.used_order(8_000)
    await own_shop.settle()
    moved = await own_shop.moved(small) + await own_shop.moved(large)
    assert sum(moved) == 5_000
    assert await own_shop.dunned_fen() == 0
    page = await own_shop.stage.get(f"/merchants/{merchant.merchant_id}/payouts", merchant.finance)
    latest = page["items"][0]
    assert (latest["gross_fen"], latest["offset_fen"], latest["net_fen"]) == (10_000, 5_000, 5_000)
    statement = await own_shop.stage.get(
        f"/merchants/{merchant.merchant_id}/statement", merchant.finance, day=own_shop.stage.today().isoformat()
    )
    assert statement["owed_fen"] == 0
    assert await own_shop.stage.misfits() == []


@pytest.mark.parametrize(
    ("debt_fen", "amounts"),
    [(5_000, (2_000, 8_000)), (15, (12, 20)), (28, (12, 20)), (1_995, (2_000,)), (40, (12, 20))],
)
@pytest.mark.parametrize("smallest_first", [False, True])
async def test_the_preview_is_what_is_paid_afterwards_to_the_fen(
    own_shop: OwnShop, debt_fen: int, amounts: tuple[int, ...], *, smallest_first: bool
) -> None:
    merchant = own_shop.merchant
    await refunded_after_payout(own_shop, debt_fen)
    orders = [await own_shop.used_order(amount_fen) for amount_fen in amounts]
    preview = await own_shop.stage.get(f"/merchants/{merchant.merchant_id}/preview", merchant.finance)
    own_shop.stage.next_day()
    await own_shop.stage.run()
    due = [one for one in await own_shop.stage.instructions(merchant) if one["state"] == "DUE"]
    for one in sorted(due, key=lambda one: one["gross_fen"], reverse=not smallest_first):
        await own_shop.stage.send(one["instruction_id"])
    (payout, *_) = (await own_shop.stage.get(f"/merchants/{merchant.merchant_id}/payouts", merchant.finance))["items"]
    for name in ("uses", "gross_fen", "fee_fen", "offset_fen", "net_fen"):
        assert preview[name] == payout[name], name
    assert preview["owed_fen"] == debt_fen
    assert sum([sum(await own_shop.moved(order)) for order in orders]) == preview["net_fen"]
    assert await own_shop.dunned_fen() == debt_fen - preview["offset_fen"]


async def test_the_preview_leaves_to_transfers_that_have_not_left_their_part_of_the_debt(own_shop: OwnShop) -> None:
    merchant = own_shop.merchant
    await refunded_after_payout(own_shop, 3_000)
    await own_shop.used_order(2_000)
    own_shop.stage.next_day()
    await own_shop.stage.run()
    waiting = await own_shop.stage.instructions(merchant)
    await own_shop.used_order(5_000)
    preview = await own_shop.stage.get(f"/merchants/{merchant.merchant_id}/preview", merchant.finance)
    assert (preview["offset_fen"], preview["net_fen"]) == (1_000, 4_000)
    await own_shop.stage.send(waiting[-1]["instruction_id"])
    await own_shop.settle()
    (payout, *_) = (await own_shop.stage.get(f"/merchants/{merchant.merchant_id}/payouts", merchant.finance))["items"]
    assert (payout["offset_fen"], payout["net_fen"]) == (1_000, 4_000)


async def test_the_database_itself_refuses_to_take_a_debt_twice_and_the_audit_names_a_wrong_one(
    own_shop: OwnShop,
) -> None:
    await refunded_after_payout(own_shop, 3_000)
    order = await own_shop.used_order(8_000)
    own_shop.stage.next_day()
    await own_shop.stage.run()
    number = (await own_shop.instruction_of(order))["instruction_id"]
    with pytest.raises(asyncpg.CheckViolationError):
        async with own_shop.stage.db.transaction() as tx:
            await tx.execute(
                "update instructions set state = 'SENT', attempts = 1, offset_fen = 3001 where instruction_id = $1",
                number,
            )
    with pytest.raises(ZeroDivisionError):
        async with own_shop.stage.db.transaction() as tx:
            await tx.execute(
                "update debts set owed_fen = owed_fen + 1 where merchant_id = $1", own_shop.merchant.merchant_id
            )
            found = [(one.what, one.id) for one in (await misfits(tx)).found]
            raise ZeroDivisionError
    assert found == [("debt_is_not_its_uses", f"{own_shop.merchant.merchant_id} TRANSFER")]


async def test_a_payout_that_only_pays_off_a_debt_moves_nothing_and_is_paid(own_shop: OwnShop) -> None:
    await refunded_after_payout(own_shop, 5_000)
    order = await own_shop.used_order(2_000)
    await own_shop.settle()
    instruction = await own_shop.instruction_of(order)
    (paid,) = await own_shop.stage.said(PayoutPaid, instruction["instruction_id"])
    assert (paid.gross_fen, paid.net_fen) == (2_000, 0)
    assert await own_shop.moved(order) == []
    assert await own_shop.stage.postings(order) == {"CHANNEL_RECEIVED": 2_000, "MERCHANT_RECEIVABLE": -2_000}
    assert await own_shop.dunned_fen() == 3_000


async def test_what_an_offset_leaves_is_never_too_small_to_transfer(own_shop: OwnShop) -> None:
    await refunded_after_payout(own_shop, 1_995)
    order = await own_shop.used_order(2_000)
    await own_shop.settle()
    assert await own_shop.moved(order) == [10]
    assert await own_shop.dunned_fen() == 5


async def test_a_refused_transfer_gives_its_offset_back_and_the_retry_takes_it_once(own_shop: OwnShop) -> None:
    await refunded_after_payout(own_shop, 500)
    order = await own_shop.used_order(2_000)
    own_shop.channel.script("business_error", TRANSFER, code="PAYER_BALANCE_NOT_ENOUGH")
    await own_shop.settle()
    assert await own_shop.dunned_fen() == 500
    await retry(own_shop, (await own_shop.instruction_of(order))["instruction_id"])
    await own_shop.stage.send_all(own_shop.merchant)
    assert await own_shop.moved(order) == [1_500]
    assert await own_shop.dunned_fen() == 0
    assert await own_shop.stage.misfits() == []


async def test_transfers_that_leave_together_take_a_debt_once(own_shop: OwnShop) -> None:
    await refunded_after_payout(own_shop, 3_000)
    orders = [await own_shop.used_order(2_000) for _ in range(5)]
    own_shop.stage.next_day()
    await own_shop.stage.run()
    sent = [own_shop.stage.send((await own_shop.instruction_of(order))["instruction_id"]) for order in orders]
    await asyncio.gather(*sent)
    assert sum([sum(await own_shop.moved(order)) for order in orders]) == 7_000
    assert await own_shop.dunned_fen() == 0
    assert await own_shop.stage.misfits() == []


async def test_a_transfer_waits_for_one_that_is_taking_its_part_of_the_debt(own_shop: OwnShop) -> None:
    await refunded_after_payout(own_shop, 3_000)
    orders = [await own_shop.used_order(2_000) for _ in range(2)]
    own_shop.stage.next_day()
    await own_shop.stage.run()
    first, second = [(await own_shop.instruction_of(order))["instruction_id"] for order in orders]
    db = own_shop.stage.db
    async with db.transaction() as tx:
        taking = await pay.begin_sending(tx, first, 10)
        sending = asyncio.create_task(own_shop.stage.send(second))
        await eventually(lambda: waits_for_a_lock(own_shop.stage), what="the second one waits")
    await sending
    assert taking is not None
    assert taking.offset_fen + (await own_shop.instruction_of(orders[1]))["offset_fen"] == 3_000


async def waits_for_a_lock(stage: Stage) -> bool:
    async with stage.db.transaction() as tx:
        return bool(
            await tx.value(
                """select exists (select from pg_stat_activity where datname = current_database()
                   and usename = current_user and wait_event_type = 'Lock' and wait_event = 'advisory')"""
            )
        )


async def test_a_transfer_is_a_line_of_the_bill_by_its_number(own_shop: OwnShop) -> None:
    await refunded_after_payout(own_shop, 500)
    order = await own_shop.used_order(2_000)
    await own_shop.settle()
    number = (await own_shop.instruction_of(order))["instruction_id"].hex
    day = business_day(datetime.now(UTC) + timedelta(seconds=own_shop.channel.offset_s()))
    own_shop.channel.advance_clock(2 * 86_400)
    bills = own_shop.stage.world.bills
    assert bills is not None
    bill = read_account_bill(await bills.download(day, BillKind.ACCOUNT))
    answer = await own_shop.stage.http.post(
        "/admin/bills/payouts",
        json={"numbers": [number]},
        headers={"Authorization": f"Bearer {await own_shop.stage.operator()}"},
    )
    (ours,) = answer.json()["items"]
    (theirs,) = [line for line in bill if line.number == number]
    assert theirs.movement == ours["rail"] == "TRANSFER"
    assert theirs.amount_fen == ours["gross_fen"] == 1_500


BY_LOGON_ID = {"identity": "boss@shop.example", "identity_type": "ALIPAY_LOGON_ID"}


@pytest.mark.parametrize(
    ("account", "holder", "expected"),
    [
        ("boss@shop.example", "王海", {**BY_LOGON_ID, "name": "王海"}),
        ("boss@shop.example", None, {**BY_LOGON_ID, "name": "老码头火锅"}),
        (ACCOUNT, "王海", {"identity": ACCOUNT, "identity_type": "ALIPAY_USER_ID"}),
    ],
)
async def test_an_account_by_its_logon_id_is_paid_under_the_name_of_its_holder(
    own_shop: OwnShop,
    account: str,
    holder: str | None,
    expected: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seals = Seals(KEYS)
    await own_shop.stage.set_account(
        own_shop.merchant,
        PayoutAccountState.VERIFIED,
        version=3,
        sealed_account=seals.seal("settlement", account),
        sealed_holder=None if holder is None else seals.seal("settlement", holder),
    )
    order = await own_shop.used_order(12_800)
    rail = own_shop.stage.world.rails[Rail.TRANSFER]
    assert isinstance(rail, Transfer)
    call, asked = rail.alipay.call, []

    async def note(method: str, content: Any) -> Answer:
        asked.append((method, content))
        return await call(method, content)

    monkeypatch.setattr(rail.alipay, "call", note)
    await own_shop.settle()
    assert [content["payee_info"] for method, content in asked if method == TRANSFER] == [expected]
    assert await own_shop.moved(order) == [12_800]
