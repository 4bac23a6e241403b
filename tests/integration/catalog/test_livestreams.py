"""Livestreams of the host platform and the list of deals that each of them shows."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from shared.ids import new_id
from tests.integration.catalog.shop import (
    Catalog,
    Shop,
    deal_in_review,
    deal_on_sale,
    ready_shop,
    video_of,
)


def _live(merchant_id: UUID, **changes: Any) -> dict[str, Any]:
    return {**video_of(merchant_id), "state": "LIVE", "url": "https://live.example/1", **changes}


async def _on_air(catalog: Catalog, shop: Shop, deal_ids: list[UUID] | None = None, **changes: Any) -> UUID:
    livestream_id = new_id()
    answer = await catalog.put(shop.owner, f"/livestreams/{livestream_id}", _live(shop.merchant_id, **changes))
    assert answer.status_code == 201, answer.text
    if deal_ids:
        answer = await _list(catalog, shop.owner, livestream_id, deal_ids)
        assert answer.status_code == 200, answer.text
    return livestream_id


async def _list(catalog: Catalog, subject: str, livestream_id: UUID, deal_ids: list[UUID]) -> Any:
    body = {"deal_ids": [str(deal_id) for deal_id in deal_ids]}
    return await catalog.put(subject, f"/livestreams/{livestream_id}/deals", body)


async def _badges(catalog: Catalog, livestream_id: UUID) -> list[tuple[str, str]]:
    shown = (await catalog.get(None, f"/livestreams/{livestream_id}")).json()["badges"]
    return [(badge["deal_id"], badge["state"]) for badge in shown]


async def test_a_livestream_shows_its_deals_in_the_order_of_the_list_with_their_states(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    first, off, unapproved = (
        await deal_on_sale(catalog, shop),
        await deal_on_sale(catalog, shop),
        await deal_in_review(catalog, shop),
    )
    await catalog.put(shop.owner, f"/deals/{off}/online", {"online": False})
    livestream_id = await _on_air(catalog, shop, [off, unapproved, first])
    assert await _badges(catalog, livestream_id) == [(str(off), "OFFLINE"), (str(first), "ON_SALE")]
    await _list(catalog, shop.owner, livestream_id, [first])
    assert await _badges(catalog, livestream_id) == [(str(first), "ON_SALE")]
    await _list(catalog, shop.owner, livestream_id, [])
    assert await _badges(catalog, livestream_id) == []


async def test_everybody_sees_a_livestream_whole(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    livestream_id = await _on_air(catalog, shop, [await deal_on_sale(catalog, shop)])
    shown = (await catalog.get(None, f"/livestreams/{livestream_id}")).json()
    (badge,) = shown["badges"]
    assert badge["tokens"].keys() == {"LIVE_LIST"}
    assert (badge["icon"], badge["form"], badge["title"]) == ("groupbuy", "SET", "双人套餐")
    told = ("author", "verified", "city", "url", "likes", "comment_count", "state", "deal_count")
    assert [shown[name] for name in told] == [
        "老码头火锅",
        True,
        "重庆",
        "https://live.example/1",
        32000,
        1,
        "LIVE",
        1,
    ]
    assert [comment["text"] for comment in shown["comments"]] == ["好吃"]


async def test_a_list_holds_a_hundred_deals_and_no_more(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    many = [new_id() for _ in range(100)]
    async with catalog.db.transaction() as tx:
        await tx.execute(
            """insert into deals (deal_id, merchant_id, revision, draft, draft_state)
               select made.deal_id, merchant_id, 1, draft, 'DRAFT' from unnest($1::uuid[]) made (deal_id)
               cross join deals d where d.deal_id = $2""",
            many,
            deal_id,
        )
    livestream_id = await _on_air(catalog, shop, many)
    assert (await catalog.get(None, f"/livestreams/{livestream_id}")).json()["deal_count"] == 100
    refused = await _list(catalog, shop.owner, livestream_id, [*many, deal_id])
    assert (refused.status_code, refused.json()["code"]) == (422, "malformed_input")


async def test_a_list_takes_each_deal_once_and_only_those_of_its_merchant(catalog: Catalog) -> None:
    shop, other = await ready_shop(catalog), await ready_shop(catalog)
    own, foreign = await deal_on_sale(catalog, shop), await deal_on_sale(catalog, other)
    livestream_id = await _on_air(catalog, shop, [own])
    refused = [
        await _list(catalog, shop.owner, livestream_id, [own, own]),
        await _list(catalog, shop.owner, livestream_id, [own, foreign]),
        await _list(catalog, shop.owner, livestream_id, [new_id()]),
        await _list(catalog, other.owner, livestream_id, [foreign]),
        await _list(catalog, shop.owner, new_id(), [own]),
    ]
    assert [(one.status_code, one.json()["code"]) for one in refused] == [
        (422, "deal_listed_twice"),
        (409, "deal_not_of_merchant"),
        (409, "deal_not_of_merchant"),
        (403, "forbidden"),
        (404, "not_found"),
    ]
    assert await _badges(catalog, livestream_id) == [(str(own), "ON_SALE")]


async def test_a_livestream_that_ended_stays_so_and_keeps_its_list(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    own, second = await deal_on_sale(catalog, shop), await deal_on_sale(catalog, shop)
    livestream_id, body = new_id(), _live(shop.merchant_id)
    path = f"/livestreams/{livestream_id}"
    await catalog.put(shop.owner, path, body)
    await _list(catalog, shop.owner, livestream_id, [own])
    ended = [await catalog.put(shop.owner, path, {**body, "state": "ENDED", "likes": likes}) for likes in (1, 2)]
    assert [(one.status_code, one.json()["state"], one.json()["likes"]) for one in ended] == [
        (201, "ENDED", 1),
        (201, "ENDED", 2),
    ]
    again = await catalog.put(shop.owner, path, body)
    changed = await _list(catalog, shop.owner, livestream_id, [second])
    assert [(one.status_code, one.json()["code"]) for one in (again, changed)] == [(409, "livestream_ended")] * 2
    repeated = await _list(catalog, shop.owner, livestream_id, [own])
    assert (repeated.status_code, repeated.json()["state"]) == (200, "ENDED")


async def test_a_platforms_livestream_is_registered_once(catalog: Catalog) -> None:
    shop, other = await ready_shop(catalog), await ready_shop(catalog)
    livestream_id, body = new_id(), _live(shop.merchant_id)
    await catalog.put(shop.owner, f"/livestreams/{livestream_id}", body)
    taken = await catalog.put(other.owner, f"/livestreams/{new_id()}", {**body, "merchant_id": str(other.merchant_id)})
    same_id = await catalog.put(other.owner, f"/livestreams/{livestream_id}", _live(other.merchant_id))
    stranger = await catalog.put(other.owner, f"/livestreams/{new_id()}", _live(shop.merchant_id))
    assert [(one.status_code, one.json()["code"]) for one in (taken, same_id, stranger)] == [
        (409, "livestream_taken"),
        (409, "id_taken"),
        (403, "forbidden"),
    ]


async def test_only_livestreams_on_air_are_listed_page_by_page(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    city = f"city-{new_id()}"
    deals = [await deal_on_sale(catalog, shop) for _ in range(4)]
    made = [str(await _on_air(catalog, shop, deals, city=city)) for _ in range(5)]
    await _on_air(catalog, shop, city=city, state="ENDED")
    await _on_air(catalog, shop, city=f"city-{new_id()}")
    seen: list[str] = []
    cursor = None
    while True:
        params = {"city": city, "limit": "2", **({"cursor": cursor} if cursor else {})}
        page = (await catalog.client.get("/livestreams", params=params)).json()
        assert all((one["deal_count"], len(one["badges"])) == (4, 3) for one in page["items"])
        seen += [one["livestream_id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == made[::-1]
    newest = (await catalog.client.get("/livestreams", params={"limit": "2"})).json()["items"]
    assert (newest[0]["city"] != city, newest[1]["livestream_id"]) == (True, made[-1])


@pytest.mark.parametrize(
    ("path", "code"), [("/livestreams?cursor=x", "cursor_invalid"), (f"/livestreams/{new_id()}", "not_found")]
)
async def test_what_nobody_can_read_is_refused(catalog: Catalog, path: str, code: str) -> None:
    assert (await catalog.get(None, path)).json()["code"] == code


@pytest.mark.parametrize(
    "change",
    [
        "url = 'http://live.example/1'",
        "url = 'https://live.example/' || repeat('x', 500)",
        "deal_ids = array(select gen_random_uuid() from generate_series(1, 101))",
        "state = 'ENDED'",
        "ended_at = started_at",
        "likes = -1",
    ],
)
async def test_the_database_itself_holds_what_a_livestream_may_be(catalog: Catalog, change: str) -> None:
    shop = await ready_shop(catalog)
    livestream_id = await _on_air(catalog, shop)
    with pytest.raises(asyncpg.CheckViolationError):
        async with catalog.db.transaction() as tx:
            await tx.execute(f"update livestreams set {change} where livestream_id = $1", livestream_id)
