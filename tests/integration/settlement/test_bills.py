"""The bill of a day from a really running sandbox: fetched once, read to the fen, and compared with our books."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.settlement.domain.bills import BillUnreadable, read_account_bill, read_trade_bill
from shared.clock import business_day
from tests.integration.settlement.channel import Channel
from tests.integration.settlement.stage import Stage, as_


async def a_paid_out_trade(stage: Stage, channel: Channel) -> tuple[date, dict[str, Any], Any]:
    """One trade of two units, one of them refunded at the channel, the other used and paid out; the day after, noon."""
    channel.lead(stage.clock)
    merchant = await stage.merchant()
    trade = channel.paid_trade(12_800)
    order = await stage.pay(merchant, 6_400, 6_400, **trade)
    await stage.use(order)
    channel.advance_clock(86_400)
    channel.lead(stage.clock)
    await stage.run()
    await stage.send_all(merchant)
    (instruction,) = await stage.instructions(merchant)
    assert instruction["state"] == "PAID"
    day = stage.today()
    channel.advance_clock(2 * 86_400)
    channel.lead(stage.clock)
    return day, trade, instruction


async def test_the_bill_of_a_day_is_fetched_once_and_has_every_payout_to_the_fen(
    at_channel: Stage, channel: Channel
) -> None:
    operator = await at_channel.operator()
    day, trade, instruction = await a_paid_out_trade(at_channel, channel)
    first = await at_channel.http.put(f"/admin/bills/{day}", headers=as_(operator))
    assert first.status_code == 200, first.text
    again = await at_channel.http.put(f"/admin/bills/{day}", headers=as_(operator))
    assert first.json() == again.json()
    lines = (await at_channel.get(f"/admin/bills/{day}/lines", operator))["items"]
    number = instruction["instruction_id"].hex
    (payout,) = [line for line in lines if line["number"] == number]
    assert (payout["movement"], payout["amount_fen"], payout["fee_fen"]) == ("PAYOUT", 6_400, 38)
    ours = (await at_channel.get(f"/admin/bills/{day}/payouts", operator))["items"]
    (mine,) = [one for one in ours if one["number"] == number]
    assert (mine["gross_fen"], mine["fee_fen"], mine["state"]) == (6_400, 38, "PAID")
    found = await at_channel.http.post("/admin/bills/payouts", json={"numbers": [number]}, headers=as_(operator))
    assert found.json()["items"] == [mine]
    paid_day = business_day(datetime.fromisoformat(payout["moved_at"])) - timedelta(days=1)
    await at_channel.http.put(f"/admin/bills/{paid_day}", headers=as_(operator))
    before = (await at_channel.get(f"/admin/bills/{paid_day}/lines", operator))["items"]
    assert ("PAYMENT", trade["out_trade_no"], 12_800) in {
        (line["movement"], line["number"], line["amount_fen"]) for line in before
    }


async def test_a_bill_that_several_ask_for_at_once_is_kept_once(at_channel: Stage, channel: Channel) -> None:
    operator = await at_channel.operator()
    day, _, _ = await a_paid_out_trade(at_channel, channel)
    answers = await asyncio.gather(
        *(at_channel.http.put(f"/admin/bills/{day}", headers=as_(operator)) for _ in range(6))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1


async def test_a_day_without_a_bill_and_a_day_that_is_not_over_are_refused(at_channel: Stage, channel: Channel) -> None:
    operator = await at_channel.operator()
    channel.lead(at_channel.clock)
    quiet = await at_channel.http.put("/admin/bills/2020-02-01", headers=as_(operator))
    assert (quiet.status_code, quiet.json()["code"]) == (409, "bill_not_ready")
    today = await at_channel.http.put(f"/admin/bills/{at_channel.today()}", headers=as_(operator))
    assert (today.status_code, today.json()["code"]) == (409, "bill_of_today")
    unknown = await at_channel.http.get("/admin/bills/2020-02-01", headers=as_(operator))
    assert (unknown.status_code, unknown.json()["code"]) == (404, "bill_unknown")


async def test_each_difference_is_an_incident_once_and_ends_when_it_is_gone(
    at_channel: Stage, channel: Channel
) -> None:
    operator = await at_channel.operator()
    day, _, _ = await a_paid_out_trade(at_channel, channel)
    await at_channel.http.put(f"/admin/bills/{day}", headers=as_(operator))
    subject = f"PAYOUT/{uuid4().hex}"
    difference = {"kind": "MISSING_HERE", "subject": subject, "detail": "in the bill only", "amount_fen": 5}
    address = f"/admin/bills/{day}/comparison"
    for _ in range(2):
        answer = await at_channel.http.put(
            address, json={"matched": 7, "differences": [difference]}, headers=as_(operator)
        )
        assert (answer.json()["matched"], answer.json()["open_differences"]) == (7, 1)
    answer = await at_channel.http.put(address, json={"matched": 8, "differences": []}, headers=as_(operator))
    assert answer.json()["open_differences"] == 0
    async with at_channel.db.transaction() as tx:
        (incident,) = await tx.fetch("select * from incidents where subject = $1", subject)
    assert (incident["owner"], incident["resolved_by"]) == (operator, operator)
    answer = await at_channel.http.put(address, json={"matched": 7, "differences": [difference]}, headers=as_(operator))
    assert answer.json()["open_differences"] == 1


async def test_more_differences_than_are_filed_are_said_and_then_nothing_counts_as_gone(
    at_channel: Stage, channel: Channel
) -> None:
    operator = await at_channel.operator()
    day, _, _ = await a_paid_out_trade(at_channel, channel)
    await at_channel.http.put(f"/admin/bills/{day}", headers=as_(operator))
    differences = [
        {"kind": "MISSING_HERE", "subject": f"PAYOUT/{uuid4().hex}", "detail": "in the bill only", "amount_fen": 5}
        for _ in range(2)
    ]

    async def compare(found: list[Any], unfiled: int) -> tuple[int, int]:
        body = {"matched": 7, "differences": found, "unfiled": unfiled}
        answer = await at_channel.http.put(f"/admin/bills/{day}/comparison", json=body, headers=as_(operator))
        return answer.json()["open_differences"], answer.json()["unfiled"]

    assert await compare(differences, 3) == (2, 3)
    assert await compare(differences[:1], 4) == (2, 4), "the other one may be among those that were not filed"
    assert await compare(differences[:1], 0) == (1, 0)
    too_many = {"matched": 0, "differences": differences * 501}
    answer = await at_channel.http.put(f"/admin/bills/{day}/comparison", json=too_many, headers=as_(operator))
    assert answer.status_code == 422


@pytest.mark.parametrize("archive", [b"", b"not a zip", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_bill_is_refused(archive: bytes) -> None:
    for read in (read_trade_bill, read_account_bill):
        with pytest.raises(BillUnreadable):
            read(archive)
