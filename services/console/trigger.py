"""Makes the outside world do something on command, with the real order that it needs around it."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from rich.console import Console

from services.console import lifecycles, shops
from services.console.lifecycles import Bought
from services.console.people import World

STEP = re.compile(r"([+-])(\d{1,5})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


async def move_clock(world: World, by: str) -> dict[str, Any]:
    """Show, move (`+1d`) or reset business time in the sandbox."""
    if not by:
        shown: dict[str, Any] = await world.sandbox("GET", "/clock")
        return shown
    if by == "reset":
        done: dict[str, Any] = await world.sandbox("PUT", "/clock", {"offset_s": 0})
        return done
    step = STEP.fullmatch(by)
    assert step is not None, "the command line was checked"
    sign, count, unit = step.groups()
    seconds = int(f"{sign}{count}") * _SECONDS[unit]
    moved: dict[str, Any] = await world.sandbox("POST", "/clock/advance", {"seconds": seconds})
    return moved


async def _order(world: World, buyer: str = "buyer-an", quantity: int = 1) -> Bought:
    shop = await shops.open_shop(world, shops.hotpot(), "hotpot")
    return await lifecycles.place(world, shop, buyer, quantity)


async def _paid(world: World, scenario: str, delay_s: float | None = None) -> str:
    bought = await _order(world)
    await lifecycles.pay(world, bought, scenario, delay_s)
    order = await lifecycles.order_in(world, bought, "PAID", "FULFILLING")
    return f"order {bought.order_id} is {order['state']}"


async def _amount_mismatch(world: World) -> str:
    bought = await _order(world)
    await lifecycles.pay(world, bought, "amount_mismatch")
    return f"order {bought.order_id}: the notify named another amount; see the audit and checkout's log"


async def _redeemed(world: World) -> str:
    bought = await _order(world)
    await lifecycles.pay(world, bought)
    [certificate] = await lifecycles.certificates(world, bought)
    done = await lifecycles.redeem(world, bought.shop.clerk, bought.shop.store_id, certificate["code"])
    return f"order {bought.order_id}: redeemed as {done['redemption_id']}"


async def _refunded(world: World) -> str:
    bought = await _order(world)
    await lifecycles.pay(world, bought)
    await lifecycles.certificates(world, bought)
    refund = await lifecycles.refund(world, bought, bought.unit_ids)
    return f"order {bought.order_id}: refund {refund['refund_id']} is {refund['state']}"


EVENTS: dict[str, Callable[[World], Awaitable[str]]] = {
    "payment.succeeded": lambda world: _paid(world, "success"),
    "payment.duplicated": lambda world: _paid(world, "duplicated"),
    "payment.late": lambda world: _paid(world, "late", 10),
    "payment.no_notify": lambda world: _paid(world, "no_notify"),
    "payment.amount_mismatch": _amount_mismatch,
    "voucher.redeemed": _redeemed,
    "refund.succeeded": _refunded,
}


async def trigger(world: World, event: str, console: Console) -> None:
    """Play one event and say what came of it."""
    console.print(await EVENTS[event](world))
