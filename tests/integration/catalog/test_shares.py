"""Links by which people share a deal, and what the tokens behind them and behind badges resolve to."""

import asyncio
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.catalog import store
from services.catalog.domain import shares
from services.catalog.domain.shares import Share
from shared.ids import new_id
from tests.integration.catalog.shop import (
    Catalog,
    Shop,
    deal_in_review,
    deal_on_sale,
    ready_shop,
    video_with,
)


def _body(deal_id: UUID, video_id: UUID | None = None) -> dict[str, Any]:
    return {"deal_id": str(deal_id), **({"video_id": str(video_id)} if video_id else {})}


async def _share(
    catalog: Catalog, sharer: str, deal_id: UUID, video_id: UUID | None = None, share_id: UUID | None = None
) -> httpx.Response:
    return await catalog.put(sharer, f"/shares/{share_id or new_id()}", _body(deal_id, video_id))


@pytest.fixture(scope="module")
async def shop(catalog: Catalog) -> Shop:
    return await ready_shop(catalog)


@pytest.fixture(scope="module")
async def deal_id(catalog: Catalog, shop: Shop) -> UUID:
    return await deal_on_sale(catalog, shop)


async def test_anybody_signed_in_shares_a_deal_by_a_short_link(catalog: Catalog, deal_id: UUID) -> None:
    answer = await _share(catalog, f"viewer-{new_id()}", deal_id)
    told = answer.json()
    assert (answer.status_code, told["path"]) == (201, f"/s/{told['code']}")
    assert re.fullmatch(r"[1-9A-HJ-NP-Za-km-z]{10}", told["code"])
    assert (await catalog.client.put(f"/shares/{new_id()}", json=_body(deal_id))).status_code == 401


async def test_the_link_shows_the_deal_to_everybody_and_never_who_shared_it(catalog: Catalog, deal_id: UUID) -> None:
    sharer = f"viewer-{new_id()}"
    made = (await _share(catalog, sharer, deal_id)).json()
    answer = await catalog.get(None, f"/shares/{made['code']}")
    assert answer.json() == {
        "deal_id": str(deal_id),
        "token": made["token"],
        "open_graph": {
            "title": "双人套餐 ¥128",
            "description": "含锅底和六份菜",
            "image": "hotpot",
            "url": made["path"],
            "price_fen": 12800,
            "original_price_fen": 26800,
            "state": "ON_SALE",
        },
    }
    assert sharer not in answer.text


async def test_a_link_outlives_the_sale_and_says_so(catalog: Catalog, shop: Shop) -> None:
    deal_id = await deal_on_sale(catalog, shop)
    made = (await _share(catalog, "viewer-1", deal_id)).json()
    await catalog.put(shop.owner, f"/deals/{deal_id}/online", {"online": False})
    shown = (await catalog.get(None, f"/shares/{made['code']}")).json()
    assert shown["open_graph"]["state"] == "OFFLINE"


async def test_the_same_deal_and_video_shared_again_is_the_same_link(catalog: Catalog, shop: Shop) -> None:
    deal_id = await deal_on_sale(catalog, shop)
    video_id = await video_with(catalog, shop, deal_id)
    share_id = new_id()
    first = await _share(catalog, "viewer-1", deal_id, share_id=share_id)
    repeated = await _share(catalog, "viewer-1", deal_id, share_id=share_id)
    again = await _share(catalog, "viewer-1", deal_id)
    assert [one.status_code for one in (first, repeated, again)] == [201, 200, 200]
    assert first.json() == repeated.json() == again.json()
    others = [
        await _share(catalog, "viewer-1", deal_id, video_id),
        await _share(catalog, "viewer-2", deal_id),
        await _share(catalog, "viewer-2", deal_id, video_id),
    ]
    assert len({one.json()["code"] for one in (first, *others)}) == 4


async def test_one_person_sharing_the_same_at_once_gets_one_link(catalog: Catalog, deal_id: UUID) -> None:
    sharer = f"viewer-{new_id()}"
    answers = await asyncio.gather(*(_share(catalog, sharer, deal_id) for _ in range(8)))
    assert sorted(one.status_code for one in answers) == [200] * 7 + [201]
    assert len({one.json()["code"] for one in answers}) == 1


@pytest.mark.parametrize("in_a_video", [False, True])
async def test_the_database_keeps_one_link_for_the_same(
    catalog: Catalog, shop: Shop, deal_id: UUID, in_a_video: bool
) -> None:
    sharer = f"viewer-{new_id()}"
    video_id = await video_with(catalog, shop, deal_id) if in_a_video else None
    async with catalog.db.transaction() as tx:
        kept = [
            await store.add_share(tx, Share(new_id(), sharer, deal_id, video_id, shares.new_code()), tx.now)
            for _ in range(2)
        ]
    assert kept == [True, False]


async def test_an_id_stands_for_one_link_of_one_person(catalog: Catalog, shop: Shop, deal_id: UUID) -> None:
    share_id, second = new_id(), await deal_on_sale(catalog, shop)
    await _share(catalog, "viewer-1", deal_id, share_id=share_id)
    refused = [
        await _share(catalog, "viewer-1", second, share_id=share_id),
        await _share(catalog, "viewer-2", deal_id, share_id=share_id),
    ]
    assert [(one.status_code, one.json()["code"]) for one in refused] == [(409, "id_taken")] * 2


async def test_what_cannot_be_shared_is_refused(catalog: Catalog, shop: Shop, deal_id: UUID) -> None:
    other = await ready_shop(catalog)
    refused = [
        await _share(catalog, "viewer-1", await deal_in_review(catalog, shop)),
        await _share(catalog, "viewer-1", new_id()),
        await _share(catalog, "viewer-1", deal_id, new_id()),
        await _share(catalog, "viewer-1", deal_id, await video_with(catalog, other, None)),
        await catalog.get(None, "/shares/7YWHMfk9JZ"),
    ]
    assert [(one.status_code, one.json()["code"]) for one in refused] == [
        (409, "deal_not_published"),
        (404, "not_found"),
        (404, "not_found"),
        (409, "deal_not_of_merchant"),
        (404, "not_found"),
    ]


async def test_a_person_makes_a_thousand_links_a_day_and_no_more(catalog: Catalog, shop: Shop, deal_id: UUID) -> None:
    sharer = f"viewer-{new_id()}"
    await _shared_before(catalog, shop, deal_id, sharer, 999)
    deals = [await deal_on_sale(catalog, shop) for _ in range(3)]
    answers = await asyncio.gather(*(_share(catalog, sharer, deal) for deal in deals))
    assert sorted(one.status_code for one in answers) == [201, 429, 429]
    (refused, _) = (one for one in answers if one.status_code == 429)
    assert (refused.json()["code"], refused.json()["most"]) == ("too_many_shares", 1000)
    (made,) = (deal for deal, one in zip(deals, answers, strict=True) if one.status_code == 201)
    assert (await _share(catalog, sharer, made)).status_code == 200
    catalog.db.clock.move_to_offset(timedelta(days=1, seconds=5).total_seconds())
    try:
        later = [await _share(catalog, sharer, deal) for deal in deals]
        assert sorted(one.status_code for one in later) == [200, 201, 201]
    finally:
        catalog.db.clock.move_to_offset(0)


async def _shared_before(catalog: Catalog, shop: Shop, deal_id: UUID, sharer: str, count: int) -> None:
    """Links of this person, each for another video."""
    async with catalog.db.transaction() as tx:
        await tx.execute(
            """insert into videos (video_id, merchant_id, platform_id, author, caption, cover, city, likes, comments,
                   comment_count, posted_at, ranked_at)
               select gen_random_uuid(), $1, $2 || n, 'x', 'x', 'x', $2, 0, '[]', 0, $4, $4
               from generate_series(1, $3::int) n""",
            shop.merchant_id,
            f"{sharer}-",
            count,
            tx.now,
        )
        video_ids = [
            row["video_id"] for row in await tx.fetch("select video_id from videos where city = $1", f"{sharer}-")
        ]
        await tx.execute_many(
            "insert into shares (share_id, sharer, deal_id, video_id, code, shared_at) values ($1, $2, $3, $4, $5, $6)",
            [(new_id(), sharer, deal_id, video_id, shares.new_code(), tx.now) for video_id in video_ids],
        )


async def test_a_code_that_is_in_use_is_drawn_again(
    catalog: Catalog, deal_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = (await _share(catalog, f"viewer-{new_id()}", deal_id)).json()["code"]
    drawn = iter([used, used, fresh := shares.new_code()])
    monkeypatch.setattr(shares, "new_code", lambda: next(drawn))
    assert (await _share(catalog, f"viewer-{new_id()}", deal_id)).json()["code"] == fresh
