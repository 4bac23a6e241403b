"""The merchant's statement: what was used on a day, what Alipay keeps, what is paid and when."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated
from uuid import UUID

import httpx
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

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


@router.get("/file")
async def statement_file(
    at: AtDesk,
    visit: Signed,
    world: Outside,
    day: Annotated[date, Query()],
    store: Annotated[UUID | None, Query()] = None,
) -> StreamingResponse:
    """The day as a table for a spreadsheet, handed on as it comes."""
    answer = await world.services.settlement.statement_file(visit.asker, at.here.merchant_id, day, store)
    headers = {name: answer.headers[name] for name in ("content-type", "content-disposition")}
    return StreamingResponse(_pieces(answer), headers=headers)


async def _pieces(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in answer.aiter_bytes():
            yield piece
    finally:
        await answer.aclose()
