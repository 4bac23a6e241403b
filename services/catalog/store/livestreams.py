"""Livestreams in the database, each with the badges of its list."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from services.catalog.domain.livestreams import Livestream, LivestreamContent, LivestreamState
from services.catalog.domain.videos import Badge, Comment
from services.catalog.store.videos import BADGE_COLUMNS, BADGE_JOINS, LAST_ID, badge_of, comments_of, imported
from shared.database import Row, Transaction

_LIVESTREAMS = """
select l.livestream_id, l.merchant_id, l.version, l.author, m.state = 'VERIFIED' as verified, l.caption, l.cover,
       l.city, l.url, l.likes, l.comment_count, l.state, l.started_at, cardinality(l.deal_ids) as deal_count,
       l.deal_ids[:$1] as listed
from livestreams l join merchants m on m.merchant_id = l.merchant_id
"""

# With the city known while planning, its own index serves; "this city or any" would serve neither.
_ON_AIR = {
    one_city: f"""
{_LIVESTREAMS}
where l.state = 'LIVE' and {within}
  and (l.started_at, l.livestream_id) < (coalesce($3::timestamptz, 'infinity'), $4::uuid)
order by l.started_at desc, l.livestream_id desc limit $5
"""
    for one_city, within in {True: "l.city = $2", False: "$2::text is null"}.items()
}


async def add_livestream(tx: Transaction, livestream_id: UUID, content: LivestreamContent) -> bool:
    """Register a livestream; False when its id or its platform id is in use."""
    return bool(
        await tx.execute(
            """insert into livestreams (livestream_id, merchant_id, platform_id, author, caption, cover, city, url,
                   likes, comments, comment_count, state, started_at, ended_at)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
                   case when $12 = 'ENDED' then $13::timestamptz end) on conflict do nothing""",
            *_values(tx, livestream_id, content),
        )
    )


async def import_livestream_again(tx: Transaction, livestream_id: UUID, content: LivestreamContent) -> bool:
    """Take what the host platform says now; False when the ids belong to something else, or it would begin again."""
    return bool(
        await tx.execute(
            """update livestreams set author = $4, caption = $5, cover = $6, city = $7, url = $8, likes = $9,
                   comments = $10, comment_count = $11, state = $12,
                   ended_at = case when $12 = 'ENDED' then coalesce(ended_at, $13) end
               where livestream_id = $1 and merchant_id = $2 and platform_id = $3
                 and (state = 'LIVE' or $12 = 'ENDED')""",
            *_values(tx, livestream_id, content),
        )
    )


def _values(tx: Transaction, livestream_id: UUID, content: LivestreamContent) -> tuple[Any, ...]:
    ids = (livestream_id, content.merchant_id, content.platform_id)
    return (*ids, *imported(content), content.state.value, tx.now)


async def livestream_ids(tx: Transaction, livestream_id: UUID) -> tuple[UUID, str] | None:
    """Whose livestream it is, and its id at the host platform."""
    row = await tx.row("select merchant_id, platform_id from livestreams where livestream_id = $1", livestream_id)
    return (row["merchant_id"], row["platform_id"]) if row else None


@dataclass(frozen=True, slots=True)
class DealList:
    """The deals that a livestream shows, approved or not, and the version of the list."""

    deal_ids: tuple[UUID, ...]
    version: int
    ended: bool


async def livestream_list(tx: Transaction, livestream_id: UUID) -> DealList:
    """The list of a registered livestream."""
    row = await tx.row("select deal_ids, version, state from livestreams where livestream_id = $1", livestream_id)
    assert row is not None
    return DealList(tuple(row["deal_ids"]), row["version"], row["state"] == LivestreamState.ENDED)


async def list_deals(tx: Transaction, livestream_id: UUID, deal_ids: Sequence[UUID], version: int | None) -> bool:
    """Show these deals in this order; False when the list says so already or was changed meanwhile, one of them is not
    the livestream's merchant's, or the livestream is over."""
    return bool(
        await tx.execute(
            """update livestreams l set version = version + 1, deal_ids = $2
               where livestream_id = $1 and state = 'LIVE' and deal_ids <> $2
                 and ($3::bigint is null or version = $3)
                 and not exists (select from unnest($2::uuid[]) asked (deal_id)
                     left join deals d on d.deal_id = asked.deal_id and d.merchant_id = l.merchant_id
                     where d.deal_id is null)""",
            livestream_id,
            list(deal_ids),
            version,
        )
    )


async def livestream(tx: Transaction, livestream_id: UUID, most_badges: int) -> Livestream | None:
    """One livestream with the head of its list."""
    row = await tx.row(f"{_LIVESTREAMS} where l.livestream_id = $2", most_badges, livestream_id)
    return (await _with_badges(tx, [row]))[0] if row else None


async def livestreams_on_air(
    tx: Transaction, city: str | None, after: tuple[datetime, UUID] | None, limit: int, most_badges: int
) -> Sequence[Livestream]:
    """Livestreams on air, newest first, each with the head of its list."""
    begin = after or (None, LAST_ID)
    return await _with_badges(tx, await tx.fetch(_ON_AIR[city is not None], most_badges, city, *begin, limit))


async def _with_badges(tx: Transaction, rows: Sequence[Row]) -> Sequence[Livestream]:
    badges = await _badges(tx, [deal_id for row in rows for deal_id in row["listed"]])
    made = []
    for row in rows:
        known = {one.name: row[one.name] for one in fields(Livestream) if one.name not in {"badges", "state"}}
        shown = tuple(badges[deal_id] for deal_id in row["listed"] if deal_id in badges)
        made.append(Livestream(**known, state=LivestreamState(row["state"]), badges=shown))
    return made


async def _badges(tx: Transaction, deal_ids: Sequence[UUID]) -> dict[UUID, Badge]:
    """The badges of those deals that were ever approved."""
    rows = await tx.fetch(
        f"""select {BADGE_COLUMNS} from deals d join merchants m on m.merchant_id = d.merchant_id {BADGE_JOINS}
            where d.deal_id = any($1) and d.deal_version > 0""",
        deal_ids,
    )
    return {row["deal_id"]: badge_of(row, tx.now) for row in rows}


async def livestream_comments(tx: Transaction, livestream_id: UUID) -> tuple[Comment, ...]:
    """The imported comments of a livestream."""
    return comments_of(await tx.value("select comments from livestreams where livestream_id = $1", livestream_id))
