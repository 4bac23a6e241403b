"""Rows that contradict each other, looked for page by page along a key: no statement reads the whole ledger."""

from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from shared.database import Row, Transaction

PAGE = 5_000
"""Uses, posting sets, or instructions, to a statement: some tens of milliseconds."""

SHOWN = 50
_FIRST = UUID(int=0)

_NEXT_UNITS = "select unit_id from uses where unit_id > $1 order by unit_id limit $2"
_NEXT_SETS = "select set_id from posting_sets where set_id > $1 order by set_id limit $2"
_NEXT_INSTRUCTIONS = """select instruction_id from instructions where instruction_id > $1
order by instruction_id limit $2"""

# What settled uses owe hangs on the merchant and the rail; it is the only thing here that needs more than the use.
_USES = """
select state, count(*) as uses, sum(paid_fen)::bigint as paid_fen, sum(merchant_fen)::bigint as merchant_fen,
  sum(owed_fen)::bigint as owed_fen,
  coalesce(sum(owed_fen) filter (where settled_at is null), 0)::bigint as owed_unsettled_fen
from uses where unit_id > $1 and unit_id <= $2 group by state
"""
_SUMS = ("uses", "paid_fen", "merchant_fen", "owed_fen", "owed_unsettled_fen")
_OWED = """
select u.merchant_id, o.rail, sum(u.owed_fen)::bigint as fen from uses u join orders o using (order_id)
where u.unit_id > $1 and u.unit_id <= $2 and u.owed_fen > 0 and u.settled_at is not null group by u.merchant_id, o.rail
"""

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
_STATES = """
select state, merchant_id, count(*) as n, sum(offset_fen)::bigint as offset_fen
from instructions where instruction_id > $1 and instruction_id <= $2 group by state, merchant_id
"""

_OUTSIDE = "select set_id::text as id, business_day::text || ' ' || account as detail from postings_default limit $1"
_BALANCES = "select account, owner, sum(balance_fen)::bigint as fen from balances group by account, owner"
_DEBTS = "select merchant_id, rail, owed_fen as fen from debts"


@dataclass(frozen=True, slots=True)
class Misfit:
    what: str
    id: str
    detail: str


@dataclass(slots=True)
class Walk:
    """Where a walk over the ledger stands, and what it has found. `page` is how much one statement looks at."""

    page: int = PAGE
    after_unit: UUID | None = _FIRST
    """None when every use has been looked at."""
    after_set: UUID | None = _FIRST
    after_instruction: UUID | None = _FIRST
    found: list[Misfit] = field(default_factory=list)
    uses: dict[str, Counter[str]] = field(default_factory=dict)
    """Sums of the uses of this walk by state."""
    instructions: Counter[str] = field(default_factory=Counter)
    offset_fen: int = 0
    """What paid instructions have paid off."""
    owed_fen: Counter[tuple[UUID, str]] = field(default_factory=Counter)
    """What is owed by merchant and rail."""
    posted_fen: Counter[tuple[str, UUID]] = field(default_factory=Counter)
    """What the sets of this walk sum to, by account and owner."""

    @property
    def is_over(self) -> bool:
        return self.after_unit is None and self.after_set is None and self.after_instruction is None


async def misfits(tx: Transaction, pages: int = 400, page: int = PAGE) -> Walk:
    """Walk over uses, sets, balances and instructions for at most so many pages, within one transaction. Running sums
    can only be compared with what they sum when everything was looked at, in one snapshot."""
    walk = Walk(page)
    walk.found += [Misfit("posting_outside_every_month", row["id"], row["detail"])
                   for row in await tx.fetch(_OUTSIDE, SHOWN)]  # fmt: skip
    for _ in range(pages):
        if walk.is_over or len(walk.found) >= SHOWN:
            break
        await _go_on(tx, walk)
    if walk.after_set is None:
        walk.found += await _that_differ(tx, _BALANCES, "balance_is_not_its_postings", "postings", walk.posted_fen)
    if walk.is_over:
        walk.found += await _that_differ(tx, _DEBTS, "debt_is_not_its_uses", "uses", walk.owed_fen)
    del walk.found[SHOWN:]
    return walk


async def _go_on(tx: Transaction, walk: Walk) -> None:
    if walk.after_unit is not None:
        await _look_at_uses(tx, walk, walk.after_unit)
    elif walk.after_set is not None:
        await _look_at_sets(tx, walk, walk.after_set)
    elif walk.after_instruction is not None:
        await _look_at_instructions(tx, walk, walk.after_instruction)


async def _look_at_uses(tx: Transaction, walk: Walk, after: UUID) -> None:
    end, is_last = await _end(tx, _NEXT_UNITS, after, walk.page)
    for row in await tx.fetch(_USES, after, end):
        sums = walk.uses.setdefault(row["state"], Counter())
        sums.update({name: row[name] for name in _SUMS})
    for row in await tx.fetch(_OWED, after, end):
        walk.owed_fen[row["merchant_id"], row["rail"]] += row["fen"]
    walk.after_unit = None if is_last else end


async def _look_at_sets(tx: Transaction, walk: Walk, after: UUID) -> None:
    end, is_last = await _end(tx, _NEXT_SETS, after, walk.page)
    for row in await tx.fetch(_LINES, after, end):
        if row["set_id"] is None:
            walk.posted_fen[row["account"], row["owner"]] += row["fen"]
        else:
            walk.found.append(Misfit("unbalanced_posting_set", str(row["set_id"]), f"{row['fen']} fen"))
    walk.after_set = None if is_last else end


async def _look_at_instructions(tx: Transaction, walk: Walk, after: UUID) -> None:
    end, is_last = await _end(tx, _NEXT_INSTRUCTIONS, after, walk.page)
    walk.found += [_misfit(row) for row in await tx.fetch(_INSTRUCTIONS, after, end, SHOWN)]
    for row in await tx.fetch(_STATES, after, end):
        walk.instructions[row["state"]] += row["n"]
        walk.offset_fen += row["offset_fen"] if row["state"] == "PAID" else 0
        if row["offset_fen"]:
            walk.owed_fen[row["merchant_id"], "TRANSFER"] -= row["offset_fen"]
    walk.after_instruction = None if is_last else end


async def _that_differ(
    tx: Transaction, question: str, what: str, of: str, found_fen: Counter[tuple[str, UUID]] | Counter[tuple[UUID, str]]
) -> list[Misfit]:
    """Running sums that are not what the walk has found."""
    kept = {(str(row[0]), str(row[1])): row["fen"] for row in await tx.fetch(question)}
    found = {(str(first), str(second)): fen for (first, second), fen in found_fen.items()}
    return [
        Misfit(what, f"{key[0]} {key[1]}", f"{what.partition('_')[0]} {kept.get(key, 0)}, {of} {found.get(key, 0)}")
        for key in sorted(kept.keys() | found.keys())
        if kept.get(key, 0) != found.get(key, 0)
    ]


async def _end(tx: Transaction, question: str, after: UUID, size: int) -> tuple[UUID, bool]:
    """The last key of the next page, and whether it is the last page."""
    keys = [row[0] for row in await tx.fetch(question, after, size)]
    return (keys[-1], len(keys) < size) if keys else (after, True)


def _misfit(row: Row) -> Misfit:
    return Misfit(row["what"], row["id"], row["detail"])
