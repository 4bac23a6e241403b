"""The daily run: batch by batch, one statement claims what is due and writes its payouts, instructions and timers."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.settlement.domain.payouts import Reach
from shared.database import Transaction

SEND_INSTRUCTION = "send_instruction"

# The share of a running total, as domain.payouts.fee_shares: `total` up to and including this use, `part` its own.
FEE_SHARE = "({total} * {bp} + 5000) / 10000 - (({total} - {part}) * {bp} + 5000) / 10000"

# Before every order. A bound that may be null would keep the index from being entered in its middle.
_FIRST = UUID(int=0)

# $1 day, $2 the order after which to go on, $3 how many uses to look at. Orders follow one another as they were placed,
# which is also how they lie on disk. No trade is cut in two: the last one is taken whole (at most 10 units of 100).
_NEXT = """
with ahead as materialized (
    select order_id from uses
    where state = 'FINAL' and disputed_by is null and due_on <= $1 and order_id > $2
    order by order_id limit $3)
select order_id from ahead order by order_id desc limit 1
"""

# Which orders a run may pay by which rail; the parameters are named by who uses it.
REACHED = "(o.rail = any({rails}) or o.rail = any({own_rails}) and o.merchant_id = any({own_merchants}::uuid[]))"

# Alipay takes its fee of a confirm. A transfer moves what it says, and whatever it costs is the payer's.
FEE_BP = "case when o.rail = 'TRANSFER' then 0 else {bp} end"

# $1 day, $2 fee in basis points, $3 now, $4 rails that pay, $5 those of them that confirm in parts, $6 after which
# order, $7 up to which, $8 the pass, $9 rails for the platform's own shops, $10 these, $11 the least transfer.
_BATCH = f"""
with ready as materialized (
    select u.unit_id, u.use_no, u.order_id, u.merchant_id, u.merchant_fen
    from uses u
    where u.state = 'FINAL' and u.due_on <= $1 and u.disputed_by is null
      and u.order_id > $6 and u.order_id <= $7
    order by u.unit_id, u.use_no
    for update of u
), payable as materialized (
    select o.order_id, o.rail, o.sub_merchant_id, o.trade_no, o.out_trade_no,
      ({FEE_BP.format(bp="$2::int")}) as fee_bp
    from (select distinct order_id from ready) r join orders o using (order_id)
    join merchants m on m.merchant_id = o.merchant_id and m.state = 'VERIFIED'
    join payout_accounts a on a.merchant_id = o.merchant_id and a.state = 'VERIFIED'
    where {REACHED.format(rails="$4", own_rails="$9", own_merchants="$10")}
      and (o.rail = any($5) or not exists (
        select from uses other where other.order_id = o.order_id
          and (other.state in ('HELD', 'USED') or other.state = 'FINAL' and other.due_on > $1
               or other.disputed_by is not null)))
), due as materialized (
    select r.*, p.fee_bp,
      sum(r.merchant_fen) over (partition by r.order_id order by r.unit_id, r.use_no)::bigint as total
    from ready r join payable p using (order_id)
), trades as materialized (
    select order_id, merchant_id, id_of_moment($3) as instruction_id, sum(merchant_fen)::bigint as gross_fen
    from due join payable using (order_id) group by order_id, merchant_id, rail
    having sum(merchant_fen) >= case when rail = 'TRANSFER' then $11::bigint else 1 end
), payees as materialized (
    select t.merchant_id, p.payout_id
    from (select distinct merchant_id from trades) t
    left join payouts p on p.merchant_id = t.merchant_id and p.run_date = $1 and p.pass_no = $8
), opened as (
    insert into payouts (payout_id, merchant_id, run_date, sequence, pass_no)
    select id_of_moment($3), t.merchant_id, $1, 1 + coalesce((
        select max(p.sequence) from payouts p where p.merchant_id = t.merchant_id and p.run_date = $1), 0), $8
    from payees t where t.payout_id is null
    returning payout_id, merchant_id
), joined as (
    -- A merchant whose trades fill several batches has one payout of the pass, which each of them joins.
    select merchant_id, payout_id from payees where payout_id is not null
    union all select merchant_id, payout_id from opened
), claimed as (
    update uses u set state = 'CLAIMED', instruction_id = t.instruction_id, changed_at = now(),
      fee_fen = {FEE_SHARE.format(total="d.total", part="d.merchant_fen", bp="d.fee_bp")}
    from due d join trades t using (order_id)
    where u.unit_id = d.unit_id and u.use_no = d.use_no and u.state = 'FINAL'
    returning u.unit_id
), instructed as (
    insert into instructions (instruction_id, payout_id, order_id, merchant_id, rail, sub_merchant_id, trade_no,
      out_trade_no, gross_fen, fee_bp, fee_fen, state)
    select t.instruction_id, p.payout_id, t.order_id, t.merchant_id, o.rail, o.sub_merchant_id, o.trade_no,
      o.out_trade_no, t.gross_fen, o.fee_bp, (t.gross_fen * o.fee_bp + 5000) / 10000, 'DUE'
    from trades t join joined p using (merchant_id) join payable o using (order_id)
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
    is_over: bool


@dataclass(frozen=True, slots=True)
class Pass:
    """One going over everything that is due, order by order; `after` is where it stands."""

    day: date
    pass_no: int
    after: UUID | None


async def exclude_others(tx: Transaction) -> None:
    """One batch at a time, and none while disputes are being recorded: on a rail that pays a trade whole, a use that
    is held back holds its neighbours back, too."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended('settlement.run', 0))")


async def open_pass(tx: Transaction, day: date) -> int:
    """The number of the pass that this day's run is on; a new one unless one was begun and not ended."""
    return int(
        await tx.value(
            """insert into runs as r (day, last_run_at, pass_no, is_open) values ($1, $2, 1, true)
               on conflict (day) do update set last_run_at = excluded.last_run_at, is_open = true,
                 pass_no = r.pass_no + case when r.is_open then 0 else 1 end
               returning pass_no""",
            day,
            tx.now,
        )
    )


async def find_pass(tx: Transaction, day: date, pass_no: int) -> Pass | None:
    """Where a pass stands; None when it has ended."""
    row = await tx.row("select after_order from runs where day = $1 and pass_no = $2 and is_open", day, pass_no)
    return None if row is None else Pass(day, pass_no, row["after_order"])


async def end_pass(tx: Transaction, day: date) -> None:
    """Everything that was due has been looked at."""
    await tx.execute("update runs set is_open = false, after_order = null where day = $1 and is_open", day)


async def go_on(tx: Transaction, day: date, after: UUID) -> None:
    """Note, with the batch itself, where the next one begins: a pass that is killed is resumed there."""
    await tx.execute("update runs set after_order = $2 where day = $1 and is_open", day, after)


async def last_run(tx: Transaction) -> date | None:
    """The latest business day whose run came to its end."""
    day: date | None = await tx.value("select max(day) from runs where not is_open")
    return day


async def end_of_batch(tx: Transaction, at: Pass, size: int) -> UUID | None:
    """The last order of the next batch: of the one that holds the `size`th due use from here, or the last there is.
    None if nothing is left."""
    order_id: UUID | None = await tx.value(_NEXT, at.day, at.after or _FIRST, size)
    return order_id


async def claim_batch(
    tx: Transaction,
    at: Pass,
    until: UUID,
    fee_bp: int,
    reach: Reach,
) -> int:
    """Claim every final, due, unpaid use of these orders that may be paid, whatever its business day, into payouts with
    one instruction per trade and a timer for each. Returns how many uses; a repetition finds none."""
    claimed = await tx.value(
        _BATCH,
        at.day,
        fee_bp,
        tx.now,
        [rail.value for rail in reach.rails],
        [rail.value for rail in reach.in_parts],
        at.after or _FIRST,
        until,
        at.pass_no,
        [rail.value for rail in reach.own_rails],
        list(reach.own_merchants),
        reach.minimum_fen,
    )
    tx.after_commit.add(tx.on_timer)
    return int(claimed)


async def run_totals(tx: Transaction, day: date) -> RunTotals:
    """What was claimed on a run date, by however many runs."""
    row = await tx.row(
        """select count(distinct payout_id) as payouts, coalesce(sum(gross_fen), 0)::bigint as gross_fen,
             coalesce(sum(coalesce(taken_fee_fen, fee_fen)), 0)::bigint as fee_fen,
             coalesce(sum((select count(*) from uses u where u.instruction_id = i.instruction_id)), 0)::bigint as uses,
             not exists (select from runs where day = $1 and is_open) as is_over
           from payouts p join instructions i using (payout_id)
           where p.run_date = $1 and i.state <> 'WITHDRAWN'
             and not exists (select from instructions later where later.retry_of = i.instruction_id)""",
        day,
    )
    assert row is not None
    return RunTotals(row["payouts"], row["uses"], row["gross_fen"], row["fee_fen"], row["is_over"])
