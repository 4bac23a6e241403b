"""A small town: one order of each kind taken from its beginning to its payout, and what the books must say then."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from services.console import audit, lifecycles, shops
from services.console.journey import move_to_next_payout, run_payouts
from services.console.lifecycles import Bought
from services.console.people import World
from services.console.shops import Shop
from shared.ids import new_id

PLENTY = {"total_quota": 100_000, "per_buyer_limit": 10}


@dataclass(frozen=True, slots=True)
class Town:
    """Two shops with staff of their own."""

    world: World
    voucher: Shop
    goods: Shop


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an order's books must show at the end."""

    bought: Bought
    refunded_fen: int


async def open_town(world: World, deal: Mapping[str, Any] = MappingProxyType({})) -> Town:
    """Fresh shops with fresh people; `deal` changes what the shop with vouchers sells."""
    tag = new_id().hex[-10:]
    voucher = await shops.open_shop(world, shops.hotpot(f"owner-{tag}", f"clerk-{tag}", **{**PLENTY, **deal}))
    goods = await shops.open_shop(world, shops.fruit(f"grocer-{tag}", f"rider-{tag}", **PLENTY))
    return Town(world, voucher, goods)


def somebody() -> str:
    """A buyer who was never seen before."""
    return f"buyer-{new_id().hex[-12:]}"


async def redeem_one_and_refund_one(town: Town) -> Outcome:
    """Two vouchers: one is used in the store, the other one's money goes back."""
    world = town.world
    bought = await lifecycles.place(world, town.voucher, somebody(), 2)
    await lifecycles.pay(world, bought)
    issued = await lifecycles.certificates(world, bought)
    used, unused = issued[0], issued[1]
    await lifecycles.redeem(world, town.voucher.clerk, town.voucher.store_id, used["code"], [used["unit_id"]])
    refund = await lifecycles.refund(world, bought, [unused["unit_id"]])
    assert refund["state"] == "SUCCEEDED", refund
    return Outcome(bought, refund["amount_fen"])


async def bring_the_goods(town: Town) -> Outcome:
    """The merchant's own rider brings the goods, and the buyer confirms."""
    world = town.world
    bought = await lifecycles.place(world, town.goods, somebody(), 2, mode="SELF")
    await lifecycles.pay(world, bought)
    parcel = await lifecycles.deliver_oneself(world, bought)
    await lifecycles.receive(world, bought, parcel["parcel_id"])
    return Outcome(bought, 0)


async def refund_the_goods(town: Town) -> Outcome:
    """The buyer changes their mind before the parcel leaves."""
    world = town.world
    bought = await lifecycles.place(world, town.goods, somebody(), 1, mode="SELF")
    await lifecycles.pay(world, bought)
    await lifecycles.parcel_in(world, bought.buyer, bought, "PLACED")
    refund = await lifecycles.refund(world, bought, bought.unit_ids)
    assert refund["state"] == "SUCCEEDED", refund
    return Outcome(bought, refund["amount_fen"])


async def everything(town: Town, times: int = 1) -> list[Outcome]:
    """All kinds at once."""
    kinds = (redeem_one_and_refund_one, bring_the_goods, refund_the_goods)
    return list(await asyncio.gather(*(kind(town) for kind in kinds for _ in range(times))))


async def check_books(town: Town, outcomes: list[Outcome], within_s: float = 60.0) -> None:
    """Move to T+1, pay out, and compare: the identity holds, and every order shows each effect exactly once."""
    world = town.world
    before = await audit.settled(world, within_s)
    assert not before.findings, before.findings
    await move_to_next_payout(world)
    await world.until(lambda: _all_final(world, outcomes), "every use is final", within_s)
    await run_payouts(world)
    proof = await audit.settled(world, within_s)
    assert not proof.findings, proof.findings
    assert proof.difference_fen == 0
    books = (await audit.orders_of(world))["settlement"]
    for outcome in outcomes:
        row = books[str(outcome.bought.order_id)]
        total = outcome.bought.order["total_fen"]
        assert (row["received_fen"], row["refunded_fen"]) == (total, outcome.refunded_fen)
        assert row["paid_net_fen"] + row["fee_fen"] == total - outcome.refunded_fen


async def _all_final(world: World, outcomes: list[Outcome]) -> bool:
    """Whether settlement has heard the last word on every use that it will pay."""
    books = (await audit.orders_of(world))["settlement"]
    states = [
        state
        for outcome in outcomes
        for uses in books[str(outcome.bought.order_id)]["units"].values()
        for state in uses.values()
    ]
    return all(state in {"FINAL", "CLAIMED", "PAID", "REFUNDED"} for state in states)
