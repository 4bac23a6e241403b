"""Videos in the database, and the feed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from services.catalog.domain.deals import Sale, badge_state
from services.catalog.domain.videos import Badge, Comment, VideoCard, VideoContent, ranked_at
from services.catalog.store.deals import BUYABLE, HAS_OPEN_STORE
from shared.database import Row, Transaction

# A card with its badge. The feed lets Postgres leave out what cannot be bought.
_CARDS = f"""
select c.video_id, c.merchant_id, c.author, m.state = 'VERIFIED' as verified, c.caption, c.cover, c.city, c.likes,
       c.comment_count, c.ranked_at, d.deal_id, v.title, v.price_fen, v.original_price_fen, v.sale_from, v.sale_until,
       d.sale_state = 'ONLINE' and {HAS_OPEN_STORE} as online,
       m.state = 'VERIFIED' and coalesce(p.state = 'VERIFIED', false) as may_sell,
       coalesce(a.available, d.total_quota) as available, coalesce(a.sold, 0) as sold
from videos c
join merchants m using (merchant_id)
left join payout_accounts p using (merchant_id)
left join deals d on d.deal_id = c.deal_id and d.deal_version > 0
left join deal_versions v on v.deal_id = d.deal_id and v.deal_version = d.deal_version
left join availability a on a.deal_id = d.deal_id
"""

_FEED = f"""
{_CARDS}
where ($2::text is null or c.city = $2)
  and ($3::timestamptz is null or (c.ranked_at, c.video_id) < ($3, $4::uuid))
  and (c.deal_id is null or ({BUYABLE}))
order by c.ranked_at desc, c.video_id desc limit $5
"""


def _card(row: Row, now: datetime) -> VideoCard:
    names = ("video_id", "merchant_id", "author", "verified", "caption", "cover", "city", "likes", "comment_count")
    known: dict[str, Any] = {name: row[name] for name in names}
    return VideoCard(**known, badge=_badge(row, now) if row["deal_id"] else None, ranked_at=row["ranked_at"])


def _badge(row: Row, now: datetime) -> Badge:
    sale = Sale(row["online"], row["may_sell"], row["sale_from"], row["sale_until"], row["available"])
    return Badge(
        deal_id=row["deal_id"],
        title=row["title"],
        price_fen=row["price_fen"],
        original_price_fen=row["original_price_fen"],
        available=row["available"],
        sold=row["sold"],
        state=badge_state(sale, now),
    )


async def add_video(tx: Transaction, video_id: UUID, content: VideoContent) -> bool:
    """Register a video; False when its id or its platform id is in use."""
    return bool(
        await tx.execute(
            """insert into videos (video_id, merchant_id, platform_id, author, caption, cover, city, likes, comments,
                   comment_count, posted_at, ranked_at)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict do nothing""",
            video_id,
            content.merchant_id,
            content.platform_id,
            *_imported(content),
            tx.now,
            ranked_at(tx.now, content.likes),
        )
    )


async def import_again(tx: Transaction, video_id: UUID, content: VideoContent) -> bool:
    """Take what the host platform says now about a registered video; False when the ids belong to something else."""
    posted_at = await tx.value(
        "select posted_at from videos where video_id = $1 and merchant_id = $2 and platform_id = $3 for update",
        video_id,
        content.merchant_id,
        content.platform_id,
    )
    if posted_at is None:
        return False
    await tx.execute(
        """update videos set author = $2, caption = $3, cover = $4, city = $5, likes = $6, comments = $7,
               comment_count = $8, ranked_at = $9
           where video_id = $1""",
        video_id,
        *_imported(content),
        ranked_at(posted_at, content.likes),
    )
    return True


def _imported(content: VideoContent) -> tuple[Any, ...]:
    comments = [
        {"author": one.author, "text": one.text, "place": one.place, "at": one.at.isoformat()}
        for one in content.comments
    ]
    return (
        content.author,
        content.caption,
        content.cover,
        content.city,
        content.likes,
        comments,
        len(comments),
    )


async def merchant_of_video(tx: Transaction, video_id: UUID) -> UUID | None:
    """Whose video it is."""
    merchant_id: UUID | None = await tx.value("select merchant_id from videos where video_id = $1", video_id)
    return merchant_id


async def attach_deal(tx: Transaction, video_id: UUID, deal_id: UUID | None) -> bool:
    """Show this deal, or none, in the video; False when the deal is not the video's merchant's."""
    return bool(
        await tx.execute(
            """update videos c set deal_id = $2 where video_id = $1 and ($2::uuid is null
               or exists (select from deals d where d.deal_id = $2 and d.merchant_id = c.merchant_id))""",
            video_id,
            deal_id,
        )
    )


async def feed(tx: Transaction, city: str | None, after: tuple[datetime, UUID] | None, limit: int) -> list[VideoCard]:
    """Videos in the order of the feed after a position; what cannot be bought now is left out."""
    moment, video_id = after or (None, None)
    rows = await tx.fetch(_FEED, tx.now, city, moment, video_id, limit)
    return [_card(row, tx.now) for row in rows]


async def card(tx: Transaction, video_id: UUID) -> VideoCard | None:
    """One video, whatever the state of its deal."""
    row = await tx.row(f"{_CARDS} where c.video_id = $1", video_id)
    return _card(row, tx.now) if row else None


async def comments(tx: Transaction, video_id: UUID) -> tuple[Comment, ...]:
    """The imported comments of a video."""
    found: list[dict[str, str]] = await tx.value("select comments from videos where video_id = $1", video_id) or []
    return tuple(Comment(one["author"], one["text"], one["place"], datetime.fromisoformat(one["at"])) for one in found)
