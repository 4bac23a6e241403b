"""The money audit: settlement's balances, order by order as well, and what is in flight."""

from uuid import UUID

from shared.database import Row, Transaction

_IN_FLIGHT_SHOWN = 50

# Running sums: as many rows as there are accounts and shards, whatever the history. Disputes are those of now.
_BALANCES = """
select (select coalesce(jsonb_object_agg(account, fen), '{}') from (
          select account, sum(balance_fen)::bigint as fen from balances group by account) b) as fen,
  (select coalesce(sum(paid_fen), 0)::bigint from uses where disputed_by is not null) as disputed_fen
"""

_ORDERS = """
select o.order_id, max(u.changed_at) as changed_at, sum(u.paid_fen)::bigint as received_fen,
  coalesce(sum(u.paid_fen) filter (where u.state = 'REFUNDED'), 0)::bigint as refunded_fen,
  coalesce(sum(u.merchant_fen) filter (where u.settled_at is not null), 0)::bigint as settled_fen,
  (select coalesce(sum(i.offset_fen), 0)::bigint from instructions i
   where i.order_id = o.order_id and i.offset_fen > 0 and i.state = 'PAID') as offset_fen,
  coalesce(sum(u.fee_fen) filter (where u.settled_at is not null), 0)::bigint
    + (select coalesce(sum(i.taken_fee_fen - i.fee_fen), 0)::bigint from instructions i
       where i.order_id = o.order_id and i.state = 'PAID' and i.taken_fee_fen is not null) as fee_fen,
  sum(u.owed_fen)::bigint as owed_fen,
  jsonb_agg(jsonb_build_array(u.unit_id, u.use_no, u.state)) as uses
from (select order_id from orders where $1::uuid is null or order_id > $1 order by order_id limit $2) o
join uses u using (order_id) group by o.order_id order by o.order_id
"""

_IN_FLIGHT = """
select instruction_id, gross_fen, changed_at from instructions where state in ('SENT', 'UNKNOWN')
order by changed_at limit $1
"""


async def balances(tx: Transaction) -> Row:
    """Balances by account, and what of it is disputed."""
    row = await tx.row(_BALANCES)
    assert row is not None
    return row


async def orders(tx: Transaction, after: UUID | None, limit: int) -> list[Row]:
    """What settlement knows of each order, from its uses alone (the ledger is compared with them elsewhere)."""
    return await tx.fetch(_ORDERS, after, limit)


async def in_flight(tx: Transaction) -> list[Row]:
    """Calls of which the channel's end is not known; `changed_at` is real time."""
    return await tx.fetch(_IN_FLIGHT, _IN_FLIGHT_SHOWN)
