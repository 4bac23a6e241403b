"""Where deals are seen."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.catalog import consumers
from shared.contracts.checkout import AvailabilityChanged
from shared.ids import new_id
from tests.integration.catalog.shop import (
    OPERATOR,
    Catalog,
    Shop,
    deal_in_review,
    deal_on_sale,
    payout_account,
    ready_shop,
    video_of,
    video_with,
)


async def test_the_badge_shows_what_checkout_has_left_whatever_the_order_of_the_news(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    video_id = await video_with(catalog, shop, deal_id)
    await consumers.keep_availability(_left(deal_id, version=2, available=40, sold=60), catalog.db)
    await consumers.keep_availability(_left(deal_id, version=1, available=90, sold=10), catalog.db)
    badge = (await catalog.get(None, f"/videos/{video_id}")).json()["badge"]
    assert badge == {
        "deal_id": str(deal_id),
        "title": "双人套餐",
        "price_fen": 12800,
        "original_price_fen": 26800,
        "sold": 60,
        "available": 40,
        "state": "ON_SALE",
    }


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


async def test_a_video_shows_one_deal_of_its_own_merchant(catalog: Catalog) -> None:
    shop, other = await ready_shop(catalog), await ready_shop(catalog)
    first, second = await deal_on_sale(catalog, shop), await deal_on_sale(catalog, shop)
    foreign = await deal_in_review(catalog, other)
    video_id = await video_with(catalog, shop, first)
    path = f"/videos/{video_id}/deal"
    replaced = await catalog.put(shop.owner, path, {"deal_id": str(second)})
    assert replaced.json()["badge"]["deal_id"] == str(second)
    refused = await catalog.put(shop.owner, path, {"deal_id": str(foreign)})
    assert (refused.status_code, refused.json()["code"]) == (409, "deal_not_of_merchant")
    assert (await catalog.put(shop.owner, path, {"deal_id": None})).json()["badge"] is None
    assert (await catalog.put(other.owner, path, {"deal_id": str(foreign)})).status_code == 403


async def test_importing_a_video_again_refreshes_likes_and_comments(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    video_id = new_id()
    body = video_of(shop.merchant_id, likes=10)
    await catalog.put(shop.owner, f"/videos/{video_id}", body)
    again = await catalog.put(shop.owner, f"/videos/{video_id}", {**body, "likes": 11, "comments": []})
    assert (again.status_code, again.json()["likes"], again.json()["comment_count"]) == (201, 11, 0)


async def test_a_platforms_video_is_registered_once(catalog: Catalog) -> None:
    shop, other = await ready_shop(catalog), await ready_shop(catalog)
    body = video_of(shop.merchant_id)
    video_id = new_id()
    await catalog.put(shop.owner, f"/videos/{video_id}", body)
    stolen = await catalog.put(other.owner, f"/videos/{new_id()}", {**body, "merchant_id": str(other.merchant_id)})
    same_id = await catalog.put(other.owner, f"/videos/{video_id}", video_of(other.merchant_id))
    assert (stolen.json()["code"], same_id.json()["code"]) == ("video_taken", "id_taken")


async def test_pages_of_the_feed_neither_repeat_nor_skip_a_video(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    city = f"city-{new_id()}"
    made = [str(await video_with(catalog, shop, None, city=city, likes=100)) for _ in range(7)]
    seen: list[str] = []
    cursor = None
    while True:
        page = await _feed(catalog, city, cursor)
        seen += [card["video_id"] for card in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == made[::-1]


async def test_much_liked_videos_stand_above_slightly_newer_ones(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    city = f"city-{new_id()}"
    liked = await video_with(catalog, shop, None, city=city, likes=100_000)
    newer = await video_with(catalog, shop, None, city=city, likes=3)
    assert [card["video_id"] for card in (await _feed(catalog, city))["items"]] == [str(liked), str(newer)]


@pytest.mark.parametrize("cursor", ["x", "####", "MjAyNi0wMS0wMSBhYmM=", "%00", "MjAyNi0wMS0wMQ=="])
async def test_a_made_up_cursor_is_refused(catalog: Catalog, cursor: str) -> None:
    answer = await catalog.client.get("/feed", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (422, "cursor_invalid")


async def _feed(catalog: Catalog, city: str, cursor: str | None = None) -> dict[str, Any]:
    params = {"city": city, "limit": "3", **({"cursor": cursor} if cursor else {})}
    answer = await catalog.client.get("/feed", params=params)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def _left(deal_id: UUID, *, version: int, available: int, sold: int) -> AvailabilityChanged:
    return AvailabilityChanged(
        occurred_at=datetime.now(UTC), version=version, deal_id=deal_id, available=available, sold=sold
    )
