"""Reviews of refunds after use: the merchant answers, the buyer appeals, the platform decides."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StringConstraints

from services.checkout.domain.addresses import masked_subject
from services.checkout.routes.views import RefundView
from services.checkout.store import reviews as store
from services.checkout.store.reviews import Listed
from services.checkout.use_cases import reviews
from services.checkout.world import CheckoutWorld
from shared.auth import Caller, require_operator, require_staff
from shared.http import Db
from shared.paging import Cursor, Limit, page_of, read_cursor
from shared.service import World

router = APIRouter(tags=["reviews"])

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Appeal = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
_STATES = Literal["IN_REVIEW", "CONTESTED", "IN_ARBITRATION", "APPROVED", "SENT", "UNKNOWN", "FAILED", "SUCCEEDED",
                  "REFUSED", "ABANDONED"]  # fmt: skip


class GiveAnswer(BaseModel):
    agreed: bool
    reason: Reason | None = Field(default=None, description="Needed for a no; the buyer reads it")


class MakeAppeal(BaseModel):
    text: Appeal


class Arbitrate(BaseModel):
    upheld: bool = Field(description="Whether the buyer gets the money")
    reason: Reason


class ReviewedRefund(BaseModel):
    """A refund and what is to be known to decide about it; the buyer is masked."""

    refund: RefundView
    order_no: str
    title: str
    merchant_id: UUID
    merchant_name: str | None
    buyer: str


class ReviewPage(BaseModel):
    items: list[ReviewedRefund]
    next_cursor: str | None


@router.put("/refunds/{refund_id}/review")
async def put_review(refund_id: UUID, body: GiveAnswer, caller: Caller, db: Db, world: World) -> RefundView:
    """The merchant's owner or manager agrees, or refuses with a reason."""
    checkout: CheckoutWorld = world
    rules = checkout.settings.review_rules
    async with db.transaction() as tx:
        refund = await reviews.answer(tx, rules, refund_id, caller, agreed=body.agreed, reason=body.reason)
    return RefundView.of(refund)


@router.put("/refunds/{refund_id}/appeal")
async def put_appeal(refund_id: UUID, body: MakeAppeal, caller: Caller, db: Db) -> RefundView:
    """The buyer asks the platform to decide."""
    async with db.transaction() as tx:
        refund = await reviews.appeal(tx, refund_id, caller, body.text)
    return RefundView.of(refund)


@router.put("/refunds/{refund_id}/arbitration")
async def put_arbitration(refund_id: UUID, body: Arbitrate, caller: Caller, db: Db) -> RefundView:
    """An operator decides."""
    async with db.transaction() as tx:
        await require_operator(tx, caller)
        refund = await reviews.arbitrate(tx, refund_id, caller, upheld=body.upheld, reason=body.reason)
    return RefundView.of(refund)


@router.get("/merchants/{merchant_id}/reviews")
async def list_reviews(
    merchant_id: UUID,
    caller: Caller,
    db: Db,
    state: Annotated[_STATES | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> ReviewPage:
    """The reviews of a merchant, newest first, for its staff, each as far as their stores reach."""
    before = read_cursor(cursor, datetime, UUID)
    async with db.transaction(read_only=True) as tx:
        await require_staff(tx, caller, merchant_id)
        found = await store.of_merchant(tx, merchant_id, caller, state, before, limit + 1)
    page = page_of(found, limit, lambda one: (_opened_at(one), one.refund.refund_id))
    return ReviewPage(items=[_view(one) for one in page.items], next_cursor=page.next_cursor)


@router.get("/operator/arbitrations")
async def list_arbitrations(caller: Caller, db: Db, cursor: Cursor = None, limit: Limit = 20) -> ReviewPage:
    """The appeals that wait for the platform, oldest first."""
    after = read_cursor(cursor, datetime, UUID)
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        found = await store.arbitrations(tx, after, limit + 1)
    page = page_of(found, limit, lambda one: (_appealed_at(one), one.refund.refund_id))
    return ReviewPage(items=[_view(one) for one in page.items], next_cursor=page.next_cursor)


def _opened_at(one: Listed) -> datetime:
    assert one.refund.review is not None, "a list of reviews"
    return one.refund.review.opened_at


def _appealed_at(one: Listed) -> datetime:
    assert one.refund.review is not None, "a list of appeals"
    assert one.refund.review.appealed_at is not None, "a list of appeals"
    return one.refund.review.appealed_at


def _view(one: Listed) -> ReviewedRefund:
    return ReviewedRefund(
        refund=RefundView.of(one.refund),
        order_no=one.order_no,
        title=one.title,
        merchant_id=one.merchant_id,
        merchant_name=one.merchant_name,
        buyer=masked_subject(one.buyer),
    )
