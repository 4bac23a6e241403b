"""Refunds: the buyer asks for the money of unused units, or of used ones, which the merchant reviews."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints

from services.checkout.domain.refusals import OrderNotFound, RefundNotFound
from services.checkout.routes.orders import visible_order
from services.checkout.routes.views import RefundView
from services.checkout.store import orders
from services.checkout.store import refunds as store
from services.checkout.use_cases import refunds
from services.checkout.world import CheckoutWorld
from shared.auth import Caller
from shared.http import Db
from shared.service import World

router = APIRouter(tags=["refunds"])


class RequestRefund(BaseModel):
    order_id: UUID
    unit_ids: Annotated[list[UUID], Field(min_length=1, max_length=10)]
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


@router.put("/refunds/{refund_id}", status_code=201)
async def put_refund(refund_id: UUID, body: RequestRefund, caller: Caller, db: Db, world: World) -> RefundView:
    """Ask for a refund of unused units, about which whoever fulfils them decides, or of used ones, which the merchant
    reviews; both at once are refused."""
    checkout: CheckoutWorld = world
    rules = checkout.settings.review_rules
    async with db.transaction() as tx:
        order = await orders.lock_order(tx, body.order_id)
        if order is None or order.buyer != caller:
            raise OrderNotFound
        unit_ids = list(dict.fromkeys(body.unit_ids))
        refund = await refunds.request_refund(tx, rules, refund_id, order, unit_ids, caller, body.reason)
    return RefundView.of(refund)


@router.get("/refunds/{refund_id}")
async def get_refund(refund_id: UUID, caller: Caller, db: Db) -> RefundView:
    """One refund, for whoever may see its order."""
    async with db.transaction(read_only=True) as tx:
        refund = await store.find_refund(tx, refund_id)
        if refund is None:
            raise RefundNotFound
        try:
            await visible_order(tx, refund.order_id, caller)
        except OrderNotFound as error:
            raise RefundNotFound from error
    return RefundView.of(refund)
