"""Money that moved at the channel for checkout: what came in and what went back, by the channel's numbers."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.database import Row, Transaction

# A refund made at the channel itself is known there by the channel's own number.
_REFUNDS = """
select 'REFUND' as movement, r.refund_id as id, coalesce(x.channel_refund_no, replace(r.refund_id::text, '-', ''))
    as number, r.order_id,
    replace(r.attempt_id::text, '-', '') as out_trade_no, r.amount_fen, r.state,
    coalesce(x.refunded_at, r.succeeded_at) as moved_at
from refunds r left join external_refunds x on x.allocated_to = r.refund_id
"""
_PAYMENTS = """
select 'PAYMENT' as movement, a.attempt_id as id, replace(a.attempt_id::text, '-', '') as number, a.order_id,
  replace(a.attempt_id::text, '-', '') as out_trade_no,
  coalesce(a.captured_fen, a.amount_fen) as amount_fen,
  case when a.captured_fen is null then a.state else 'PAID' end as state, a.captured_at as moved_at
from payment_attempts a
"""


async def moved_between(tx: Transaction, begins: datetime, ends: datetime, after: UUID | None, limit: int) -> list[Row]:
    """What was captured or is back with its buyer in a span of time, in the order of ids."""
    return await tx.fetch(
        f"""select * from (
              {_PAYMENTS} where a.captured_at >= $1 and a.captured_at < $2
              union all
              {_REFUNDS} where r.succeeded_at >= $1 and r.succeeded_at < $2 and x.refund_id is null
              union all
              {_REFUNDS} where r.succeeded_at >= $1 and x.refunded_at >= $1 and x.refunded_at < $2) m
            where $3::uuid is null or id > $3 order by id limit $4""",
        begins,
        ends,
        after,
        limit,
    )


async def by_number(tx: Transaction, numbers: Sequence[str]) -> list[Row]:
    """Payments and refunds with these numbers, whatever their state."""
    ids = [UUID(number) for number in numbers if len(number) == 32 and _is_hexadecimal(number)]
    return await tx.fetch(
        f"""{_PAYMENTS} where a.attempt_id = any($1)
            union all
            {_REFUNDS} where r.refund_id = any($1) or x.channel_refund_no = any($2)""",
        ids,
        list(numbers),
    )


def _is_hexadecimal(number: str) -> bool:
    return all(digit in "0123456789abcdef" for digit in number)
