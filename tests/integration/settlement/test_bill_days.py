"""Which days have a bill, and what the channel says of trades that no bill has yet, from a really running sandbox."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.settlement.use_cases import bills
from shared.clock import start_of_day
from tests.integration.settlement.channel import Channel
from tests.integration.settlement.stage import Stage, as_

REFUND_QUERY = "alipay.trade.fastpay.refund.query"


async def day_of(stage: Stage, operator: str, day: date) -> dict[str, Any]:
    """One day of the list; `after` is exclusive, so it begins there."""
    found = await stage.get("/admin/bills", operator, after=str(day - timedelta(days=1)))
    assert found["items"][0]["day"] == str(day)
    return dict(found["items"][0])


async def fetch(stage: Stage, operator: str) -> None:
    answer = await stage.http.put("/admin/bills", headers=as_(operator))
    assert answer.status_code == 200, answer.text


async def a_fresh_day(stage: Stage, channel: Channel, hour: int) -> date:
    """Some hour of the next day, on which nothing has moved yet."""
    channel.lead(stage.clock)
    day = stage.today() + timedelta(days=1)
    moment = start_of_day(day) + timedelta(hours=hour)
    channel.advance_clock((moment - stage.now()).total_seconds())
    channel.lead(stage.clock)
    return day


async def test_a_bill_is_fetched_from_ten_o_clock_on_the_next_day_and_not_before(
    at_channel: Stage, channel: Channel
) -> None:
    operator = await at_channel.operator()
    day = await a_fresh_day(at_channel, channel, 12)
    await at_channel.pay(await at_channel.merchant(), 6_400, **channel.paid_trade(6_400))
    await fetch(at_channel, operator)
    assert (await day_of(at_channel, operator, day))["status"] == "NOT_DUE"
    await a_fresh_day(at_channel, channel, 9)
    await fetch(at_channel, operator)
    assert (await day_of(at_channel, operator, day))["status"] == "NOT_DUE"
    channel.advance_clock(3_600)
    channel.lead(at_channel.clock)
    assert (await day_of(at_channel, operator, day))["status"] == "DUE"
    await fetch(at_channel, operator)
    assert (await day_of(at_channel, operator, day))["status"] == "HERE"


async def test_a_day_that_has_no_bill_is_remembered_and_not_asked_for_at_once_again(
    at_channel: Stage, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = await at_channel.operator()
    quiet = await a_fresh_day(at_channel, channel, 12)
    await at_channel.pay(await at_channel.merchant(), 6_400, paid_at=at_channel.now())
    await a_fresh_day(at_channel, channel, 11)
    await fetch(at_channel, operator)
    missing = await day_of(at_channel, operator, quiet)
    assert (missing["status"], missing["missing_since"] is not None) == ("MISSING", True)
    asked: list[date] = []

    async def note(_db: object, _bills: object, day: date, _by: str) -> None:
        asked.append(day)

    monkeypatch.setattr(bills, "download", note)
    await fetch(at_channel, operator)
    assert quiet not in asked
    channel.advance_clock(700)
    channel.lead(at_channel.clock)
    await fetch(at_channel, operator)
    assert quiet in asked, "a bill that is late may still come"
    assert (await day_of(at_channel, operator, quiet))["missing_since"] == missing["missing_since"]


async def test_the_channel_is_asked_about_each_movement_of_a_trade(at_channel: Stage, channel: Channel) -> None:
    operator = await at_channel.operator()
    channel.lead(at_channel.clock)
    merchant = await at_channel.merchant()
    trade = channel.paid_trade(12_800)
    order = await at_channel.pay(merchant, 6_400, 6_400, **trade)
    await at_channel.use(order)
    await a_fresh_day(at_channel, channel, 12)
    await at_channel.run()
    await at_channel.send_all(merchant)
    channel.refund(trade["out_trade_no"], 100, "known")
    channel.refund(trade["out_trade_no"], 10, "unknown")
    body = {"trades": [
        {"out_trade_no": trade["out_trade_no"], "refunds": ["known", "never"]}, {"out_trade_no": uuid4().hex},
    ], "transfers": [uuid4().hex]}  # fmt: skip
    answer = (await at_channel.http.post("/admin/bills/asked", json=body, headers=as_(operator))).json()
    assert answer["unanswered"] == []
    assert [(one["movement"], one["amount_fen"], one["fee_fen"], one["out_trade_no"]) for one in answer["items"]] == [
        ("PAYMENT", 12_800, 0, trade["out_trade_no"]),
        ("PAYOUT", 6_400, 38, trade["out_trade_no"]),
        ("REFUND", 100, 0, trade["out_trade_no"]),
    ]


async def test_a_trade_of_which_the_channel_says_nothing_is_unanswered(at_channel: Stage, channel: Channel) -> None:
    operator = await at_channel.operator()
    trade = channel.paid_trade(100)
    channel.script("http_500", operation="alipay.trade.query")
    body = {"trades": [{"out_trade_no": trade["out_trade_no"]}]}
    first = (await at_channel.http.post("/admin/bills/asked", json=body, headers=as_(operator))).json()
    assert (first["items"], first["unanswered"]) == ([], [trade["out_trade_no"]])
    channel.script("http_500", operation=REFUND_QUERY)
    body = {"trades": [{"out_trade_no": trade["out_trade_no"], "refunds": ["one"]}]}
    second = (await at_channel.http.post("/admin/bills/asked", json=body, headers=as_(operator))).json()
    assert second["unanswered"] == [trade["out_trade_no"]]
    channel.forget_scripts()


@pytest.mark.parametrize("method", ["get", "put", "post"])
async def test_only_an_operator_sees_the_channels_book(at_channel: Stage, method: str) -> None:
    merchant = await at_channel.merchant()
    path = "/admin/bills/asked" if method == "post" else "/admin/bills"
    body: dict[str, Any] | None = {} if method == "post" else None
    answer = await at_channel.http.request(method, path, headers=as_(merchant.finance), json=body)
    assert answer.status_code == 403


async def test_more_trades_than_fifty_are_refused(at_channel: Stage) -> None:
    operator = await at_channel.operator()
    body = {"trades": [{"out_trade_no": uuid4().hex} for _ in range(51)]}
    answer = await at_channel.http.post("/admin/bills/asked", json=body, headers=as_(operator))
    assert answer.status_code == 422
