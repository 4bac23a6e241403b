"""Posting sets; the database itself keeps the running balances, and refuses unbalanced sets and changed rows."""

from collections.abc import Sequence
from datetime import date

from services.settlement.domain.ledger import PostingSet
from shared.clock import business_day
from shared.database import Transaction

_POST = """
with fresh as (
    insert into posting_sets (set_id, kind, order_id, business_day, occurred_at)
    select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::date[], $5::timestamptz[]))
insert into postings (set_id, business_day, account, owner, amount_fen)
select * from unnest($6::uuid[], $7::date[], $8::text[], $9::uuid[], $10::bigint[])
"""


async def post(tx: Transaction, sets: Sequence[PostingSet]) -> None:
    """Write posting sets that domain.ledger made; sets without lines (of worthless uses) are left out."""
    sets = [one for one in sets if one.entries]
    if not sets:
        return
    lines = [(one, entry) for one in sets for entry in one.entries]
    await tx.execute(
        _POST,
        [one.set_id for one in sets],
        [one.kind.value for one in sets],
        [one.order_id for one in sets],
        [business_day(one.occurred_at) for one in sets],
        [one.occurred_at for one in sets],
        [one.set_id for one, _ in lines],
        [business_day(one.occurred_at) for one, _ in lines],
        [entry.account.value for _, entry in lines],
        [entry.owner for _, entry in lines],
        [entry.amount_fen for _, entry in lines],
    )


async def make_months(tx: Transaction, first: date, last: date) -> int:
    """Make the partitions of every month from one day to another that is not there yet. Returns how many were made."""
    return int(
        await tx.value(
            """select count(*) filter (where make_ledger_month(month::date))
               from generate_series(date_trunc('month', $1::date), $2::date, interval '1 month') as month""",
            first,
            last,
        )
    )
