"""No oversell: thousands of buyers, several checkout processes on one schema, two of which end in the middle of it."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from uuid import NAMESPACE_OID, UUID, uuid5

import pytest

from shared.clock import Clock
from shared.database import Database
from tests.integration.checkout.catalog_side import CatalogSide, Deal
from tests.integration.checkout.fleet import Crowd, Fleet, Wish, running_fleet
from tests.support import environment as environments
from tests.support.environment import Environment
from tests.support.servers import Servers

DEALS, QUOTA, LIMIT = 5, 500, 3
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


def wishes(deals: Sequence[UUID]) -> list[Wish]:
    """Most buyers press twice or three times, for one to three units, all of them mixed and the same every time. At
    the end come some who want one each, so that what is left over after somebody who wanted more is sold too."""
    many = [
        Wish(uuid5(NAMESPACE_OID, f"{buyer}:{press}"), f"buyer-{buyer}", deals[buyer % DEALS], 1 + (buyer + press) % 3)
        for buyer in range(BUYERS)
        for press in range(1 + buyer % 3)
    ]
    late = [
        Wish(uuid5(NAMESPACE_OID, f"late:{buyer}"), f"late-{buyer}", deals[buyer % DEALS], 1)
        for buyer in range(DEALS * 20)
    ]
    return sorted(many, key=lambda wish: wish.order_id) + late


@pytest.mark.timeout(180)
async def test_exactly_what_is_there_is_sold_whoever_asks_whom_and_whatever_dies(fleet: Fleet) -> None:
    clock = Clock()
    async with fleet.environment.database_of("checkout", clock, pool_size=3) as db:
        catalog = CatalogSide(db, clock)
        deals = [(await catalog.sell(Deal(quota=QUOTA, limit=LIMIT))).deal_id for _ in range(DEALS)]
        crowd = Crowd(fleet)
        asked = wishes(deals)

        killed = asyncio.create_task(_end(fleet, crowd, "checkout-1", 300, signal.SIGKILL))
        await crowd.ask_all(asked[:1_000], AT_ONCE)
        await killed
        assert crowd.unanswered > 0, "nobody was in the middle of an order when the process died"
        # Now all three sell out together, until one of them is asked to stop.
        stopped = asyncio.create_task(_end(fleet, crowd, "checkout-2", 2_500, signal.SIGTERM))
        await crowd.ask_all(asked[1_000:], AT_ONCE)
        await stopped

        await _judge(db, deals, asked, crowd)


async def _end(fleet: Fleet, crowd: Crowd, name: str, answers: int, how: signal.Signals) -> None:
    """A process ends when so many are answered, and is started again."""
    await crowd.until(answers)
    await asyncio.to_thread(fleet.processes.kill, name, how)
    fleet.launch(name)
    await asyncio.to_thread(fleet.await_ready, name)


async def _judge(db: Database, deals: Sequence[UUID], asked: Sequence[Wish], crowd: Crowd) -> None:
    async with db.transaction() as tx:
        orders = await tx.fetch("select order_id, order_no, deal_id, buyer, quantity from orders")
        stock = await tx.fetch("select deal_id, reserved, sold from stock")
        counters = await tx.fetch("select deal_id, buyer, units from buyer_counters where units > 0")
        units = await tx.value("select count(*) from units")
        timers = await tx.value("select count(*) from timers where kind = 'order_expired'")

    sold: Counter[UUID] = Counter()
    bought: Counter[tuple[UUID, str]] = Counter()
    for order in orders:
        sold[order["deal_id"]] += order["quantity"]
        bought[order["deal_id"], order["buyer"]] += order["quantity"]
    assert sold == dict.fromkeys(deals, QUOTA)
    assert {row["deal_id"]: (row["reserved"], row["sold"]) for row in stock} == dict.fromkeys(deals, (QUOTA, 0))
    assert (units, timers) == (QUOTA * DEALS, len(orders))
    assert {(row["deal_id"], row["buyer"]): row["units"] for row in counters} == bought
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
