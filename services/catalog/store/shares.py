"""Shared links in the database."""

from datetime import datetime
from uuid import UUID

from services.catalog.domain.shares import Share
from shared.database import Row, Transaction

_SHARES = "select share_id, sharer, deal_id, video_id, code from shares"


def _share(row: Row | None) -> Share | None:
    return Share(row["share_id"], row["sharer"], row["deal_id"], row["video_id"], row["code"]) if row else None


async def lock_sharer(tx: Transaction, sharer: str) -> None:
    """One link of one person at a time, so that they can be counted; ends with the transaction."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 3))", f"sharer {sharer}")


async def add_share(tx: Transaction, share: Share, shared_at: datetime) -> bool:
    """Keep a new link; False when its id or its code is in use."""
    return bool(
        await tx.execute(
            """insert into shares (share_id, sharer, deal_id, video_id, code, shared_at)
               values ($1, $2, $3, $4, $5, $6) on conflict do nothing""",
            share.share_id,
            share.sharer,
            share.deal_id,
            share.video_id,
            share.code,
            shared_at,
        )
    )


async def share(tx: Transaction, share_id: UUID) -> Share | None:
    """The link with this id."""
    return _share(await tx.row(f"{_SHARES} where share_id = $1", share_id))


async def share_by_code(tx: Transaction, code: str) -> Share | None:
    """The link with this code."""
    return _share(await tx.row(f"{_SHARES} where code = $1", code))


async def share_of(tx: Transaction, sharer: str, deal_id: UUID, video_id: UUID | None) -> Share | None:
    """The link that this person has for this deal, seen in this video or in none."""
    row = await tx.row(
        f"{_SHARES} where sharer = $1 and deal_id = $2 and video_id is not distinct from $3", sharer, deal_id, video_id
    )
    return _share(row)


async def count_shares(tx: Transaction, sharer: str, since: datetime) -> int:
    """How many links this person made since then."""
    return int(await tx.value("select count(*) from shares where sharer = $1 and shared_at > $2", sharer, since))
