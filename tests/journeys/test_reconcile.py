"""Three books of a day on the running system: they agree, and what only Alipay's book has is named, filed and owned."""

from datetime import date, datetime, timedelta

import pytest

from services.console import audit, lifecycles
from services.console.environment import FIRST_OPERATOR
from services.console.lifecycles import Bought
from services.console.people import World
from services.console.reconcile import Reconciled, reconcile
from shared.clock import business_day, start_of_day
from tests.journeys import scenario
from tests.journeys.conftest import Running

pytestmark = [pytest.mark.infrastructure, pytest.mark.timeout(300)]


async def test_the_books_of_a_day_agree_and_a_refund_made_at_alipay_itself_is_named(running: Running) -> None:
    world = running.world
    await move_to(world, business_day(await now(world)) + timedelta(days=1))
    town = await scenario.open_town(world)
    bought_on = business_day(await now(world))
    outcome = await scenario.redeem_one_and_refund_one(town)
    goods = await scenario.bring_the_goods(town)
    await scenario.check_books(town, [outcome, goods])
    paid_on = business_day(await now(world))
    other = await lifecycles.place(world, town.voucher, scenario.somebody(), 1)
    await lifecycles.pay(world, other)
    number = await trade_of(world, other)
    refund_no = f"EXT{number[:20]}"
    body = {"out_trade_no": number, "amount_fen": other.order["total_fen"], "out_request_no": refund_no}
    await world.sandbox("POST", "/_sim/alipay/external-refund", body)
    await move_to(world, paid_on + timedelta(days=1))

    mine = {await trade_of(world, outcome.bought)}
    for day, movement in ((bought_on, "PAYMENT"), (bought_on, "REFUND"), (paid_on, "PAYOUT")):
        done = await reconcile(world, day)
        assert done.has_bill
        assert done.comparison.matched.get(movement), (day, done)
        assert not subjects(done) & {f"PAYMENT/{one}" for one in mine}
        assert not [one for one in done.comparison.differences if one.kind == "STATE_DIFFERS"], "goods were received"

    named = await reconcile(world, paid_on)
    (difference,) = [one for one in named.comparison.differences if one.subject == f"REFUND/{refund_no}"]
    assert (difference.kind, difference.amount_fen) == ("MISSING_HERE", other.order["total_fen"])
    operator = world.person(FIRST_OPERATOR)
    (incident,) = [
        one
        for one in (await operator.get("settlement", "/admin/incidents"))["items"]
        if one["subject"] == difference.subject
    ]
    taken = await operator.put("settlement", f"/admin/incidents/{incident['incident_id']}/owner")
    assert (taken["owner"], taken["day"]) == (FIRST_OPERATOR, str(paid_on))
    # Taken over, it is in our books too, and the next comparison ends the incident.
    facts = {"amount_fen": other.order["total_fen"], "refunded_at": (await now(world)).isoformat()}
    await operator.put("settlement", f"/admin/external-refunds/{number}/{refund_no}", facts)
    await world.until(lambda: is_matched(world, paid_on, difference.subject), "the refund is in both books")


async def is_matched(world: World, day: date, subject: str) -> bool:
    return subject not in subjects(await reconcile(world, day))


def subjects(done: Reconciled) -> set[str]:
    return {one.subject for one in done.comparison.differences}


async def trade_of(world: World, bought: Bought) -> str:
    """The number under which Alipay knows an order."""
    row = (await audit.orders_of(world))["checkout"][str(bought.order_id)]
    return str(row["out_trade_nos"][0])


async def now(world: World) -> datetime:
    return datetime.fromisoformat((await world.sandbox("GET", "/clock"))["now"])


async def move_to(world: World, day: date) -> None:
    """Eleven in the morning of a day: the bill of the day before is out, and midnight far away."""
    moment = start_of_day(day) + timedelta(hours=11)
    seconds = (moment - await now(world)).total_seconds()
    await world.sandbox("POST", "/clock/advance", {"seconds": seconds})
