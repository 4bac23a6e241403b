"""Whoever loses their place is refused everywhere within seconds, however long their token still holds."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from services.console import lifecycles
from services.console.lifecycles import Bought
from services.console.people import Person, Refused, World
from shared.ids import new_id
from tests.journeys import scenario
from tests.journeys.conftest import Running
from tests.journeys.scenario import Town

pytestmark = pytest.mark.timeout(180)

SECONDS = 5.0
EVERYWHERE = {"catalog", "checkout", "redemption", "dispatch", "settlement"}
# Nobody learns from checkout whether an order exists that is not theirs to see.
REFUSALS = {"forbidden", "order_not_found", "not_staff_of_store"}


@dataclass(frozen=True, slots=True)
class Counter:
    """What somebody who works at the shop does at each service."""

    town: Town
    bought: Bought
    code: str

    def asks(self, person: Person) -> Mapping[str, Callable[[], Awaitable[Any]]]:
        """One request for each service, which only the merchant's people may make."""
        shop = self.town.voucher
        prepare = {"store_id": str(shop.store_id), "code": self.code}
        return {
            "catalog": lambda: person.get("catalog", f"/merchants/{shop.merchant_id}"),
            "checkout": lambda: person.get("checkout", f"/orders/{self.bought.order_id}"),
            "redemption": lambda: person.post("redemption", "/preparations", prepare),
            "dispatch": lambda: person.get("dispatch", f"/board?merchant_id={shop.merchant_id}"),
            "settlement": lambda: person.get("settlement", f"/merchants/{shop.merchant_id}/payouts"),
        }

    async def open_to(self, person: Person) -> set[str]:
        """The services that let this person do it."""
        allowed = set()
        for service, ask in self.asks(person).items():
            try:
                await ask()
                allowed.add(service)
            except Refused as error:
                if error.code not in REFUSALS:
                    raise
        return allowed


async def _counter(world: World) -> Counter:
    town = await scenario.open_town(world)
    bought = await lifecycles.place(world, town.voucher, scenario.somebody(), 1)
    await lifecycles.pay(world, bought)
    (certificate,) = await lifecycles.certificates(world, bought)
    return Counter(town, bought, certificate["code"])


@pytest.mark.parametrize(
    ("role", "services"),
    [("MANAGER", EVERYWHERE), ("CLERK", EVERYWHERE - {"settlement"}), ("FINANCE", EVERYWHERE - {"redemption"})],
)
async def test_a_place_given_by_invitation_opens_every_service_and_taken_away_closes_them_all(
    running: Running, role: str, services: set[str]
) -> None:
    world = running.world
    counter = await _counter(world)
    shop = counter.town.voucher
    owner, person = world.person(shop.owner), world.person(f"{role.lower()}-{new_id().hex[-10:]}")
    assert await counter.open_to(person) == set()

    invitation = {"role": role, "store_ids": [], "note": "小李"}
    invited = await owner.put("catalog", f"/merchants/{shop.merchant_id}/invitations/{new_id()}", invitation)
    place = await person.put("catalog", f"/invitations/{invited['token']}/acceptance")

    async def all_open() -> bool:
        return await counter.open_to(person) == services

    await world.until(all_open, "every service has heard of the new place", SECONDS)
    token = await world.token(person.subject)

    gone = {"subject": person.subject, "role": role, "store_ids": [], "active": False}
    await owner.put("catalog", f"/merchants/{shop.merchant_id}/staff/{place['staff_id']}", gone)

    async def all_closed() -> bool:
        return await counter.open_to(person) == set()

    await world.until(all_closed, "every service has heard that the place is gone", SECONDS)
    assert await world.token(person.subject) == token, "the token was good all the time"
