"""What the migrations make of rows that were there before them."""

import importlib

import pytest

from tests.integration.settlement.stage import Stage

_AS_BEFORE = """
create table kept as select set_id, account, owner, amount_fen from postings;
drop table postings;
drop function make_ledger_month;
create table postings (set_id uuid not null references posting_sets, account text not null, owner uuid not null,
    amount_fen bigint not null, primary key (set_id, account, owner));
insert into postings select * from kept;
"""


class RolledBack(Exception):
    """Nothing of this stays."""


async def test_lines_of_before_come_into_the_month_of_their_set_and_balances_stay(stage: Stage) -> None:
    months = importlib.import_module("services.settlement.migrations.0008_ledger_by_month")
    order = await stage.pay(await stage.merchant())
    before = await stage.postings(order)
    with pytest.raises(RolledBack):
        async with stage.db.transaction() as tx:
            balances = await tx.fetch("select * from balances order by account, owner, shard")
            await tx.execute(_AS_BEFORE)
            await tx.execute(months._MONTHS)
            rows = await tx.fetch(
                """select p.account, p.amount_fen, p.business_day = s.business_day as in_its_month
                   from postings p join posting_sets s using (set_id) where order_id = $1""",
                order.order_id,
            )
            assert {row["account"]: row["amount_fen"] for row in rows} == before
            assert all(row["in_its_month"] for row in rows)
            assert await tx.value("select count(*) from postings") == await tx.value("select count(*) from kept")
            assert await tx.fetch("select * from balances order by account, owner, shard") == balances
            raise RolledBack
