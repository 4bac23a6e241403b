"""Finding stores and deals: by name, by city, by place; every page once."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest

from services.catalog.domain.search import Around, Wanted
from services.catalog.store.search import deals_nearby_statement, deals_statement, stores_statement
from shared.database import Transaction
from shared.ids import new_id
from shared.paging import cursor_of
from tests.integration.catalog.claimants import Claimant, approve, registered_store
from tests.integration.catalog.shop import (
    CASH_VOUCHER,
    OPERATOR,
    Catalog,
    Shop,
    deal_on_sale,
    draft,
    ready_shop,
    store_claim,
)

HERE = (29.56, 106.57)
STEP = 0.0018  # about 200 m to the north


async def _open_at(catalog: Catalog, shop: Shop, **changes: Any) -> UUID:
    store_id = new_id()
    answer = await catalog.put(shop.owner, f"/stores/{store_id}", store_claim(shop.merchant_id, **changes))
    assert answer.status_code == 201, answer.text
    await catalog.put(OPERATOR, f"/stores/{store_id}/verification", {"approve": True})
    return store_id


async def _row_of_stores(catalog: Catalog, shop: Shop, count: int, city: str, **changes: Any) -> list[UUID]:
    """Stores going north from HERE; every second one stands where the one before stands."""
    return [
        await _open_at(catalog, shop, city=city, latitude=HERE[0] + STEP * (at // 2), longitude=HERE[1], **changes)
        for at in range(count)
    ]


async def _search(catalog: Catalog, what: str, **query: Any) -> dict[str, Any]:
    answer = await catalog.get(None, f"/search/{what}?{urlencode(query)}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def _pages(catalog: Catalog, what: str, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = await _search(catalog, what, **query)
        assert len(page["items"]) <= query["limit"]
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]


async def _deal_in(catalog: Catalog, shop: Shop, store_ids: list[UUID], **changes: Any) -> UUID:
    deal_id = new_id()
    await catalog.put(shop.owner, f"/deals/{deal_id}", draft(shop.merchant_id, store_ids, **changes))
    await catalog.put(shop.owner, f"/deals/{deal_id}/submission", {})
    await catalog.put(OPERATOR, f"/deals/{deal_id}/review", {"approve": True})
    answer = await catalog.put(shop.owner, f"/deals/{deal_id}/online", {"online": True})
    assert answer.json()["state"] == "ONLINE", answer.text
    return deal_id


def _name() -> str:
    """A name that no other test has."""
    return f"山城{new_id().hex[-10:]}号"


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
    store_id = await _open_at(catalog, shop, name=store, city=city)
    seen = await _search(catalog, "stores", q=query, city=city)
    assert [one["store_id"] for one in seen["items"]] == ([str(store_id)] if found else [])


async def test_stores_around_a_place_come_nearest_first_with_their_true_distance(catalog: Catalog) -> None:
    shop, city = await ready_shop(catalog), f"city-{new_id()}"
    stores = await _row_of_stores(catalog, shop, 6, city)
    far = await _open_at(catalog, shop, city=city, latitude=HERE[0] + 0.1, longitude=HERE[1])
    place = {"city": city, "latitude": HERE[0], "longitude": HERE[1]}
    seen = (await _search(catalog, "stores", **place))["items"]
    assert [one["store_id"] for one in seen] == [str(one) for one in stores]
    assert [one["distance_m"] for one in seen] == [0, 0, 200, 200, 400, 400]
    wider = (await _search(catalog, "stores", **place, radius_m=12_000))["items"]
    assert (wider[-1]["store_id"], wider[-1]["distance_m"]) == (str(far), 11_119)
    exact = (await _search(catalog, "stores", **place, radius_m=11_118))["items"]
    assert len(exact) == 6


@pytest.mark.parametrize("place", [{}, {"latitude": HERE[0], "longitude": HERE[1]}])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
async def test_paging_through_stores_neither_repeats_nor_skips(
    catalog: Catalog, place: dict[str, Any], limit: int
) -> None:
    shop, city = await ready_shop(catalog), f"city-{new_id()}"
    # Names repeat as well: a place in the list is more than its key.
    stores = await _row_of_stores(catalog, shop, 7, city, name="同名分店" * 15)
    seen = await _pages(catalog, "stores", city=city, limit=limit, **place)
    assert [one["store_id"] for one in seen] == sorted(str(one) for one in stores)


@pytest.mark.parametrize("place", [{}, {"latitude": HERE[0], "longitude": HERE[1]}])
@pytest.mark.parametrize("limit", [1, 2, 5])
async def test_paging_through_deals_neither_repeats_nor_skips(
    catalog: Catalog, place: dict[str, Any], limit: int
) -> None:
    shop, city = await ready_shop(catalog), f"city-{new_id()}"
    stores = await _row_of_stores(catalog, shop, 4, city)
    deals = [await _deal_in(catalog, shop, stores[at % 2 :]) for at in range(7)]
    for at, deal_id in enumerate(deals[:4]):
        await _has_sold(catalog, deal_id, at // 2)
    seen = await _pages(catalog, "deals", city=city, limit=limit, **place)
    assert sorted(one["deal_id"] for one in seen) == sorted(str(one) for one in deals)
    assert len(seen) == len({one["deal_id"] for one in seen})


async def _has_sold(catalog: Catalog, deal_id: UUID, sold: int, available: int = 5) -> None:
    async with catalog.db.transaction() as tx:
        await tx.execute(
            "insert into availability (deal_id, version, available, sold) values ($1, 1, $2, $3)",
            deal_id,
            available,
            sold,
        )


async def test_a_deal_is_found_once_at_the_nearest_of_its_open_stores(catalog: Catalog) -> None:
    shop, city = await ready_shop(catalog), f"city-{new_id()}"
    stores = await _row_of_stores(catalog, shop, 6, city)
    everywhere = await _deal_in(catalog, shop, [shop.store_id, *stores])
    farther = await _deal_in(catalog, shop, stores[3:])
    place = {"city": city, "latitude": HERE[0], "longitude": HERE[1]}
    seen = (await _search(catalog, "deals", **place))["items"]
    assert [(one["deal_id"], one["store"]["store_id"], one["distance_m"]) for one in seen] == [
        (str(everywhere), str(stores[0]), 0),
        (str(farther), str(stores[3]), 200),
    ]
    await catalog.put(OPERATOR, f"/stores/{stores[0]}/closing", {"closed": True, "reason": "停业"})
    await catalog.put(OPERATOR, f"/stores/{stores[1]}/closing", {"closed": True, "reason": "停业"})
    seen = (await _search(catalog, "deals", **place))["items"]
    assert [(one["store"]["store_id"], one["distance_m"]) for one in seen] == [
        (str(stores[2]), 200),
        (str(stores[3]), 200),
    ]


async def test_deals_are_found_by_title_by_merchant_and_by_store_best_sold_first(catalog: Catalog) -> None:
    name = _name()
    shop, city = await ready_shop(catalog), f"city-{new_id()}"
    plain = await _open_at(catalog, shop, city=city)
    named = await _open_at(catalog, shop, city=city, name=name)
    by_title = await _deal_in(catalog, shop, [plain], title=f"双人{name}套餐")
    by_store = await _deal_in(catalog, shop, [named])
    other = await ready_shop(catalog)
    by_merchant = await deal_on_sale(catalog, other)
    async with catalog.db.transaction() as tx:
        await tx.execute("update merchants set name = $2 where merchant_id = $1", other.merchant_id, name)
    for deal_id, sold in ((by_title, 1), (by_store, 3), (by_merchant, 2)):
        await _has_sold(catalog, deal_id, sold)
    seen = (await _search(catalog, "deals", q=name))["items"]
    assert [(one["deal_id"], one["sold"]) for one in seen] == [
        (str(by_store), 3),
        (str(by_merchant), 2),
        (str(by_title), 1),
    ]
    assert seen[0]["store"]["name"] == name
    assert seen[0]["distance_m"] is None
    near = (await _search(catalog, "deals", q=name, latitude=HERE[0], longitude=HERE[1], radius_m=50_000))["items"]
    assert len(near) == 3


@pytest.mark.parametrize("place", [{}, {"latitude": HERE[0], "longitude": HERE[1]}])
async def test_a_cash_voucher_is_found_with_its_worth(catalog: Catalog, place: dict[str, Any]) -> None:
    shop, city = await ready_shop(catalog), f"city-{new_id()}"
    (store_id,) = await _row_of_stores(catalog, shop, 1, city)
    worth = {**CASH_VOUCHER["cash"], "threshold_fen": 0}
    await _deal_in(catalog, shop, [store_id], **{**CASH_VOUCHER, "cash": worth})
    (found,) = (await _search(catalog, "deals", city=city, **place))["items"]
    assert (found["form"], found["cash"]) == ("CASH_VOUCHER", worth)


async def test_a_deal_is_found_by_the_title_on_offer_not_by_an_older_one(catalog: Catalog) -> None:
    shop, old, new = await ready_shop(catalog), _name(), _name()
    deal_id = await deal_on_sale(catalog, shop, title=old)
    await catalog.put(shop.owner, f"/deals/{deal_id}", draft(shop.merchant_id, [shop.store_id], title=new))
    await catalog.put(shop.owner, f"/deals/{deal_id}/submission", {})
    assert len((await _search(catalog, "deals", q=old))["items"]) == 1
    await catalog.put(OPERATOR, f"/deals/{deal_id}/review", {"approve": True})
    assert (await _search(catalog, "deals", q=old))["items"] == []
    assert [one["title"] for one in (await _search(catalog, "deals", q=new))["items"]] == [new]


async def test_what_cannot_be_bought_or_visited_is_not_found(catalog: Catalog) -> None:
    name = _name()
    shop = await ready_shop(catalog)
    store_id = await _open_at(catalog, shop, name=name)
    deal_id = await _deal_in(catalog, shop, [store_id])
    sold_out = await _deal_in(catalog, shop, [store_id])
    await _has_sold(catalog, sold_out, 100, available=0)
    assert [one["deal_id"] for one in (await _search(catalog, "deals", q=name))["items"]] == [str(deal_id)]
    assert [one["store_id"] for one in (await _search(catalog, "stores", q=name))["items"]] == [str(store_id)]
    await catalog.put(OPERATOR, f"/stores/{store_id}/closing", {"closed": True, "reason": "停业"})
    assert (await _search(catalog, "deals", q=name))["items"] == []
    assert (await _search(catalog, "stores", q=name))["items"] == []
    waiting, _ = await registered_store(catalog, name=_name())
    assert str(waiting) not in [one["store_id"] for one in (await _search(catalog, "stores", limit=50))["items"]]


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


class Rollback(Exception):
    """Nothing of what was filled in stays."""


FILLED, AT_ONCE = 20_000, 2_000


async def _fill(tx: Transaction, merchant_id: UUID, operator: str) -> None:
    """Twenty thousand merchants, and as many stores over China, each with a deal; one in a hundred about 火锅."""
    same = """version, phone, account_kind, licence_kind, licence_no, subject_name, legal_person, licence_expires_on,
        licence_evidence, state, applied_by, applied_at, decided_by, decided_at"""
    await tx.execute(
        f"""insert into merchants (merchant_id, name, {same})
            select gen_random_uuid(), case when n % 100 = 0 then '火锅' else '商家' end || left(md5(n::text), 6), {same}
            from merchants cross join generate_series(1, $2::int) n where merchant_id = $1""",
        merchant_id,
        FILLED,
    )
    for first in range(1, FILLED, AT_ONCE):
        await tx.execute(
            """insert into stores (store_id, version, registered_for, last_held_by, merchant_id, registration,
                   registered_at, name, city, address, latitude, longitude, phone)
               select gen_random_uuid(), 1, $1, $1, $1, '{}', now(),
                      case when n % 100 = 0 then '火锅' else '分店' end || left(md5(n::text), 6), 'city-' || n % 50,
                      'x', 20 + (n % 200) * 0.1, 90 + (n / 200) * 0.3, $2
               from generate_series($3::int, $4::int) n""",
            merchant_id,
            str(first),
            first,
            first + AT_ONCE - 1,
        )
        await tx.execute(
            """insert into deals (deal_id, merchant_id, revision, draft, draft_state, version, deal_version, sale_state,
                   total_quota, store_ids)
               select gen_random_uuid(), $1, 1, '{}', 'APPROVED', 1, 1, 'ONLINE', 10, array[store_id]
               from stores where merchant_id = $1 and phone = $2""",
            merchant_id,
            str(first),
        )
        await tx.execute(
            """insert into deal_versions (deal_id, deal_version, content, title, price_fen, original_price_fen,
                   sale_from, sale_until, approved_by, published_at)
               select d.deal_id, 1, '{"kind": "VOUCHER", "cover": "hotpot"}', s.name, 1, 1, '2020-01-01', '2040-01-01',
                      $3, now()
               from deals d join stores s on s.store_id = d.store_ids[1]
               where d.merchant_id = $1 and s.phone = $2 and d.draft = '{}'""",
            merchant_id,
            str(first),
            operator,
        )
    await tx.execute("analyze stores, deals, deal_versions, merchants")


async def _plan(tx: Transaction, statement: tuple[str, list[Any]]) -> str:
    sql, values = statement
    return "\n".join(row[0] for row in await tx.fetch(f"explain {sql}", *values))


async def test_every_search_goes_through_its_index(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    around = Around(29.56, 106.57, 5000)
    with pytest.raises(Rollback):
        async with catalog.db.transaction() as tx:
            await _fill(tx, shop.merchant_id, OPERATOR)
            named = await _plan(tx, stores_statement(Wanted("火锅c4", None, None), None, 21))
            assert "stores_by_gram" in named
            near = await _plan(tx, stores_statement(Wanted(None, None, around), None, 21))
            assert "stores_by_place" in near
            nearest = await _plan(tx, stores_statement(Wanted(None, None, around), None, 2))
            assert "Order By: (place <->" in nearest
            city = await _plan(tx, stores_statement(Wanted(None, "city-7", None), None, 21))
            assert "stores_by_city" in city
            first = await _plan(tx, stores_statement(Wanted(None, None, None), None, 21))
            assert "stores_by_name" in first
            titled = await _plan(tx, deals_statement(tx.now, Wanted("火锅c4", None, None), None, 21))
            assert "deal_versions_by_gram" in titled
            assert "merchants_by_gram" in titled
            assert "stores_by_gram" in titled
            nearby = await _plan(tx, deals_nearby_statement(tx.now, Wanted(None, None, around), around, None, 21))
            assert "stores_by_place" in nearby
            assert "deals_by_store" in nearby or "stores_pkey" in nearby
            raise Rollback


async def test_a_claimant_is_found_once_it_holds_the_store(catalog: Catalog) -> None:
    name = _name()
    store_id, first = await registered_store(catalog, name=name)
    assert (await _search(catalog, "stores", q=name))["items"] == []
    await approve(catalog, Claimant(first.merchant_id, first.owner, first.claim_id))
    assert [one["store_id"] for one in (await _search(catalog, "stores", q=name))["items"]] == [str(store_id)]
