"""Videos in the database, each with the badge of its deal."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from services.catalog.domain.deals import Sale, badge_state
from services.catalog.domain.videos import Badge, Comment, VideoCard, VideoContent
from services.catalog.store.deals import FORM, HAS_OPEN_STORE
from shared.contracts.catalog import DealForm
from shared.database import Row, Transaction

# What a badge says of deal `d` of merchant `m`; versions from before forms existed have only a kind.
BADGE_COLUMNS = f"""
d.deal_id, v.title, v.price_fen, v.original_price_fen, v.sale_from, v.sale_until,
{FORM} as form,
d.sale_state = 'ONLINE' and {HAS_OPEN_STORE} as online,
m.state = 'VERIFIED' and coalesce(p.state = 'VERIFIED', false) as may_sell,
coalesce(a.available, d.total_quota) as available, coalesce(a.sold, 0) as sold
"""

BADGE_JOINS = """
left join payout_accounts p on p.merchant_id = m.merchant_id
left join deal_versions v on v.deal_id = d.deal_id and v.deal_version = d.deal_version
left join availability a on a.deal_id = d.deal_id
"""

CARD = f"""
select c.video_id, c.merchant_id, c.version, c.author, m.state = 'VERIFIED' as verified, c.caption, c.cover, c.city,
       c.url, c.likes, c.comment_count, c.posted_at, c.ranked_at, {BADGE_COLUMNS}
"""

CARD_JOINS = f"""
join merchants m on m.merchant_id = c.merchant_id
left join deals d on d.deal_id = c.deal_id and d.deal_version > 0
{BADGE_JOINS}
"""

_CARDS = f"{CARD} from videos c {CARD_JOINS}"

_STAFF_LIST = f"""
{_CARDS}
where c.merchant_id = $1
  and (c.posted_at, c.video_id) < (coalesce($2::timestamptz, 'infinity'), coalesce($3::uuid, $4))
order by c.posted_at desc, c.video_id desc limit $5
"""

LAST_ID = UUID(int=2**128 - 1)


def card_of(row: Row, now: datetime) -> VideoCard:
    """A row of `CARD`."""
    known: dict[str, Any] = {one.name: row[one.name] for one in fields(VideoCard) if one.name != "badge"}
    return VideoCard(**known, badge=badge_of(row, now) if row["deal_id"] else None)


def badge_of(row: Row, now: datetime) -> Badge:
    """A row with `BADGE_COLUMNS`."""
    sale = Sale(row["online"], row["may_sell"], row["sale_from"], row["sale_until"], row["available"])
    return Badge(
        deal_id=row["deal_id"],
        title=row["title"],
        form=DealForm(row["form"]),
        price_fen=row["price_fen"],
        original_price_fen=row["original_price_fen"],
        available=row["available"],
        sold=row["sold"],
        state=badge_state(sale, now),
    )


async def add_video(tx: Transaction, video_id: UUID, content: VideoContent) -> bool:
    """Register a video, not yet in its place in the feed; False when its id or its platform id is in use."""
    return bool(
        await tx.execute(
            """insert into videos (video_id, merchant_id, platform_id, author, caption, cover, city, url, likes,
                   comments, comment_count, posted_at, ranked_at)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12) on conflict do nothing""",
            video_id,
            content.merchant_id,
            content.platform_id,
            *imported(content),
            tx.now,
        )
    )


async def import_again(tx: Transaction, video_id: UUID, content: VideoContent) -> bool:
    """Take what the host platform says now about a registered video; False when the ids belong to something else."""
    return bool(
        await tx.execute(
            """update videos set author = $4, caption = $5, cover = $6, city = $7, url = $8, likes = $9, comments = $10,
                   comment_count = $11
               where video_id = $1 and merchant_id = $2 and platform_id = $3""",
            video_id,
            content.merchant_id,
            content.platform_id,
            *imported(content),
        )
    )


def imported(content: VideoContent) -> tuple[Any, ...]:
    """Author, caption, cover, city, url, likes, comments and their count, as columns."""
    comments = [
        {"author": one.author, "text": one.text, "place": one.place, "at": one.at.isoformat()}
        for one in content.comments
    ]
    return (
        content.author,
        content.caption,
        content.cover,
        content.city,
        content.url,
        content.likes,
        comments,
        len(comments),
    )


async def merchant_of_video(tx: Transaction, video_id: UUID) -> UUID | None:
    """Whose video it is."""
    merchant_id: UUID | None = await tx.value("select merchant_id from videos where video_id = $1", video_id)
    return merchant_id


async def attach_deal(tx: Transaction, video_id: UUID, deal_id: UUID | None, version: int | None) -> bool:
    """Show this deal, or none, in the video; False when it does already, was changed meanwhile, or the deal is not the
    video's merchant's."""
    return bool(
        await tx.execute(
            """update videos c set version = version + 1, deal_id = $2
               where video_id = $1 and deal_id is distinct from $2 and ($3::bigint is null or version = $3)
                 and ($2::uuid is null
                      or exists (select from deals d where d.deal_id = $2 and d.merchant_id = c.merchant_id))""",
            video_id,
            deal_id,
            version,
        )
    )


async def shown_deal(tx: Transaction, video_id: UUID) -> tuple[UUID | None, int]:
    """The deal that a registered video shows, approved or not, and the version of that."""
    row = await tx.row("select deal_id, version from videos where video_id = $1", video_id)
    assert row is not None
    return row["deal_id"], row["version"]


async def card(tx: Transaction, video_id: UUID) -> VideoCard | None:
    """One video, whatever the state of its deal."""
    row = await tx.row(f"{_CARDS} where c.video_id = $1", video_id)
    return card_of(row, tx.now) if row else None


async def videos_of(
    tx: Transaction, merchant_id: UUID, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[VideoCard]:
    """A merchant's videos, newest first, whatever the state of their deals."""
    rows = await tx.fetch(_STAFF_LIST, merchant_id, *(after or (None, None)), LAST_ID, limit)
    return [card_of(row, tx.now) for row in rows]


async def comments(tx: Transaction, video_id: UUID) -> tuple[Comment, ...]:
    """The imported comments of a video."""
    return comments_of(await tx.value("select comments from videos where video_id = $1", video_id))


def comments_of(found: list[dict[str, str]] | None) -> tuple[Comment, ...]:
    """Comments as they are stored."""
    return tuple(
        Comment(one["author"], one["text"], one["place"], datetime.fromisoformat(one["at"])) for one in found or ()
    )
