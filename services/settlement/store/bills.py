"""The channel's bills as they were downloaded, line by line."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from services.settlement.domain.bills import BillLine
from shared.database import Row, Transaction


async def add(tx: Transaction, day: date, lines: Sequence[BillLine], downloaded_by: str) -> bool:
    """Keep a day's lines; False if they are here already: a bill is not written twice."""
    made = await tx.execute(
        "insert into bills (day, downloaded_at, downloaded_by) values ($1, $2, $3) on conflict do nothing",
        day,
        tx.now,
        downloaded_by,
    )
    if made:
        await tx.execute(
            """insert into bill_lines (day, line_no, movement, number, trade_no, amount_fen, fee_fen, moved_at,
                 out_trade_no)
               select $1, f.* from unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
                 $8::timestamptz[], $9::text[]) f""",
            day,
            list(range(1, len(lines) + 1)),
            [line.movement.value for line in lines],
            [line.number for line in lines],
            [line.trade_no for line in lines],
            [line.amount_fen for line in lines],
            [line.fee_fen for line in lines],
            [line.at for line in lines],
            [line.out_trade_no for line in lines],
        )
        await tx.execute("delete from bill_gaps where day = $1", day)
    return bool(made)


async def find(tx: Transaction, day: date) -> Row | None:
    """When a day's bill was downloaded and compared, and how many lines it has."""
    return await tx.row(
        """select b.day, b.downloaded_at, b.matched, b.unfiled, b.compared_at,
             (select count(*) from bill_lines l where l.day = b.day) as lines,
             (select count(*) from incidents i where i.day = b.day and i.resolved_at is null) as open_differences
           from bills b where b.day = $1""",
        day,
    )


async def lines(tx: Transaction, day: date, after: int, limit: int) -> list[Row]:
    return await tx.fetch(
        """select line_no, movement, number, trade_no, out_trade_no, amount_fen, fee_fen, moved_at from bill_lines
           where day = $1 and line_no > $2 order by line_no limit $3""",
        day,
        after,
        limit,
    )


async def note_comparison(tx: Transaction, day: date, matched: int, unfiled: int) -> bool:
    """False if that day's bill is not here."""
    return bool(
        await tx.execute(
            "update bills set matched = $2, unfiled = $3, compared_at = $4 where day = $1",
            day,
            matched,
            unfiled,
            tx.now,
        )
    )


async def paid_instructions(
    tx: Transaction, begins: datetime, ends: datetime, after: UUID | None, limit: int
) -> list[Row]:
    """Payouts that our book has as paid in a span of time, with the units that they paid for."""
    return await tx.fetch(
        """select i.instruction_id, i.order_id, i.rail, i.gross_fen - i.offset_fen as gross_fen,
             coalesce(i.taken_fee_fen, i.fee_fen) as fee_fen,
             i.state, i.paid_at,
             array(select distinct u.unit_id from uses u where u.instruction_id = i.instruction_id) as unit_ids
           from instructions i
           where i.state = 'PAID' and i.paid_at >= $1 and i.paid_at < $2
             and i.gross_fen > i.offset_fen
             and ($3::uuid is null or i.instruction_id > $3)
           order by i.instruction_id limit $4""",
        begins,
        ends,
        after,
        limit,
    )


async def instructions_by_number(tx: Transaction, numbers: Sequence[str]) -> list[Row]:
    """Any instructions with these numbers (their ids in hexadecimal), in whatever state."""
    return await tx.fetch(
        """select instruction_id, order_id, rail, gross_fen - offset_fen as gross_fen,
             coalesce(taken_fee_fen, fee_fen) as fee_fen, state, paid_at,
             array(select distinct u.unit_id from uses u where u.instruction_id = i.instruction_id) as unit_ids
           from instructions i where instruction_id = any($1::text[]::uuid[])""",
        list(numbers),
    )
