"""What checkout's own tables say about money: the questions of the audit. Times are real, not business time."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.database import Row, Transaction


@dataclass(frozen=True, slots=True)
class InFlight:
    """A call to the channel whose two ends do not agree yet, or a decision that an operator owes."""

    what: str
    id: UUID
    amount_fen: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Misfit:
    """Something that can never be right."""

    what: str
    id: str
    detail: str


async def money_terms(tx: Transaction) -> dict[str, int]:
    """Sums over everything this service ever captured and returned. Outside orders is money that came too late or
    twice: nobody but checkout and the channel knows of it, until it is back with its payer."""
    row = await tx.row(
        """select captured.*, returned.* from
             (select coalesce(sum(captured_fen), 0)::bigint as received_fen,
                     coalesce(sum(captured_fen) filter (where stray is not null), 0)::bigint as stray_received_fen,
                     count(*) filter (where state = 'PAID' and stray is null) as orders_paid
              from payment_attempts where captured_fen is not null) captured,
             (select coalesce(sum(amount_fen) filter (where state = 'SUCCEEDED'), 0)::bigint as refunded_fen,
                     coalesce(sum(amount_fen) filter (where state = 'SUCCEEDED' and cause like '%\\_CAPTURE'),
                              0)::bigint as stray_refunded_fen,
                     coalesce(sum(amount_fen) filter (where state = 'FENCING'), 0)::bigint as refunds_fencing_fen,
                     coalesce(sum(amount_fen) filter (where state in ('IN_REVIEW', 'CONTESTED', 'IN_ARBITRATION')),
                              0)::bigint as refunds_in_review_fen
              from refunds) returned"""
    )
    assert row is not None
    terms = dict(row)
    terms["held_outside_orders_fen"] = terms["stray_received_fen"] - terms["stray_refunded_fen"]
    return terms


async def in_flight(tx: Transaction, limit: int) -> list[InFlight]:
    """Everything between two ends, the longest first. A refund that waits for its fence, the merchant, the buyer or the
    platform waits by design: its money is held."""
    rows = await tx.fetch(
        """select * from (
             select 'refund_' || lower(state) as what, refund_id as id, amount_fen, moving_since as since
             from refunds where state in ('APPROVED', 'SENT', 'UNKNOWN', 'FAILED')
             union all
             select 'payment_closing', attempt_id, amount_fen, closing_since
             from payment_attempts where state = 'CLOSING'
             union all
             select lower(i.kind), i.incident_id,
                    case i.kind when 'EXTERNAL_REFUND' then i.claimed_fen else a.amount_fen end, i.changed_at
             from payment_incidents i join payment_attempts a using (attempt_id) where i.resolved_at is null) f
           order by since, id limit $1""",
        limit,
    )
    return [InFlight(**dict(row)) for row in rows]


# What was used up when its money went back is not for sale again.
_STAYS_SOLD = "exists (select from refund_units x where x.unit_id = u.unit_id and not x.released and x.stays_sold)"

_MISFITS = {
    "stock_reserved": """
        select s.deal_id::text as id, format('reserved %s, placed orders hold %s', s.reserved, coalesce(o.held, 0))
        from stock s left join (select deal_id, sum(quantity) as held from orders where state = 'PLACED'
                                group by deal_id) o using (deal_id)
        where s.reserved <> coalesce(o.held, 0)""",
    "stock_sold": f"""
        select s.deal_id::text, format('sold %s, paid units are %s', s.sold, coalesce(o.held, 0))
        from stock s left join (select o.deal_id, count(*) as held from orders o join units u using (order_id)
                                where o.paid_at is not null and (u.state <> 'REFUNDED' or {_STAYS_SOLD})
                                group by o.deal_id) o
          using (deal_id)
        where s.sold <> coalesce(o.held, 0)""",
    "buyer_counter": """
        select c.deal_id::text, format('a buyer counts %s, units are %s', c.units, coalesce(o.held, 0))
        from buyer_counters c left join (
          select o.deal_id, o.buyer, count(*) as held from orders o join units u using (order_id)
          where o.state <> 'CLOSED' and u.state <> 'REFUNDED' group by o.deal_id, o.buyer) o using (deal_id, buyer)
        where c.units <> coalesce(o.held, 0)""",
    "paid_without_payment": """
        select o.order_id::text, 'paid, but no attempt paid it' from orders o
        where o.paid_at is not null and not exists (
          select from payment_attempts a where a.order_id = o.order_id and a.state = 'PAID' and a.stray is null
            and a.captured_fen = o.total_fen)""",
    "payment_without_order": """
        select a.attempt_id::text, 'captured money that neither paid an order nor goes back'
        from payment_attempts a join orders o using (order_id)
        where a.captured_fen is not null and case when a.stray is null then o.paid_at is null
          else not exists (select from refunds r where r.attempt_id = a.attempt_id and r.amount_fen = a.captured_fen
                           and r.cause = a.stray) end""",
    "order_refunded_sum": """
        select o.order_id::text, format('refunded %s, its refunds sum to %s', o.refunded_fen, coalesce(r.sum, 0))
        from orders o left join (select order_id, sum(amount_fen) as sum from refunds
                                 where state = 'SUCCEEDED' and cause not like '%\\_CAPTURE' group by order_id) r
          using (order_id)
        where o.refunded_fen <> coalesce(r.sum, 0)""",
    "refunded_more_than_captured": """
        select a.attempt_id::text, format('captured %s, refunded %s', a.captured_fen, r.sum)
        from payment_attempts a join (select attempt_id, sum(amount_fen) as sum from refunds
                                      where state not in ('REFUSED', 'ABANDONED') group by attempt_id) r
          using (attempt_id)
        where r.sum > coalesce(a.captured_fen, 0)""",
    "unit_state": """
        select u.unit_id::text, format('%s, but its live refund is %s', u.state, coalesce(r.state, 'none'))
        from units u left join refund_units x on x.unit_id = u.unit_id and not x.released
        left join refunds r using (refund_id)
        where (u.state = 'REFUNDED') <> coalesce(r.state = 'SUCCEEDED', false)
          or (u.state = 'REFUNDING') <> coalesce(r.state <> 'SUCCEEDED', false)""",
    "review_without_timer": """
        select r.refund_id::text, format('%s, and nothing will end it', r.state) from refunds r
        where r.state in ('IN_REVIEW', 'CONTESTED') and not exists (
          select from timers t where t.key = r.refund_id::text
            and t.kind = case r.state when 'IN_REVIEW' then 'review_due' else 'appeal_due' end)""",
    "used_and_refunded": """
        select unit_id::text, 'refunded after its only use' from units u
        where state = 'REFUNDED' and used_at is not null and jsonb_array_length(uses) = 1
          and not exists (select from refund_units x join refunds r using (refund_id)
                          where x.unit_id = u.unit_id and not x.released
                            and (r.cause in ('AFTER_USE', 'EXTERNAL')
                                 or exists (select from reviews v where v.refund_id = r.refund_id)))""",
}


async def misfits(tx: Transaction, limit: int) -> list[Misfit]:
    """What can never be right, at most `limit` of each kind."""
    found: list[Misfit] = []
    for what, question in _MISFITS.items():
        rows = await tx.fetch(f"select m.id, m.detail from ({question} limit $1) as m (id, detail)", limit)
        found += [Misfit(what, row["id"], row["detail"]) for row in rows]
    return found


async def money_of_orders(tx: Transaction, after: UUID | None, limit: int) -> list[Row]:
    """Every order of which the channel may know, in id order: what came in, what of it bought nothing (`outside_fen`),
    what went back, the units, and those of them that were refunded although they may have been used (`taken_back`)."""
    return await tx.fetch(
        """select o.order_id, o.state, p.received_fen, p.outside_fen, p.out_trade_nos, r.refunded_fen, u.units,
                  array(select x.unit_id from refund_units x join refunds t using (refund_id)
                        where t.order_id = o.order_id and not x.released and t.state = 'SUCCEEDED'
                          and (t.cause in ('AFTER_USE', 'EXTERNAL')
                               or exists (select from reviews v where v.refund_id = t.refund_id))
                        order by x.unit_id) as taken_back,
                  greatest(o.changed_at, p.changed_at, r.changed_at, u.changed_at) as changed_at
           from orders o
           cross join lateral (
             select coalesce(sum(captured_fen), 0)::bigint as received_fen, max(changed_at) as changed_at,
                    coalesce(sum(captured_fen) filter (where stray is not null), 0)::bigint as outside_fen,
                    array_agg(replace(attempt_id::text, '-', '') order by attempt_id) as out_trade_nos
             from payment_attempts a where a.order_id = o.order_id) p
           cross join lateral (
             select coalesce(sum(amount_fen) filter (where state = 'SUCCEEDED'), 0)::bigint as refunded_fen,
                    max(changed_at) as changed_at
             from refunds r where r.order_id = o.order_id) r
           cross join lateral (
             select jsonb_object_agg(unit_id, state) as units, max(changed_at) as changed_at
             from units u where u.order_id = o.order_id) u
           where ($1::uuid is null or o.order_id > $1) and p.out_trade_nos is not null
           order by o.order_id limit $2""",
        after,
        limit,
    )
