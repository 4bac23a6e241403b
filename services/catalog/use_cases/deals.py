"""A deal from the draft to the sale: edit, submit, review, publish, put on and off sale."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.catalog import store
from services.catalog.domain.deals import (
    Deal,
    DealContent,
    DraftState,
    Rejection,
    ReviewTemplate,
    check_content,
    rejection_of,
)
from services.catalog.domain.refusals import (
    AlreadyDecided,
    DealInReview,
    DealNotInReview,
    DealNotPublished,
    MerchantNotVerified,
    PayoutAccountNotVerified,
    SaleEnded,
    StoreNotOfMerchant,
    StoreNotVerified,
)
from services.catalog.use_cases.opening import require_opened
from shared.auth import is_operator, require_operator, require_staff
from shared.contracts.catalog import DealChanged, DealVersionPublished, StaffRole
from shared.contracts.checkout import AvailabilityChanged
from shared.database import Transaction
from shared.errors import IdTaken, NotFound, PreconditionFailed
from shared.messaging import outbox

_EDITORS = (StaffRole.OWNER, StaffRole.MANAGER)


async def save_draft(
    tx: Transaction, deal_id: UUID, caller: str, merchant_id: UUID, content: DealContent, revision: int | None
) -> Deal:
    """Write a draft, or edit it; what is on sale stays as it is until an operator approves the edit.

    `revision` (If-Match) is what the caller saw; merchant and form belong to the id for good.
    """
    await require_staff(tx, caller, merchant_id, *_EDITORS)
    await require_opened(tx, merchant_id)
    check_content(content)
    deal = await store.deal(tx, deal_id)
    if deal is None or not deal.published:
        await _require_own_stores(tx, merchant_id, content.store_ids)
    if deal is None:
        added = await store.add_draft(tx, deal_id, merchant_id, content)
        deal = added or await _deal(tx, deal_id)
    if deal.merchant_id != merchant_id or deal.content.form is not content.form:
        raise IdTaken
    content = deal.in_force(content)
    if deal.content == content:
        return deal
    _match(deal, revision)
    changed = await store.change_draft(tx, deal_id, deal.revision, content)
    if changed is None:
        raise await _why_unchanged(tx, deal_id)
    return changed


async def _require_own_stores(tx: Transaction, merchant_id: UUID, store_ids: Sequence[UUID]) -> None:
    owned, _ = await store.count_stores(tx, merchant_id, store_ids)
    if owned != len(set(store_ids)):
        raise StoreNotOfMerchant


async def _why_unchanged(tx: Transaction, deal_id: UUID) -> Exception:
    in_review = (await _deal(tx, deal_id)).draft_state is DraftState.IN_REVIEW
    return DealInReview() if in_review else PreconditionFailed()


async def submit_deal(tx: Transaction, deal_id: UUID, caller: str, revision: int | None) -> Deal:
    """Ask for review. Merchant and payout account must be verified, and every store of a first version open."""
    deal = await _deal(tx, deal_id)
    await require_staff(tx, caller, deal.merchant_id, *_EDITORS)
    _match(deal, revision)
    if deal.draft_state in {DraftState.IN_REVIEW, DraftState.APPROVED}:
        return deal
    # The draft may be older than a rule.
    check_content(deal.content)
    await _require_sellable(tx, deal)
    submitted = await store.submit_draft(tx, deal_id, deal.revision)
    if submitted is None:
        raise PreconditionFailed
    return submitted


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
    deal = await _deal(tx, deal_id)
    _match(deal, revision)
    if rejection is not None:
        decided = await store.reject_draft(tx, deal_id, deal.revision, rejection)
    else:
        if deal.draft_state is DraftState.IN_REVIEW:
            await _require_sellable(tx, deal)
        await store.hold_deals(tx, [deal_id])
        decided = await store.publish_draft(tx, deal, operator)
        if decided is not None:
            await outbox.emit(tx, _version_published(tx, decided), _deal_changed(tx, decided))
    return decided or await _already(tx, deal_id, rejection)


async def _already(tx: Transaction, deal_id: UUID, rejection: Rejection | None) -> Deal:
    """The deal, if it was decided just like this before; else say what stands in the way."""
    deal = await _deal(tx, deal_id)
    wanted = DraftState.APPROVED if rejection is None else DraftState.REJECTED
    if deal.draft_state is wanted and deal.rejection == rejection:
        return deal
    if deal.draft_state in {DraftState.APPROVED, DraftState.REJECTED}:
        raise AlreadyDecided(state=deal.draft_state.value)
    raise DealNotInReview


async def switch_sale(tx: Transaction, deal_id: UUID, caller: str, *, online: bool) -> Deal:
    """Put the approved version on sale, or take it off."""
    deal = await _deal(tx, deal_id)
    await require_staff(tx, caller, deal.merchant_id, *_EDITORS)
    if online:
        await _require_saleable_now(tx, deal)
    await store.hold_deals(tx, [deal_id])
    switched = await store.switch_sale(tx, deal_id, online=online)
    if switched is None:
        deal = await _deal(tx, deal_id)
        if deal.sale_state is None:
            raise DealNotPublished
        return deal
    await outbox.emit(tx, _deal_changed(tx, switched))
    return switched


async def change_stock(tx: Transaction, deal_id: UUID, caller: str, total_quota: int, version: int | None) -> Deal:
    """Another quota for a published deal: at once, without review, also while an edit of the draft is in review.

    `version` (If-Match) is that of the sale, which the caller saw.
    """
    deal = await _deal(tx, deal_id)
    await require_staff(tx, caller, deal.merchant_id, *_EDITORS)
    await store.hold_deals(tx, [deal_id])
    changed = await store.change_stock(tx, deal_id, total_quota, version)
    if changed is None:
        return await _unless_stale(tx, deal_id, total_quota=total_quota)
    await outbox.emit(tx, _deal_changed(tx, changed))
    return changed


async def change_stores(
    tx: Transaction, deal_id: UUID, caller: str, store_ids: Sequence[UUID], version: int | None
) -> Deal:
    """Other stores for a published deal, as `change_stock`. They must be the merchant's, and open."""
    store_ids = tuple(dict.fromkeys(store_ids))
    deal = await _deal(tx, deal_id)
    await require_staff(tx, caller, deal.merchant_id, *_EDITORS)
    await _require_open_stores(tx, deal.merchant_id, store_ids)
    await store.hold_deals(tx, [deal_id])
    changed = await store.change_stores(tx, deal_id, store_ids, version)
    if changed is None:
        return await _unless_stale(tx, deal_id, store_ids=store_ids)
    await outbox.emit(tx, _deal_changed(tx, changed))
    return changed


async def _unless_stale(tx: Transaction, deal_id: UUID, **wanted: object) -> Deal:
    """The deal, if its sale is already as wanted; else say why it could not be changed."""
    deal = await _deal(tx, deal_id)
    if not deal.published:
        raise DealNotPublished
    if any(getattr(deal, name) != value for name, value in wanted.items()):
        raise PreconditionFailed
    return deal


async def _require_saleable_now(tx: Transaction, deal: Deal) -> None:
    content = await store.version_content(tx, deal.deal_id, deal.deal_version)
    if content is None:
        raise DealNotPublished
    await _require_verified(tx, deal.merchant_id)
    if tx.now >= content.sale_until:
        raise SaleEnded


async def _require_sellable(tx: Transaction, deal: Deal) -> None:
    await _require_verified(tx, deal.merchant_id)
    # Once published, where it sells is no longer the draft's affair: it sells in those of its stores that are open.
    if not deal.published:
        await _require_open_stores(tx, deal.merchant_id, deal.content.store_ids)


async def _require_open_stores(tx: Transaction, merchant_id: UUID, store_ids: Sequence[UUID]) -> None:
    owned, opened = await store.count_stores(tx, merchant_id, store_ids)
    if owned != len(set(store_ids)):
        raise StoreNotOfMerchant
    if opened != owned:
        raise StoreNotVerified


async def _require_verified(tx: Transaction, merchant_id: UUID) -> None:
    verified, payable = await store.may_sell(tx, merchant_id)
    if not verified:
        raise MerchantNotVerified
    if not payable:
        raise PayoutAccountNotVerified
    await require_opened(tx, merchant_id)


def _match(deal: Deal, revision: int | None) -> None:
    if revision is not None and revision != deal.revision:
        raise PreconditionFailed


async def _deal(tx: Transaction, deal_id: UUID) -> Deal:
    deal = await store.deal(tx, deal_id)
    if deal is None:
        raise NotFound
    return deal


async def draft_of(tx: Transaction, deal_id: UUID, caller: str) -> Deal:
    """The draft, for the merchant's staff or an operator."""
    deal = await _deal(tx, deal_id)
    if not await is_operator(tx, caller):
        await require_staff(tx, caller, deal.merchant_id)
    return deal


async def announce_deals(tx: Transaction, deal_ids: Sequence[UUID]) -> None:
    """Tell checkout anew where these deals may be used: a store of theirs opened, closed or changed hands."""
    await store.hold_deals(tx, deal_ids)
    await outbox.emit(tx, *(_deal_changed(tx, deal) for deal in await store.say_again(tx, deal_ids)))


async def keep_availability(tx: Transaction, event: AvailabilityChanged) -> None:
    """Take checkout's newest count of a deal."""
    await store.keep_availability(tx, event.deal_id, event.version, event.available, event.sold)


def _version_published(tx: Transaction, deal: Deal) -> DealVersionPublished:
    return deal_version_published(deal, tx.now)


def deal_version_published(deal: Deal, now: datetime) -> DealVersionPublished:
    """What checkout is told of an approved version; the deal's content is that version's."""
    content = deal.content
    return DealVersionPublished(
        occurred_at=now,
        version=deal.version,
        deal_id=deal.deal_id,
        deal_version=deal.deal_version,
        merchant_id=deal.merchant_id,
        kind=content.form.kind,
        title=content.title,
        cover=content.cover,
        price_fen=content.price_fen,
        original_price_fen=content.original_price_fen,
        per_buyer_limit=content.per_buyer_limit,
        sale_from=content.sale_from,
        sale_until=content.sale_until,
        rules=content.rules,
        delivery=content.delivery,
        form=content.form,
        uses_per_unit=content.uses_per_unit,
        cash=content.cash,
        code_source=content.code_source,
        refund_policy=content.refund_policy,
    )


def _deal_changed(tx: Transaction, deal: Deal) -> DealChanged:
    return deal_changed(deal, tx.now)


def deal_changed(deal: Deal, now: datetime) -> DealChanged:
    """What checkout is told of a deal that may be on sale."""
    return DealChanged(
        occurred_at=now,
        version=deal.version,
        deal_id=deal.deal_id,
        deal_version=deal.deal_version,
        merchant_id=deal.merchant_id,
        online=deal.online,
        total_quota=deal.total_quota,
        store_ids=deal.open_store_ids,
    )
