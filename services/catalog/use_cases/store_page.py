"""A store's public page."""

from dataclasses import dataclass
from uuid import UUID

from services.catalog import store as database
from services.catalog.domain.store_page import DealCard, Holder, Part
from services.catalog.domain.stores import Store, open_now
from shared.database import Transaction
from shared.errors import NotFound
from shared.paging import CursorInvalid, Page, page_of, read_cursor


@dataclass(frozen=True, slots=True)
class StorePage:
    """A store with what can be bought for it, best sold first; nothing of the part that was not asked for."""

    store: Store
    holder: Holder | None
    open_now: bool | None
    vouchers: Page[DealCard]
    deals: Page[DealCard]


async def store_page(tx: Transaction, store_id: UUID, part: Part | None, cursor: str | None, limit: int) -> StorePage:
    """A place that an operator has awarded at least once; what nobody reviewed is shown to nobody.

    A cursor belongs to one part."""
    if cursor is not None and part is None:
        raise CursorInvalid
    position = read_cursor(cursor, int, UUID)
    after = (position[0], position[1]) if position else None
    store = await database.store(tx, store_id)
    if store is None or store.last_held_by is None:
        raise NotFound
    holder = await database.holder(tx, store.merchant_id) if store.merchant_id else None
    nothing: Page[DealCard] = Page((), None)
    return StorePage(
        store=store,
        holder=holder,
        open_now=open_now(store, tx.now),
        vouchers=nothing if part is Part.DEALS else await _cards(tx, store, Part.VOUCHERS, after, limit),
        deals=nothing if part is Part.VOUCHERS else await _cards(tx, store, Part.DEALS, after, limit),
    )


async def _cards(
    tx: Transaction, store: Store, part: Part, after: tuple[int, UUID] | None, limit: int
) -> Page[DealCard]:
    if not store.open or store.merchant_id is None:
        return Page((), None)
    cards = await database.deals_of_store(tx, store.store_id, store.merchant_id, part, after, limit + 1)
    return page_of(cards, limit, lambda card: (card.sold, card.deal_id))
