"""What is on sale: catalog's facts kept, and what is left announced."""

from collections.abc import Sequence
from uuid import UUID

from services.checkout.store import copies, stock
from services.checkout.use_cases import schedule
from shared.contracts.catalog import DealChanged
from shared.contracts.checkout import AvailabilityChanged
from shared.database import Transaction
from shared.messaging import outbox


async def keep_deal(tx: Transaction, event: DealChanged) -> None:
    """Keep the newest state of a deal, and take its quota over into the stock that decides."""
    if await copies.keep_deal(tx, event):
        await schedule.say_availability(tx, await stock.set_quota(tx, event.deal_id, event.total_quota))


async def say_availability(tx: Transaction, deal_ids: Sequence[UUID]) -> None:
    """Announce what is left of these deals now."""
    left = await stock.take_unsaid(tx, deal_ids)
    await outbox.emit(
        tx,
        *(
            AvailabilityChanged(
                occurred_at=tx.now, version=one.version, deal_id=one.deal_id, available=one.available, sold=one.sold
            )
            for one in left
        ),
    )
