"""No oversell: thousands of buyers, several checkout processes on one schema, two of which end in the middle of it."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest

from shared.clock import Clock
from shared.ids import new_id
from tests.integration.checkout.catalog_side import CatalogSide, Deal
from tests.integration.checkout.fleet import Crowd, Fleet, Wish, running_fleet
from tests.support import environment as environments
from tests.support.environment import Environment
from tests.support.servers import Servers

QUOTA, LIMIT = 1_500, 3
BUYERS = 2_000
AT_ONCE = 120


@pytest.fixture(scope="module")
def own_environment(servers: Servers) -> Iterator[Environment]:
    """A schema of its own: the timers of these processes really run."""
    made = environments.create(servers, services=("checkout",))
    yield made
    environments.remove(made)


@pytest.fixture
async def fleet(own_environment: Environment) -> AsyncIterator[Fleet]:
    """Three processes."""
    async with running_fleet(own_environment, 3) as running:
        yield running


def wishes() -> list[Wish]:
    """Most buyers press twice or three times, for one to three units. At the end come some who want one each, so that
    what is left over after somebody who wanted more is sold too."""
    many = [
        Wish(new_id(), f"buyer-{number}", 1 + (number + press) % 3)
        for number in range(BUYERS)
        for press in range(1 + number % 3)
    ]
    # As if shuffled, and the same every time.
    many = [many[turn * 1_009 % len(many)] for turn in range(len(many))]
    return many + [Wish(new_id(), f"late-{number}", 1) for number in range(200)]


@pytest.mark.timeout(180)
async def test_exactly_what_is_there_is_sold_whoever_asks_whom_and_whatever_dies(fleet: Fleet) -> None:
    clock = Clock()
    async with fleet.environment.database_of("checkout", clock, pool_size=3) as db:
        deal = await CatalogSide(db, clock).sell(Deal(quota=QUOTA, limit=LIMIT))
        crowd = Crowd(fleet, deal.deal_id)
        asked = wishes()
        ending = asyncio.create_task(_end_two(fleet, crowd))
        await crowd.ask_all(asked, AT_ONCE)
        await ending

        async with db.transaction() as tx:
            orders = await tx.fetch("select order_id, order_no, buyer, quantity, state, total_fen from orders")
            stock = await tx.row("select reserved, sold from stock where deal_id = $1", deal.deal_id)
            counters = await tx.fetch("select buyer, units from buyer_counters where units > 0")
            units = await tx.value("select count(*) from units")
            timers = await tx.value("select count(*) from timers where kind = 'order_expired'")

    bought: Counter[str] = Counter()
    for order in orders:
        bought[order["buyer"]] += order["quantity"]
    assert sum(bought.values()) == QUOTA
    assert stock is not None
    assert (stock["reserved"], stock["sold"]) == (QUOTA, 0)
    assert units == QUOTA
    assert timers == len(orders)
    assert {row["buyer"]: row["units"] for row in counters} == dict(bought)
    assert max(bought.values()) <= LIMIT

    placed = {order["order_id"]: order for order in orders}
    assert crowd.answers.keys() == {wish.order_id for wish in asked}
    for wish in asked:
        status, answer = crowd.answers[wish.order_id]
        if status == 201:
            order = placed.pop(wish.order_id)
            assert (answer["order_no"], answer["quantity"]) == (order["order_no"], wish.quantity)
        else:
            assert (status, answer["code"]) in {(409, "deal_sold_out"), (409, "buyer_limit_reached")}
            assert wish.order_id not in placed
    assert placed == {}, "orders that nobody was told of"
    outcomes = Counter(answer.get("code", "placed") for _, answer in crowd.answers.values())
    assert set(outcomes) == {"placed", "deal_sold_out", "buyer_limit_reached"}
    assert crowd.unanswered > 0, "nobody was in the middle of an order when the process died"


async def _end_two(fleet: Fleet, crowd: Crowd) -> None:
    """One is killed and started again while most is still to be sold; another is asked to stop, later."""
    for name, answers, how in (("checkout-1", 300, signal.SIGKILL), ("checkout-2", 700, signal.SIGTERM)):
        await crowd.until(answers)
        await asyncio.to_thread(fleet.processes.kill, name, how)
        fleet.launch(name)
