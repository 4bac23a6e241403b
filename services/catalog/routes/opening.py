"""The fee of the verification, and opening group-buy."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from services.catalog import use_cases
from services.catalog.domain.fees import FeeKind, FeeState
from services.catalog.domain.text import LongLine
from services.catalog.routes.merchant_views import MerchantView, merchant_view
from shared.auth import Caller
from shared.http import Db

router = APIRouter(tags=["merchants"])


class SettleFee(BaseModel):
    """Where the payment was found, or why none is asked."""

    state: Literal[FeeState.PAID, FeeState.WAIVED]
    reference: LongLine


class OpenGroupBuy(BaseModel):
    """Nothing more to say: opening is free and needs no deposit."""


@router.put("/merchants/{merchant_id}/fees/{kind}")
async def settle_fee(merchant_id: UUID, kind: FeeKind, body: SettleFee, caller: Caller, db: Db) -> MerchantView:
    """The operator records that a fee was paid or waived; once settled, it is settled."""
    async with db.transaction() as tx:
        file = await use_cases.settle_fee(tx, merchant_id, caller, kind, body.state, body.reference)
    return merchant_view(file)


@router.put("/merchants/{merchant_id}/opening")
async def open_group_buy(merchant_id: UUID, _: OpenGroupBuy, caller: Caller, db: Db) -> MerchantView:
    """Apply to open group-buy: it is open at once when the steps before are done. For owners."""
    async with db.transaction() as tx:
        file = await use_cases.open_group_buy(tx, merchant_id, caller)
    return merchant_view(file)
