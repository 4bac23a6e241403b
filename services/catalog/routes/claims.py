"""Claims to stores: competing, deciding, appealing."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, StringConstraints

from services.catalog import use_cases
from services.catalog.domain.claims import Appeal, Claim, ClaimState
from services.catalog.domain.text import LongLine, Paragraph
from services.catalog.routes.common import Decision, Seen
from shared.auth import Caller
from shared.http import Db
from shared.paging import Cursor, Limit, page_of, read_cursor

router = APIRouter(tags=["claims"])


class Compete(BaseModel):
    merchant_id: UUID
    licence_evidence: LongLine


class AppealClaim(BaseModel):
    text: Annotated[Paragraph, StringConstraints(strip_whitespace=True, min_length=1)]
    evidence: LongLine


class AppealView(BaseModel):
    text: str
    evidence: str


class ClaimView(BaseModel):
    claim_id: UUID
    store_id: UUID
    merchant_id: UUID
    merchant_name: str
    version: int
    licence_evidence: str
    state: ClaimState
    reason: str | None
    appeal: AppealView | None
    claimed_at: datetime


class ClaimList(BaseModel):
    items: list[ClaimView]
    next_cursor: str | None


def appeal_view(claim: Claim) -> AppealView | None:
    """What the claimant said against a decision, if anything."""
    return AppealView(text=claim.appeal.text, evidence=claim.appeal.evidence) if claim.appeal else None


def claim_view(claim: Claim) -> ClaimView:
    """A claim for its merchant and operators."""
    plain = ClaimView.model_fields.keys() - {"appeal"}
    return ClaimView(**{name: getattr(claim, name) for name in plain}, appeal=appeal_view(claim))


@router.put("/stores/{store_id}/claims/{claim_id}", status_code=201)
async def compete(store_id: UUID, claim_id: UUID, body: Compete, caller: Caller, db: Db) -> ClaimView:
    """Claim a store that another merchant registered or holds."""
    async with db.transaction() as tx:
        claim = await use_cases.compete(tx, store_id, claim_id, caller, body.merchant_id, body.licence_evidence)
    return claim_view(claim)


@router.put("/claims/{claim_id}/decision")
async def decide_claim(claim_id: UUID, body: Decision, caller: Caller, db: Db, seen: Seen) -> ClaimView:
    """The operator awards the store to this claimant, or rejects the claim; `If-Match` quotes the claim's version."""
    async with db.transaction() as tx:
        claim = await use_cases.decide_claim(
            tx, claim_id, caller, approve=body.approve, reason=body.reason, version=seen
        )
    return claim_view(claim)


@router.put("/claims/{claim_id}/appeal")
async def appeal_claim(claim_id: UUID, body: AppealClaim, caller: Caller, db: Db) -> ClaimView:
    """Ask the operator to look again at a rejected or lost claim; once."""
    async with db.transaction() as tx:
        claim = await use_cases.appeal_claim(tx, claim_id, caller, Appeal(body.text, body.evidence))
    return claim_view(claim)


@router.get("/stores/{store_id}/claims")
async def claims_on(store_id: UUID, caller: Caller, db: Db, cursor: Cursor = None, limit: Limit = 20) -> ClaimList:
    """Claims to a store, newest first: all of them for operators, their own for claimants."""
    after = read_cursor(cursor, int)
    async with db.transaction(read_only=True) as tx:
        found = await use_cases.claims_on(tx, store_id, caller, after[0] if after else None, limit + 1)
    page = page_of(found, limit, lambda one: (one[0],))
    return ClaimList(items=[claim_view(claim) for _, claim in page.items], next_cursor=page.next_cursor)
