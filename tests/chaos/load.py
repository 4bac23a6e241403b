"""A seeded load of complete lifecycles, each of which knows how its order must end."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from services.console import lifecycles, shops
from services.console.lifecycles import Bought
from services.console.people import Refused, TimedOut, World
from services.console.shops import Shop
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class Ended:
    """How one lifecycle must show in the books: money received and refunded, units used."""

    order_id: str
    kind: str
    received_fen: int
    refunded_fen: int
    used: int


@dataclass(slots=True)
class Load:
    """Runs lifecycles until told to stop; remembers how each must have ended, and which never came to an end."""

    world: World
    seed: int
    voucher: Shop
    goods: Shop
    ended: list[Ended] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    async def run(self, stopping: asyncio.Event, at_once: int) -> None:
        """Keep `at_once` lifecycles going, each with its own seeded choices."""
        async with asyncio.TaskGroup() as group:
            for number in range(at_once):
                group.create_task(self._one_after_another(random.Random(f"{self.seed}:{number}"), stopping))  # noqa: S311  # seeded on purpose

    async def _one_after_another(self, choices: random.Random, stopping: asyncio.Event) -> None:
        kinds: list[Callable[[random.Random, str], Awaitable[Ended]]] = [
            self._redeemed, self._redeemed, self._refunded, self._half_and_half, self._brought, self._duplicated,
            self._undone,
        ]  # fmt: skip
        while not stopping.is_set():
            buyer = f"buyer-{new_id().hex[-12:]}"
            act = choices.choice(kinds)
            try:
                self.ended.append(await act(choices, buyer))
            except (Refused, TimedOut, OSError) as error:
                self.lost.append(f"{act.__name__.strip('_')} of {buyer}: {type(error).__name__} {error}")

    async def _buy(self, choices: random.Random, buyer: str, quantity: int, scenario: str = "success") -> Bought:
        bought = await lifecycles.place(self.world, self.voucher, buyer, quantity)
        await lifecycles.pay(self.world, bought, scenario)
        return bought

    async def _redeemed(self, choices: random.Random, buyer: str) -> Ended:
        bought = await self._buy(choices, buyer, choices.randint(1, 3))
        issued = await lifecycles.certificates(self.world, bought)
        shop = bought.shop
        await lifecycles.redeem(self.world, shop.clerk, shop.store_id, issued[0]["code"], bought.unit_ids)
        return _end(bought, "redeemed", used=len(issued))

    async def _duplicated(self, choices: random.Random, buyer: str) -> Ended:
        bought = await self._buy(choices, buyer, 1, "duplicated")
        issued = await lifecycles.certificates(self.world, bought)
        shop = bought.shop
        redemption_id = new_id()
        for _ in range(2):
            await lifecycles.redeem(
                self.world, shop.clerk, shop.store_id, issued[0]["code"], bought.unit_ids, redemption_id
            )
        return _end(bought, "duplicated", used=1)

    async def _undone(self, choices: random.Random, buyer: str) -> Ended:
        """Used by mistake, undone by a till that asks twice, and used again: one use is paid."""
        bought = await self._buy(choices, buyer, choices.randint(1, 2))
        issued = await lifecycles.certificates(self.world, bought)
        shop, reversal_id = bought.shop, new_id()
        done = await lifecycles.redeem(self.world, shop.clerk, shop.store_id, issued[0]["code"], bought.unit_ids)
        for _ in range(2):
            await lifecycles.reverse(self.world, shop.clerk, done, reversal_id=reversal_id)
        await lifecycles.redeem(self.world, shop.clerk, shop.store_id, issued[0]["code"], bought.unit_ids)
        return _end(bought, "undone", used=len(issued))

    async def _refunded(self, choices: random.Random, buyer: str) -> Ended:
        bought = await self._buy(choices, buyer, choices.randint(1, 3))
        # Half of them ask before the certificates can have been issued.
        if choices.random() < 0.5:
            await lifecycles.certificates(self.world, bought)
        else:
            await lifecycles.order_in(self.world, bought, "PAID", "FULFILLING")
        refund = await lifecycles.refund(self.world, bought, bought.unit_ids)
        if refund["state"] != "SUCCEEDED":
            raise TimedOut(f"refund of an unused order is {refund['state']}")
        return _end(bought, "refunded", refunded=bought.order["total_fen"])

    async def _half_and_half(self, choices: random.Random, buyer: str) -> Ended:
        """A refund and a redemption of the same certificate at the same moment: exactly one of them wins."""
        bought = await self._buy(choices, buyer, 1)
        [issued] = await lifecycles.certificates(self.world, bought)
        shop = bought.shop
        outcomes = await asyncio.gather(
            self._asked_back(bought),
            lifecycles.redeem(self.world, shop.clerk, shop.store_id, issued["code"], bought.unit_ids),
            return_exceptions=True,
        )
        refunded = isinstance(outcomes[0], dict) and outcomes[0]["state"] == "SUCCEEDED"
        used = not isinstance(outcomes[1], BaseException)
        if refunded == used:
            raise TimedOut(f"refund and redemption: {outcomes}")
        return _end(bought, "raced", used=int(used), refunded=bought.order["total_fen"] if refunded else 0)

    async def _asked_back(self, bought: Bought) -> dict[str, Any]:
        """A refund, which is one after use if checkout has heard of the use: the buyer goes through the review and
        loses, so that the use is paid out."""
        refund = await lifecycles.refund(self.world, bought, bought.unit_ids)
        if refund["state"] != "IN_REVIEW":
            return refund
        refund_id = UUID(refund["refund_id"])
        await lifecycles.answer_review(self.world, bought.shop, refund_id, agreed=False)
        await lifecycles.appeal(self.world, bought, refund_id)
        await lifecycles.arbitrate(self.world, refund_id, upheld=False)
        return await lifecycles.refund_in(self.world, bought, refund_id, "REFUSED")

    async def _brought(self, choices: random.Random, buyer: str) -> Ended:
        bought = await lifecycles.place(self.world, self.goods, buyer, choices.randint(1, 2), mode="SELF")
        await lifecycles.pay(self.world, bought)
        parcel = await lifecycles.deliver_oneself(self.world, bought)
        await lifecycles.receive(self.world, bought, parcel["parcel_id"])
        return _end(bought, "brought", used=len(bought.unit_ids))


def _end(bought: Bought, kind: str, *, used: int = 0, refunded: int = 0) -> Ended:
    return Ended(str(bought.order_id), kind, bought.order["total_fen"], refunded, used)


async def open_load(world: World, seed: int) -> Load:
    """Open the shops that the load buys from."""
    plenty = {"total_quota": 1_000_000, "per_buyer_limit": 10}
    voucher = await shops.open_shop(world, shops.hotpot(f"owner-v{seed}", f"clerk-v{seed}", **plenty))
    goods = await shops.open_shop(world, shops.fruit(f"owner-g{seed}", f"rider-g{seed}", **plenty))
    return Load(world, seed, voucher, goods)
