"""Search for stores and deals; public."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from services.catalog import use_cases
from services.catalog.domain.search import RADIUS_M, RADIUS_MAX_M, FoundDeal, FoundStore, Wanted, around
from services.catalog.domain.stores import Latitude, Longitude
from services.catalog.domain.text import ShortLine
from services.catalog.routes.store_page import DealCardView, card_fields
from services.catalog.routes.stores import PublicStore, public_fields
from services.catalog.store.search import Position
from shared.http import Db
from shared.paging import Limit, page_of, read_cursor

router = APIRouter(prefix="/search", tags=["search"])

# A store's name is part of its place in the list.
LongCursor = Annotated[str | None, Query(max_length=1200)]


class FoundStoreView(PublicStore):
    """`distance_m` is null unless the search named a place."""

    merchant_name: str
    distance_m: int | None


class NearestStore(BaseModel):
    store_id: UUID
    name: str
    city: str
    address: str


class FoundDealView(DealCardView):
    """With the nearest of its stores, or without a place the first by name."""

    store: NearestStore
    distance_m: int | None


class FoundStores(BaseModel):
    items: list[FoundStoreView]
    next_cursor: str | None


class FoundDeals(BaseModel):
    items: list[FoundDealView]
    next_cursor: str | None


def _wanted(
    q: Annotated[ShortLine | None, Query()] = None,
    city: Annotated[ShortLine | None, Query()] = None,
    latitude: Annotated[Latitude | None, Query()] = None,
    longitude: Annotated[Longitude | None, Query()] = None,
    radius_m: Annotated[int, Query(ge=1, le=RADIUS_MAX_M)] = RADIUS_M,
) -> Wanted:
    return Wanted(q, city, around(latitude, longitude, radius_m))


Asked = Annotated[Wanted, Depends(_wanted)]


def _after(cursor: str | None, kind: type) -> Position | None:
    position = read_cursor(cursor, kind, UUID)
    return (position[0], position[1]) if position else None


def _store(found: FoundStore) -> FoundStoreView:
    return FoundStoreView(**public_fields(found.store), merchant_name=found.merchant_name, distance_m=found.distance_m)


def _deal(found: FoundDeal) -> FoundDealView:
    store = NearestStore(store_id=found.store_id, name=found.store_name, city=found.city, address=found.address)
    return FoundDealView.model_validate({**card_fields(found.card), "store": store, "distance_m": found.distance_m})


@router.get("/stores")
async def search_stores(wanted: Asked, db: Db, cursor: LongCursor = None, limit: Limit = 20) -> FoundStores:
    """Open stores by name, city and place: nearest first, or by name."""
    after = _after(cursor, float if wanted.around else str)
    async with db.transaction(read_only=True) as tx:
        found = await use_cases.search_stores(tx, wanted, after, limit + 1)
    page = page_of(found, limit, lambda one: (_or(one.measure, one.store.facts.name), one.store.store_id))
    return FoundStores(items=[_store(one) for one in page.items], next_cursor=page.next_cursor)


@router.get("/deals")
async def search_deals(wanted: Asked, db: Db, cursor: LongCursor = None, limit: Limit = 20) -> FoundDeals:
    """Deals that can be bought now, each once: nearest store first, or best sold first."""
    after = _after(cursor, float if wanted.around else int)
    async with db.transaction(read_only=True) as tx:
        found = await use_cases.search_deals(tx, wanted, after, limit + 1)
    page = page_of(found, limit, lambda one: (_or(one.measure, one.card.sold), one.card.deal_id))
    return FoundDeals(items=[_deal(one) for one in page.items], next_cursor=page.next_cursor)


def _or(measure: float | None, key: str | int) -> float | str | int:
    return key if measure is None else measure
