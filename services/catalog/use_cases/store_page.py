"""A store's public page."""

from uuid import UUID

from services.catalog import store as database
from services.catalog.domain.store_page import DEALS_SHOWN, DealCard, StorePage
from services.catalog.domain.stores import Store, open_now
from shared.database import Transaction
from shared.errors import NotFound


async def store_page(tx: Transaction, store_id: UUID) -> StorePage:
    """A place that an operator has awarded at least once; what nobody reviewed is shown to nobody."""
    store = await database.store(tx, store_id)
    if store is None or store.last_held_by is None:
        raise NotFound
    holder = await database.holder(tx, store.merchant_id) if store.merchant_id else None
    return StorePage(
        store=store,
        holder=holder,
        open_now=open_now(store, tx.now),
        vouchers=await _deals(tx, store, vouchers=True),
        deals=await _deals(tx, store, vouchers=False),
    )


async def _deals(tx: Transaction, store: Store, *, vouchers: bool) -> tuple[DealCard, ...]:
    if not store.open or store.merchant_id is None:
        return ()
    return await database.deals_of_store(tx, store.store_id, store.merchant_id, vouchers=vouchers, limit=DEALS_SHOWN)
