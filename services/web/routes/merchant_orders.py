"""The merchant's orders: by state and deal, nobody's account, phone or street in full."""

import asyncio
from datetime import date
from typing import Annotated, Literal, get_args
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BeforeValidator, Field

from services.web.gateways.checkout import WantedOrders
from services.web.order_status import TONES, status_of
from services.web.rendering import page
from services.web.routes.deliveries import carrier_alerts
from services.web.routes.employers import AtDesk
from services.web.routes.feed import Cursor
from services.web.visits import Signed
from services.web.world import Outside

router = APIRouter(prefix="/m/orders", include_in_schema=False)

State = Literal["PLACED", "PAID", "FULFILLING", "COMPLETED", "CLOSED"]
# A form sends a day that nobody filled in as nothing.
Day = Annotated[
    Annotated[date, Field(ge=date(2000, 1, 1), le=date(2100, 1, 1))] | None, BeforeValidator(lambda said: said or None)
]


@router.get("")
async def orders(
    request: Request,
    at: AtDesk,
    visit: Signed,
    world: Outside,
    state: Annotated[State | None, Query()] = None,
    deal: Annotated[UUID | None, Query()] = None,
    since: Annotated[Day, Query(alias="from")] = None,
    until: Annotated[Day, Query()] = None,
    cursor: Cursor = None,
) -> Response:
    """Newest first; `from` and `until` are days in Shanghai, and both are in the list."""
    wanted = WantedOrders(state, deal, since, until)
    found, alerts = await asyncio.gather(
        world.services.checkout.orders_of_merchant(visit.asker, at.here.merchant_id, wanted, cursor),
        carrier_alerts(visit, world, at.here.merchant_id),
    )
    listed = [(order, status_of(order)) for order in found.items]
    facts = {"here": at.here, "alerts": alerts, "wanted": wanted, "states": get_args(State), "tones": TONES}
    return page(request, "merchant_orders.html", facts, orders=listed, next_cursor=found.next_cursor)
