"""The recommended feed, and the places in it that change when the support of a merchant begins or ends."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.catalog import store
from services.catalog.domain.feed import Position, Stretch
from shared.database import Transaction
from shared.messaging import timers
from shared.messaging.timers import Due

SUPPORT_CHANGED = "support_changed"
"""The timer that is set, with the merchant's id, when its enrolment in the support plan changes."""

BATCH = 500


async def feed(tx: Transaction, city: str | None, after: Position | None, limit: int) -> Stretch:
    """The next videos of the feed; those whose deal cannot be bought are left out."""
    return await store.look_into_feed(tx, city, after, limit)


async def rank_supported(tx: Transaction, due: Sequence[Due], batch: int = BATCH) -> None:
    """Put the videos of these merchants in their places, `batch` at a time; the rest waits for the next turn.

    When a merchant's videos are done, its timer waits for the next beginning or end of its support."""
    left = batch
    for one in sorted(due, key=lambda timer: timer.key):
        if left > 0:
            left -= await _rank_next(tx, one, left)
        else:
            await timers.schedule(tx, SUPPORT_CHANGED, one.key, tx.now, one.payload)


async def _rank_next(tx: Transaction, due: Due, limit: int) -> int:
    merchant_id = UUID(due.key)
    began_at = due.payload.get("began_at") or tx.now.isoformat()
    await store.hold_support(tx, merchant_id, alone=True)
    ranked = await store.rank_videos_of(tx, merchant_id, _position(due.payload.get("after")), limit)
    if len(ranked) == limit:
        posted_at, video_id = min(ranked)
        payload = {"began_at": began_at, "after": [posted_at.isoformat(), str(video_id)]}
        await timers.schedule(tx, SUPPORT_CHANGED, merchant_id, tx.now, payload)
    # A boundary that passed between two turns found the first of the videos already ranked: all are ranked again.
    elif change := await store.next_support_change(tx, merchant_id, datetime.fromisoformat(began_at)):
        await timers.schedule(tx, SUPPORT_CHANGED, merchant_id, change)
    return len(ranked)


def _position(after: list[str] | None) -> Position | None:
    return (datetime.fromisoformat(after[0]), UUID(after[1])) if after else None
