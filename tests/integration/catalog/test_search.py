"""Finding: what is never found, and searches that make no sense."""

from typing import Any
from urllib.parse import urlencode

import pytest

from shared.ids import new_id
from shared.paging import cursor_of
from tests.integration.catalog.claimants import registered_store
from tests.integration.catalog.searching import (
    deal_in,
    has_sold,
    open_at,
    search,
    unheard_name,
)
from tests.integration.catalog.shop import (
    OPERATOR,
    Catalog,
    ready_shop,
)


async def test_what_cannot_be_bought_or_visited_is_not_found(catalog: Catalog) -> None:
    name = unheard_name()
    shop = await ready_shop(catalog)
    store_id = await open_at(catalog, shop, name=name)
    deal_id = await deal_in(catalog, shop, [store_id])
    sold_out = await deal_in(catalog, shop, [store_id])
    await has_sold(catalog, sold_out, 100, available=0)
    assert [one["deal_id"] for one in (await search(catalog, "deals", q=name))["items"]] == [str(deal_id)]
    assert [one["store_id"] for one in (await search(catalog, "stores", q=name))["items"]] == [str(store_id)]
    await catalog.put(OPERATOR, f"/stores/{store_id}/closing", {"closed": True, "reason": "停业"})
    assert (await search(catalog, "deals", q=name))["items"] == []
    assert (await search(catalog, "stores", q=name))["items"] == []
    waiting, _ = await registered_store(catalog, name=unheard_name())
    assert str(waiting) not in [one["store_id"] for one in (await search(catalog, "stores", limit=50))["items"]]


@pytest.mark.parametrize("what", ["stores", "deals"])
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"latitude": 29.5}, "position_incomplete"),
        ({"longitude": 106.5}, "position_incomplete"),
        ({"latitude": 106.5, "longitude": 29.5}, "malformed_input"),
        ({"latitude": "nan", "longitude": "nan"}, "malformed_input"),
        ({"latitude": 29.5, "longitude": 106.5, "radius_m": 50_001}, "malformed_input"),
        ({"latitude": 29.5, "longitude": 106.5, "radius_m": 0}, "malformed_input"),
        ({"q": ""}, "malformed_input"),
        ({"q": "火" * 61}, "malformed_input"),
        ({"q": "a\x00"}, "malformed_input"),
        ({"limit": 51}, "malformed_input"),
        ({"cursor": "???"}, "cursor_invalid"),
        ({"latitude": 29.5, "longitude": 106.5, "cursor": cursor_of("火锅", new_id())}, "cursor_invalid"),
        ({"cursor": cursor_of(1.5, new_id())}, "cursor_invalid"),
    ],
)
async def test_a_search_that_makes_no_sense_is_refused(
    catalog: Catalog, what: str, query: dict[str, Any], code: str
) -> None:
    answer = await catalog.get(None, f"/search/{what}?{urlencode(query)}")
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
