"""Rows that contradict each other, looked for page by page along a key: no statement reads the whole ledger."""

from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from shared.database import Row, Transaction

PAGE = 5_000
"""Posting sets, or instructions, to a statement: some tens of milliseconds."""

SHOWN = 50
_FIRST = UUID(int=0)

_NEXT_SETS = "select set_id from posting_sets where set_id > $1 order by set_id limit $2"
_NEXT_INSTRUCTIONS = """select instruction_id from instructions where instruction_id > $1
order by instruction_id limit $2"""

# Between two sets, along the primary key of every month: what each account has of them, and the sets that do not
# sum to zero (whose rows have no account).
_LINES = """
select account, owner, set_id, sum(amount_fen)::bigint as fen from postings where set_id > $1 and set_id <= $2
group by grouping sets ((account, owner), (set_id)) having account is not null or sum(amount_fen) <> 0
"""

_INSTRUCTIONS = """
with page as materialized (select * from instructions where instruction_id > $1 and instruction_id <= $2)
select 'instruction_is_not_its_uses' as what, i.instruction_id::text as id,
  'instruction ' || i.gross_fen || '/' || i.fee_fen || ', uses ' || coalesce(sum(u.merchant_fen), 0)
    || '/' || coalesce(sum(u.fee_fen), 0) as detail
from page i left join uses u using (instruction_id)
where i.state in ('DUE', 'SENT', 'UNKNOWN', 'PAID')
group by i.instruction_id, i.gross_fen, i.fee_fen
having coalesce(sum(u.merchant_fen), 0) <> i.gross_fen or coalesce(sum(u.fee_fen), 0) <> i.fee_fen
union all
select 'use_is_not_its_instruction', u.unit_id || '/' || u.use_no, u.state || ' in ' || i.state
from page i join uses u using (instruction_id)
where (u.settled_at is not null) <> (i.state = 'PAID') or i.state = 'WITHDRAWN'
union all
select 'instruction_has_no_timer', i.instruction_id::text, i.state
from page i where i.state in ('DUE', 'SENT', 'UNKNOWN')
  and not exists (select from timers t where t.kind = 'send_instruction' and t.key = i.instruction_id::text)
limit $3
"""

_OUTSIDE = "select set_id::text as id, business_day::text || ' ' || account as detail from postings_default limit $1"
_BALANCES = "select account, owner, sum(balance_fen)::bigint as fen from balances group by account, owner"


@dataclass(frozen=True, slots=True)
class Misfit:
    what: str
    id: str
    detail: str


@dataclass(slots=True)
class Walk:
    """Where a walk over the ledger stands, and what it has found. `page` is how much one statement looks at."""

    page: int = PAGE
    after_set: UUID | None = _FIRST
    """None when every set has been looked at."""
    after_instruction: UUID | None = _FIRST
    found: list[Misfit] = field(default_factory=list)
    posted_fen: Counter[tuple[str, UUID]] = field(default_factory=Counter)
    """What the sets of this walk sum to, by account and owner."""

    @property
    def is_over(self) -> bool:
        return self.after_set is None and self.after_instruction is None


async def misfits(tx: Transaction, pages: int = 400, page: int = PAGE) -> Walk:
    """Walk over sets, balances and instructions for at most so many pages, within one transaction. Balances can only be
    compared with their postings when every set was looked at, in one snapshot."""
    walk = Walk(page)
    walk.found += [Misfit("posting_outside_every_month", row["id"], row["detail"])
                   for row in await tx.fetch(_OUTSIDE, SHOWN)]  # fmt: skip
    for _ in range(pages):
        if walk.is_over or len(walk.found) >= SHOWN:
            break
        await (_look_at_instructions(tx, walk) if walk.after_set is None else _look_at_sets(tx, walk))
    if walk.after_set is None:
        walk.found += await _balances_that_differ(tx, walk)
    del walk.found[SHOWN:]
    return walk


async def _look_at_sets(tx: Transaction, walk: Walk) -> None:
    assert walk.after_set is not None
    end, is_last = await _end(tx, _NEXT_SETS, walk.after_set, walk.page)
    for row in await tx.fetch(_LINES, walk.after_set, end):
        if row["set_id"] is None:
            walk.posted_fen[row["account"], row["owner"]] += row["fen"]
        else:
            walk.found.append(Misfit("unbalanced_posting_set", str(row["set_id"]), f"{row['fen']} fen"))
    walk.after_set = None if is_last else end


async def _look_at_instructions(tx: Transaction, walk: Walk) -> None:
    assert walk.after_instruction is not None
    end, is_last = await _end(tx, _NEXT_INSTRUCTIONS, walk.after_instruction, walk.page)
    walk.found += [_misfit(row) for row in await tx.fetch(_INSTRUCTIONS, walk.after_instruction, end, SHOWN)]
    walk.after_instruction = None if is_last else end


async def _balances_that_differ(tx: Transaction, walk: Walk) -> list[Misfit]:
    balances = {(row["account"], row["owner"]): row["fen"] for row in await tx.fetch(_BALANCES)}
    return [
        Misfit(
            "balance_is_not_its_postings",
            f"{account} {owner}",
            f"balance {balances.get((account, owner), 0)}, postings {walk.posted_fen[account, owner]}",
        )
        for account, owner in sorted(balances.keys() | walk.posted_fen.keys())
        if balances.get((account, owner), 0) != walk.posted_fen[account, owner]
    ]


async def _end(tx: Transaction, question: str, after: UUID, size: int) -> tuple[UUID, bool]:
    """The last key of the next page, and whether it is the last page."""
    keys = [row[0] for row in await tx.fetch(question, after, size)]
    return (keys[-1], len(keys) < size) if keys else (after, True)


def _misfit(row: Row) -> Misfit:
    return Misfit(row["what"], row["id"], row["detail"])
