"""What the auditor asks of dispatch: its own tables, nobody else's."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from shared.database import Row, Transaction


async def terms(tx: Transaction) -> dict[str, int]:
    """How many parcels are in each state, and what carriers cost so far."""
    rows = await tx.fetch("select 'parcels_' || lower(state) as term, count(*) as n from parcels group by state")
    fees = await tx.row(
        """select coalesce(sum(fee_fen) filter (where state = 'DELIVERED'), 0)::bigint as carried,
             coalesce(sum(cancel_fee_fen), 0)::bigint as cancelled from attempts where carried_as <> 'SELF'"""
    )
    unknown = await tx.value(
        "select count(*) from attempts where fee_given_up_at is not null and cancel_fee_fen is null"
    )
    waiting = await tx.value("select count(*) from fences where state = 'WAITING'")
    assert fees is not None, "an aggregate without GROUP BY always gives a row"
    return {
        **{row["term"]: row["n"] for row in rows},
        # A refund that waits for a carrier to be called off waits by design: checkout holds its money meanwhile.
        "refund_fences_waiting": waiting,
        "carrier_fees_fen": fees["carried"],
        "cancel_fees_fen": fees["cancelled"],
        "cancel_fees_unknown": unknown,
    }


async def in_flight(tx: Transaction) -> list[dict[str, Any]]:
    """Orders to carriers whose outcome is not known yet, with the fee that they may cost."""
    rows = await tx.fetch(
        """select 'delivery_attempt_' || lower(a.state) as what, a.attempt_id::text as id,
             coalesce(a.fee_fen, 0) as amount_fen, a.changed_at as since
           from attempts a where a.state in ('SUBMITTING', 'UNKNOWN', 'CANCELLING') order by since limit 500"""
    )
    return [dict(row) for row in rows]


async def misfits(tx: Transaction) -> list[dict[str, Any]]:
    """What can never be right."""
    rows = await tx.fetch(
        """select 'two_live_attempts' as what, parcel_id::text as id, count(*)::text as detail from attempts
             where state not in ('DELIVERED', 'CANCELLED', 'RETURNED', 'REJECTED', 'LOST', 'FENCED')
             group by parcel_id having count(*) > 1
           union all
           select 'zombie_attempt', attempt_id::text, provider from attempts where zombie_since is not null
           union all
           select 'delivered_twice', parcel_id::text, count(*)::text from attempts where state = 'DELIVERED'
             group by parcel_id having count(*) > 1
           union all
           select 'refunded_and_received', p.parcel_id::text, p.state from parcels p
             where p.state = 'RECEIVED' and exists (select from fences f where f.order_id = p.order_id
                                                      and f.state in ('FENCED', 'DISPUTED'))
           limit 500"""
    )
    return [dict(row) for row in rows]


async def parcels_of(tx: Transaction, order_ids: Sequence[UUID]) -> list[Row]:
    """The parcels of these orders, and whether they were ever received: what a merchant is paid for goods for."""
    return await tx.fetch(
        """select order_id, state as parcel_state, received_at is not null as received, unit_ids
           from parcels where order_id = any($1)""",
        list(order_ids),
    )


async def orders_after(tx: Transaction, after: UUID | None, limit: int) -> list[Row]:
    """Every order that dispatch knows, by order id, with the real time of its last change."""
    return await tx.fetch(
        """select order_id, changed_at, state as parcel_state, unit_ids from parcels
           where $1::uuid is null or order_id > $1 order by order_id limit $2""",
        after,
        limit,
    )
