"""What a buyer disputes is held back, and let go when the review ends without money."""

from collections.abc import Sequence
from uuid import UUID

from services.settlement.store import disputes
from shared.database import Transaction
from shared.errors import NotYet


async def hold(tx: Transaction, refund_id: UUID, order_id: UUID, unit_ids: Sequence[UUID]) -> None:
    """Keep the next run from paying these units. What a run has claimed already goes its way: should the money go back
    to the buyer, the merchant owes it. Raises NotYet while the order has not arrived."""
    if not await disputes.open_dispute(tx, refund_id, order_id, unit_ids):
        return
    if not await disputes.knows_units(tx, unit_ids):
        raise NotYet(f"order {order_id} is not here yet")
    await disputes.hold(tx, refund_id, unit_ids)


async def close(tx: Transaction, refund_id: UUID, order_id: UUID, unit_ids: Sequence[UUID]) -> None:
    """The uses are again what they were; a dispute that is heard of later holds nothing."""
    await disputes.close_dispute(tx, refund_id, order_id, unit_ids)
    await disputes.let_go(tx, refund_id)
