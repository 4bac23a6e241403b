"""Videos of the host platform and the badge of the deal that each of them shows."""

import re
from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.catalog import consumers
from shared.contracts.checkout import AvailabilityChanged
from shared.ids import new_id
from tests.integration.catalog.shop import (
    Catalog,
    deal_in_review,
    deal_on_sale,
    ready_shop,
    video_of,
    video_with,
)

TERMS = {"modes": ["SELF"], "fee_fen": 0, "weight_g": 500, "category": "fruit"}


async def test_the_badge_shows_what_checkout_has_left_whatever_the_order_of_the_news(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    video_id = await video_with(catalog, shop, deal_id)
    await consumers.keep_availability(_left(deal_id, version=2, available=40, sold=60), catalog.db)
    await consumers.keep_availability(_left(deal_id, version=1, available=90, sold=10), catalog.db)
    badge = (await catalog.get(None, f"/videos/{video_id}")).json()["badge"]
    assert re.fullmatch(r"[0-9A-Za-z_-]{40}", badge["tokens"]["ABOVE_AUTHOR"])
    assert badge["tokens"].keys() == {"ABOVE_AUTHOR", "COMMENTS_TOP"}
    del badge["tokens"]
    assert badge == {
        "icon": "groupbuy",
        "form": "SET",
        "deal_id": str(deal_id),
        "title": "双人套餐",
        "price_fen": 12800,
        "original_price_fen": 26800,
        "sold": 60,
        "available": 40,
        "state": "ON_SALE",
    }


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


@pytest.mark.parametrize(
    ("content", "form"),
    [
        ("content - 'form' || '{\"kind\": \"VOUCHER\"}'", "SET"),
        ("content - 'form' || '{\"kind\": \"GOODS\"}'", "GOODS"),
        ('content || \'{"form": "TIMES_CARD"}\'', "TIMES_CARD"),
    ],
    ids=["voucher-before-forms", "goods-before-forms", "form"],
)
async def test_a_badge_shows_the_form_which_follows_from_the_kind_in_deals_from_before_forms_existed(
    catalog: Catalog, content: str, form: str
) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    video_id = await video_with(catalog, shop, deal_id)
    async with catalog.db.transaction() as tx:
        await tx.execute(
            f"""insert into deal_versions (deal_id, deal_version, content, title, price_fen, original_price_fen,
                   sale_from, sale_until, approved_by, published_at)
                select deal_id, 2, {content}, title, price_fen, original_price_fen, sale_from, sale_until, approved_by,
                   published_at from deal_versions where deal_id = $1""",
            deal_id,
        )
        await tx.execute("update deals set deal_version = 2, version = version + 1 where deal_id = $1", deal_id)
    assert await _form(catalog, video_id) == form


async def test_a_video_says_where_it_can_be_watched(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    video_id, body = new_id(), video_of(shop.merchant_id)
    old = await catalog.put(shop.owner, f"/videos/{video_id}", body)
    told = await catalog.put(shop.owner, f"/videos/{video_id}", {**body, "url": "https://videos.example/1"})
    assert (old.json()["url"], told.json()["url"]) == (None, "https://videos.example/1")
    assert (await catalog.get(None, f"/videos/{video_id}")).json()["url"] == "https://videos.example/1"


@pytest.mark.parametrize(
    "url",
    [
        "http://videos.example/1",
        "javascript:alert(1)",
        "https://",
        "https://a b",
        'https://a"b',
        "https://a/" + "x" * 500,
    ],
)
async def test_an_address_that_is_not_https_or_too_long_is_malformed(catalog: Catalog, url: str) -> None:
    shop = await ready_shop(catalog)
    answer = await catalog.put(shop.owner, f"/videos/{new_id()}", {**video_of(shop.merchant_id), "url": url})
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed_input")


async def test_the_merchants_staff_pages_through_all_of_its_videos(catalog: Catalog) -> None:
    shop, other = await ready_shop(catalog), await ready_shop(catalog)
    unapproved = await deal_in_review(catalog, shop)
    made = [str(await video_with(catalog, shop, unapproved)) for _ in range(5)]
    await video_with(catalog, other, None)
    seen: list[str] = []
    path = f"/merchants/{shop.merchant_id}/videos?limit=2"
    page = (await catalog.get(shop.owner, path)).json()
    while True:
        seen += [card["video_id"] for card in page["items"]]
        if page["next_cursor"] is None:
            break
        page = (await catalog.get(shop.owner, f"{path}&cursor={page['next_cursor']}")).json()
    assert seen == made[::-1]


async def test_a_merchants_list_is_for_its_own_staff(catalog: Catalog) -> None:
    shop, other = await ready_shop(catalog), await ready_shop(catalog)
    path = f"/merchants/{shop.merchant_id}/videos"
    refused = [
        await catalog.get(other.owner, path),
        await catalog.get(None, path),
        await catalog.get(shop.owner, f"{path}?cursor=x"),
    ]
    assert [(one.status_code, one.json()["code"]) for one in refused] == [
        (403, "forbidden"),
        (401, "unauthenticated"),
        (422, "cursor_invalid"),
    ]


async def test_an_unknown_video_is_not_found(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    answers = [
        await catalog.get(None, f"/videos/{new_id()}"),
        await catalog.put(shop.owner, f"/videos/{new_id()}/deal", {"deal_id": None}),
    ]
    assert [one.json()["code"] for one in answers] == ["not_found", "not_found"]


async def _form(catalog: Catalog, video_id: UUID) -> str:
    form: str = (await catalog.get(None, f"/videos/{video_id}")).json()["badge"]["form"]
    return form


def _left(deal_id: UUID, *, version: int, available: int, sold: int) -> AvailabilityChanged:
    return AvailabilityChanged(
        occurred_at=datetime.now(UTC), version=version, deal_id=deal_id, available=available, sold=sold
    )
