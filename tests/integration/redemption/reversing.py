"""What the tests of undone uses share."""

from datetime import datetime, timedelta
from typing import Any

from shared.clock import Clock, end_of_day
from shared.contracts.checkout import OrderPaid
from tests.integration.redemption.stage import (
    Shop,
    Stage,
    as_,
    units_of,
)

Done = dict[str, Any]


async def redeemed(stage: Stage, shop: Shop, order: OrderPaid) -> Done:
    answer = await stage.redeem(shop, order)
    assert answer.status_code == 201, answer.text
    done: Done = answer.json()
    return done


def move_to(stage: Stage, moment: datetime) -> None:
    """Business time moves on, and no timer has fired yet."""
    stage.clock.move_to_offset((moment - Clock().now()).total_seconds())


async def misfits_of(stage: Stage, order: OrderPaid) -> list[Any]:
    """What the audit finds wrong about the certificates and uses of an order."""
    answer = await stage.http.get("/admin/money", headers=as_(await stage.operator()))
    mine = {str(unit_id) for unit_id in units_of(order)}
    return [one for one in answer.json()["misfits"] if one["id"] in mine]


async def card(stage: Stage, shop: Shop, made: int, uses: int = 3) -> tuple[OrderPaid, list[Done]]:
    """A card of three uses, of which some were made: 1, then 2, then 3."""
    order = await stage.pay(shop, uses=uses)
    token = await stage.token(shop, order)
    return order, [(await stage.verify(shop, token, units_of(order))).json() for _ in range(made)]


async def next_no(stage: Stage, shop: Shop, order: OrderPaid) -> int:
    no: int = (await redeemed(stage, shop, order))["uses"][0]["use_no"]
    return no


def at_noon(stage: Stage) -> None:
    """Tomorrow at noon: no test runs into midnight, when nothing can be undone any more."""
    move_to(stage, end_of_day(stage.now()) + timedelta(hours=12))
