"""The recommended feed: the place of each video in it, and looks into it.

The rank is stored, so that pages come straight from an index, and it does not depend on the time of reading, so that
they neither repeat nor skip anything. What cannot be bought now is left out while reading. So that many such videos in
a row cannot make a look endless, it passes over `WINDOW` videos at most and says how far it got: a page may be short,
even empty, and still have a next one.
"""

from datetime import datetime
from functools import cache
from uuid import UUID

from services.catalog.domain.feed import Position, Stretch
from services.catalog.store.deals import buyable
from services.catalog.store.videos import CARD, CARD_JOINS, LAST_ID, card_of
from shared.database import Transaction

WINDOW = 500


def _rank(now: str) -> str:
    """The only definition of the rank: newest first; ten times the engagement, in which a comment counts as ten likes,
    is worth six hours; each unit of support weight, while the merchant's enrolment runs, three hours."""
    return f"""c.posted_at + interval '6 hours' * log((1 + c.likes + 10 * c.comment_count)::float8)
    + interval '3 hours' * coalesce((select e.weight from support_enrolments e
        where e.merchant_id = c.merchant_id and e.starts_at <= {now} and e.ends_at > {now}), 0)"""


@cache
def look(one_city: bool, window: int) -> str:
    """The statement for one look: its cards, and on each row, or on a row of its own, how far it looked.

    Window and city are part of the text, and each card is put together by itself (`offset 0` keeps it apart): with any
    of that left open, a plan that is made once for all values reads whole tables."""
    ahead = f"""from videos c where {"c.city = $1" if one_city else "$1::text is null"}
        and (c.ranked_at, c.video_id) < (coalesce($2::timestamptz, 'infinity'), $3::uuid)
        order by c.ranked_at desc, c.video_id desc"""
    return f"""
select edge.ranked_at as edge_at, edge.video_id as edge_id, shown.*
from (select c.ranked_at, c.video_id {ahead} offset {window - 1} limit 1) edge
full join (select card.* from (select * {ahead} limit {window}) c
    cross join lateral ({CARD} from (values (1)) once {CARD_JOINS}
        where c.deal_id is null or ({buyable("$4")}) offset 0) card
    order by c.ranked_at desc, c.video_id desc limit $5) shown on true
order by shown.ranked_at desc, shown.video_id desc
"""


async def look_into_feed(tx: Transaction, city: str | None, after: Position | None, limit: int) -> Stretch:
    """Up to `limit` of the next videos after a position, without what cannot be bought now."""
    rows = await tx.fetch(look(city is not None, WINDOW), city, *(after or (None, LAST_ID)), tx.now, limit)
    edge = (rows[0]["edge_at"], rows[0]["edge_id"]) if rows and rows[0]["edge_at"] else None
    return Stretch([card_of(row, tx.now) for row in rows if row["video_id"]], edge)


async def rank_video(tx: Transaction, video_id: UUID) -> None:
    """Put a video in its place in the feed."""
    await tx.execute(f"update videos c set ranked_at = {_rank('$2')} where video_id = $1", video_id, tx.now)


async def rank_videos_of(tx: Transaction, merchant_id: UUID, after: Position | None, limit: int) -> list[Position]:
    """Put the next videos of a merchant, by the time of posting, in their places: the (posted_at, id) of each."""
    rows = await tx.fetch(
        f"""with next as (
                select n.video_id from videos n
                where n.merchant_id = $1
                  and (n.posted_at, n.video_id) < (coalesce($2::timestamptz, 'infinity'), $3::uuid)
                order by n.posted_at desc, n.video_id desc limit $4)
            update videos c set ranked_at = {_rank("$5")} from next where c.video_id = next.video_id
            returning c.posted_at, c.video_id""",
        merchant_id,
        *(after or (None, LAST_ID)),
        limit,
        tx.now,
    )
    return [(row["posted_at"], row["video_id"]) for row in rows]


async def hold_support(tx: Transaction, merchant_id: UUID, *, alone: bool) -> None:
    """Keep a video from being registered with the old weight while the merchant's videos are ranked anew (`alone`)."""
    lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    await tx.execute(f"select {lock}(hashtextextended($1, 2))", f"support {merchant_id}")


async def next_support_change(tx: Transaction, merchant_id: UUID, after: datetime) -> datetime | None:
    """When the support of a merchant begins or ends next."""
    moment: datetime | None = await tx.value(
        """select min(b.moment) from support_enrolments e
           cross join lateral (values (e.starts_at), (e.ends_at)) b (moment)
           where e.merchant_id = $1 and b.moment > $2""",
        merchant_id,
        after,
    )
    return moment
