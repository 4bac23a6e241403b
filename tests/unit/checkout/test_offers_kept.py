"""Offers are kept for a moment: looked at once for all who ask meanwhile, and never so many that memory grows."""

from collections.abc import Iterable
from typing import cast
from uuid import UUID

import pytest

from services.checkout.domain.offers import Offer
from services.checkout.store import stock
from services.checkout.use_cases import offers as kept
from services.checkout.use_cases.offers import Offers
from shared.database import Transaction
from tests.unit.checkout.test_deciding import offer

TX = cast("Transaction", None)


class Table:
    """What the database would answer, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.available = 5
        self.unknown: set[UUID] = set()

    async def find_offers(self, _: Transaction, deal_ids: Iterable[UUID]) -> dict[UUID, Offer]:
        wanted = list(deal_ids)
        self.asked.append([deal_id.int for deal_id in wanted])
        return {one: offer(one, self.available, 0) for one in wanted if one not in self.unknown}


class Watch:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    made = Table()
    monkeypatch.setattr(stock, "find_offers", made.find_offers)
    return made


def ids(*numbers: int) -> list[UUID]:
    return [UUID(int=number) for number in numbers]


async def test_what_is_kept_is_not_asked_for_and_the_rest_is_asked_for_at_once(table: Table) -> None:
    offers = Offers(1.0, Watch())

    await offers.of(TX, ids(1, 2))
    found = await offers.of(TX, ids(1, 2, 3, 4))

    assert sorted(found) == ids(1, 2, 3, 4)
    assert table.asked == [[1, 2], [3, 4]]


async def test_an_offer_is_looked_at_again_when_its_time_is_over(table: Table) -> None:
    watch = Watch()
    offers = Offers(1.0, watch)
    await offers.of(TX, ids(1))
    table.available = 3

    watch.now += 0.9
    assert (await offers.of(TX, ids(1)))[UUID(int=1)].available == 5
    watch.now += 0.2
    assert (await offers.of(TX, ids(1)))[UUID(int=1)].available == 3


async def test_what_is_no_longer_there_is_forgotten(table: Table) -> None:
    offers = Offers(1.0, Watch())
    await offers.of(TX, ids(1))
    table.unknown = set(ids(1))

    assert await offers.anew(TX, ids(1)) == {}
    assert await offers.of(TX, ids(1)) == {}


async def test_the_longest_kept_make_room(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_KEPT_MOST", 3)
    offers = Offers(1.0, Watch())
    await offers.of(TX, ids(1, 2, 3))
    await offers.anew(TX, ids(1))
    await offers.of(TX, ids(4))
    table.asked.clear()

    await offers.of(TX, ids(1, 3, 4))
    assert table.asked == []
    await offers.of(TX, ids(2))
    assert table.asked == [[2]]
