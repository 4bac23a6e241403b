"""What an errand runner does with an order's goods when they do not simply arrive: played by tests."""

from dataclasses import dataclass

from services.console import lifecycles
from services.console.lifecycles import Bought
from services.console.people import World

CARRIER = "dada"


@dataclass(frozen=True, slots=True)
class Carried:
    """Goods that a rider has, by the number under which the carrier knows them."""

    bought: Bought
    number: str

    async def move(self, world: World, *moves: str) -> None:
        """The rider does something."""
        for move in moves:
            await world.sandbox("POST", f"/_sim/{CARRIER}/orders/{self.number}/{move}", {})


async def fetch(world: World, bought: Bought) -> Carried:
    """The merchant accepts and has 达达 called, whose rider fetches the goods."""
    owner = world.person(bought.shop.owner)
    wanted = {"carrier_order": [CARRIER]}
    await owner.put("dispatch", f"/merchants/{bought.shop.merchant_id}/delivery-preferences", wanted)
    parcel = await lifecycles.parcel_in(world, bought.buyer, bought, "PLACED", "ACCEPTED")
    await owner.put("dispatch", f"/parcels/{parcel['parcel_id']}/acceptance")
    _, number = await lifecycles.live_attempt(world, bought)
    carried = Carried(bought, number)
    await carried.move(world, "accept", "fetch")
    await lifecycles.parcel_in(world, bought.buyer, bought, "HANDED_OVER")
    return carried


async def bring_back(world: World, carried: Carried) -> None:
    """Nobody is at the door: the rider brings the goods back, and the merchant says that they are there."""
    bought = carried.bought
    await carried.move(world, "return")
    owner = world.person(bought.shop.owner)

    async def returned() -> bool:
        parcel = await owner.get("dispatch", f"/orders/{bought.order_id}/parcel")
        return any(one["state"] == "RETURNING" for one in parcel["attempts"])

    await world.until(returned, f"the goods of {bought.order_id} are on their way back")
    parcel = await lifecycles.parcel_in(world, bought.shop.owner, bought, "HANDED_OVER")
    await owner.put("dispatch", f"/parcels/{parcel['parcel_id']}/return")
