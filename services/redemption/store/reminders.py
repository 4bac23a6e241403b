"""Which certificates their buyers are to be reminded of before they expire."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.database import Transaction

# As with the expiry, the orders of a batch are held so that no other process takes them too. What lies behind is
# dropped whole: after a standstill a buyer hears of the nearest moment only.
_TAKE_DUE = """
with due as materialized (
    select order_id, (select max(at) from unnest(reminders) at where at <= $1) as reached
    from orders where next_reminder_at <= $1
    order by next_reminder_at, order_id limit $2 for no key update skip locked)
update orders o set next_reminder_at = (select min(at) from unnest(o.reminders) at where at > $1)
from due where o.order_id = due.order_id
returning o.order_id, o.merchant_id, o.until, due.reached
"""


@dataclass(frozen=True, slots=True)
class DueOrder:
    """An order of whose certificates a moment `reached` has come."""

    order_id: UUID
    merchant_id: UUID
    until: datetime
    reached: datetime


@dataclass(frozen=True, slots=True)
class Unused:
    """A certificate that can still be used."""

    unit_id: UUID
    order_id: UUID
    uses_left: int


async def take_due(tx: Transaction, limit: int) -> list[DueOrder]:
    """The next orders of which a moment has come; that moment is gone with this transaction."""
    return [DueOrder(**dict(row)) for row in await tx.fetch(_TAKE_DUE, tx.now, limit)]


async def unused_of(tx: Transaction, order_ids: Sequence[UUID]) -> list[Unused]:
    """The certificates of these orders that can still be used."""
    rows = await tx.fetch(
        """select c.unit_id, c.order_id, c.uses_left from certificates c join orders o using (order_id)
           where c.order_id = any($1) and c.state = 'VALID' and o.until > $2 order by c.unit_id""",
        list(order_ids),
        tx.now,
    )
    return [Unused(**dict(row)) for row in rows]
