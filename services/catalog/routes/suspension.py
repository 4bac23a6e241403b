"""Stopping a merchant, and letting it go on."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.catalog import use_cases
from services.catalog.domain.text import Line
from services.catalog.routes.common import Seen
from services.catalog.routes.merchant_views import MerchantView, merchant_view
from shared.auth import Caller
from shared.http import Db

router = APIRouter(tags=["merchants"])


class Suspend(BaseModel):
    """A suspension needs a reason, which the merchant reads."""

    suspended: bool
    reason: Annotated[Line, Field(max_length=500)] | None = None


@router.put("/merchants/{merchant_id}/suspension")
async def suspend(merchant_id: UUID, body: Suspend, caller: Caller, db: Db, seen: Seen) -> MerchantView:
    """The operator suspends a merchant, or lifts the suspension; `If-Match` quotes the merchant's version."""
    act = use_cases.suspend_merchant if body.suspended else use_cases.lift_suspension
    async with db.transaction() as tx:
        file = await act(tx, merchant_id, caller, body.reason, seen)
    return merchant_view(file)
