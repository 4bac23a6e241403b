"""The audit takes the channel's side from its bills: what only they have, or have otherwise, is named."""

import sqlite3
from datetime import UTC, date, datetime, timedelta

import pytest

from services.console import audit, lifecycles
from services.console.lifecycles import Bought
from services.console.money import Proof
from services.console.people import World
from shared.clock import business_day, start_of_day
from tests.journeys import scenario
from tests.journeys.conftest import Running

pytestmark = [pytest.mark.infrastructure, pytest.mark.timeout(300)]


async def test_what_no_bill_has_yet_is_asked_trade_by_trade_and_the_bill_says_the_same(apart: Running) -> None:
    world = apart.world
    await move_to(world, business_day(await now(world)) + timedelta(days=1), hour=11)
    town = await scenario.open_town(world)
    day = business_day(await now(world))
    outcome = await scenario.redeem_one_and_refund_one(town)
    asked = await audit.settled(world, 60)
    assert (asked.findings, asked.difference_fen) == ([], 0)
    assert day in asked.asked
    assert asked.provisional["received_fen"] >= outcome.bought.order["total_fen"]
    assert asked.provisional["refunded_fen"] >= outcome.refunded_fen

    await move_to(world, day + timedelta(days=1), hour=9)
    early = await audit.settled(world, 60)
    assert day in early.asked, "its bill comes at ten"
    await move_to(world, day + timedelta(days=1), hour=11)
    billed = await audit.settled(world, 60)
    assert (billed.findings, billed.difference_fen) == ([], 0)
    assert day in billed.billed
    assert day not in billed.asked
    for name in ("received_fen", "refunded_fen"):
        assert billed.terms[name] == asked.terms[name]
        assert billed.provisional[name] == 0


async def test_a_refund_that_only_the_bill_has_is_named_once_the_bill_is_out(apart: Running) -> None:
    world = apart.world
    bought, day = await paid_order(world)
    number = await trade_of(world, bought)
    body = {"out_trade_no": number, "amount_fen": 100, "out_request_no": f"EXT{number[:20]}"}
    await world.sandbox("POST", "/_sim/alipay/external-refund", body)
    await move_to(world, day + timedelta(days=1), hour=11)
    proof = await audit.settled(world, 1)
    assert named(proof, str(bought.order_id)) == [("refunded differs", "channel 100 fen, checkout 0 fen")]
    assert proof.difference_fen == -100
    assert not proof.holds(datetime.now(UTC) + timedelta(minutes=11))


async def test_a_bill_that_is_wrong_by_one_fen_names_the_order(apart: Running) -> None:
    world = apart.world
    bought, day = await paid_order(world)
    before = (await audit.audit(world)).difference_fen
    paid_fen = bought.order["total_fen"]
    change_the_channels_book(apart, await trade_of(world, bought), by_fen=1)
    await move_to(world, day + timedelta(days=1), hour=11)
    proof = await audit.settled(world, 1)
    detail = f"channel {paid_fen + 1} fen, checkout {paid_fen} fen"
    assert named(proof, str(bought.order_id)) == [("received differs", detail)]
    assert proof.difference_fen - before == 1


async def test_a_bill_that_is_due_and_not_there_is_in_flight(apart: Running) -> None:
    world = apart.world
    _, day = await paid_order(world)
    hide_the_channels_book(apart, day)
    await move_to(world, day + timedelta(days=1), hour=11)
    proof = await audit.settled(world, 1)
    assert named(proof, str(day)) == [("bill missing", "1 movements here, and Alipay has no bill")]
    assert day in proof.asked, "its trades are asked for meanwhile"
    assert proof.provisional["received_fen"] > 0


def named(proof: Proof, item_id: str) -> list[tuple[str, str]]:
    return [(finding.what, finding.detail) for finding in proof.findings if finding.item_id == item_id]


async def paid_order(world: World) -> tuple[Bought, date]:
    """One paid order, on a day of its own."""
    await move_to(world, business_day(await now(world)) + timedelta(days=1), hour=12)
    town = await scenario.open_town(world)
    bought = await lifecycles.place(world, town.voucher, scenario.somebody(), 1)
    await lifecycles.pay(world, bought)
    await lifecycles.certificates(world, bought)
    return bought, business_day(await now(world))


async def trade_of(world: World, bought: Bought) -> str:
    row = (await audit.orders_of(world))["checkout"][str(bought.order_id)]
    return str(row["out_trade_nos"][0])


def change_the_channels_book(running: Running, out_trade_no: str, by_fen: int) -> None:
    with _book(running) as book:
        changed = book.execute(
            "update book set amount_fen = amount_fen + ? where out_trade_no = ? and kind = 'payment'",
            (by_fen, out_trade_no),
        )
        assert changed.rowcount == 1


def hide_the_channels_book(running: Running, day: date) -> None:
    """Let a day look as if no money had moved on it, so that there is no bill of it."""
    begins, ends = (int(start_of_day(one).timestamp() * 1000) for one in (day, day + timedelta(days=1)))
    with _book(running) as book:
        book.execute("update book set at_ms = ? where at_ms >= ? and at_ms < ?", (ends + 86_400_000, begins, ends))


def _book(running: Running) -> sqlite3.Connection:
    return sqlite3.connect(running.environment.local.var / "sandbox" / "state.sqlite3", timeout=10)


async def now(world: World) -> datetime:
    return datetime.fromisoformat((await world.sandbox("GET", "/clock"))["now"])


async def move_to(world: World, day: date, *, hour: int) -> None:
    moment = start_of_day(day) + timedelta(hours=hour)
    await world.sandbox("POST", "/clock/advance", {"seconds": (moment - await now(world)).total_seconds()})
