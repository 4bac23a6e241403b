"""Short ways to set up what is searched for, and to search."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from shared.ids import new_id
from tests.integration.catalog.shop import (
    OPERATOR,
    Catalog,
    Shop,
    draft,
    store_claim,
)

HERE = (29.56, 106.57)

STEP = 0.0018  # about 200 m to the north


async def open_at(catalog: Catalog, shop: Shop, **changes: Any) -> UUID:
    store_id = new_id()
    answer = await catalog.put(shop.owner, f"/stores/{store_id}", store_claim(shop.merchant_id, **changes))
    assert answer.status_code == 201, answer.text
    await catalog.put(OPERATOR, f"/stores/{store_id}/verification", {"approve": True})
    return store_id


async def row_of_stores(catalog: Catalog, shop: Shop, count: int, city: str, **changes: Any) -> list[UUID]:
    """Stores going north from HERE; every second one stands where the one before stands."""
    return [
        await open_at(catalog, shop, city=city, latitude=HERE[0] + STEP * (at // 2), longitude=HERE[1], **changes)
        for at in range(count)
    ]


async def search(catalog: Catalog, what: str, **query: Any) -> dict[str, Any]:
    answer = await catalog.get(None, f"/search/{what}?{urlencode(query)}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def pages(catalog: Catalog, what: str, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = await search(catalog, what, **query)
        assert len(page["items"]) <= query["limit"]
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]


async def deal_in(catalog: Catalog, shop: Shop, store_ids: list[UUID], **changes: Any) -> UUID:
    deal_id = new_id()
    await catalog.put(shop.owner, f"/deals/{deal_id}", draft(shop.merchant_id, store_ids, **changes))
    await catalog.put(shop.owner, f"/deals/{deal_id}/submission", {})
    await catalog.put(OPERATOR, f"/deals/{deal_id}/review", {"approve": True})
    answer = await catalog.put(shop.owner, f"/deals/{deal_id}/online", {"online": True})
    assert answer.json()["state"] == "ONLINE", answer.text
    return deal_id


def unheard_name() -> str:
    """A name that no other test has."""
    return f"山城{new_id().hex[-10:]}号"


async def has_sold(catalog: Catalog, deal_id: UUID, sold: int, available: int = 5) -> None:
    async with catalog.db.transaction() as tx:
        await tx.execute(
            "insert into availability (deal_id, version, available, sold) values ($1, 1, $2, $3)",
            deal_id,
            available,
            sold,
        )
