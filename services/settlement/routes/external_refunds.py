"""Operators take over refunds from the channel's book that nobody here asked for."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import AwareDatetime, BaseModel, Field

from services.settlement.use_cases import external_refunds
from shared.auth import Caller, require_operator
from shared.http import Db

router = APIRouter(prefix="/admin/external-refunds")

Number = Annotated[str, Path(pattern="^[0-9A-Za-z_-]{1,64}$")]


class FoundRefund(BaseModel):
    amount_fen: Annotated[int, Field(strict=True, ge=1)]
    refunded_at: AwareDatetime = Field(description="By the channel's book")


class FoundRefundView(BaseModel):
    refund_id: UUID
    order_id: UUID
    out_trade_no: str
    channel_refund_no: str
    amount_fen: int
    refunded_at: datetime
    found_by: str


@router.put("/{out_trade_no}/{channel_refund_no}", status_code=201)
async def put_found_refund(
    out_trade_no: Number, channel_refund_no: Number, body: FoundRefund, caller: Caller, db: Db
) -> FoundRefundView:
    """The channel's book shows this refund of this trade; checkout is told once."""
    async with db.transaction() as tx:
        await require_operator(tx, caller)
        found = await external_refunds.find(
            tx, out_trade_no, channel_refund_no, body.amount_fen, body.refunded_at, caller
        )
    return FoundRefundView.model_validate(found, from_attributes=True)


@router.get("/{out_trade_no}/{channel_refund_no}")
async def get_found_refund(out_trade_no: Number, channel_refund_no: Number, caller: Caller, db: Db) -> FoundRefundView:
    """A refund that was taken over before."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        found = await external_refunds.read(tx, out_trade_no, channel_refund_no)
    return FoundRefundView.model_validate(found, from_attributes=True)
