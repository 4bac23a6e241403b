"""Catalog's present state said anew: each event that others copy, built from the rows as when it is news."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from services.catalog.store import replay as store
from services.catalog.use_cases.deal_events import deal_changed, deal_version_published
from services.catalog.use_cases.merchant_files import merchant_changed
from services.catalog.use_cases.payout_accounts import payout_account_changed
from services.catalog.use_cases.staff import staff_changed
from services.catalog.use_cases.store_events import store_changed
from shared.contracts import Event
from shared.contracts.catalog import (
    DealChanged,
    DealVersionPublished,
    MerchantChanged,
    PayoutAccountChanged,
    StaffChanged,
    StoreChanged,
)
from shared.database import Transaction
from shared.messaging.replay import Snapshot
from shared.paging import Page, page_of, read_cursor

T = TypeVar("T")


def _snapshot(
    event: type[Event],
    rows_after: Callable[..., Awaitable[Sequence[T]]],
    build: Callable[[T, datetime], Event],
    count: Callable[[Transaction], Awaitable[int]],
    first: tuple[Any, ...],
    position: Callable[[T], tuple[Any, ...]],
) -> Snapshot:
    """Pages of `rows_after(tx, *position, limit)`, starting after `first`, each row told by `build`."""
    kinds = tuple(type(part) for part in first)

    async def page(tx: Transaction, cursor: str | None, limit: int) -> Page[Event]:
        rows = await rows_after(tx, *(read_cursor(cursor, *kinds) or first), limit + 1)
        cut = page_of(rows, limit, position)
        return Page([build(row, tx.now) for row in cut.items], cut.next_cursor)

    return Snapshot(event, page, count)


_FIRST: tuple[UUID] = (store.FIRST,)

# Staff first: the operators among them can then look at the consumer again.
SNAPSHOTS = (
    _snapshot(
        StaffChanged,
        store.places_after,
        staff_changed,
        store.count_places,
        _FIRST,
        lambda row: (row.place.staff_id,),
    ),
    _snapshot(
        MerchantChanged,
        store.merchants_after,
        merchant_changed,
        store.count_merchants,
        _FIRST,
        lambda merchant: (merchant.merchant_id,),
    ),
    _snapshot(
        PayoutAccountChanged,
        store.accounts_after,
        payout_account_changed,
        store.count_accounts,
        _FIRST,
        lambda account: (account.merchant_id,),
    ),
    _snapshot(
        StoreChanged, store.stores_after, store_changed, store.count_stores, _FIRST, lambda place: (place.store_id,)
    ),
    _snapshot(
        DealVersionPublished,
        store.versions_after,
        deal_version_published,
        store.count_versions,
        (*_FIRST, 0),
        lambda deal: (deal.deal_id, deal.deal_version),
    ),
    _snapshot(DealChanged, store.deals_after, deal_changed, store.count_deals, _FIRST, lambda deal: (deal.deal_id,)),
)
