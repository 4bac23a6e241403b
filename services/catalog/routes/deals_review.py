"""The operator's review of a draft."""

from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel

from services.catalog import use_cases
from services.catalog.domain.deals import (
    TEMPLATE_TEXTS,
    DealContent,
    DealState,
    ReviewTemplate,
    deal_state,
)
from services.catalog.routes.common import ReviewDecision, Seen, etag
from services.catalog.routes.deals import DealDraft, deal_draft
from shared.auth import Caller
from shared.http import Db

router = APIRouter(tags=["deals"])


class ReviewSheet(BaseModel):
    """The proposed draft beside the version that sells (null: nothing was approved yet), and the fields that differ."""

    deal_id: UUID
    merchant_id: UUID
    revision: int
    state: DealState
    deal_version: int
    current: DealContent | None
    proposed: DealContent
    changed: list[str]


class ReviewTemplateView(BaseModel):
    template: ReviewTemplate
    zh: str
    en: str


class ReviewTemplates(BaseModel):
    items: list[ReviewTemplateView]


@router.get("/operator/review-templates", tags=["operator"])
async def list_review_templates(_: Caller) -> ReviewTemplates:
    """The reasons of the list with which a draft may be rejected. OTHER needs words of one's own."""
    return ReviewTemplates(
        items=[ReviewTemplateView(template=one, zh=zh, en=en) for one, (zh, en) in TEMPLATE_TEXTS.items()]
    )


@router.get("/deals/{deal_id}/review")
async def show_review(deal_id: UUID, caller: Caller, db: Db, response: Response) -> ReviewSheet:
    """What an operator compares; the ETag is the revision, for `If-Match` of the decision."""
    async with db.transaction(read_only=True) as tx:
        sheet = await use_cases.review_sheet(tx, deal_id, caller)
    deal = sheet.deal
    response.headers.update(etag(deal.revision))
    return ReviewSheet(
        deal_id=deal.deal_id,
        merchant_id=deal.merchant_id,
        revision=deal.revision,
        state=deal_state(deal, tx.now),
        deal_version=deal.deal_version,
        current=sheet.current,
        proposed=deal.content,
        changed=sheet.changed,
    )


@router.put("/deals/{deal_id}/review")
async def review_deal(deal_id: UUID, body: ReviewDecision, caller: Caller, db: Db, seen: Seen) -> DealDraft:
    """The operator approves or rejects; `If-Match` quotes the revision that was read."""
    async with db.transaction() as tx:
        deal = await use_cases.review_deal(
            tx, deal_id, caller, approve=body.approve, template=body.template, reason=body.reason, revision=seen
        )
    return deal_draft(deal, tx.now)
