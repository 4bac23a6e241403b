"""The bill of a day from a really running sandbox: fetched once, read to the fen, and compared with our books."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.console.local.ports import free_port
from services.settlement.app import make_world
from services.settlement.domain.bills import BillUnreadable, read_account_bill, read_trade_bill
from services.settlement.settings import Settings
from shared.clock import business_day
from tests.integration.sandbox.stage import SandboxProcess
from tests.integration.settlement.channel import Channel
from tests.integration.settlement.stage import Stage, as_
from tests.support.environment import Environment


@pytest.fixture(scope="module")
def channel(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Channel]:
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox"), environment.local.keys, free_port(), {})
    process.start()
    yield Channel(process)
    process.stop()


@pytest.fixture
async def paying(stage: Stage, channel: Channel, settlement_settings: Settings) -> AsyncIterator[Stage]:
    """The stage with the real channel, at routes as well as at timers, on the channel's clock."""
    alipay = settlement_settings.alipay.model_copy(update={"gateway_url": f"{channel.process.url}/alipay/gateway.do"})
    async with httpx.AsyncClient(trust_env=False) as http:
        world = make_world(settlement_settings.model_copy(update={"alipay": alipay}), http)
        stage.app.state.world = world
        yield replace(stage, world=world)


async def a_paid_out_trade(stage: Stage, channel: Channel) -> tuple[date, dict[str, Any], Any]:
    """One trade of two units, one of them refunded at the channel, the other used and paid out; the day after, noon."""
    follow(stage, channel)
    merchant = await stage.merchant()
    trade = channel.paid_trade(12_800)
    order = await stage.pay(merchant, 6_400, 6_400, **trade)
    await stage.use(order)
    channel.advance_clock(86_400)
    follow(stage, channel)
    await stage.run()
    await stage.send_all(merchant)
    (instruction,) = await stage.instructions(merchant)
    assert instruction["state"] == "PAID"
    day = stage.today()
    channel.advance_clock(2 * 86_400)
    follow(stage, channel)
    return day, trade, instruction


def follow(stage: Stage, channel: Channel) -> None:
    stage.clock.move_to_offset(channel.offset_s())


async def test_the_bill_of_a_day_is_fetched_once_and_has_every_payout_to_the_fen(
    paying: Stage, channel: Channel
) -> None:
    operator = await paying.operator()
    day, trade, instruction = await a_paid_out_trade(paying, channel)
    first = await paying.http.put(f"/admin/bills/{day}", headers=as_(operator))
    assert first.status_code == 200, first.text
    again = await paying.http.put(f"/admin/bills/{day}", headers=as_(operator))
    assert first.json() == again.json()
    lines = (await paying.get(f"/admin/bills/{day}/lines", operator))["items"]
    number = instruction["instruction_id"].hex
    (payout,) = [line for line in lines if line["number"] == number]
    assert (payout["movement"], payout["amount_fen"], payout["fee_fen"]) == ("PAYOUT", 6_400, 38)
    ours = (await paying.get(f"/admin/bills/{day}/payouts", operator))["items"]
    (mine,) = [one for one in ours if one["number"] == number]
    assert (mine["gross_fen"], mine["fee_fen"], mine["state"]) == (6_400, 38, "PAID")
    found = await paying.http.post("/admin/bills/payouts", json={"numbers": [number]}, headers=as_(operator))
    assert found.json()["items"] == [mine]
    paid_day = business_day(datetime.fromisoformat(payout["moved_at"])) - timedelta(days=1)
    await paying.http.put(f"/admin/bills/{paid_day}", headers=as_(operator))
    before = (await paying.get(f"/admin/bills/{paid_day}/lines", operator))["items"]
    assert ("PAYMENT", trade["out_trade_no"], 12_800) in {
        (line["movement"], line["number"], line["amount_fen"]) for line in before
    }


async def test_a_bill_that_several_ask_for_at_once_is_kept_once(paying: Stage, channel: Channel) -> None:
    operator = await paying.operator()
    day, _, _ = await a_paid_out_trade(paying, channel)
    answers = await asyncio.gather(*(paying.http.put(f"/admin/bills/{day}", headers=as_(operator)) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1


async def test_a_day_without_a_bill_and_a_day_that_is_not_over_are_refused(paying: Stage, channel: Channel) -> None:
    operator = await paying.operator()
    follow(paying, channel)
    quiet = await paying.http.put("/admin/bills/2020-02-01", headers=as_(operator))
    assert (quiet.status_code, quiet.json()["code"]) == (409, "bill_not_ready")
    today = await paying.http.put(f"/admin/bills/{paying.today()}", headers=as_(operator))
    assert (today.status_code, today.json()["code"]) == (409, "bill_of_today")
    unknown = await paying.http.get("/admin/bills/2020-02-01", headers=as_(operator))
    assert (unknown.status_code, unknown.json()["code"]) == (404, "bill_unknown")


async def test_each_difference_is_an_incident_once_and_ends_when_it_is_gone(paying: Stage, channel: Channel) -> None:
    operator = await paying.operator()
    day, _, _ = await a_paid_out_trade(paying, channel)
    await paying.http.put(f"/admin/bills/{day}", headers=as_(operator))
    subject = f"PAYOUT/{uuid4().hex}"
    difference = {"kind": "MISSING_HERE", "subject": subject, "detail": "in the bill only", "amount_fen": 5}
    address = f"/admin/bills/{day}/comparison"
    for _ in range(2):
        answer = await paying.http.put(address, json={"matched": 7, "differences": [difference]}, headers=as_(operator))
        assert (answer.json()["matched"], answer.json()["open_differences"]) == (7, 1)
    answer = await paying.http.put(address, json={"matched": 8, "differences": []}, headers=as_(operator))
    assert answer.json()["open_differences"] == 0
    async with paying.db.transaction() as tx:
        (incident,) = await tx.fetch("select * from incidents where subject = $1", subject)
    assert (incident["owner"], incident["resolved_by"]) == (operator, operator)
    answer = await paying.http.put(address, json={"matched": 7, "differences": [difference]}, headers=as_(operator))
    assert answer.json()["open_differences"] == 1


@pytest.mark.parametrize("archive", [b"", b"not a zip", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_bill_is_refused(archive: bytes) -> None:
    for read in (read_trade_bill, read_account_bill):
        with pytest.raises(BillUnreadable):
            read(archive)
