"""A million open timers cost nothing: what a claim reads depends on what it takes."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest

from shared.database import Transaction
from shared.ids import new_id
from shared.messaging import timers
from tests.integration.shared.conftest import Bare

MILLION = 1_000_000
# Pages that a claim of three timers touches: some index levels per kind, the rows, and what their change writes.
PAGES_MAX = 250


@pytest.mark.timeout(300)
@pytest.mark.parametrize("backlog", [False, True])
async def test_with_a_million_open_timers_a_claim_reads_a_handful_of_pages(bare: Bare, backlog: bool) -> None:
    """A million of one kind, still to come or all overdue: those of other kinds are found past none of them."""
    async with undone(bare) as tx:
        # A new table of the same shape, so that the rows of this test leave nothing behind in the other.
        await tx.execute("alter table timers rename to timers_of_others")
        await tx.execute("create table timers (like timers_of_others including all)")
        await tx.execute(
            """insert into timers (kind, key, due_at)
               select 'expire', i::text, $1::timestamptz + i * interval '1 millisecond'
               from generate_series(1, $2::int) i""",
            tx.now + timedelta(days=-1 if backlog else 1),
            MILLION,
        )
        for plan in ("force_custom_plan", "force_generic_plan"):
            await tx.execute("delete from timers where kind <> 'expire'")
            await tx.execute(
                """insert into timers (kind, key, due_at, leased_until)
                   select kind, i::text, $1, case when i > 3 then now() + interval '1 minute' end
                   from unnest(array['ask', 'send', 'say']) kind, generate_series(1, 6) i""",
                tx.now - timedelta(seconds=1),
            )
            await tx.execute("analyze timers")
            await tx.execute(f"set local plan_cache_mode = {plan}")
            await claims_read_little(tx, plan)


async def claims_read_little(tx: Transaction, plan: str) -> None:
    now = f"'{tx.now.isoformat()}'::timestamptz"
    outside = "'{ask,send,none_of_this}'::text[]"

    looks = await explained(tx, timers._NEXT, "text[]", outside)
    takes = await explained(tx, timers._TAKE, "text, timestamptz, int", f"'say', {now}, 500")
    leases = await explained(tx, timers._LEASE, "text[], timestamptz, int", f"{outside}, {now}, 30")

    left = await tx.row(
        """select count(*) filter (where kind = 'say') as said,
             count(*) filter (where kind in ('ask', 'send') and attempts = 1) as leased,
             count(*) filter (where kind = 'expire') as others from timers"""
    )
    assert left is not None
    # The other three of each kind are leased; to those that act inside a lease means nothing.
    assert (left["said"], left["leased"], left["others"]) == (0, 6, MILLION)
    for name, (pages, nodes) in {"looks": looks, "takes": takes, "leases": leases}.items():
        assert pages < PAGES_MAX, (plan, name)
        assert nodes & {"Index Scan", "Index Only Scan"}, (plan, name)
        assert "Seq Scan" not in nodes, (plan, name)


class Undone(Exception):
    """Ends a transaction whose changes nobody is to see."""


@asynccontextmanager
async def undone(bare: Bare) -> AsyncIterator[Transaction]:
    """A transaction that is rolled back."""
    async with bare.environment.database_of("checkout") as db:
        with suppress(Undone):
            async with db.transaction() as tx:
                yield tx
                raise Undone


async def explained(tx: Transaction, statement: str, types: str, values: str) -> tuple[int, set[str]]:
    """Run a statement; how many pages it touched, and by which kinds of plan nodes it found timers."""
    name = f"s_{new_id().hex}"
    await tx.execute(f"prepare {name} ({types}) as {statement}")
    found = await tx.value(f"explain (analyze, buffers, format json) execute {name}({values})")
    plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"], set(nodes_on_timers(plan))


def nodes_on_timers(plan: dict[str, Any]) -> list[str]:
    here = [plan["Node Type"]] if plan.get("Relation Name") == "timers" else []
    return here + [node for inner in plan.get("Plans", ()) for node in nodes_on_timers(inner)]
