"""Finding deals: by title, merchant and store, by place; every page once."""

from typing import Any

import pytest

from shared.ids import new_id
from tests.integration.catalog.searching import (
    HERE,
    deal_in,
    has_sold,
    open_at,
    pages,
    row_of_stores,
    search,
    unheard_name,
)
from tests.integration.catalog.shop import (
    CASH_VOUCHER,
    OPERATOR,
    Catalog,
    deal_on_sale,
    draft,
    ready_shop,
)


@pytest.mark.parametrize("place", [{}, {"latitude": HERE[0], "longitude": HERE[1]}])
@pytest.mark.parametrize("limit", [1, 2, 5])
async def test_paging_through_deals_neither_repeats_nor_skips(
    catalog: Catalog, place: dict[str, Any], limit: int
) -> None:
    shop, city = await ready_shop(catalog), f"city-{new_id()}"
    stores = await row_of_stores(catalog, shop, 4, city)
    deals = [await deal_in(catalog, shop, stores[at % 2 :]) for at in range(7)]
    for at, deal_id in enumerate(deals[:4]):
        await has_sold(catalog, deal_id, at // 2)
    seen = await pages(catalog, "deals", city=city, limit=limit, **place)
    assert sorted(one["deal_id"] for one in seen) == sorted(str(one) for one in deals)
    assert len(seen) == len({one["deal_id"] for one in seen})


async def test_a_deal_is_found_once_at_the_nearest_of_its_open_stores(catalog: Catalog) -> None:
    shop, city = await ready_shop(catalog), f"city-{new_id()}"
    stores = await row_of_stores(catalog, shop, 6, city)
    everywhere = await deal_in(catalog, shop, [shop.store_id, *stores])
    farther = await deal_in(catalog, shop, stores[3:])
    place = {"city": city, "latitude": HERE[0], "longitude": HERE[1]}
    seen = (await search(catalog, "deals", **place))["items"]
    assert [(one["deal_id"], one["store"]["store_id"], one["distance_m"]) for one in seen] == [
        (str(everywhere), str(stores[0]), 0),
        (str(farther), str(stores[3]), 200),
    ]
    await catalog.put(OPERATOR, f"/stores/{stores[0]}/closing", {"closed": True, "reason": "停业"})
    await catalog.put(OPERATOR, f"/stores/{stores[1]}/closing", {"closed": True, "reason": "停业"})
    seen = (await search(catalog, "deals", **place))["items"]
    assert [(one["store"]["store_id"], one["distance_m"]) for one in seen] == [
        (str(stores[2]), 200),
        (str(stores[3]), 200),
    ]


async def test_deals_are_found_by_title_by_merchant_and_by_store_best_sold_first(catalog: Catalog) -> None:
    name = unheard_name()
    shop, city = await ready_shop(catalog), f"city-{new_id()}"
    plain = await open_at(catalog, shop, city=city)
    named = await open_at(catalog, shop, city=city, name=name)
    by_title = await deal_in(catalog, shop, [plain], title=f"双人{name}套餐")
    by_store = await deal_in(catalog, shop, [named])
    other = await ready_shop(catalog)
    by_merchant = await deal_on_sale(catalog, other)
    async with catalog.db.transaction() as tx:
        await tx.execute("update merchants set name = $2 where merchant_id = $1", other.merchant_id, name)
    for deal_id, sold in ((by_title, 1), (by_store, 3), (by_merchant, 2)):
        await has_sold(catalog, deal_id, sold)
    seen = (await search(catalog, "deals", q=name))["items"]
    assert [(one["deal_id"], one["sold"]) for one in seen] == [
        (str(by_store), 3),
        (str(by_merchant), 2),
        (str(by_title), 1),
    ]
    assert seen[0]["store"]["name"] == name
    assert seen[0]["distance_m"] is None
    near = (await search(catalog, "deals", q=name, latitude=HERE[0], longitude=HERE[1], radius_m=50_000))["items"]
    assert len(near) == 3


@pytest.mark.parametrize("place", [{}, {"latitude": HERE[0], "longitude": HERE[1]}])
async def test_a_cash_voucher_is_found_with_its_worth(catalog: Catalog, place: dict[str, Any]) -> None:
    shop, city = await ready_shop(catalog), f"city-{new_id()}"
    (store_id,) = await row_of_stores(catalog, shop, 1, city)
    worth = {**CASH_VOUCHER["cash"], "threshold_fen": 0}
    await deal_in(catalog, shop, [store_id], **{**CASH_VOUCHER, "cash": worth})
    (found,) = (await search(catalog, "deals", city=city, **place))["items"]
    assert (found["form"], found["cash"]) == ("CASH_VOUCHER", worth)


async def test_a_deal_is_found_by_the_title_on_offer_not_by_an_older_one(catalog: Catalog) -> None:
    shop, old, new = await ready_shop(catalog), unheard_name(), unheard_name()
    deal_id = await deal_on_sale(catalog, shop, title=old)
    await catalog.put(shop.owner, f"/deals/{deal_id}", draft(shop.merchant_id, [shop.store_id], title=new))
    await catalog.put(shop.owner, f"/deals/{deal_id}/submission", {})
    assert len((await search(catalog, "deals", q=old))["items"]) == 1
    await catalog.put(OPERATOR, f"/deals/{deal_id}/review", {"approve": True})
    assert (await search(catalog, "deals", q=old))["items"] == []
    assert [one["title"] for one in (await search(catalog, "deals", q=new))["items"]] == [new]
