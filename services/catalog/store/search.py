"""Search in the database: names by pairs of characters, places by nearest neighbour, and only what may be shown.

Each search is put together from the parts that were asked for, so that Postgres never plans for a part that was not.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.catalog.domain.search import Around, FoundDeal, FoundStore, Wanted
from services.catalog.store.deals import BUYABLE, ON_OFFER
from services.catalog.store.store_page import CARD_COLUMNS, card_of
from services.catalog.store.stores import STORE_COLUMNS, store_of
from shared.database import Transaction

Position = tuple[float | int | str, UUID]


class Search:
    """A statement under construction: conditions, and the values that they bind."""

    def __init__(self, *values: Any) -> None:
        self.values = list(values)
        self.conditions: list[str] = []

    def bind(self, value: Any, kind: str) -> str:
        """The placeholder that stands for a value."""
        self.values.append(value)
        return f"${len(self.values)}::{kind}"

    def where(self, condition: str) -> None:
        """Narrow it."""
        self.conditions.append(condition)

    @property
    def filter(self) -> str:
        """All conditions."""
        return " and ".join(self.conditions)


def _named(grams: str, plain: str, text: str) -> str:
    """The index finds what has every pair of neighbouring characters; the text itself must then stand in the name."""
    return f"{grams} @> query_grams({text}) and strpos({plain}, name_plain({text})) > 0"


def _nearby(search: Search, around: Around) -> tuple[str, str]:
    """Narrow to the stores around a place; how far they are on the map, and in true metres."""
    latitude = search.bind(around.latitude, "float8")
    longitude = search.bind(around.longitude, "float8")
    here = f"mercator({latitude}, {longitude})"
    metres = f"metres_between(s.latitude, s.longitude, {latitude}, {longitude})"
    search.where(f"s.place <@ circle({here}, {search.bind(around.projected_m, 'float8')})")
    search.where(f"{metres} <= {search.bind(around.radius_m, 'int')}")
    return here, metres


def stores_statement(wanted: Wanted, after: Position | None, limit: int) -> tuple[str, list[Any]]:
    """Open stores of verified merchants: nearest first, or by name."""
    search = Search()
    search.where("s.open and m.state = 'VERIFIED'")
    if wanted.text is not None:
        search.where(_named("s.name_grams", "s.plain_name", search.bind(wanted.text, "text")))
    if wanted.city is not None:
        search.where(f"s.city = {search.bind(wanted.city, 'text')}")
    key, kind, measured = "s.name", "text", "null::float8 as measure, null::float8 as metres"
    if wanted.around is not None:
        here, metres = _nearby(search, wanted.around)
        key, kind, measured = f"s.place <-> {here}", "float8", f"s.place <-> {here} as measure, {metres} as metres"
    if after is not None:
        search.where(f"({key}, s.store_id) > ({search.bind(after[0], kind)}, {search.bind(after[1], 'uuid')})")
    statement = f"""select {STORE_COLUMNS}, m.name as merchant_name, {measured}
        from stores s join merchants m on m.merchant_id = s.merchant_id
        where {search.filter} order by {key}, s.store_id limit {search.bind(limit, "int")}"""
    return statement, search.values


async def search_stores(tx: Transaction, wanted: Wanted, after: Position | None, limit: int) -> Sequence[FoundStore]:
    """The next stores that were looked for."""
    statement, values = stores_statement(wanted, after, limit)
    rows = await tx.fetch(statement, *values)
    return [FoundStore(store_of(row), row["merchant_name"], _whole(row["metres"]), row["measure"]) for row in rows]


def _whole(metres: float | None) -> int | None:
    return None if metres is None else round(metres)


# By title, by the merchant's name, or by the name of an open store: each part has its own index.
def _titled(search: Search, text: str, city: str | None) -> str:
    word = search.bind(text, "text")
    there = "" if city is None else f"and t.city = {search.bind(city, 'text')}"
    return f"""d.deal_id in (
        select w.deal_id from deal_versions w join deals o on o.deal_id = w.deal_id and o.deal_version = w.deal_version
        where {_named("w.title_grams", "w.plain_title", word)}
        union select o.deal_id from merchants w join deals o on o.merchant_id = w.merchant_id
        where {_named("w.name_grams", "w.plain_name", word)}
        union select o.deal_id from stores t join deals o on o.store_ids @> array[t.store_id]
            and o.merchant_id = t.merchant_id
        where t.open {there} and {_named("t.name_grams", "t.plain_name", word)})"""


_PLACE_COLUMNS = "s.store_id, s.name as store_name, s.city, s.address"


def deals_nearby_statement(
    moment: Any, wanted: Wanted, around: Around, after: Position | None, limit: int
) -> tuple[str, list[Any]]:
    """Deals that can be bought, each once, at the nearest of its stores: the stores are walked from here outwards."""
    search = Search(moment)
    search.where("s.open")
    there = ""
    if wanted.city is not None:
        city = search.bind(wanted.city, "text")
        search.where(f"s.city = {city}")
        there = f"and n.city = {city}"
    here, metres = _nearby(search, around)
    key = f"s.place <-> {here}"
    search.where(f"""not exists (select from stores n where n.store_id = any(d.store_ids) and n.open
        and n.merchant_id = d.merchant_id {there} and (n.place <-> {here}, n.store_id) < ({key}, s.store_id))""")
    search.where(BUYABLE)
    if wanted.text is not None:
        search.where(_titled(search, wanted.text, wanted.city))
    if after is not None:
        search.where(f"({key}, d.deal_id) > ({search.bind(after[0], 'float8')}, {search.bind(after[1], 'uuid')})")
    # The two ways to say that the deal names the store let Postgres start from either side.
    statement = f"""select {CARD_COLUMNS}, {_PLACE_COLUMNS}, {key} as measure, {metres} as metres
        from stores s join deals d on d.store_ids @> array[s.store_id] and s.store_id = any(d.store_ids)
            and d.merchant_id = s.merchant_id
        {ON_OFFER}
        where {search.filter} order by {key}, d.deal_id limit {search.bind(limit, "int")}"""
    return statement, search.values


def deals_statement(moment: Any, wanted: Wanted, after: Position | None, limit: int) -> tuple[str, list[Any]]:
    """Deals that can be bought, best sold first, each with the first of its open stores by name."""
    search = Search(moment)
    search.where(BUYABLE)
    there = ""
    if wanted.city is not None:
        there = f"and t.city = {search.bind(wanted.city, 'text')}"
        search.where(f"""exists (select from stores t where t.store_id = any(d.store_ids) and t.open
            and t.merchant_id = d.merchant_id {there})""")
    if wanted.text is not None:
        search.where(_titled(search, wanted.text, wanted.city))
    if after is not None:
        sold, deal_id = search.bind(after[0], "bigint"), search.bind(after[1], "uuid")
        search.where(f"(coalesce(a.sold, 0), d.deal_id) < ({sold}, {deal_id})")
    statement = f"""with page as (
            select {CARD_COLUMNS}, d.store_ids, d.merchant_id from deals d {ON_OFFER}
            where {search.filter}
            order by coalesce(a.sold, 0) desc, d.deal_id desc limit {search.bind(limit, "int")})
        select page.*, {_PLACE_COLUMNS}, null::float8 as measure, null::float8 as metres
        from page cross join lateral (
            select t.* from stores t where t.store_id = any(page.store_ids) and t.open
              and t.merchant_id = page.merchant_id {there} order by t.name, t.store_id limit 1) s
        order by page.sold desc, page.deal_id desc"""
    return statement, search.values


async def search_deals(tx: Transaction, wanted: Wanted, after: Position | None, limit: int) -> Sequence[FoundDeal]:
    """The next deals that were looked for."""
    if wanted.around is not None:
        statement, values = deals_nearby_statement(tx.now, wanted, wanted.around, after, limit)
    else:
        statement, values = deals_statement(tx.now, wanted, after, limit)
    return [
        FoundDeal(
            card=card_of(row),
            store_id=row["store_id"],
            store_name=row["store_name"],
            city=row["city"],
            address=row["address"],
            distance_m=_whole(row["metres"]),
            measure=row["measure"],
        )
        for row in await tx.fetch(statement, *values)
    ]
