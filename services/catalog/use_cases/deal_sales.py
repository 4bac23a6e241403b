"""The sale of an approved version: on and off, how many, where; all at once and without review."""

from collections.abc import Sequence
from uuid import UUID

from services.catalog import store
from services.catalog.domain.deals import Deal, SaleState
from services.catalog.domain.refusals import DealNotPublished
from services.catalog.domain.staff import EDITORS
from services.catalog.use_cases.deal_checks import known_deal, require_not_over, require_open_stores, require_verified
from services.catalog.use_cases.deal_events import deal_changed
from shared.auth import require_staff
from shared.contracts.checkout import AvailabilityChanged
from shared.database import Transaction
from shared.errors import PreconditionFailed
from shared.messaging import outbox


async def switch_sale(tx: Transaction, deal_id: UUID, caller: str, version: int | None, *, online: bool) -> Deal:
    """Put the approved version on sale, or take it off; `version` (If-Match) is that of the sale which was seen."""
    deal = await known_deal(tx, deal_id)
    await require_staff(tx, caller, deal.merchant_id, *EDITORS)
    if online:
        await _require_saleable_now(tx, deal)
    await store.hold_deals(tx, [deal_id])
    switched = await store.switch_sale(tx, deal_id, version, online=online)
    return await _said(tx, switched) if switched else await _unless_switched_meanwhile(tx, deal_id, online=online)


async def _unless_switched_meanwhile(tx: Transaction, deal_id: UUID, *, online: bool) -> Deal:
    """The deal, if it is on or off sale as wanted; else say why it could not be switched."""
    deal = await known_deal(tx, deal_id)
    if deal.sale_state is None:
        raise DealNotPublished
    if (deal.sale_state is SaleState.ONLINE) is not online:
        raise PreconditionFailed(current=deal.version)
    return deal


async def _said(tx: Transaction, changed: Deal) -> Deal:
    await outbox.emit(tx, deal_changed(changed, tx.now))
    return changed


async def _require_saleable_now(tx: Transaction, deal: Deal) -> None:
    content = await store.version_content(tx, deal.deal_id, deal.deal_version)
    if content is None:
        raise DealNotPublished
    await require_verified(tx, deal.merchant_id)
    require_not_over(content, tx.now)


async def change_stock(tx: Transaction, deal_id: UUID, caller: str, total_quota: int, version: int | None) -> Deal:
    """Another quota for a published deal: at once, without review, also while an edit of the draft is in review.

    `version` (If-Match) is that of the sale, which the caller saw.
    """
    deal = await known_deal(tx, deal_id)
    await require_staff(tx, caller, deal.merchant_id, *EDITORS)
    await store.hold_deals(tx, [deal_id])
    changed = await store.change_stock(tx, deal_id, total_quota, version)
    return await _said(tx, changed) if changed else await _unless_stale(tx, deal_id, total_quota=total_quota)


async def change_stores(
    tx: Transaction, deal_id: UUID, caller: str, store_ids: Sequence[UUID], version: int | None
) -> Deal:
    """Other stores for a published deal, as `change_stock`. They must be the merchant's, and open."""
    store_ids = tuple(dict.fromkeys(store_ids))
    deal = await known_deal(tx, deal_id)
    await require_staff(tx, caller, deal.merchant_id, *EDITORS)
    await require_open_stores(tx, deal.merchant_id, store_ids)
    await store.hold_deals(tx, [deal_id])
    changed = await store.change_stores(tx, deal_id, store_ids, version)
    return await _said(tx, changed) if changed else await _unless_stale(tx, deal_id, store_ids=store_ids)


async def _unless_stale(tx: Transaction, deal_id: UUID, **wanted: object) -> Deal:
    """The deal, if its sale is already as wanted; else say why it could not be changed."""
    deal = await known_deal(tx, deal_id)
    if not deal.published:
        raise DealNotPublished
    if any(getattr(deal, name) != value for name, value in wanted.items()):
        raise PreconditionFailed(current=deal.version)
    return deal


async def announce_deals(tx: Transaction, deal_ids: Sequence[UUID]) -> None:
    """Tell checkout anew where these deals may be used: a store of theirs opened, closed or changed hands."""
    await store.hold_deals(tx, deal_ids)
    await outbox.emit(tx, *(deal_changed(deal, tx.now) for deal in await store.say_again(tx, deal_ids)))


async def keep_availability(tx: Transaction, event: AvailabilityChanged) -> None:
    """Take checkout's newest count of a deal."""
    await store.keep_availability(tx, event.deal_id, event.version, event.available, event.sold)
