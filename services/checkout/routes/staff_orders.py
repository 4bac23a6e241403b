"""Orders for those who serve them: the merchant's staff, and operators."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel

from services.checkout.domain.orders import OrderState
from services.checkout.domain.refusals import SearchTooWide
from services.checkout.routes.views import StaffOrderView, staff_order_views
from services.checkout.store import order_lists
from services.checkout.store.order_lists import Wanted
from shared.auth import Caller, require_operator, require_staff
from shared.http import Db
from shared.paging import Cursor, Limit, page_of, read_cursor

router = APIRouter(tags=["orders"])


class StaffOrderPage(BaseModel):
    items: list[StaffOrderView]
    next_cursor: str | None


@router.get("/merchants/{merchant_id}/orders")
async def list_orders_of_merchant(
    merchant_id: UUID,
    caller: Caller,
    db: Db,
    state: OrderState | None = None,
    deal_id: UUID | None = None,
    placed_from: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    placed_until: Annotated[AwareDatetime | None, Query(alias="until")] = None,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> StaffOrderPage:
    """The merchant's orders, newest first, for its staff; `until` itself is no longer in the list."""
    before = read_cursor(cursor, datetime, UUID)
    wanted = Wanted(merchant_id, state, deal_id, placed_from, placed_until)
    async with db.transaction(read_only=True) as tx:
        await require_staff(tx, caller, merchant_id)
        found = await order_lists.list_of_merchant(tx, wanted, before, limit + 1)
        page = page_of(found, limit, lambda order: (order.placed_at, order.order_id))
        items = await staff_order_views(tx, page.items)
    return StaffOrderPage(items=items, next_cursor=page.next_cursor)


@router.get("/admin/orders", tags=["admin"])
async def find_orders(
    caller: Caller,
    db: Db,
    order_no: Annotated[str | None, Query(pattern="^[0-9]{1,30}$")] = None,
    out_trade_no: Annotated[
        UUID | None, Query(description="The channel's name of a payment: hex, as in its bill")
    ] = None,
) -> StaffOrderPage:
    """The order that a number names: the one read out on the phone, or the one in the channel's bill."""
    if order_no is None and out_trade_no is None:
        raise SearchTooWide
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        items = await staff_order_views(tx, await order_lists.by_number(tx, order_no, out_trade_no))
    return StaffOrderPage(items=items, next_cursor=None)
