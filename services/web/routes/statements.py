"""The merchant's statement: what was used on a day, what Alipay keeps, what is paid and when."""

import asyncio
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.web.rendering import page
from services.web.routes.employers import AtDesk
from services.web.visits import Signed
from services.web.world import Outside
from shared.clock import business_day

router = APIRouter(prefix="/m/statement", include_in_schema=False)


@router.get("")
async def statement(
    request: Request, at: AtDesk, visit: Signed, world: Outside, day: Annotated[date | None, Query()] = None
) -> Response:
    """One business day, line by line, with the next payout above and the past ones below."""
    settlement, merchant_id = world.services.settlement, at.here.merchant_id
    lines, preview, payouts = await asyncio.gather(
        settlement.statement(visit.asker, merchant_id, day or business_day(world.clock.now())),
        settlement.preview(visit.asker, merchant_id),
        settlement.payouts(visit.asker, merchant_id),
    )
    return page(request, "statement.html", here=at.here, statement=lines, preview=preview, payouts=payouts)
