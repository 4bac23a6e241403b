"""The place of a video in the feed: recency, engagement, and the support of its merchant while that runs."""

import asyncio
import math
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.catalog import use_cases
from services.catalog.domain.videos import VideoContent
from services.catalog.use_cases import SUPPORT_CHANGED
from shared.database import Transaction
from shared.ids import new_id
from shared.messaging import timers
from shared.messaging.timers import Due
from tests.integration.catalog.shop import Catalog, Shop, ready_shop, video_of, video_with
from tests.support.waiting import eventually

HOUR = timedelta(hours=1)


def _comments(count: int) -> list[dict[str, str]]:
    return [{"author": "小李", "text": "好吃", "place": "重庆", "at": "2026-11-22T12:00:00Z"}] * count


@pytest.mark.parametrize(
    ("likes", "comments", "weight"),
    [(0, 0, 0), (9, 0, 0), (0, 9, 0), (99, 0, 1), (32_000, 200, 10), (10_000_000_000, 1, 3)],
)
async def test_the_rank_is_time_of_posting_and_engagement_and_running_support(
    catalog: Catalog, likes: int, comments: int, weight: int
) -> None:
    shop = await ready_shop(catalog)
    async with catalog.db.transaction() as tx:
        if weight:
            await _enrol(tx, shop.merchant_id, weight, tx.now - HOUR, tx.now + HOUR)
    video_id = await video_with(catalog, shop, None, likes=likes, comments=_comments(comments))
    lead = 6 * HOUR * math.log10(1 + likes + 10 * comments) + 3 * HOUR * weight
    assert abs(await _lead(catalog, video_id) - lead) < timedelta(milliseconds=1)


async def test_importing_more_likes_and_comments_moves_a_video_up(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    video_id, body = new_id(), video_of(shop.merchant_id, likes=0, comments=[])
    await catalog.put(shop.owner, f"/videos/{video_id}", body)
    assert await _lead(catalog, video_id) == timedelta()
    await catalog.put(shop.owner, f"/videos/{video_id}", {**body, "likes": 89, "comments": _comments(1)})
    assert await _lead(catalog, video_id) == 12 * HOUR


async def test_comments_alone_lift_a_video_above_a_slightly_newer_one(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    city = f"city-{new_id()}"
    talked_of = await video_with(catalog, shop, None, city=city, likes=0, comments=_comments(100))
    newer = await video_with(catalog, shop, None, city=city, likes=3, comments=[])
    assert await _shown(catalog, city) == [str(talked_of), str(newer)]


async def test_support_lifts_the_videos_of_a_merchant_from_its_beginning_to_its_end(catalog: Catalog) -> None:
    supported, other = await ready_shop(catalog), await ready_shop(catalog)
    city = f"city-{new_id()}"
    lifted = str(await video_with(catalog, supported, None, city=city, likes=0, comments=[]))
    liked = str(await video_with(catalog, other, None, city=city, likes=9, comments=[]))
    async with catalog.db.transaction() as tx:
        await _enrol(tx, supported.merchant_id, 3, tx.now + HOUR, tx.now + 2 * HOUR)
        await timers.schedule(tx, SUPPORT_CHANGED, supported.merchant_id, tx.now)
    # Only a timer that waits for the beginning proves that the first turn is over.
    await eventually(lambda: _waits(catalog, supported.merchant_id), what="the timer of the beginning")
    assert await _shown(catalog, city) == [liked, lifted]
    try:
        for moved, expected in [(3700, [lifted, liked]), (7300, [liked, lifted])]:
            catalog.db.clock.move_to_offset(moved)

            async def as_expected(expected: list[str] = expected) -> bool:
                return await _shown(catalog, city) == expected

            await eventually(as_expected, what=f"the order at +{moved} s")

        async def nothing_waits() -> bool:
            return await _waits(catalog, supported.merchant_id) is None

        await eventually(nothing_waits, what="no timer after the end")
    finally:
        catalog.db.clock.move_to_offset(0)


async def test_support_that_an_operator_ends_early_ends_at_once(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    async with catalog.db.transaction() as tx:
        await _enrol(tx, shop.merchant_id, 10, tx.now - HOUR, tx.now + HOUR)
    video_id = await video_with(catalog, shop, None, likes=0, comments=[])
    assert await _lead(catalog, video_id) == 30 * HOUR
    async with catalog.db.transaction() as tx:
        await tx.execute("delete from support_enrolments where merchant_id = $1", shop.merchant_id)
        await timers.schedule(tx, SUPPORT_CHANGED, shop.merchant_id, tx.now)

    async def fallen_back() -> bool:
        return await _lead(catalog, video_id) == timedelta()

    await eventually(fallen_back)


async def test_many_videos_are_ranked_a_batch_at_a_time(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    video_ids = [await video_with(catalog, shop, None, likes=0, comments=[]) for _ in range(5)]
    turns = []
    async with catalog.db.transaction() as tx:
        ends_at = tx.now + HOUR
        await _enrol(tx, shop.merchant_id, 2, tx.now - HOUR, ends_at)
        due = Due(SUPPORT_CHANGED, str(shop.merchant_id), tx.now, {}, 0)
        while due.due_at <= tx.now:
            await use_cases.rank_supported(tx, [due], batch=2)
            due = await _take(tx, shop.merchant_id)
            turns.append(await tx.value(f"select count(*) from videos where {_SUPPORTED}", video_ids))
    assert (turns, due.due_at) == ([2, 4, 5], ends_at)
    assert "after" not in due.payload


_SUPPORTED = "video_id = any($1) and ranked_at - posted_at = interval '6 hours'"


async def test_the_batch_is_shared_by_all_merchants_of_a_turn(catalog: Catalog) -> None:
    shops = sorted([await ready_shop(catalog), await ready_shop(catalog)], key=lambda shop: str(shop.merchant_id))
    for shop in shops:
        await video_with(catalog, shop, None)
    async with catalog.db.transaction() as tx:
        dues = [
            Due(SUPPORT_CHANGED, str(shop.merchant_id), tx.now, {"mine": index}, 0) for index, shop in enumerate(shops)
        ]
        await use_cases.rank_supported(tx, dues, batch=1)
        waiting = await _take(tx, shops[1].merchant_id)
        assert (waiting.due_at, waiting.payload["mine"]) == (tx.now, 1)


async def test_a_boundary_that_passes_between_two_turns_ranks_all_again(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    await video_with(catalog, shop, None)
    async with catalog.db.transaction() as tx:
        ended_at = tx.now - HOUR
        await _enrol(tx, shop.merchant_id, 2, tx.now - 3 * HOUR, ended_at)
        payload = {
            "began_at": (tx.now - 2 * HOUR).isoformat(),
            "after": [tx.now.isoformat(), str(UUID(int=2**128 - 1))],
        }
        await use_cases.rank_supported(tx, [Due(SUPPORT_CHANGED, str(shop.merchant_id), tx.now, payload, 0)])
        again = await _take(tx, shop.merchant_id)
    assert (again.due_at, "began_at" in again.payload) == (ended_at, False)


async def test_a_video_that_is_registered_while_support_begins_is_not_forgotten(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    video_id = new_id()

    async def rank() -> None:
        async with catalog.db.transaction() as tx:
            await use_cases.rank_supported(tx, [Due(SUPPORT_CHANGED, str(shop.merchant_id), tx.now, {}, 0)])

    async with catalog.db.transaction() as registering:
        await use_cases.register_video(registering, video_id, shop.owner, _content(shop))
        async with catalog.db.transaction() as tx:
            await _enrol(tx, shop.merchant_id, 4, tx.now - HOUR, tx.now + HOUR)
        ranking = asyncio.create_task(rank())

        async def waits_or_is_over() -> bool:
            return ranking.done() or await _somebody_waits_for_a_lock(catalog)

        await eventually(waits_or_is_over)
    await ranking
    assert await _lead(catalog, video_id) == 12 * HOUR


async def _somebody_waits_for_a_lock(catalog: Catalog) -> bool:
    async with catalog.db.transaction(read_only=True) as tx:
        return bool(
            await tx.value(
                """select exists (select from pg_locks where locktype = 'advisory' and not granted
                   and database = (select oid from pg_database where datname = current_database()))"""
            )
        )


def _content(shop: Shop) -> VideoContent:
    return VideoContent(
        merchant_id=shop.merchant_id,
        platform_id=new_id().hex,
        author="老码头火锅",
        caption="",
        cover="hotpot",
        city="重庆",
        url=None,
        likes=0,
        comments=(),
    )


async def _enrol(tx: Transaction, merchant_id: UUID, weight: int, starts_at: datetime, ends_at: datetime) -> None:
    await tx.execute(
        """insert into support_enrolments (merchant_id, weight, starts_at, ends_at, enrolled_by, enrolled_at)
           values ($1, $2, $3, $4, 'operator', $5)""",
        merchant_id,
        weight,
        starts_at,
        ends_at,
        tx.now,
    )


async def _lead(catalog: Catalog, video_id: UUID) -> timedelta:
    """By how much a video stands above one that was posted at the same time and that nobody noticed."""
    async with catalog.db.transaction(read_only=True) as tx:
        lead: timedelta = await tx.value("select ranked_at - posted_at from videos where video_id = $1", video_id)
    return lead


async def _take(tx: Transaction, merchant_id: UUID) -> Due:
    row = await tx.row("delete from timers where kind = $1 and key = $2 returning *", SUPPORT_CHANGED, str(merchant_id))
    assert row is not None
    return Due(row["kind"], row["key"], row["due_at"], row["payload"], row["attempts"])


async def _waits(catalog: Catalog, merchant_id: UUID) -> datetime | None:
    async with catalog.db.transaction(read_only=True) as tx:
        due_at: datetime | None = await tx.value(
            "select due_at from timers where kind = $1 and key = $2 and due_at > $3",
            SUPPORT_CHANGED,
            str(merchant_id),
            tx.now,
        )
    return due_at


async def _shown(catalog: Catalog, city: str) -> list[str]:
    page: dict[str, Any] = (await catalog.client.get("/feed", params={"city": city})).json()
    return [card["video_id"] for card in page["items"]]
