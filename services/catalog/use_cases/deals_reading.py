"""Reading deals: the page for everybody, the list for the merchant's staff, the sheet for an operator's review."""

from dataclasses import dataclass
from uuid import UUID

from services.catalog import store
from services.catalog.domain.deals import Deal, DealContent, DealState, changed_fields
from services.catalog.domain.stores import Store
from services.catalog.store.deal_page import PublishedDeal
from services.catalog.store.deals_list import DealRow
from shared.auth import is_operator, require_operator, require_staff
from shared.database import Transaction
from shared.errors import NotFound
from shared.paging import Page, page_of, read_cursor


async def deal_page(tx: Transaction, deal_id: UUID) -> tuple[PublishedDeal, list[Store]]:
    """What everybody may see of a deal: its approved version and its stores."""
    published = await store.published_deal(tx, deal_id)
    if published is None:
        raise NotFound
    return published, await store.stores_by_id(tx, published.store_ids)


async def merchant_deals(
    tx: Transaction, merchant_id: UUID, caller: str, state: DealState | None, cursor: str | None, limit: int
) -> Page[DealRow]:
    """A page of a merchant's deals, for its staff or an operator, the newest first."""
    if not await is_operator(tx, caller):
        await require_staff(tx, caller, merchant_id)
    after = read_cursor(cursor, UUID)
    rows = await store.merchant_deals(tx, merchant_id, state, after[0] if after else None, limit + 1)
    return page_of(rows, limit, lambda row: (row.deal_id,))


@dataclass(frozen=True, slots=True)
class ReviewSheet:
    """A draft beside the version that sells (None: nothing was approved yet) and where they differ."""

    deal: Deal
    current: DealContent | None
    changed: list[str]


async def review_sheet(tx: Transaction, deal_id: UUID, operator: str) -> ReviewSheet:
    """What an operator compares before a decision. Quota and stores of a published deal are not under review."""
    await require_operator(tx, operator)
    deal = await store.deal(tx, deal_id)
    if deal is None:
        raise NotFound
    version = await store.version_content(tx, deal_id, deal.deal_version)
    if version is None:
        return ReviewSheet(deal, None, [])
    current = deal.in_force(version)
    return ReviewSheet(deal, current, changed_fields(current, deal.content))
