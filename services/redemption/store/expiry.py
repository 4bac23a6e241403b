"""Certificates whose time is over: which orders are due, and the statement that expires."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.database import Transaction

# The orders of a batch are held so that no other process works them off too; a redemption, which refers to its order,
# does not wait for that.
_TAKE_DUE = """
with due as materialized (
    select order_id from orders where not expiry_done and until <= $1
    order by until, order_id limit $2 for no key update skip locked)
update orders o set expiry_done = true from due where o.order_id = due.order_id
returning o.order_id
"""

# Rows are locked in the order of their ids, as verify and the fence lock them. Whoever comes second finds the newest
# version of the row: a certificate that was used or fenced a moment ago is left alone, a card expires with the uses
# that are left by then.
_EXPIRE = """
with over as materialized (
    select c.unit_id, o.merchant_id, o.until from certificates c join orders o using (order_id)
    where {which} and c.state = 'VALID' and o.until <= $2
    order by c.unit_id for update of c)
update certificates c set state = 'EXPIRED', changed_at = now()
from over where c.unit_id = over.unit_id
returning c.unit_id, c.order_id, c.uses_left, over.merchant_id, over.until
"""


@dataclass(frozen=True, slots=True)
class Expired:
    """A certificate whose time was over with uses left."""

    unit_id: UUID
    order_id: UUID
    merchant_id: UUID
    uses_left: int
    until: datetime


async def take_due(tx: Transaction, limit: int) -> list[UUID]:
    """The next orders whose time is over, taken for ever: the caller expires their certificates."""
    return [row["order_id"] for row in await tx.fetch(_TAKE_DUE, tx.now, limit)]


async def expire_of_orders(tx: Transaction, order_ids: Sequence[UUID]) -> list[Expired]:
    """VALID → EXPIRED for the certificates of these orders, if their time is over."""
    rows = await tx.fetch(_EXPIRE.format(which="c.order_id = any($1)"), list(order_ids), tx.now)
    return [Expired(**dict(row)) for row in rows]


async def expire_units(tx: Transaction, unit_ids: Sequence[UUID]) -> list[Expired]:
    """VALID → EXPIRED for these certificates, if their time is over."""
    rows = await tx.fetch(_EXPIRE.format(which="c.unit_id = any($1)"), list(unit_ids), tx.now)
    return [Expired(**dict(row)) for row in rows]


async def expired_among(tx: Transaction, unit_ids: Sequence[UUID]) -> list[Expired]:
    """Those of these certificates that had expired already."""
    rows = await tx.fetch(
        """select c.unit_id, c.order_id, c.uses_left, o.merchant_id, o.until
           from certificates c join orders o using (order_id)
           where c.unit_id = any($1) and c.state = 'EXPIRED' order by c.unit_id""",
        list(unit_ids),
    )
    return [Expired(**dict(row)) for row in rows]
