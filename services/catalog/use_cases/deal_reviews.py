"""An operator decides about a draft: it becomes the next version, or goes back to its merchant."""

from uuid import UUID

from services.catalog import store
from services.catalog.domain.deals import Deal, DraftState, Rejection, ReviewTemplate, rejection_of
from services.catalog.domain.refusals import AlreadyDecided, DealNotInReview
from services.catalog.use_cases.deal_checks import known_deal, match_revision, require_sellable
from services.catalog.use_cases.deal_events import deal_changed, deal_version_published
from shared.auth import require_operator
from shared.database import Transaction
from shared.messaging import outbox


async def review_deal(
    tx: Transaction,
    deal_id: UUID,
    operator: str,
    *,
    approve: bool,
    template: ReviewTemplate | None,
    reason: str | None,
    revision: int | None,
) -> Deal:
    """The operator approves a revision, which becomes the next immutable version, or rejects it: once."""
    await require_operator(tx, operator)
    rejection = None if approve else rejection_of(template, reason)
    deal = await known_deal(tx, deal_id)
    match_revision(deal, revision)
    if rejection is not None:
        decided = await store.reject_draft(tx, deal_id, deal.revision, rejection)
    else:
        if deal.draft_state is DraftState.IN_REVIEW:
            await require_sellable(tx, deal)
        await store.hold_deals(tx, [deal_id])
        decided = await store.publish_draft(tx, deal, operator)
        if decided is not None:
            await outbox.emit(tx, deal_version_published(decided, tx.now), deal_changed(decided, tx.now))
    return decided or await _already(tx, deal_id, rejection)


async def _already(tx: Transaction, deal_id: UUID, rejection: Rejection | None) -> Deal:
    """The deal, if it was decided just like this before; else say what stands in the way."""
    deal = await known_deal(tx, deal_id)
    wanted = DraftState.APPROVED if rejection is None else DraftState.REJECTED
    if deal.draft_state is wanted and deal.rejection == rejection:
        return deal
    if deal.draft_state in {DraftState.APPROVED, DraftState.REJECTED}:
        raise AlreadyDecided(state=deal.draft_state.value)
    raise DealNotInReview
