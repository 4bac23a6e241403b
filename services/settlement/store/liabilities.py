"""What is owed before it is earned or after it was paid: bought and not redeemed, and refunded after the payout."""

from uuid import UUID

from shared.database import Row, Transaction


async def unredeemed(tx: Transaction, after: UUID | None, limit: int) -> list[Row]:
    """By merchant: units and uses that buyers have paid for and not used, and since when the oldest of them."""
    return await tx.fetch(
        """select h.*, m.name from (
             select u.merchant_id, count(distinct u.unit_id) as units, count(*) as uses,
               sum(u.paid_fen)::bigint as paid_fen, min(o.paid_at) as since
             from uses u join orders o using (order_id)
             where u.state = 'HELD' and ($1::uuid is null or u.merchant_id > $1)
             group by u.merchant_id order by u.merchant_id limit $2) h
           left join merchants m using (merchant_id) order by h.merchant_id""",
        after,
        limit,
    )


async def unredeemed_by_deal(tx: Transaction, merchant_id: UUID, after: UUID | None, limit: int) -> list[Row]:
    """The same for one merchant, by deal, under the newest title that was bought."""
    return await tx.fetch(
        """select o.deal_id, (array_agg(o.title order by o.paid_at desc))[1] as title,
             count(distinct u.unit_id) as units, count(*) as uses, sum(u.paid_fen)::bigint as paid_fen,
             min(o.paid_at) as since
           from uses u join orders o using (order_id)
           where u.state = 'HELD' and u.merchant_id = $1 and ($2::uuid is null or o.deal_id > $2)
           group by o.deal_id order by o.deal_id limit $3""",
        merchant_id,
        after,
        limit,
    )


async def owing(tx: Transaction, after: UUID | None, limit: int) -> list[Row]:
    """Merchants whose payouts were followed by refunds, by rail: what they owe, for how many uses, since when. What
    later transfers paid off, or are about to, is not owed any more."""
    return await tx.fetch(
        """with shown as (
             select distinct merchant_id from debts
             where owed_fen > 0 and ($1::uuid is null or merchant_id > $1) order by merchant_id limit $2)
           select d.merchant_id, d.rail, d.uses, d.owed_fen, d.since, m.name, m.state
           from shown join debts d using (merchant_id) left join merchants m using (merchant_id)
           where d.owed_fen > 0 order by d.merchant_id, d.rail""",
        after,
        limit,
    )
