"""Looking for stores and deals; for everybody."""

from collections.abc import Sequence

from services.catalog import store as database
from services.catalog.domain.search import FoundDeal, FoundStore, Wanted
from services.catalog.store.search import Position
from shared.database import Transaction


async def search_stores(tx: Transaction, wanted: Wanted, after: Position | None, limit: int) -> Sequence[FoundStore]:
    """Open stores: nearest first around a place, else by name."""
    return await database.search_stores(tx, wanted, after, limit)


async def search_deals(tx: Transaction, wanted: Wanted, after: Position | None, limit: int) -> Sequence[FoundDeal]:
    """Deals that can be bought now: nearest first around a place, else best sold first."""
    return await database.search_deals(tx, wanted, after, limit)
