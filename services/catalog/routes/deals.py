"""Deals: drafts for the merchant, reviews for operators, the page for everybody."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel

from services.catalog import use_cases
from services.catalog.domain.deals import BadgeState, Deal, DealContent, DealItem, DealState, badge_state, deal_state
from services.catalog.domain.stores import Store
from services.catalog.routes.common import Decision, Seen, etag
from services.catalog.routes.stores import PublicStore, public_store
from services.catalog.store.deals import PublishedDeal
from shared.auth import Caller
from shared.contracts.catalog import DealKind, DeliveryTerms
from shared.contracts.use_rules import UseRules
from shared.http import Db

router = APIRouter(tags=["deals"])


class SaveDraft(DealContent):
    merchant_id: UUID

    def content(self) -> DealContent:
        """What the draft says, without whose it is."""
        return DealContent(**{name: getattr(self, name) for name in DealContent.model_fields})


class SubmitDeal(BaseModel):
    """Nothing more to say."""


class SwitchSale(BaseModel):
    online: bool


class DealDraft(DealContent):
    """The draft with its state; `deal_version` (0: none yet) and `online` tell of the version that sells."""

    deal_id: UUID
    merchant_id: UUID
    state: DealState
    revision: int
    reason: str | None
    deal_version: int
    online: bool


class DealMerchant(BaseModel):
    merchant_id: UUID
    name: str
    phone: str


class DealPage(BaseModel):
    """What everybody may see of the approved version."""

    deal_id: UUID
    deal_version: int
    state: BadgeState
    merchant: DealMerchant
    kind: DealKind
    title: str
    cover: str
    description: str
    items: tuple[DealItem, ...]
    price_fen: int
    original_price_fen: int
    total_quota: int
    available: int
    sold: int
    per_buyer_limit: int
    sale_from: datetime
    sale_until: datetime
    rules: UseRules
    stores: list[PublicStore]
    delivery: DeliveryTerms | None


def deal_draft(deal: Deal, now: datetime) -> DealDraft:
    """A deal as its merchant and operators see it."""
    return DealDraft(
        **{name: getattr(deal.content, name) for name in DealContent.model_fields},
        deal_id=deal.deal_id,
        merchant_id=deal.merchant_id,
        state=deal_state(deal, now),
        revision=deal.revision,
        reason=deal.reason,
        deal_version=deal.deal_version,
        online=deal.online,
    )


def _page(published: PublishedDeal, stores: list[Store], now: datetime) -> DealPage:
    content = published.content
    shown = ("kind", "title", "cover", "description", "items", "price_fen", "original_price_fen", "per_buyer_limit",
             "sale_from", "sale_until", "rules", "delivery")  # fmt: skip
    return DealPage(
        **{name: getattr(content, name) for name in shown},
        deal_id=published.deal_id,
        deal_version=published.deal_version,
        state=badge_state(published.sale, now),
        merchant=DealMerchant(
            merchant_id=published.merchant_id, name=published.merchant_name, phone=published.merchant_phone
        ),
        total_quota=published.total_quota,
        available=published.sale.available,
        sold=published.sold,
        stores=[public_store(store) for store in stores],
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


@router.put("/deals/{deal_id}/review")
async def review_deal(deal_id: UUID, body: Decision, caller: Caller, db: Db, seen: Seen) -> DealDraft:
    """The operator approves or rejects; `If-Match` quotes the revision that was read."""
    async with db.transaction() as tx:
        deal = await use_cases.review_deal(tx, deal_id, caller, approve=body.approve, reason=body.reason, revision=seen)
    return deal_draft(deal, tx.now)


@router.put("/deals/{deal_id}/online")
async def switch_sale(deal_id: UUID, body: SwitchSale, caller: Caller, db: Db) -> DealDraft:
    """Put the approved version on sale, or take it off."""
    async with db.transaction() as tx:
        deal = await use_cases.switch_sale(tx, deal_id, caller, online=body.online)
    return deal_draft(deal, tx.now)


@router.get("/deals/{deal_id}")
async def show_deal(deal_id: UUID, db: Db) -> DealPage:
    """The deal's page; public."""
    async with db.transaction(read_only=True) as tx:
        published, stores = await use_cases.deal_page(tx, deal_id)
    return _page(published, stores, tx.now)
