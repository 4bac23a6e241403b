"""Orders: placed by the buyer, seen by the buyer, the merchant's staff and operators."""

from datetime import datetime
from typing import Annotated, Literal
from unicodedata import category
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, field_validator

from services.checkout.domain.addresses import e164
from services.checkout.domain.orders import Order
from services.checkout.domain.refusals import OrderNotFound
from services.checkout.routes.views import OrderView, order_view, order_views
from services.checkout.store import orders
from services.checkout.use_cases.place_order import Wanted
from services.checkout.world import CheckoutWorld
from shared.auth import Caller, is_operator, require_staff
from shared.contracts.address import Address, Line
from shared.contracts.base import Version
from shared.contracts.catalog import DeliveryMode
from shared.database import Transaction
from shared.errors import Forbidden
from shared.http import Db
from shared.observability import correlation_id
from shared.paging import Cursor, Limit, page_of, read_cursor
from shared.service import World

router = APIRouter(tags=["orders"])


class TypedAddress(BaseModel):
    """An address as the buyer typed it; coordinates are GCJ-02."""

    name: Annotated[str, Field(min_length=1, max_length=40)]
    phone: Annotated[str, Field(min_length=5, max_length=30)]
    province: Line
    city: Line
    district: Line
    street: Line
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]

    @field_validator("name", "province", "city", "district", "street")
    @classmethod
    def _is_one_line(cls, text: str) -> str:
        # What no column can hold would cost everybody who orders at the same moment their shared transaction.
        if any(category(sign) == "Cc" for sign in text):
            raise ValueError("control characters")
        return text

    def normal(self) -> Address:
        """The address in the form that is kept. Raises PhoneInvalid."""
        return Address(**{**self.model_dump(), "phone": e164(self.phone)})


class WantedDelivery(BaseModel):
    mode: DeliveryMode
    address: TypedAddress


class PlaceOrder(BaseModel):
    deal_id: UUID
    deal_version: Version
    quantity: Annotated[int, Field(strict=True, ge=1, le=10)]
    delivery: WantedDelivery | None = None
    phone: Annotated[str, Field(min_length=5, max_length=30)] | None = Field(
        default=None, description="By which the shop may find what was bought; kept sealed and as a keyed hash"
    )
    source: Annotated[str, Field(max_length=100, pattern="^[0-9A-Za-z_-]+$")] | None = Field(
        default=None, description="Catalog's attribution token: by which placement the buyer came"
    )


class OrderPage(BaseModel):
    items: list[OrderView]
    next_cursor: str | None


@router.put("/orders/{order_id}", status_code=201)
async def put_order(order_id: UUID, body: PlaceOrder, caller: Caller, db: Db, world: World) -> OrderView:
    """Place an order; the same request again finds the same order."""
    checkout: CheckoutWorld = world
    wanted = Wanted(
        order_id=order_id,
        buyer=caller,
        deal_id=body.deal_id,
        deal_version=body.deal_version,
        quantity=body.quantity,
        mode=body.delivery.mode if body.delivery else None,
        address=body.delivery.address.normal() if body.delivery else None,
        phone=None if body.phone is None else e164(body.phone),
        source=body.source,
        correlation_id=correlation_id(),
    )
    order, units = await checkout.placing.place(db, wanted)
    return order_view(order, units)


@router.get("/orders/{order_id}")
async def get_order(order_id: UUID, caller: Caller, db: Db) -> OrderView:
    """One order, for its buyer, the merchant's staff and operators; for anybody else there is none."""
    async with db.transaction(read_only=True) as tx:
        order = await visible_order(tx, order_id, caller)
        return (await order_views(tx, [order]))[0]


@router.get("/orders")
async def list_orders(
    caller: Caller,
    db: Db,
    only: Annotated[Literal["all", "to_pay", "to_use", "delivering", "refund"], Query(alias="filter")] = "all",
    cursor: Cursor = None,
    limit: Limit = 20,
) -> OrderPage:
    """The caller's own orders, newest first."""
    before = read_cursor(cursor, datetime, UUID)
    async with db.transaction(read_only=True) as tx:
        found = await orders.list_of_buyer(tx, caller, only, before, limit + 1)
        page = page_of(found, limit, lambda order: (order.placed_at, order.order_id))
        items = await order_views(tx, page.items)
    return OrderPage(items=items, next_cursor=page.next_cursor)


async def visible_order(tx: Transaction, order_id: UUID, caller: str) -> Order:
    """The order if this caller may see it. Raises OrderNotFound otherwise, so that ids cannot be tried out."""
    order = await orders.find_order(tx, order_id)
    if order is None:
        raise OrderNotFound
    if order.buyer != caller and not await is_operator(tx, caller):
        try:
            await require_staff(tx, caller, order.merchant_id)
        except Forbidden as error:
            raise OrderNotFound from error
    return order
