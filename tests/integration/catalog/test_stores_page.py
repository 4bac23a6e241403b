"""A store's public page: where it is, when it is open, whom to phone, what can be bought for it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from shared.ids import new_id
from shared.paging import cursor_of
from tests.integration.catalog.claimants import approve, competitor
from tests.integration.catalog.shop import CASH_VOUCHER, OPERATOR, Catalog, deal_on_sale, ready_shop

ALWAYS = [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "opens": "00:00", "closes": "24:00"}]


async def _page(catalog: Catalog, store_id: UUID) -> dict[str, Any]:
    answer = await catalog.get(None, f"/stores/{store_id}")
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


async def test_the_page_shows_the_place_the_merchants_phone_and_cash_vouchers_apart_from_other_deals(
    catalog: Catalog,
) -> None:
    shop = await ready_shop(catalog)
    voucher, plain = await deal_on_sale(catalog, shop, **CASH_VOUCHER), await deal_on_sale(catalog, shop)
    page = await _page(catalog, shop.store_id)
    assert (page["name"], page["phone"], page["open"]) == ("解放碑店", "023-63001235", True)
    assert page["merchant"] == {
        "merchant_id": str(shop.merchant_id),
        "name": "老码头火锅",
        "phone": "023-63001234",
    }
    (shown,) = page["vouchers"]
    assert (shown["deal_id"], shown["form"]) == (str(voucher), "CASH_VOUCHER")
    assert shown["cash"] == {"face_value_fen": 26800, "threshold_fen": 30000}
    assert page["deals"] == [
        {
            "deal_id": str(plain),
            "title": "双人套餐",
            "cover": "hotpot",
            "price_fen": 12800,
            "original_price_fen": 26800,
            "form": "SET",
            "cash": None,
            "sold": 0,
            "available": 100,
            "state": "ON_SALE",
        }
    ]


@pytest.mark.parametrize(
    "change",
    [
        "update deals set sale_state = 'OFFLINE' where deal_id = $1",
        "insert into availability (deal_id, version, available, sold) values ($1, 1, 0, 100)",
        """update merchants set state = 'SUSPENDED', suspended_from = state, suspension_reason = 'x'
           where merchant_id = (select merchant_id from deals where deal_id = $1)""",
        """update payout_accounts set state = 'SUBMITTED', decided_at = null
           where merchant_id = (select merchant_id from deals where deal_id = $1)""",
        """update stores set closed_reason = 'x'
           where store_id in (select unnest(store_ids) from deals where deal_id = $1)""",
    ],
    ids=["offline", "sold_out", "suspended", "unpayable", "closed"],
)
async def test_what_cannot_be_bought_now_is_not_on_the_page(catalog: Catalog, change: str) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    assert len((await _page(catalog, shop.store_id))["deals"]) == 1
    async with catalog.db.transaction() as tx:
        await tx.execute(change, deal_id)
    assert (await _page(catalog, shop.store_id))["deals"] == []


async def test_a_new_holder_shows_its_own_deals_only(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    await deal_on_sale(catalog, shop)
    other = await competitor(catalog, shop.store_id)
    await approve(catalog, other)
    page = await _page(catalog, shop.store_id)
    assert (page["merchant"]["merchant_id"], page["deals"]) == (str(other.merchant_id), [])


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (ALWAYS, True),
        ([], None),
        ("now", True),
        ("an hour ago", False),
    ],
)
async def test_the_page_says_whether_the_store_is_open_now(catalog: Catalog, hours: Any, expected: bool | None) -> None:
    shop = await ready_shop(catalog)
    await catalog.put(shop.owner, f"/stores/{shop.store_id}/details", {"hours": _hours(hours)})
    assert (await _page(catalog, shop.store_id))["open_now"] is expected


def _hours(said: Any) -> Any:
    if isinstance(said, list):
        return said
    # Eight hours ahead of UTC; "an hour ago" ended half an hour before now.
    local = datetime.now(UTC) + timedelta(hours=8)
    begins, ends = (-30, 30) if said == "now" else (-90, -30)
    opens, closes = (f"{local + timedelta(minutes=at):%H:%M}" for at in (begins, ends))
    return [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "opens": opens, "closes": closes}]


async def test_a_closed_store_is_not_open_now_and_says_why(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    await catalog.put(shop.owner, f"/stores/{shop.store_id}/details", {"hours": ALWAYS})
    await catalog.put(OPERATOR, f"/stores/{shop.store_id}/closing", {"closed": True, "reason": "停业装修"})
    page = await _page(catalog, shop.store_id)
    assert (page["open"], page["open_now"], page["closed_reason"]) == (False, False, "停业装修")


async def test_there_is_no_page_of_a_store_that_does_not_exist(catalog: Catalog) -> None:
    assert (await catalog.get(None, f"/stores/{new_id()}")).status_code == 404


@pytest.mark.parametrize(("part", "changes"), [("vouchers", CASH_VOUCHER), ("deals", {})])
async def test_each_part_of_the_page_is_seen_whole_page_by_page_best_sold_first(
    catalog: Catalog, part: str, changes: dict[str, Any]
) -> None:
    shop = await ready_shop(catalog)
    made = [await deal_on_sale(catalog, shop, **changes) for _ in range(5)]
    other = await deal_on_sale(catalog, shop, **({} if changes else CASH_VOUCHER))
    async with catalog.db.transaction() as tx:
        for deal_id, sold in ((made[0], 7), (made[1], 7), (made[2], 9)):
            await tx.execute("insert into availability (deal_id, version, available, sold) values ($1, 1, 9, $2)",
                             deal_id, sold)  # fmt: skip
    order = [made[2], *sorted(made[:2], reverse=True), *sorted(made[3:], reverse=True)]
    beside = "deals" if part == "vouchers" else "vouchers"
    first = (await catalog.get(None, f"/stores/{shop.store_id}?limit=2")).json()
    assert ([one["deal_id"] for one in first[beside]], first["next_cursors"][beside]) == ([str(other)], None)
    found, cursor = first[part], first["next_cursors"][part]
    while cursor:
        page = (await catalog.get(None, f"/stores/{shop.store_id}?part={part}&limit=2&cursor={cursor}")).json()
        assert (page["name"], page[beside], len(page[part]) <= 2) == (first["name"], [], True)
        found, cursor = found + page[part], page["next_cursors"][part]
    assert [one["deal_id"] for one in found] == [str(deal_id) for deal_id in order]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        pytest.param(f"cursor={cursor_of(3, new_id())}", "cursor_invalid", id="no part"),
        pytest.param(f"part=deals&cursor={cursor_of('name', new_id())}", "cursor_invalid", id="another list's cursor"),
        pytest.param("part=rooms", "malformed_input", id="unknown part"),
    ],
)
async def test_what_cannot_be_a_page_of_a_store_is_refused(catalog: Catalog, asked: str, code: str) -> None:
    shop = await ready_shop(catalog)
    answer = await catalog.get(None, f"/stores/{shop.store_id}?{asked}")
    assert (answer.status_code, answer.json()["code"]) == (422, code)
