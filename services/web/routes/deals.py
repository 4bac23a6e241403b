"""The deal's page: what a shared link opens."""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.web.gateways.catalog import Badge, Deal
from services.web.gateways.service import Refused, Silent
from services.web.rendering import page
from services.web.visits import Visit, Visitor
from services.web.world import Outside, World

router = APIRouter(include_in_schema=False)

Source = Annotated[str, Query(max_length=64)]


@router.get("/d/{deal_id}")
async def deal(request: Request, deal_id: UUID, visit: Visitor, world: Outside, source: Source = "") -> Response:
    """Everything before buying. A deal that cannot be bought names another that can."""
    shown = await world.services.catalog.deal(visit.asker, deal_id)
    sells = can_be_bought(shown)
    other = None if sells else await _another(visit, world, deal_id)
    return page(request, "deal.html", deal=shown, sells=sells, other=other, source=source)


def can_be_bought(deal: Deal) -> bool:
    return deal.state == "ON_SALE" and deal.available > 0


async def _another(visit: Visit, world: World, deal_id: UUID) -> Badge | None:
    try:
        async with asyncio.timeout(2):
            found = await world.services.catalog.feed(visit.asker)
    except (Refused, Silent, TimeoutError):
        return None
    badges = (clip.badge for clip in found.items)
    return next((one for one in badges if one and one.deal_id != deal_id and one.state == "ON_SALE"), None)
