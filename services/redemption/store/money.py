"""What the money audit asks of redemption's own tables. `since` and `changed_at` are real time."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from shared.database import Row, Transaction

_TERMS = """
select 'certificates_' || lower(state) as name, count(*) as amount from certificates group by state
union all
select 'uses_' || lower(state), count(*) from uses group by state
union all
select 'unused_fen', coalesce(sum(value), 0)
from certificates, unnest(use_values_fen) with ordinality as v (value, use_no)
where state <> 'REFUNDED'
  and (use_no > cardinality(use_values_fen) - uses_left + cardinality(freed_nos) or use_no = any(freed_nos))
union all
select 'used_fen', coalesce(sum(paid_fen), 0) from uses where state <> 'REVERSED'
"""

_IN_FLIGHT = """
(select 'use_not_final' as what, use_id as id, paid_fen as amount_fen, uses.changed_at as since
 from timers join redemptions on kind = 'use_final' and key = redemption_id::text join uses using (redemption_id)
 where due_at <= $1 and state = 'USED' limit 50)
union all
(select 'refund_ahead_of_order', refund_id, 0, changed_at from refunds where state = 'WAITING' limit 50)
"""

# A refund that waits for checkout (FENCED, DISPUTED) is held money, by design; these are contradictions.
_MISFITS = """
(select 'uses_do_not_add_up' as what, c.unit_id as id,
        format('%s uses, %s of %s left', count(use_id), uses_left, cardinality(use_values_fen)) as detail
 from certificates c left join uses u on u.unit_id = c.unit_id and u.state <> 'REVERSED' group by c.unit_id
 having count(use_id) <> cardinality(use_values_fen) - uses_left
    or bool_or(use_no = any(freed_nos)) or min(reversals) <> (
      select count(*) from uses x where x.unit_id = c.unit_id and x.state = 'REVERSED') limit 50)
union all
(select 'fence_without_refund', unit_id, format('certificate %s, refund %s', c.state, coalesce(r.state, 'unknown'))
 from certificates c left join refunds r using (refund_id)
 where c.state = 'REFUNDING' and r.state is distinct from 'FENCED'
    or c.state = 'DISPUTED' and r.state is distinct from 'DISPUTED'
    or c.state = 'REFUNDED' and r.state is distinct from 'SUCCEEDED' limit 50)
union all
(select 'use_without_timer', use_id, 'USED, and nothing will make it final'
 from uses join redemptions using (redemption_id)
 where state = 'USED' and not exists (select from timers where kind = 'use_final' and key = redemption_id::text)
 limit 50)
"""

_ORDERS = """
select order_id, max(changed_at) as changed_at,
       jsonb_object_agg(unit_id, jsonb_build_object(
           'state', state, 'uses', cardinality(use_values_fen) - uses_left)) as units
from certificates where $1::uuid is null or order_id > $1 group by order_id order by order_id limit $2
"""


async def units(tx: Transaction, unit_ids: Sequence[UUID]) -> list[Row]:
    """Certificates by their ids, with how many of their uses were made."""
    return await tx.fetch(
        """select unit_id, state, cardinality(use_values_fen) - uses_left as uses from certificates
           where unit_id = any($1)""",
        list(unit_ids),
    )


async def terms(tx: Transaction) -> dict[str, int]:
    """How many certificates and uses are in each state, what the unused uses were paid for, and the used ones."""
    return {row["name"]: int(row["amount"]) for row in await tx.fetch(_TERMS)}


async def in_flight(tx: Transaction) -> list[dict[str, Any]]:
    """What has begun and not ended: final uses not yet said, refunds whose order has not arrived."""
    return [dict(row) for row in await tx.fetch(_IN_FLIGHT, tx.now)]


async def misfits(tx: Transaction) -> list[dict[str, Any]]:
    """What can never be right, 50 of a kind at most."""
    return [dict(row) for row in await tx.fetch(_MISFITS)]


async def orders(tx: Transaction, after: UUID | None, limit: int) -> list[dict[str, Any]]:
    """Orders by id, each with the states and numbers of uses of its certificates."""
    return [dict(row) for row in await tx.fetch(_ORDERS, after, limit)]
