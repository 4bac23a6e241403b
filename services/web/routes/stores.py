"""A store's page: where it is, when it is open, and what it sells, cash vouchers first."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.web.gateways.catalog.deals import DealCard, StorePage
from services.web.rendering import page
from services.web.routes.feed import Cursor
from services.web.visits import Visitor
from services.web.world import Outside

router = APIRouter(include_in_schema=False)


@router.get("/store/{store_id}")
async def store(
    request: Request,
    store_id: UUID,
    visit: Visitor,
    world: Outside,
    part: Literal["vouchers", "deals"] | None = None,
    cursor: Cursor = None,
) -> Response:
    """What can be bought for this store, or more of one part of it."""
    shown = await world.services.catalog.store(visit.asker, store_id, part, cursor)
    vouchers, others = _sorted_out(shown)
    return page(request, "store.html", store=shown, part=part, vouchers=vouchers, deals=others)


def _sorted_out(store: StorePage) -> tuple[list[DealCard], list[DealCard]]:
    """Cash vouchers and the other deals, each once, however catalog groups them."""
    cards = {card.deal_id: card for card in (*store.vouchers, *store.deals)}.values()
    vouchers = [card for card in cards if card.form == "CASH_VOUCHER"]
    return vouchers, [card for card in cards if card.form != "CASH_VOUCHER"]
