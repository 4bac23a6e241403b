"""Finding stores: by name, by city, by place; every page once."""

from typing import Any

import pytest

from shared.ids import new_id
from tests.integration.catalog.claimants import Claimant, approve, registered_store
from tests.integration.catalog.searching import (
    HERE,
    open_at,
    pages,
    row_of_stores,
    search,
    unheard_name,
)
from tests.integration.catalog.shop import (
    Catalog,
    ready_shop,
)


@pytest.mark.parametrize(
    ("store", "query", "found"),
    [
        ("老码头火锅（解放碑店）", "火锅", True),
        ("老码头火锅（解放碑店）", "火", True),
        ("老码头火锅（解放碑店）", "码头火锅", True),
        ("老码头火锅（解放碑店）", "头火锅(解", True),
        ("老码头火锅（解放碑店）", "火 锅", True),
        ("老码头火锅（解放碑店）", "锅火", False),
        ("老码头火锅（解放碑店）", "茶", False),
        ("ＡＢＣ Coffee", "abc c", True),
        ("aba bab", "babab", True),
        ("abcab", "cabc", False),
        ("100% 果汁", "0%果", True),
        ("100% 果汁", "%果", True),
        ("100X果汁", "0%果", False),
    ],
)
async def test_a_name_is_found_by_any_part_of_it_and_by_nothing_else(
    catalog: Catalog, store: str, query: str, found: bool
) -> None:
    city = f"city-{new_id()}"
    shop = await ready_shop(catalog)
    store_id = await open_at(catalog, shop, name=store, city=city)
    seen = await search(catalog, "stores", q=query, city=city)
    assert [one["store_id"] for one in seen["items"]] == ([str(store_id)] if found else [])


async def test_stores_around_a_place_come_nearest_first_with_their_true_distance(catalog: Catalog) -> None:
    shop, city = await ready_shop(catalog), f"city-{new_id()}"
    stores = await row_of_stores(catalog, shop, 6, city)
    far = await open_at(catalog, shop, city=city, latitude=HERE[0] + 0.1, longitude=HERE[1])
    place = {"city": city, "latitude": HERE[0], "longitude": HERE[1]}
    seen = (await search(catalog, "stores", **place))["items"]
    assert [one["store_id"] for one in seen] == [str(one) for one in stores]
    assert [one["distance_m"] for one in seen] == [0, 0, 200, 200, 400, 400]
    wider = (await search(catalog, "stores", **place, radius_m=12_000))["items"]
    assert (wider[-1]["store_id"], wider[-1]["distance_m"]) == (str(far), 11_119)
    exact = (await search(catalog, "stores", **place, radius_m=11_118))["items"]
    assert len(exact) == 6


@pytest.mark.parametrize("place", [{}, {"latitude": HERE[0], "longitude": HERE[1]}])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
async def test_paging_through_stores_neither_repeats_nor_skips(
    catalog: Catalog, place: dict[str, Any], limit: int
) -> None:
    shop, city = await ready_shop(catalog), f"city-{new_id()}"
    # Names repeat as well: a place in the list is more than its key.
    stores = await row_of_stores(catalog, shop, 7, city, name="同名分店" * 15)
    seen = await pages(catalog, "stores", city=city, limit=limit, **place)
    assert [one["store_id"] for one in seen] == sorted(str(one) for one in stores)


async def test_a_claimant_is_found_once_it_holds_the_store(catalog: Catalog) -> None:
    name = unheard_name()
    store_id, first = await registered_store(catalog, name=name)
    assert (await search(catalog, "stores", q=name))["items"] == []
    await approve(catalog, Claimant(first.merchant_id, first.owner, first.claim_id))
    assert [one["store_id"] for one in (await search(catalog, "stores", q=name))["items"]] == [str(store_id)]
