"""A store that closes, is given back or changes hands: its deals stop there at once."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from services.catalog import use_cases
from services.catalog.use_cases import stores as stores_module
from shared.ids import new_id
from tests.integration.catalog.claimants import (
    OPENED,
    approve,
    close_store,
    competitor,
    eventually_said,
)
from tests.integration.catalog.shop import (
    OPERATOR,
    Catalog,
    Shop,
    deal_in_review,
    deal_on_sale,
    draft,
    open_store,
    ready_shop,
    waits_for_a_lock,
)


async def _gives_back(catalog: Catalog, shop: Shop, store_id: UUID) -> None:
    assert (await catalog.put(shop.owner, f"/stores/{store_id}/release", {})).status_code == 200


async def _closes(catalog: Catalog, _: Shop, store_id: UUID) -> None:
    assert (await close_store(catalog, store_id)).status_code == 200


async def _is_lost(catalog: Catalog, _: Shop, store_id: UUID) -> None:
    assert (await approve(catalog, await competitor(catalog, store_id))).status_code == 200


Ends = Callable[[Catalog, Shop, UUID], Awaitable[None]]


@pytest.mark.parametrize("ends", [_gives_back, _closes, _is_lost])
async def test_deals_of_a_store_that_is_lost_sell_in_the_others_and_nowhere_when_none_is_left(
    catalog: Catalog, ends: Ends
) -> None:
    shop = await ready_shop(catalog)
    second = await open_store(catalog, shop.merchant_id, shop.owner)
    here, both, draft_only = await deal_on_sale(catalog, shop), new_id(), await deal_in_review(catalog, shop)
    await catalog.put(shop.owner, f"/deals/{both}", draft(shop.merchant_id, [shop.store_id, second]))
    await catalog.put(shop.owner, f"/deals/{both}/submission", {})
    await catalog.put(OPERATOR, f"/deals/{both}/review", {"approve": True})
    await catalog.put(shop.owner, f"/deals/{both}/online", {"online": True})
    await ends(catalog, shop, shop.store_id)
    await eventually_said(catalog, here, online=False, store_ids=[])
    await eventually_said(catalog, both, online=True, store_ids=[str(second)])
    assert await catalog.said(draft_only) == []
    assert (await catalog.get(None, f"/deals/{here}")).json()["state"] == "OFFLINE"
    assert (await catalog.get(None, f"/deals/{both}")).json()["state"] == "ON_SALE"
    if ends is _closes:
        await close_store(catalog, shop.store_id, OPENED)
        await eventually_said(catalog, here, online=True, store_ids=[str(shop.store_id)])


async def test_more_deals_than_one_transaction_takes_are_all_said(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores_module, "DEALS_AT_ONCE", 2)
    shop = await ready_shop(catalog)
    second = await open_store(catalog, shop.merchant_id, shop.owner)
    deals = [await deal_on_sale(catalog, shop) for _ in range(5)]
    other = await deal_on_sale(catalog, Shop(shop.merchant_id, shop.owner, second))
    await asyncio.gather(close_store(catalog, shop.store_id), close_store(catalog, second))
    for deal_id in (*deals, other):
        changed = await eventually_said(catalog, deal_id, online=False, store_ids=[])
        assert changed["version"] == 3


@pytest.mark.parametrize("publishes", ["review", "online"])
async def test_a_deal_that_goes_on_sale_while_its_store_closes_never_ends_up_selling_there(
    catalog: Catalog, publishes: str
) -> None:
    """Whoever comes first, the last word about the deal is that its store is closed."""
    for _ in range(10):
        shop = await ready_shop(catalog)
        deal_id = await deal_in_review(catalog, shop)
        review = (OPERATOR, f"/deals/{deal_id}/review", {"approve": True})
        sale = (shop.owner, f"/deals/{deal_id}/online", {"online": True})
        if publishes == "online":
            await catalog.put(*review)
        await asyncio.gather(
            close_store(catalog, shop.store_id), catalog.put(*(review if publishes == "review" else sale))
        )
        if await catalog.said(deal_id):
            await eventually_said(catalog, deal_id, online=False, store_ids=[])
            await catalog.put(*sale)
            await eventually_said(catalog, deal_id, online=False, store_ids=[])


async def test_a_store_does_not_close_while_a_deal_in_it_is_published(catalog: Catalog) -> None:
    """The deal holds its stores: the closing waits, and what it sets off finds the deal."""
    shop = await ready_shop(catalog)
    deal_id = await deal_in_review(catalog, shop)
    async with catalog.db.transaction() as tx:
        await use_cases.review_deal(tx, deal_id, OPERATOR, approve=True, template=None, reason=None, revision=None)
        closing = asyncio.create_task(close_store(catalog, shop.store_id))
        await waits_for_a_lock(catalog, closing)
        assert not closing.done()
    assert (await closing).json()["open"] is False
    await eventually_said(catalog, deal_id, online=False, store_ids=[])


async def test_what_is_said_again_is_what_is_true_once_nobody_else_speaks_for_the_deal(catalog: Catalog) -> None:
    """A statement that waits for the deal must not tell of the stores as they were before it waited."""
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)

    async def say_again() -> None:
        async with catalog.db.transaction() as tx:
            await use_cases.announce_deals(tx, [deal_id])

    async with catalog.db.transaction() as tx:
        await tx.execute("select from deals where deal_id = $1 for no key update", deal_id)
        speaking = asyncio.create_task(say_again())
        await waits_for_a_lock(catalog, speaking)
        await tx.execute(
            "update stores set closed_reason = 'x', version = version + 1 where store_id = $1", shop.store_id
        )
    await speaking
    await eventually_said(catalog, deal_id, online=False, store_ids=[])
