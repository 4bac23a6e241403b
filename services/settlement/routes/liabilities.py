"""What is bought and not redeemed, for operators and merchants; who owes what after refunds, for operators."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.settlement.routes.merchants import require_reader
from services.settlement.store import liabilities as store
from shared.auth import Caller, require_operator
from shared.contracts.catalog import Rail
from shared.http import Db
from shared.paging import Cursor, Limit, cursor_of, page_of, read_cursor

router = APIRouter()


class Unredeemed(BaseModel):
    """Paid by buyers and not used: the platform's liability until it is redeemed or goes back."""

    units: int
    uses: int
    paid_fen: int
    since: datetime = Field(description="When the oldest of it was paid for")


class UnredeemedOfMerchant(Unredeemed):
    merchant_id: UUID
    name: str | None


class UnredeemedOfDeal(Unredeemed):
    deal_id: UUID
    title: str


class UnredeemedList(BaseModel):
    items: list[UnredeemedOfMerchant]
    next_cursor: str | None


class UnredeemedDeals(BaseModel):
    items: list[UnredeemedOfDeal]
    next_cursor: str | None


class Owing(BaseModel):
    """What a merchant has to give back on one rail. On 直付通 Alipay takes it from the merchant's own balance when it
    refunds, so that nothing is left to collect there. On the transfer rail the next payouts pay it off; what
    stands here is left of it, for an operator to dun."""

    merchant_id: UUID
    name: str | None
    state: str | None
    rail: Rail
    uses: int
    owed_fen: int
    since: datetime
    taken_by_channel: bool


class OwingList(BaseModel):
    items: list[Owing]
    next_cursor: str | None


@router.get("/admin/liabilities")
async def unredeemed(caller: Caller, db: Db, cursor: Cursor = None, limit: Limit = 50) -> UnredeemedList:
    """Every merchant with something bought and not redeemed, page by page."""
    after = read_cursor(cursor, UUID)
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        rows = await store.unredeemed(tx, after[0] if after else None, limit + 1)
    page = page_of(rows, limit, lambda row: (row["merchant_id"],))
    return UnredeemedList(items=[UnredeemedOfMerchant(**row) for row in page.items], next_cursor=page.next_cursor)


@router.get("/merchants/{merchant_id}/liabilities")
async def unredeemed_by_deal(
    merchant_id: UUID, caller: Caller, db: Db, cursor: Cursor = None, limit: Limit = 50
) -> UnredeemedDeals:
    """What a merchant still has to serve, deal by deal."""
    after = read_cursor(cursor, UUID)
    async with db.transaction(read_only=True) as tx:
        await require_reader(tx, caller, merchant_id)
        rows = await store.unredeemed_by_deal(tx, merchant_id, after[0] if after else None, limit + 1)
    page = page_of(rows, limit, lambda row: (row["deal_id"],))
    return UnredeemedDeals(items=[UnredeemedOfDeal(**row) for row in page.items], next_cursor=page.next_cursor)


@router.get("/admin/dunning")
async def dunning(caller: Caller, db: Db, cursor: Cursor = None, limit: Limit = 50) -> OwingList:
    """Merchants who were paid for what went back to the buyer afterwards, `limit` merchants a page."""
    after = read_cursor(cursor, UUID)
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        rows = await store.owing(tx, after[0] if after else None, limit + 1)
    merchants = sorted({row["merchant_id"] for row in rows})
    shown = set(merchants[:limit])
    return OwingList(
        items=[
            Owing(**row, taken_by_channel=row["rail"] == Rail.ZHIFUTONG) for row in rows if row["merchant_id"] in shown
        ],
        next_cursor=cursor_of(merchants[limit - 1]) if len(merchants) > limit else None,
    )
