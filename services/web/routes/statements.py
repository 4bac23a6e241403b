"""The merchant's statement: what was used on a day, what Alipay keeps, what is paid and when."""

import asyncio
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.web.rendering import page
from services.web.routes.employers import AtDesk
from services.web.routes.feed import Cursor
from services.web.visits import Signed
from services.web.world import Outside
from shared.clock import business_day

router = APIRouter(prefix="/m/statement", include_in_schema=False)


@router.get("")
async def statement(
    request: Request,
    at: AtDesk,
    visit: Signed,
    world: Outside,
    day: Annotated[date | None, Query()] = None,
    store: Annotated[UUID | None, Query()] = None,
    cursor: Cursor = None,
) -> Response:
    """One business day, of all stores or of one, down to each certificate, with the next payout above and the past
    ones below."""
    settlement, merchant_id = world.services.settlement, at.here.merchant_id
    chosen = day or business_day(world.clock.now())
    lines, stores, preview, payouts = await asyncio.gather(
        settlement.statement(visit.asker, merchant_id, chosen, store, cursor),
        settlement.stores_of_day(visit.asker, merchant_id, chosen),
        settlement.preview(visit.asker, merchant_id),
        settlement.payouts(visit.asker, merchant_id),
    )
    names = {one.store_id: one.name for one in at.here.stores}
    facts = {"statement": lines, "stores": stores, "names": names, "store": store, "continued": cursor is not None}
    return page(request, "statement.html", facts, here=at.here, preview=preview, payouts=payouts)
