"""A deal's draft: edited by its merchant, submitted for review."""

from uuid import UUID

from services.catalog import store
from services.catalog.domain.deals import Deal, DealContent, DraftState, check_content
from services.catalog.domain.refusals import DealInReview
from services.catalog.domain.staff import EDITORS
from services.catalog.use_cases.deal_checks import (
    known_deal,
    match_revision,
    require_own_stores,
    require_sellable,
)
from services.catalog.use_cases.opening import require_opened
from shared.auth import is_operator, require_staff
from shared.database import Transaction
from shared.errors import IdTaken, PreconditionFailed


async def save_draft(
    tx: Transaction, deal_id: UUID, caller: str, merchant_id: UUID, content: DealContent, revision: int | None
) -> Deal:
    """Write a draft, or edit it; what is on sale stays as it is until an operator approves the edit.

    `revision` (If-Match) is what the caller saw; merchant and form belong to the id for good.
    """
    await require_staff(tx, caller, merchant_id, *EDITORS)
    await require_opened(tx, merchant_id)
    check_content(content)
    deal = await store.deal(tx, deal_id)
    if deal is None or not deal.published:
        await require_own_stores(tx, merchant_id, content.store_ids)
    if deal is None:
        added = await store.add_draft(tx, deal_id, merchant_id, content)
        deal = added or await known_deal(tx, deal_id)
    if deal.merchant_id != merchant_id or deal.content.form is not content.form:
        raise IdTaken
    content = deal.in_force(content)
    if deal.content == content:
        return deal
    match_revision(deal, revision)
    changed = await store.change_draft(tx, deal_id, deal.revision, content)
    if changed is None:
        raise await _why_unchanged(tx, deal_id)
    return changed


async def _why_unchanged(tx: Transaction, deal_id: UUID) -> Exception:
    deal = await known_deal(tx, deal_id)
    in_review = deal.draft_state is DraftState.IN_REVIEW
    return DealInReview() if in_review else PreconditionFailed(current=deal.revision)


async def submit_deal(tx: Transaction, deal_id: UUID, caller: str, revision: int | None) -> Deal:
    """Ask for review. Merchant and payout account must be verified, and every store of a first version open."""
    deal = await known_deal(tx, deal_id)
    await require_staff(tx, caller, deal.merchant_id, *EDITORS)
    match_revision(deal, revision)
    if deal.draft_state in {DraftState.IN_REVIEW, DraftState.APPROVED}:
        return deal
    # The draft may be older than a rule.
    check_content(deal.content)
    await require_sellable(tx, deal)
    submitted = await store.submit_draft(tx, deal_id, deal.revision)
    if submitted is None:
        raise PreconditionFailed
    return submitted


async def draft_of(tx: Transaction, deal_id: UUID, caller: str) -> Deal:
    """The draft, for the merchant's staff or an operator."""
    deal = await known_deal(tx, deal_id)
    if not await is_operator(tx, caller):
        await require_staff(tx, caller, deal.merchant_id)
    return deal
