"""Deals as their merchants see them: drafts, the sale, and the list."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel

from services.catalog import use_cases
from services.catalog.domain.deals import (
    Category,
    Deal,
    DealContent,
    DealState,
    Quota,
    Rejection,
    ReviewTemplate,
    StoreIds,
    deal_state,
)
from services.catalog.routes.common import Seen, etag
from services.catalog.store.deals_list import DealRow
from shared.auth import Caller
from shared.contracts.catalog import DealForm, DealKind
from shared.http import Db
from shared.paging import Cursor, Limit

router = APIRouter(tags=["deals"])


class SaveDraft(DealContent):
    """On a published deal, quota and stores are the sale's and change by `/stock` and `/stores` only: what a draft says
    of them is not taken, and the answer shows what is in force."""

    merchant_id: UUID

    def content(self) -> DealContent:
        """What the draft says, without whose it is."""
        return DealContent(**{name: getattr(self, name) for name in DealContent.model_fields})


class SubmitDeal(BaseModel):
    """Nothing more to say."""


class SwitchSale(BaseModel):
    online: bool


class ChangeStock(BaseModel):
    total_quota: Quota


class ChangeStores(BaseModel):
    store_ids: StoreIds


class WhyRejected(BaseModel):
    """Why an operator rejected the draft, while it is rejected. `reason` is the operator's own words."""

    reason: str | None
    reason_template: ReviewTemplate | None
    reason_zh: str | None
    reason_en: str | None


class DealDraft(DealContent, WhyRejected):
    """The draft with its state; `deal_version` (0: none yet), `sale_version` and `online` tell of what sells.

    `revision` is the draft's for `If-Match`, `sale_version` the sale's."""

    deal_id: UUID
    merchant_id: UUID
    kind: DealKind
    state: DealState
    revision: int
    deal_version: int
    sale_version: int
    online: bool


class DealSummary(WhyRejected):
    """A deal in its merchant's list: the draft in short, and the sale."""

    deal_id: UUID
    merchant_id: UUID
    state: DealState
    form: DealForm
    kind: DealKind
    category: Category
    title: str
    cover: str
    price_fen: int
    original_price_fen: int
    sale_from: datetime
    sale_until: datetime
    revision: int
    deal_version: int
    sale_version: int
    online: bool
    total_quota: int
    available: int
    sold: int
    submitted_at: datetime | None


class DealList(BaseModel):
    items: list[DealSummary]
    next_cursor: str | None


def _why_rejected(rejection: Rejection | None) -> dict[str, Any]:
    if rejection is None:
        return dict.fromkeys(WhyRejected.model_fields)
    return {
        "reason": rejection.text or None,
        "reason_template": rejection.template,
        "reason_zh": rejection.zh,
        "reason_en": rejection.en,
    }


def deal_draft(deal: Deal, now: datetime) -> DealDraft:
    """A deal as its merchant and operators see it."""
    return DealDraft(
        **{name: getattr(deal.content, name) for name in DealContent.model_fields},
        **_why_rejected(deal.rejection),
        deal_id=deal.deal_id,
        merchant_id=deal.merchant_id,
        kind=deal.content.form.kind,
        state=deal_state(deal, now),
        revision=deal.revision,
        deal_version=deal.deal_version,
        sale_version=deal.version,
        online=deal.online,
    )


def _summary(row: DealRow) -> DealSummary:
    content, form = row.content, row.content.form
    said = ("category", "title", "cover", "price_fen", "original_price_fen", "sale_from", "sale_until")
    known = ("deal_id", "merchant_id", "state", "revision", "deal_version", "online", "total_quota",
             "available", "sold", "submitted_at")  # fmt: skip
    return DealSummary(
        **{name: getattr(content, name) for name in said},
        **{name: getattr(row, name) for name in known},
        **_why_rejected(row.rejection),
        sale_version=row.version,
        form=form,
        kind=form.kind,
    )


@router.put("/deals/{deal_id}", status_code=201)
async def save_draft(
    deal_id: UUID, body: SaveDraft, caller: Caller, db: Db, seen: Seen, response: Response
) -> DealDraft:
    """Write or edit a draft; `If-Match` with the revision that was seen keeps two editors apart."""
    async with db.transaction() as tx:
        deal = await use_cases.save_draft(tx, deal_id, caller, body.merchant_id, body.content(), seen)
    response.headers.update(etag(deal.revision))
    return deal_draft(deal, tx.now)


@router.get("/deals/{deal_id}/draft")
async def show_draft(deal_id: UUID, caller: Caller, db: Db, response: Response) -> DealDraft:
    """The draft with its ETag, for the merchant's staff and operators."""
    async with db.transaction(read_only=True) as tx:
        deal = await use_cases.draft_of(tx, deal_id, caller)
    response.headers.update(etag(deal.revision))
    return deal_draft(deal, tx.now)


@router.put("/deals/{deal_id}/submission")
async def submit_deal(deal_id: UUID, _: SubmitDeal, caller: Caller, db: Db, seen: Seen) -> DealDraft:
    """Ask for review."""
    async with db.transaction() as tx:
        deal = await use_cases.submit_deal(tx, deal_id, caller, seen)
    return deal_draft(deal, tx.now)


@router.put("/deals/{deal_id}/online")
async def switch_sale(
    deal_id: UUID, body: SwitchSale, caller: Caller, db: Db, seen: Seen, response: Response
) -> DealDraft:
    """Put the approved version on sale, or take it off; `If-Match` quotes the `sale_version` that was seen."""
    async with db.transaction() as tx:
        deal = await use_cases.switch_sale(tx, deal_id, caller, seen, online=body.online)
    response.headers.update(etag(deal.version))
    return deal_draft(deal, tx.now)


@router.put("/deals/{deal_id}/stock")
async def change_stock(
    deal_id: UUID, body: ChangeStock, caller: Caller, db: Db, seen: Seen, response: Response
) -> DealDraft:
    """Another quota at once, without review; `If-Match` quotes the `sale_version` that was seen."""
    async with db.transaction() as tx:
        deal = await use_cases.change_stock(tx, deal_id, caller, body.total_quota, seen)
    response.headers.update(etag(deal.version))
    return deal_draft(deal, tx.now)


@router.put("/deals/{deal_id}/stores")
async def change_stores(
    deal_id: UUID, body: ChangeStores, caller: Caller, db: Db, seen: Seen, response: Response
) -> DealDraft:
    """Other stores at once, without review; `If-Match` quotes the `sale_version` that was seen."""
    async with db.transaction() as tx:
        deal = await use_cases.change_stores(tx, deal_id, caller, body.store_ids, seen)
    response.headers.update(etag(deal.version))
    return deal_draft(deal, tx.now)


@router.get("/merchants/{merchant_id}/deals")
async def list_deals(
    merchant_id: UUID,
    caller: Caller,
    db: Db,
    state: DealState | None = None,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> DealList:
    """A merchant's deals, the newest first, for its staff and operators."""
    async with db.transaction(read_only=True) as tx:
        page = await use_cases.merchant_deals(tx, merchant_id, caller, state, cursor, limit)
    return DealList(items=[_summary(row) for row in page.items], next_cursor=page.next_cursor)
