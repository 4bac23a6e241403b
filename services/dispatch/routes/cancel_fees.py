"""Cancel fees that their carriers never named: an operator finds them in the carrier's bill."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.dispatch.store import cancel_fees
from services.dispatch.use_cases import learning_fees
from shared.auth import Caller, require_operator
from shared.http import Db
from shared.paging import Cursor, Limit, page_of, read_cursor

router = APIRouter(prefix="/admin", tags=["admin"])


class OpenFeeView(BaseModel):
    attempt_id: UUID
    parcel_id: UUID
    provider: str
    account: str
    provider_id: str | None = Field(description="The carrier's number, as its bill has it")
    given_up_at: datetime
    terms_fen: int | None = Field(description="What the carrier had announced; null: nothing, which is not zero")
    penalty_borne_by: str | None


class OpenFees(BaseModel):
    items: list[OpenFeeView]
    next_cursor: str | None


class Fee(BaseModel):
    fee_fen: Annotated[int, Field(strict=True, ge=0, le=1_000_000)]


@router.get("/cancel-fees")
async def list_open_fees(caller: Caller, db: Db, cursor: Cursor = None, limit: Limit = 20) -> OpenFees:
    """Fees of cancelled orders that nobody knows although their carriers were asked for two days, longest first."""
    after = read_cursor(cursor or None, datetime, UUID)
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        found = await cancel_fees.given_up(tx, after, limit + 1)
    page = page_of(found, limit, lambda one: (one.given_up_at, one.attempt_id))
    items = [OpenFeeView.model_validate(one, from_attributes=True) for one in page.items]
    return OpenFees(items=items, next_cursor=page.next_cursor)


@router.put("/attempts/{attempt_id}/cancel-fee", status_code=204)
async def settle_fee(attempt_id: UUID, body: Fee, caller: Caller, db: Db) -> None:
    """What the carrier's bill says that a cancelled order cost."""
    async with db.transaction() as tx:
        await require_operator(tx, caller)
        await learning_fees.settle(tx, attempt_id, body.fee_fen)
