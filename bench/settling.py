"""The payout run over ten thousand to a million uses, against one plain INSERT … SELECT … GROUP BY over the same."""

import time
from dataclasses import dataclass
from datetime import time as time_of_day

from services.settlement.domain.payouts import Instruction, Terms
from services.settlement.gateways import RailAnswer, World
from services.settlement.use_cases import run
from shared.clock import business_day
from shared.contracts.catalog import Rail
from shared.database import Database

ROUNDS = {10_000: 3, 100_000: 3, 1_000_000: 1}
"""Of each size; a small one is over in half a second, and hangs on what else the machine does in it."""
USES_PER_MERCHANT = 500
"""Two of them in one trade."""
FILLED_AT_ONCE = 50_000


class NobodyPays:
    """A rail for runs, which only say what is to be paid."""

    pays_third_parties = True
    partial_confirms = True

    async def pay(self, instruction: Instruction) -> RailAnswer:
        raise AssertionError(f"nothing is sent here: {instruction.number}")


@dataclass(frozen=True, slots=True)
class Round:
    """Microseconds per use."""

    uses: int
    run_us: float
    plain_us: float


_MERCHANTS = (
    "insert into merchants select md5('m' || n)::uuid, 1, 'bench', 'VERIFIED' from generate_series(1, $1) n",
    """insert into payout_accounts select md5('m' || n)::uuid, 1, 'VERIFIED', 'ZHIFUTONG', '2088', ''
       from generate_series(1, $1) n""",
)

# $1 and $2: from which order to which, $3 merchants. Ids sort by age, as UUIDv7 does.
_TRADES = """
with bought as (
    insert into orders (order_id, order_no, merchant_id, deal_id, kind, title, rail, trade_no, out_trade_no, paid_fen,
      paid_at)
    select (lpad(to_hex(n), 12, '0') || substr(md5(n::text), 1, 20))::uuid, n::text,
      md5('m' || (1 + n % $3))::uuid, md5('d')::uuid, 'VOUCHER', 'bench', 'ZHIFUTONG', 't' || n, md5('o' || n), 12800,
      now()
    from generate_series($1::int, $2::int) n
    returning order_id, merchant_id)
insert into uses (unit_id, use_no, order_id, merchant_id, state, paid_fen, merchant_fen, commission_fen, creator_fen,
  agency_fen, subsidy_fen, use_id, store_id, used_at, used_on, due_on)
select (substr(order_id::text, 1, 13) || substr(md5(order_id::text || n), 1, 20))::uuid, 1, order_id, merchant_id,
  'FINAL', 6400, 6400, 0, 0, 0, 0,
  (substr(order_id::text, 1, 13) || substr(md5(n || order_id::text), 1, 20))::uuid, md5('s')::uuid, now(),
  current_date - 2, current_date - 1
from bought, generate_series(1, 2) n
"""

_PLAIN = """
insert into plain_payouts (payout_id, merchant_id, order_id, uses, gross_fen, fee_fen)
select gen_random_uuid(), merchant_id, order_id, count(*), sum(merchant_fen), (sum(merchant_fen) * 60 + 5000) / 10000
from uses where state = 'FINAL' and due_on <= current_date and disputed_by is null group by merchant_id, order_id
"""


async def settle(db: Database, uses: int) -> Round:
    """Fill the empty tables of a fresh schema with due uses; group them plainly, then claim them by the run."""
    async with db.transaction() as tx:
        await tx.execute(
            """create table plain_payouts (payout_id uuid primary key, merchant_id uuid not null,
                 order_id uuid not null, uses bigint not null, gross_fen bigint not null, fee_fen bigint not null)"""
        )
    await _fill(db, uses)
    plain_s = await _plain(db)
    world = World(terms=Terms(fee_bp=60, run_at=time_of_day(0, 30)), rails={Rail.ZHIFUTONG: NobodyPays()})
    began = time.perf_counter()
    assert await run.run(db, business_day(db.clock.now()), world, within_s=900)
    run_s = time.perf_counter() - began
    return Round(uses, run_s / uses * 1e6, plain_s / uses * 1e6)


async def _fill(db: Database, uses: int) -> None:
    merchants, orders = max(1, uses // USES_PER_MERCHANT), uses // 2
    async with db.transaction() as tx:
        for statement in _MERCHANTS:
            await tx.execute(statement, merchants)
    for first in range(1, orders + 1, FILLED_AT_ONCE):
        async with db.transaction() as tx:
            await tx.execute(_TRADES, first, min(first + FILLED_AT_ONCE - 1, orders), merchants)
    async with db.transaction() as tx:
        await tx.execute("analyze merchants, payout_accounts, orders, uses")


async def _plain(db: Database) -> float:
    began = time.perf_counter()
    async with db.transaction() as tx:
        await tx.execute(_PLAIN)
    return time.perf_counter() - began
