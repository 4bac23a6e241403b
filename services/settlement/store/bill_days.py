"""Day by day: of which there is a bill, and of which the channel says that it has none."""

from datetime import date, datetime

from shared.database import Row, Transaction

# Orders are numbered as they are placed, so the first of them begins the books, give or take a midnight.
_FIRST = """coalesce((
    select (paid_at at time zone 'Asia/Shanghai')::date - 1 from orders order by order_id limit 1), $1::date)"""


async def page(tx: Transaction, today: date, after: date | None, limit: int) -> list[Row]:
    """Every day since the books began, up to today: whether its bill is here, and since when (real time) one is
    missing."""
    return await tx.fetch(
        f"""select d.day::date as day, b.day is not null as is_billed, g.since as missing_since
            from generate_series(greatest({_FIRST}, $2::date + 1), $1, interval '1 day') d (day)
            left join bills b on b.day = d.day::date left join bill_gaps g on g.day = d.day::date
            order by d.day limit $3""",
        today,
        after,
        limit,
    )


async def to_ask_for(tx: Transaction, last: date, asked_before: datetime, again_from: date, limit: int) -> list[date]:
    """Days up to `last` without a bill. Those that had none are asked for again while they are recent."""
    rows = await tx.fetch(
        f"""select d.day::date as day from generate_series({_FIRST}, $1, interval '1 day') d (day)
            where not exists (select from bills b where b.day = d.day::date)
              and not exists (select from bill_gaps g
                              where g.day = d.day::date and (g.asked_at > $2 or g.day < $3))
            order by d.day limit $4""",
        last,
        asked_before,
        again_from,
        limit,
    )
    return [row["day"] for row in rows]


async def note_gap(tx: Transaction, day: date) -> None:
    """The channel has no bill of a day although it is due."""
    await tx.execute(
        """insert into bill_gaps (day, asked_at) values ($1, $2)
           on conflict (day) do update set asked_at = excluded.asked_at""",
        day,
        tx.now,
    )
