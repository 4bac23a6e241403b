"""By when a merchant must have accepted an order, in the hours of the store that it leaves from."""

from datetime import datetime
from uuid import UUID

from services.dispatch.domain.opening_hours import open_until
from services.dispatch.domain.parcels import Policy
from services.dispatch.store import copies
from shared.contracts.catalog import DeliveryMode
from shared.database import Transaction


async def accept_by(tx: Transaction, policy: Policy, store_id: UUID, mode: DeliveryMode) -> datetime:
    """From now on; a courier's parcel may be accepted until it must be handed over, open or not."""
    needed = policy.to_accept(mode)
    if mode is DeliveryMode.COURIER:
        return tx.now + needed
    store = await copies.find_store(tx, store_id)
    return open_until(store.hours if store else (), tx.now, needed)
