"""Quota and stores of a published deal change at once, beside the draft."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from services.catalog import store, use_cases
from shared.ids import new_id
from tests.integration.catalog.shop import (
    OPERATOR,
    Catalog,
    Shop,
    deal_in_review,
    deal_on_sale,
    draft,
    edit_in_review,
    open_store,
    ready_shop,
    store_claim,
    waits_for_a_lock,
)


async def _last_said(catalog: Catalog, deal_id: UUID) -> dict[str, Any]:
    topic, body = (await catalog.said(deal_id))[-1]
    assert topic == "catalog.deal_changed.v1"
    return body


async def test_stock_changes_at_once_and_is_said(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    answer = await catalog.put(shop.owner, f"/deals/{deal_id}/stock", {"total_quota": 250})
    assert (answer.status_code, answer.json()["total_quota"], answer.json()["state"]) == (200, 250, "ONLINE")
    assert (answer.json()["sale_version"], answer.headers["etag"]) == (3, '"3"')
    said = await _last_said(catalog, deal_id)
    assert (said["version"], said["total_quota"], said["deal_version"], said["online"]) == (3, 250, 1, True)
    page = (await catalog.get(None, f"/deals/{deal_id}")).json()
    assert (page["total_quota"], page["available"]) == (250, 250)


async def test_stores_change_at_once_and_are_said(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    second = await open_store(catalog, shop.merchant_id, shop.owner)
    body = {"store_ids": [str(second), str(shop.store_id), str(second)]}
    answer = await catalog.put(shop.owner, f"/deals/{deal_id}/stores", body)
    assert (answer.status_code, answer.json()["store_ids"]) == (200, [str(second), str(shop.store_id)])
    assert sorted((await _last_said(catalog, deal_id))["store_ids"]) == sorted([str(second), str(shop.store_id)])
    page = (await catalog.get(None, f"/deals/{deal_id}")).json()
    assert len(page["stores"]) == 2


@pytest.mark.parametrize("part", ["stock", "stores"])
async def test_a_repeated_change_is_said_once_and_a_stale_one_is_refused(catalog: Catalog, part: str) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    path, seen = f"/deals/{deal_id}/{part}", {"If-Match": '"2"'}
    second = await open_store(catalog, shop.merchant_id, shop.owner)
    bodies: list[dict[str, Any]] = [{"total_quota": 250}, {"total_quota": 300}]
    if part == "stores":
        bodies = [{"store_ids": [str(second)]}, {"store_ids": [str(shop.store_id), str(second)]}]
    first, again = [await catalog.put(shop.owner, path, bodies[0], **seen) for _ in range(2)]
    unseen = await catalog.put(shop.owner, path, bodies[0])
    assert (first.status_code, first.json(), first.json()) == (200, again.json(), unseen.json())
    assert (await _last_said(catalog, deal_id))["version"] == 3
    stale = await catalog.put(shop.owner, path, bodies[1], **seen)
    assert (stale.status_code, stale.json()["code"]) == (412, "changed_meanwhile")
    fresh = await catalog.put(shop.owner, path, bodies[1], **{"If-Match": first.headers["etag"]})
    assert (fresh.status_code, fresh.json()["sale_version"]) == (200, 4)


async def test_of_two_changes_of_what_both_saw_one_wins(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    answers = await asyncio.gather(
        *(
            catalog.put(shop.owner, f"/deals/{deal_id}/stock", {"total_quota": quota}, **{"If-Match": '"2"'})
            for quota in (201, 202, 203)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412]
    assert (await _last_said(catalog, deal_id))["version"] == 3


async def _foreign_store(catalog: Catalog, shop: Shop) -> UUID:
    return (await ready_shop(catalog)).store_id


async def _claimed_store(catalog: Catalog, shop: Shop) -> UUID:
    claimed = new_id()
    await catalog.put(shop.owner, f"/stores/{claimed}", store_claim(shop.merchant_id, name="观音桥店"))
    return claimed


@pytest.mark.parametrize(
    ("other", "code"), [(_foreign_store, "store_not_of_merchant"), (_claimed_store, "store_not_verified")]
)
async def test_a_deal_moves_only_to_open_stores_of_its_merchant(catalog: Catalog, other: Any, code: str) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    body = {"store_ids": [str(shop.store_id), str(await other(catalog, shop))]}
    answer = await catalog.put(shop.owner, f"/deals/{deal_id}/stores", body)
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert (await _last_said(catalog, deal_id))["version"] == 2


async def test_only_owners_and_managers_change_stock_and_stores(catalog: Catalog) -> None:
    shop, stranger = await ready_shop(catalog), await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    clerk, manager = f"clerk-{new_id()}", f"manager-{new_id()}"
    for subject, role in ((clerk, "CLERK"), (manager, "MANAGER")):
        body = {"subject": subject, "role": role, "store_ids": [], "active": True}
        await catalog.put(shop.owner, f"/merchants/{shop.merchant_id}/staff/{new_id()}", body)
    for subject, status in ((clerk, 403), (stranger.owner, 403), (OPERATOR, 403), (manager, 200)):
        stock = await catalog.put(subject, f"/deals/{deal_id}/stock", {"total_quota": 77})
        stores = await catalog.put(subject, f"/deals/{deal_id}/stores", {"store_ids": [str(shop.store_id)]})
        assert (stock.status_code, stores.status_code) == (status, status), subject


async def test_before_the_first_approval_stock_and_stores_are_the_drafts(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_in_review(catalog, shop)
    stock = await catalog.put(shop.owner, f"/deals/{deal_id}/stock", {"total_quota": 100})
    stores = await catalog.put(shop.owner, f"/deals/{deal_id}/stores", {"store_ids": [str(shop.store_id)]})
    assert {(answer.status_code, answer.json()["code"]) for answer in (stock, stores)} == {(409, "deal_not_published")}
    assert await catalog.said(deal_id) == []


async def test_a_draft_of_a_published_deal_shows_and_keeps_what_is_in_force(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    second = await open_store(catalog, shop.merchant_id, shop.owner)
    await catalog.put(shop.owner, f"/deals/{deal_id}/stock", {"total_quota": 250})
    await catalog.put(shop.owner, f"/deals/{deal_id}/stores", {"store_ids": [str(second)]})
    stale = draft(shop.merchant_id, [shop.store_id], title="三人套餐", total_quota=5)
    saved = (await catalog.put(shop.owner, f"/deals/{deal_id}", stale)).json()
    assert (saved["title"], saved["total_quota"], saved["store_ids"]) == ("三人套餐", 250, [str(second)])
    again = (await catalog.put(shop.owner, f"/deals/{deal_id}", {**stale, "total_quota": 6})).json()
    assert again == saved, "only what a draft may change makes a revision"


async def test_an_edit_of_a_published_deal_needs_none_of_its_stores(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    async with catalog.db.transaction() as tx:
        await tx.execute("update stores set closed_reason = 'x' where store_id = $1", shop.store_id)
    await edit_in_review(catalog, shop, deal_id, price_fen=9900)
    approved = await catalog.put(OPERATOR, f"/deals/{deal_id}/review", {"approve": True})
    assert (approved.status_code, approved.json()["deal_version"], approved.json()["online"]) == (200, 2, False)


async def test_a_change_during_the_review_survives_the_approval(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    second = await open_store(catalog, shop.merchant_id, shop.owner)
    await edit_in_review(catalog, shop, deal_id, price_fen=9900)
    stock = await catalog.put(shop.owner, f"/deals/{deal_id}/stock", {"total_quota": 55})
    assert (stock.status_code, stock.json()["state"]) == (200, "IN_REVIEW")
    await catalog.put(shop.owner, f"/deals/{deal_id}/stores", {"store_ids": [str(second)]})
    await catalog.put(OPERATOR, f"/deals/{deal_id}/review", {"approve": True})
    said = await _last_said(catalog, deal_id)
    assert (said["deal_version"], said["total_quota"], said["store_ids"]) == (2, 55, [str(second)])


async def test_a_change_between_reading_and_approving_a_draft_survives_the_approval(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    second = await open_store(catalog, shop.merchant_id, shop.owner)
    await edit_in_review(catalog, shop, deal_id, price_fen=9900)
    async with catalog.db.transaction() as tx:
        read = await store.deal(tx, deal_id)
        assert read is not None
        await catalog.put(shop.owner, f"/deals/{deal_id}/stock", {"total_quota": 55})
        await catalog.put(shop.owner, f"/deals/{deal_id}/stores", {"store_ids": [str(second)]})
        approved = await store.publish_draft(tx, read, OPERATOR)
        assert approved is not None
        version = await store.version_content(tx, deal_id, 2)
    assert (approved.total_quota, approved.store_ids, approved.deal_version) == (55, (second,), 2)
    assert version is not None
    assert (version.price_fen, version.total_quota, version.store_ids) == (9900, 55, (second,))


async def test_stock_changes_and_approvals_at_once_lose_nothing(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    for round_no in range(5):
        await edit_in_review(catalog, shop, deal_id, price_fen=9000 + round_no)
        quota = 500 + round_no
        stock, review = await asyncio.gather(
            catalog.put(shop.owner, f"/deals/{deal_id}/stock", {"total_quota": quota}),
            catalog.put(OPERATOR, f"/deals/{deal_id}/review", {"approve": True}),
        )
        assert (stock.status_code, review.status_code) == (200, 200)
        page = (await catalog.get(None, f"/deals/{deal_id}")).json()
        assert (page["total_quota"], page["price_fen"]) == (quota, 9000 + round_no)
    versions = [body["version"] for topic, body in await catalog.said(deal_id) if topic == "catalog.deal_changed.v1"]
    assert sorted(versions) == list(range(1, 13)), "each change of the sale is said with a version of its own"


@pytest.mark.parametrize(
    ("part", "body"),
    [
        ("stock", {"total_quota": 55}),
        ("online", {"online": False}),
        ("review", {"approve": True}),
        ("announcement", {}),
    ],
)
async def test_a_change_that_waited_for_a_store_to_close_does_not_say_that_it_is_open(
    catalog: Catalog, part: str, body: dict[str, Any]
) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    second = await open_store(catalog, shop.merchant_id, shop.owner)
    await catalog.put(shop.owner, f"/deals/{deal_id}/stores", {"store_ids": [str(shop.store_id), str(second)]})
    await edit_in_review(catalog, shop, deal_id, price_fen=9900)

    async def change() -> None:
        if part == "announcement":
            async with catalog.db.transaction() as tx:
                await use_cases.announce_deals(tx, [deal_id])
            return
        answer = await catalog.put(OPERATOR if part == "review" else shop.owner, f"/deals/{deal_id}/{part}", body)
        assert answer.status_code == 200, answer.text

    async with catalog.db.transaction() as tx:
        await tx.execute("update stores set closed_reason = 'x' where store_id = $1", shop.store_id)
        await use_cases.announce_deals(tx, [deal_id])
        changing = asyncio.create_task(change())
        await waits_for_a_lock(catalog, changing)
    await changing
    said = await _last_said(catalog, deal_id)
    assert (said["version"], said["store_ids"]) == (5, [str(second)])
