"""Searching among many: each search goes through its index."""

from typing import Any
from uuid import UUID

import pytest

from services.catalog.domain.search import Around, Wanted
from services.catalog.store.search import deals_nearby_statement, deals_statement, stores_statement
from shared.database import Transaction
from tests.integration.catalog.shop import (
    OPERATOR,
    Catalog,
    ready_shop,
)


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
