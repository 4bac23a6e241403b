"""What a merchant is shown: the uses of a day, the payouts, and what the next run will pay."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.settlement.domain.payouts import InstructionState, Reach
from services.settlement.store.runs import FEE_BP, FEE_SHARE, REACHED
from shared.database import Row, Transaction

# $1 merchant, $2 fee in basis points, $3 day, $4 a store or null for all. The fee of a use is the same in the statement
# of its store as in the whole one, since it is shared before stores are told apart; that of what no run has claimed is
# what a run would charge for it.
_DAY = f"""
with shown as (
    select u.order_id, u.unit_id, u.use_no, o.title, u.store_id, u.used_at, u.state, u.due_on, i.payout_id,
      u.merchant_fen as gross_fen, u.fee_fen, u.state in ('USED', 'FINAL') as open,
      u.disputed_by is not null as disputed,
      sum(u.merchant_fen) over (
        partition by u.order_id, u.state in ('USED', 'FINAL'), u.disputed_by is not null
        order by u.unit_id, u.use_no)::bigint as total,
      {FEE_BP.format(bp="$2::int")} as fee_bp
    from uses u join orders o using (order_id) left join instructions i using (instruction_id)
    where u.merchant_id = $1 and u.used_on = $3
), priced as (
    select *, case when open then {FEE_SHARE.format(total="total", part="gross_fen", bp="fee_bp")}
                   else coalesce(fee_fen, 0) end as charged_fen
    from shown
), of_store as (
    select * from priced where $4::uuid is null or store_id = $4
)
"""


@dataclass(frozen=True, slots=True)
class Totals:
    uses: int
    gross_fen: int
    fee_fen: int


@dataclass(frozen=True, slots=True)
class Disputed:
    uses: int
    gross_fen: int


async def uses_of_day(
    tx: Transaction,
    merchant_id: UUID,
    fee_bp: int,
    day: date,
    store_id: UUID | None,
    after: tuple[datetime, UUID, int] | None,
    limit: int,
) -> list[Row]:
    """A page of the uses of one business day, in the order of their moments, from after a given one."""
    moment, unit_id, use_no = after or (None, None, None)
    return await tx.fetch(
        _DAY
        + """select * from of_store
             where $5::timestamptz is null or (used_at, unit_id, use_no) > ($5, $6::uuid, $7::bigint)
             order by used_at, unit_id, use_no limit $8""",
        merchant_id,
        fee_bp,
        day,
        store_id,
        moment,
        unit_id,
        use_no,
        limit,
    )


async def totals_of_day(tx: Transaction, merchant_id: UUID, fee_bp: int, day: date, store_id: UUID | None) -> Totals:
    """The sums of one business day; what was given back to buyers does not count."""
    row = await tx.row(
        _DAY
        + """select count(*) as uses, coalesce(sum(gross_fen), 0)::bigint as gross_fen,
               coalesce(sum(charged_fen), 0)::bigint as fee_fen from of_store where state <> 'REFUNDED'""",
        merchant_id,
        fee_bp,
        day,
        store_id,
    )
    assert row is not None
    return Totals(row["uses"], row["gross_fen"], row["fee_fen"])


async def stores_of_day(tx: Transaction, merchant_id: UUID, fee_bp: int, day: date, limit: int) -> list[Row]:
    """The sums of one business day store by store, the largest first."""
    return await tx.fetch(
        _DAY
        + """select store_id, count(*) as uses, sum(gross_fen)::bigint as gross_fen, sum(charged_fen)::bigint as fee_fen
             from of_store where state <> 'REFUNDED' group by store_id
             order by sum(gross_fen) desc, store_id limit $5""",
        merchant_id,
        fee_bp,
        day,
        None,
        limit,
    )


# The trades that the run of a day will pay: $1 merchant, $2 fee in basis points, $3 day, $4 rails, $5 those that
# confirm in parts, $6 rails for own shops, $7 these, $8 the least transfer.
_PAYABLE = f"""
with trades as (
    select u.order_id, min(o.rail) as rail, count(*) as uses, sum(u.merchant_fen)::bigint as gross_fen,
      min({FEE_BP.format(bp="$2::int")}) as fee_bp
    from uses u join orders o using (order_id)
    where u.merchant_id = $1 and u.state in ('USED', 'FINAL') and u.due_on <= $3 and u.disputed_by is null
      and {REACHED.format(rails="$4", own_rails="$6", own_merchants="$7")}
      and (o.rail = any($5) or not exists (
        select from uses other where other.order_id = u.order_id
          and (other.state = 'HELD' or other.state in ('USED', 'FINAL') and other.due_on > $3
               or other.disputed_by is not null)))
    group by u.order_id
    having sum(u.merchant_fen) >= case when min(o.rail) = 'TRANSFER' then $8::bigint else 1 end)
"""


def _payable(merchant_id: UUID, fee_bp: int, day: date, reach: Reach) -> tuple[object, ...]:
    rails = ([rail.value for rail in kind] for kind in (reach.rails, reach.in_parts, reach.own_rails))
    return (merchant_id, fee_bp, day, *rails, list(reach.own_merchants), reach.minimum_fen)


async def preview(tx: Transaction, merchant_id: UUID, fee_bp: int, day: date, reach: Reach) -> Totals:
    """What the run of `day` will claim for a merchant if nothing else happens: uses that are final or will be."""
    row = await tx.row(
        _PAYABLE
        + """select coalesce(sum(uses), 0)::bigint as uses, coalesce(sum(gross_fen), 0)::bigint as gross_fen,
               coalesce(sum((gross_fen * fee_bp + 5000) / 10000), 0)::bigint as fee_fen from trades""",
        *_payable(merchant_id, fee_bp, day, reach),
    )
    assert row is not None
    return Totals(row["uses"], row["gross_fen"], row["fee_fen"])


async def transfers_ahead(
    tx: Transaction, merchant_id: UUID, fee_bp: int, day: date, reach: Reach, limit: int
) -> list[int]:
    """What each transfer of that run would move before it pays off anything, the largest first."""
    rows = await tx.fetch(
        _PAYABLE
        + """select gross_fen - (gross_fen * fee_bp + 5000) / 10000 as net_fen from trades where rail = 'TRANSFER'
             order by net_fen desc limit $9""",
        *_payable(merchant_id, fee_bp, day, reach),
        limit,
    )
    return [row["net_fen"] for row in rows]


async def disputed(tx: Transaction, merchant_id: UUID) -> Disputed:
    """What of a merchant's used units is held back while its refund is reviewed."""
    row = await tx.row(
        """select count(*) as uses, coalesce(sum(merchant_fen), 0)::bigint as gross_fen
           from uses where merchant_id = $1 and disputed_by is not null and state in ('USED', 'FINAL')""",
        merchant_id,
    )
    assert row is not None
    return Disputed(row["uses"], row["gross_fen"])


@dataclass(frozen=True, slots=True)
class PayoutLine:
    """A payout with the sums of its instructions; an instruction that was replaced by a retry does not count."""

    payout_id: UUID
    run_date: date
    sequence: int
    gross_fen: int
    fee_fen: int
    offset_fen: int
    uses: int
    paid_at: datetime | None
    states: tuple[InstructionState, ...]


async def payouts(tx: Transaction, merchant_id: UUID, before: tuple[date, int] | None, limit: int) -> list[PayoutLine]:
    """A merchant's payouts, newest first, from before a given (run date, sequence)."""
    run_date, sequence = before or (None, None)
    rows = await tx.fetch(
        """select p.payout_id, p.run_date, p.sequence, sums.* from payouts p, lateral (
             select coalesce(sum(i.gross_fen), 0)::bigint as gross_fen,
               coalesce(sum(coalesce(i.taken_fee_fen, i.fee_fen)), 0)::bigint as fee_fen,
               coalesce(sum(i.offset_fen), 0)::bigint as offset_fen,
               coalesce(sum((select count(*) from uses u where u.instruction_id = i.instruction_id)), 0)::bigint
                 as uses,
               max(i.paid_at) as paid_at, array_agg(distinct i.state) as states
             from instructions i where i.payout_id = p.payout_id
               and not exists (select from instructions later where later.retry_of = i.instruction_id)) sums
           where p.merchant_id = $1 and ($2::date is null or (p.run_date, p.sequence) < ($2, $3::bigint))
           order by p.run_date desc, p.sequence desc limit $4""",
        merchant_id,
        run_date,
        sequence,
        limit,
    )
    return [
        PayoutLine(
            payout_id=row["payout_id"],
            run_date=row["run_date"],
            sequence=row["sequence"],
            gross_fen=row["gross_fen"],
            fee_fen=row["fee_fen"],
            offset_fen=row["offset_fen"],
            uses=row["uses"],
            paid_at=row["paid_at"],
            states=tuple(InstructionState(state) for state in row["states"]),
        )
        for row in rows
    ]


async def instructions_needing_attention(tx: Transaction, after: UUID | None, limit: int) -> list[Row]:
    """Instructions that failed and were not replaced, or of which nobody knows whether they paid."""
    return await tx.fetch(
        """select i.* from instructions i
           where i.state in ('UNKNOWN', 'FAILED') and ($1::uuid is null or i.instruction_id > $1)
             and not exists (select from instructions later where later.retry_of = i.instruction_id)
           order by i.instruction_id limit $2""",
        after,
        limit,
    )
