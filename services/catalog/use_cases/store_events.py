"""What is told when a store changes: the place itself, its loss to a merchant, and then its deals."""

from datetime import datetime
from uuid import UUID

from services.catalog.domain.stores import Store
from shared.contracts.catalog import StoreChanged, StoreClosed, StoreClosure
from shared.database import Transaction
from shared.messaging import outbox
from shared.messaging.timers import schedule

DEALS_CHANGED = "store_deals_changed"


async def announce_store(tx: Transaction, store: Store) -> None:
    """Tell what a place is, to those who keep copies."""
    await outbox.emit(tx, store_changed(store, tx.now))


async def announce_change(
    tx: Transaction, store: Store, closure: StoreClosure | None = None, loser: UUID | None = None, reason: str = ""
) -> None:
    """Tell that a store opened, closed or changed hands, to whom it is lost and why; its deals are said anew after."""
    if closure is not None and loser is not None:
        await outbox.emit(tx, _closed(tx, store, closure, loser, reason))
    await outbox.emit(tx, store_changed(store, tx.now))
    await schedule(tx, DEALS_CHANGED, store.store_id, tx.now)


def store_changed(store: Store, now: datetime) -> StoreChanged:
    """What redemption and dispatch are told of a store."""
    facts = store.facts
    return StoreChanged(
        occurred_at=now,
        version=store.version,
        store_id=store.store_id,
        merchant_id=store.last_merchant_id,
        name=facts.name,
        city=facts.city,
        address=facts.address,
        latitude=facts.latitude,
        longitude=facts.longitude,
        phone=facts.phone,
        open=store.open,
        hours=facts.hours,
    )


def _closed(tx: Transaction, store: Store, closure: StoreClosure, loser: UUID, reason: str) -> StoreClosed:
    return StoreClosed(
        occurred_at=tx.now,
        version=store.version,
        store_id=store.store_id,
        merchant_id=loser,
        name=store.facts.name,
        city=store.facts.city,
        closure=closure,
        reason=reason,
    )
