"""The daily run: one statement claims whatever is due and writes the payouts, instructions and timers for it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from shared.contracts.catalog import Rail
from shared.database import Transaction

SEND_INSTRUCTION = "send_instruction"

# The share of a running total, as domain.payouts.fee_shares: `total` up to and including this use, `part` its own.
FEE_SHARE = "({total} * {bp} + 5000) / 10000 - (({total} - {part}) * {bp} + 5000) / 10000"

# Statement-wide: $1 day, $2 fee in basis points, $3 now, $4 rails that pay, $5 those of them that confirm in parts.
_RUN = f"""
with due as (
    select u.unit_id, u.use_no, u.order_id, u.merchant_id, u.merchant_fen
    from uses u
    join orders o using (order_id)
    join merchants m on m.merchant_id = u.merchant_id and m.state = 'VERIFIED'
    join payout_accounts a on a.merchant_id = u.merchant_id and a.state = 'VERIFIED'
    where u.state = 'FINAL' and u.due_on <= $1 and u.disputed_by is null and o.rail = any($4)
      and (o.rail = any($5) or not exists (
        select from uses other where other.order_id = u.order_id
          and (other.state in ('HELD', 'USED') or other.state = 'FINAL' and other.due_on > $1
               or other.disputed_by is not null)))
    order by u.unit_id, u.use_no
    for update of u
), trades as (
    select order_id, merchant_id, gen_random_uuid() as instruction_id, sum(merchant_fen)::bigint as gross_fen
    from due group by order_id, merchant_id having sum(merchant_fen) > 0
), payees as (
    select merchant_id, gen_random_uuid() as payout_id, 1 + coalesce((
        select max(p.sequence) from payouts p where p.merchant_id = t.merchant_id and p.run_date = $1), 0) as sequence
    from trades t group by merchant_id
), totals as (
    select d.unit_id, d.use_no, d.merchant_fen, t.instruction_id,
      sum(d.merchant_fen) over (partition by d.order_id order by d.unit_id, d.use_no)::bigint as total
    from due d join trades t using (order_id)
), claimed as (
    update uses u set state = 'CLAIMED', instruction_id = t.instruction_id, changed_at = now(),
      fee_fen = {FEE_SHARE.format(total="t.total", part="t.merchant_fen", bp="$2")}
    from totals t where u.unit_id = t.unit_id and u.use_no = t.use_no and u.state = 'FINAL'
    returning u.unit_id
), opened as (
    insert into payouts (payout_id, merchant_id, run_date, sequence)
    select payout_id, merchant_id, $1, sequence from payees
), instructed as (
    insert into instructions (instruction_id, payout_id, order_id, merchant_id, rail, sub_merchant_id, trade_no,
      out_trade_no, gross_fen, fee_bp, fee_fen, state)
    select t.instruction_id, p.payout_id, t.order_id, t.merchant_id, o.rail, o.sub_merchant_id, o.trade_no,
      o.out_trade_no, t.gross_fen, $2, (t.gross_fen * $2 + 5000) / 10000, 'DUE'
    from trades t join payees p using (merchant_id) join orders o using (order_id)
    returning instruction_id
), timed as (
    insert into timers (kind, key, due_at) select '{SEND_INSTRUCTION}', instruction_id::text, $3 from instructed
)
select count(*) from claimed
"""


@dataclass(frozen=True, slots=True)
class RunTotals:
    """What the runs of one business day have claimed so far."""

    payouts: int
    uses: int
    gross_fen: int
    fee_fen: int


async def open_run(tx: Transaction, day: date) -> None:
    """Note that this day's run is made; two runs of one day wait for each other here, and for disputes that are being
    recorded: on a rail that pays a trade whole, a use that is held back holds its neighbours back, too."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended('settlement.run', 0))")
    await tx.execute(
        """insert into runs (day, last_run_at) values ($1, $2)
           on conflict (day) do update set last_run_at = excluded.last_run_at""",
        day,
        tx.now,
    )


async def last_run(tx: Transaction) -> date | None:
    """The latest business day that had a run."""
    day: date | None = await tx.value("select max(day) from runs")
    return day


async def claim_due(
    tx: Transaction, day: date, fee_bp: int, rails: Collection[Rail], in_parts: Collection[Rail]
) -> int:
    """Claim every final, due, unpaid use that may be paid, whatever its business day, into payouts with one
    instruction per trade and a timer for each. Returns how many uses; a repetition finds none."""
    claimed = await tx.value(
        _RUN, day, fee_bp, tx.now, [rail.value for rail in rails], [rail.value for rail in in_parts]
    )
    tx.after_commit.add(tx.on_timer)
    return int(claimed)


async def run_totals(tx: Transaction, day: date) -> RunTotals:
    """What was claimed on a run date, by however many runs."""
    row = await tx.row(
        """select count(distinct payout_id) as payouts, coalesce(sum(gross_fen), 0)::bigint as gross_fen,
             coalesce(sum(coalesce(taken_fee_fen, fee_fen)), 0)::bigint as fee_fen,
             coalesce(sum((select count(*) from uses u where u.instruction_id = i.instruction_id)), 0)::bigint as uses
           from payouts p join instructions i using (payout_id)
           where p.run_date = $1 and i.state <> 'WITHDRAWN'
             and not exists (select from instructions later where later.retry_of = i.instruction_id)""",
        day,
    )
    assert row is not None
    return RunTotals(row["payouts"], row["uses"], row["gross_fen"], row["fee_fen"])
