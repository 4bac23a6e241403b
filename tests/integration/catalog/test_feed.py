"""The feed shows what can be bought now, in an order that holds still while somebody reads."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.catalog import consumers
from services.catalog.store.feed import look
from services.catalog.store.videos import LAST_ID
from shared.contracts.checkout import AvailabilityChanged
from shared.database import Transaction
from shared.ids import new_id
from tests.integration.catalog.shop import (
    OPERATOR,
    Catalog,
    Shop,
    deal_on_sale,
    payout_account,
    ready_shop,
    video_with,
)


async def _sells_out(catalog: Catalog, shop: Shop, deal_id: UUID) -> None:
    await consumers.keep_availability(_left(deal_id, version=1, available=0, sold=100), catalog.db)


async def _goes_offline(catalog: Catalog, shop: Shop, deal_id: UUID) -> None:
    await catalog.put(shop.owner, f"/deals/{deal_id}/online", {"online": False})


async def _account_changes(catalog: Catalog, shop: Shop, deal_id: UUID) -> None:
    body = payout_account(account="new@laomatou.example")
    await catalog.put(shop.owner, f"/merchants/{shop.merchant_id}/payout-account", body)


async def _merchant_is_suspended(catalog: Catalog, shop: Shop, deal_id: UUID) -> None:
    body = {"suspended": True, "reason": "x"}
    await catalog.put(OPERATOR, f"/merchants/{shop.merchant_id}/suspension", body)


async def _its_only_store_closes(catalog: Catalog, shop: Shop, deal_id: UUID) -> None:
    async with catalog.db.transaction() as tx:
        await tx.execute("update stores set closed_reason = 'x' where store_id = $1", shop.store_id)


async def _nothing_happens(catalog: Catalog, shop: Shop, deal_id: UUID) -> None:
    return None


@pytest.mark.parametrize(
    ("happens", "content", "state"),
    [
        (_nothing_happens, {}, "ON_SALE"),
        (_sells_out, {}, "SOLD_OUT"),
        (_goes_offline, {}, "OFFLINE"),
        (_account_changes, {}, "OFFLINE"),
        (_merchant_is_suspended, {}, "OFFLINE"),
        (_its_only_store_closes, {}, "OFFLINE"),
        (_nothing_happens, {"sale_from": (datetime.now(UTC) + timedelta(days=1)).isoformat()}, "NOT_YET"),
    ],
)
async def test_the_feed_and_the_badge_agree_on_what_can_be_bought(
    catalog: Catalog,
    happens: Callable[[Catalog, Shop, UUID], Awaitable[None]],
    content: dict[str, Any],
    state: str,
) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop, **content)
    city = f"city-{new_id()}"
    video_id = await video_with(catalog, shop, deal_id, city=city)
    await happens(catalog, shop, deal_id)
    assert (await catalog.get(None, f"/videos/{video_id}")).json()["badge"]["state"] == state
    assert (await catalog.get(None, f"/deals/{deal_id}")).json()["state"] == state
    shown = [card["video_id"] for card in (await _feed(catalog, city))["items"]]
    assert shown == ([str(video_id)] if state == "ON_SALE" else [])


async def test_a_sale_that_ends_drops_out_and_cannot_go_online_again(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    until = datetime.now(UTC) + timedelta(hours=1)
    deal_id = await deal_on_sale(catalog, shop, sale_until=until.isoformat())
    city = f"city-{new_id()}"
    video_id = await video_with(catalog, shop, deal_id, city=city)
    catalog.db.clock.move_to_offset(3700)
    try:
        assert (await catalog.get(None, f"/videos/{video_id}")).json()["badge"]["state"] == "ENDED"
        assert (await _feed(catalog, city))["items"] == []
        assert (await catalog.get(shop.owner, f"/deals/{deal_id}/draft")).json()["state"] == "ENDED"
        await catalog.put(shop.owner, f"/deals/{deal_id}/online", {"online": False})
        again = await catalog.put(shop.owner, f"/deals/{deal_id}/online", {"online": True})
        assert (again.status_code, again.json()["code"]) == (409, "sale_ended")
    finally:
        catalog.db.clock.move_to_offset(0)


async def test_a_video_without_a_deal_is_shown_without_a_badge(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    city = f"city-{new_id()}"
    await video_with(catalog, shop, None, city=city)
    (card,) = (await _feed(catalog, city))["items"]
    assert (card["badge"], card["verified"], card["comment_count"]) == (None, True, 1)


@pytest.mark.parametrize("cursor", ["x", "####", "MjAyNi0wMS0wMSBhYmM=", "%00", "MjAyNi0wMS0wMQ=="])
async def test_a_made_up_cursor_is_refused(catalog: Catalog, cursor: str) -> None:
    answer = await catalog.client.get("/feed", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (422, "cursor_invalid")


PLACES = st.integers(0, 12)
VIDEOS = st.tuples(PLACES, st.booleans())


@settings(max_examples=30, deadline=None)
@given(
    at_first=st.lists(VIDEOS, max_size=12),
    later=st.lists(st.lists(VIDEOS, max_size=3), max_size=6),
    window=st.integers(1, 4),
    limit=st.integers(1, 3),
)
async def test_pages_neither_repeat_nor_skip_whatever_is_inserted_and_cannot_be_bought(
    catalog: Catalog,
    paged: tuple[Shop, UUID, UUID],
    at_first: list[tuple[int, bool]],
    later: list[list[tuple[int, bool]]],
    window: int,
    limit: int,
) -> None:
    city = f"city-{new_id()}"
    there = await _insert(catalog, paged, city, at_first)
    added: list[str] = []
    seen: list[str] = []
    cursor = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.catalog.store.feed.WINDOW", window)
        while True:
            page = await _feed(catalog, city, cursor, limit)
            assert len(page["items"]) <= limit
            seen += [card["video_id"] for card in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
            added += await _insert(catalog, paged, city, later.pop() if later else [])
    assert len(seen) == len(set(seen))
    assert set(there) <= set(seen) <= {*there, *added}
    assert seen == await _in_order(catalog, seen)


async def test_many_that_cannot_be_bought_do_not_make_one_page_endless(
    catalog: Catalog, paged: tuple[Shop, UUID, UUID]
) -> None:
    city = f"city-{new_id()}"
    (last,) = await _insert(catalog, paged, city, [(0, True)])
    await _insert(catalog, paged, city, [(1, False)] * 1200)
    pages = [await _feed(catalog, city)]
    while pages[-1]["next_cursor"]:
        pages.append(await _feed(catalog, city, pages[-1]["next_cursor"]))
    assert [len(page["items"]) for page in pages] == [0, 0, 1]
    assert pages[-1]["items"][0]["video_id"] == last


class _TakenBack(Exception):
    """Ends a transaction that shall leave nothing behind."""


async def test_a_look_into_a_large_feed_reads_indexes_only(catalog: Catalog, paged: tuple[Shop, UUID, UUID]) -> None:
    # One crowd for all four: what a transaction takes back stays in the tables' files until the next vacuum, and a
    # large table of nothing is planned otherwise.
    plans: dict[tuple[str, str | None], str] = {}
    with pytest.raises(_TakenBack):
        async with catalog.db.transaction() as tx:
            await _crowd(tx, paged, 5000)
            for mode in ("force_custom_plan", "force_generic_plan"):
                await tx.execute(f"set local plan_cache_mode = {mode}")
                plans |= {(mode, city): await _plan_of(tx, city) for city in (None, "重庆")}
            raise _TakenBack
    for (_, city), plan in plans.items():
        index = "videos_city_ranked_at_video_id_idx" if city else "videos_ranked_at_video_id_idx"
        assert "Seq Scan" not in plan, plan
        assert index in plan, plan


async def _plan_of(tx: Transaction, city: str | None) -> str:
    await tx.execute(f"prepare looking (text, timestamptz, uuid, timestamptz, int) as {look(city is not None, 500)}")
    place = f"'{city}'" if city else "null"
    rows = await tx.fetch(f"explain execute looking ({place}, now(), '{LAST_ID}', now(), 11)")
    await tx.execute("deallocate looking")
    return "\n".join(row[0] for row in rows)


async def _crowd(tx: Transaction, paged: tuple[Shop, UUID, UUID], count: int) -> None:
    """So many merchants, deals and videos as it takes for Postgres to choose with care."""
    shop, on_sale, _ = paged
    await tx.execute(
        f"""create table crowd as select gen_random_uuid() as merchant_id, gen_random_uuid() as deal_id
            from generate_series(1, {count})"""
    )
    for table, named in (("merchants", "crowd.merchant_id"), ("payout_accounts", "crowd.merchant_id")):
        await _copies(tx, table, {"merchant_id": named}, f"copied.merchant_id = '{shop.merchant_id}'")
    own = {"deal_id": "crowd.deal_id", "merchant_id": "crowd.merchant_id"}
    await _copies(tx, "deals", own, f"copied.deal_id = '{on_sale}'")
    await _copies(tx, "deal_versions", {"deal_id": "crowd.deal_id"}, f"copied.deal_id = '{on_sale}'")
    held = dict.fromkeys(("merchant_id", "last_held_by"), "crowd.merchant_id")
    await _copies(tx, "stores", {**held, "store_id": "gen_random_uuid()"}, f"copied.store_id = '{shop.store_id}'")
    await tx.execute("insert into availability select deal_id, 1, 5, 5 from crowd")
    await tx.execute(
        """insert into videos (video_id, merchant_id, platform_id, author, caption, cover, city, likes, comments,
               comment_count, deal_id, posted_at, ranked_at)
           select gen_random_uuid(), merchant_id, gen_random_uuid(), 'x', 'x', 'x',
               case when random() < 0.2 then '重庆' else '成都' end, 0, '[]', 0, deal_id, now(),
               now() - random() * interval '30 days' from crowd"""
    )
    tables = "merchants, payout_accounts, deals, deal_versions, stores, availability, videos"
    await tx.execute(f"analyze {tables}")


async def _copies(tx: Transaction, table: str, own: dict[str, str], of: str) -> None:
    names = [
        row["column_name"]
        for row in await tx.fetch(
            """select column_name::text from information_schema.columns
               where table_schema = current_schema() and table_name = $1 and is_generated = 'NEVER'
               order by ordinal_position""",
            table,
        )
    ]
    taken = ", ".join(own.get(name, f"copied.{name}") for name in names)
    await tx.execute(
        f"insert into {table} ({', '.join(names)}) select {taken} from crowd cross join {table} copied where {of}"
    )


@pytest.fixture(scope="module")
async def paged(catalog: Catalog) -> tuple[Shop, UUID, UUID]:
    """A shop, a deal of it on sale, and one that is sold out."""
    shop = await ready_shop(catalog)
    on_sale, sold_out = await deal_on_sale(catalog, shop), await deal_on_sale(catalog, shop)
    await consumers.keep_availability(_left(sold_out, version=1, available=0, sold=100), catalog.db)
    return shop, on_sale, sold_out


async def _insert(
    catalog: Catalog, paged: tuple[Shop, UUID, UUID], city: str, videos: list[tuple[int, bool]]
) -> list[str]:
    """Videos at these places of the feed; the ids of those whose deal can be bought."""
    shop, on_sale, sold_out = paged
    made = [(new_id(), datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=place), good) for place, good in videos]
    async with catalog.db.transaction() as tx:
        await tx.execute_many(
            """insert into videos (video_id, merchant_id, platform_id, author, caption, cover, city, likes, comments,
                   comment_count, deal_id, posted_at, ranked_at)
               values ($1, $2, $3, 'x', 'x', 'x', $4, 0, '[]', 0, $5, $6, $6)""",
            [
                (video_id, shop.merchant_id, str(video_id), city, on_sale if good else sold_out, ranked_at)
                for video_id, ranked_at, good in made
            ],
        )
    return [str(video_id) for video_id, _, good in made if good]


async def _in_order(catalog: Catalog, video_ids: list[str]) -> list[str]:
    async with catalog.db.transaction(read_only=True) as tx:
        rows = await tx.fetch(
            "select video_id from videos where video_id = any($1) order by ranked_at desc, video_id desc", video_ids
        )
    return [str(row["video_id"]) for row in rows]


async def _feed(catalog: Catalog, city: str, cursor: str | None = None, limit: int = 3) -> dict[str, Any]:
    params = {"city": city, "limit": str(limit), **({"cursor": cursor} if cursor else {})}
    answer = await catalog.client.get("/feed", params=params)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def _left(deal_id: UUID, *, version: int, available: int, sold: int) -> AvailabilityChanged:
    return AvailabilityChanged(
        occurred_at=datetime.now(UTC), version=version, deal_id=deal_id, available=available, sold=sold
    )
