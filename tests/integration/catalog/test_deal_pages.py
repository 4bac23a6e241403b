"""What everybody reads of a deal, what checkout hears of it, and the merchant's list."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.catalog import consumers, store
from services.catalog.domain.deals import DealState, deal_state
from shared.clock import business_day
from shared.contracts.checkout import AvailabilityChanged
from shared.ids import new_id
from tests.integration.catalog.shop import (
    CASH_VOUCHER,
    OPERATOR,
    Catalog,
    deal_in_review,
    deal_on_sale,
    draft,
    edit_in_review,
    open_store,
    ready_shop,
)

DELIVERY: dict[str, Any] = {
    "modes": ["SELF", "COURIER"],
    "fee_fen": 600,
    "weight_g": 1500,
    "category": "fruit",
    "mode_fees": [{"mode": "COURIER", "fee_fen": 900}],
    "free_from_fen": 9900,
}
JOURNEY: dict[str, Any] = {
    "party_min": 1,
    "party_max": 8,
    "days": 2,
    "itinerary": ["到达", "返程"],
    "includes": "门票",
    "excludes": "餐费",
    "cancellation": "出发前 3 天可退",
}
ROOM: dict[str, Any] = {
    "room_type": "海景大床房",
    "nights": 1,
    "guests": 2,
    "breakfasts": 2,
    "check_in_from": "14:00",
    "check_out_until": "12:00",
    "surcharges": [{"from_date": "2027-02-06", "until_date": "2027-02-12", "amount_fen": 30000, "note": "春节"}],
}
FORMS: list[dict[str, Any]] = [
    {"form": "SET", "category": "TOURISM", "catering": None, "tourism": JOURNEY},
    {
        "form": "SET",
        "category": "HOTEL",
        "catering": None,
        "hotel": ROOM,
        "booking": {"needed": True, "hours_ahead": 24, "hint": "请致电"},
    },
    CASH_VOUCHER,
    {"form": "TIMES_CARD", "uses_per_unit": 10},
    {"form": "THIRD_PARTY_CODE", "code_source": "POOL", "refund_policy": "ON_EXPIRY"},
    {"form": "GOODS", "category": "OTHER", "catering": None, "delivery": DELIVERY},
]
_SHARED = ("form", "uses_per_unit", "cash", "code_source", "refund_policy")


def _says(shown: Any, written: Any) -> bool:
    """Whether all that was written is shown; defaults may stand beside it."""
    if isinstance(written, dict):
        return all(_says(shown[name], value) for name, value in written.items())
    return bool(shown == written)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form['form']}-{form.get('category', 'CATERING')}")
async def test_each_form_is_sold_with_all_its_terms_and_checkout_hears_what_it_needs(
    catalog: Catalog, form: dict[str, Any]
) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop, **form)
    page = (await catalog.get(None, f"/deals/{deal_id}")).json()
    assert _says(page, form)
    assert (page["state"], page["kind"]) == ("ON_SALE", "GOODS" if form["form"] == "GOODS" else "VOUCHER")
    _, published = (await catalog.said(deal_id))[0]
    assert {name: published[name] for name in _SHARED} == {name: page[name] for name in _SHARED}
    assert (published["delivery"], published["rules"]) == (page["delivery"], page["rules"])


def _around_today() -> list[dict[str, Any]]:
    """All hours but those of the days from the day after tomorrow on: a deal must be usable at some hour."""
    today = business_day(datetime.now(UTC)).isoweekday()
    return [{"weekdays": [today, today % 7 + 1], "opens": "00:00", "closes": "24:00"}]


def _in_days(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ({"valid_days": 90}, None),
        ({"use_from": _in_days(3), "use_until": _in_days(60)}, "not_yet_valid"),
        ({"valid_days": 90, "blackout_hours": _around_today()}, "blackout_hours"),
    ],
)
async def test_the_page_says_by_the_rules_of_redemption_whether_it_can_be_used_at_once(
    catalog: Catalog, rules: dict[str, Any], code: str | None
) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop, rules=rules)
    page = (await catalog.get(None, f"/deals/{deal_id}")).json()
    (shown,) = page["stores"]
    assert (page["usable_now"], shown["usable_now"]) == (code is None, code is None)
    if code is None:
        assert shown["not_usable"] is None
        return
    assert shown["not_usable"]["code"] == code
    assert shown["not_usable"]["zh"]
    assert shown["not_usable"]["en"]


async def test_a_closed_store_is_shown_as_not_usable_and_the_others_still_are(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    second = await open_store(catalog, shop.merchant_id, shop.owner)
    await catalog.put(shop.owner, f"/deals/{deal_id}/stores", {"store_ids": [str(shop.store_id), str(second)]})
    async with catalog.db.transaction() as tx:
        await tx.execute("update stores set closed_reason = 'x' where store_id = $1", shop.store_id)
    page = (await catalog.get(None, f"/deals/{deal_id}")).json()
    usable = {store["store_id"]: store["usable_now"] for store in page["stores"]}
    assert usable == {str(shop.store_id): False, str(second): True}
    assert page["usable_now"] is True
    (why,) = [store["not_usable"] for store in page["stores"] if store["store_id"] == str(shop.store_id)]
    assert why == {"code": "store_closed", "zh": "本门店已停业", "en": "This store is closed"}


async def test_nothing_of_a_suspended_merchant_is_shown_as_usable_because_the_till_takes_nothing(
    catalog: Catalog,
) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    suspended = {"suspended": True, "reason": "投诉过多"}
    await catalog.put(OPERATOR, f"/merchants/{shop.merchant_id}/suspension", suspended)
    page = (await catalog.get(None, f"/deals/{deal_id}")).json()
    assert (page["usable_now"], [one["usable_now"] for one in page["stores"]]) == (False, [False])
    assert page["stores"][0]["not_usable"]["code"] == "store_closed"
    await catalog.put(OPERATOR, f"/merchants/{shop.merchant_id}/suspension", {"suspended": False})
    assert (await catalog.get(None, f"/deals/{deal_id}")).json()["usable_now"] is True


async def test_a_store_that_another_merchant_has_won_is_no_longer_shown(catalog: Catalog) -> None:
    shop, winner = await ready_shop(catalog), await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    async with catalog.db.transaction() as tx:
        await tx.execute(
            "update stores set merchant_id = $2, last_held_by = $2 where store_id = $1",
            shop.store_id,
            winner.merchant_id,
        )
    page = (await catalog.get(None, f"/deals/{deal_id}")).json()
    assert (page["stores"], page["usable_now"], page["state"]) == ([], False, "OFFLINE")


async def test_goods_are_delivered_and_not_used_in_a_store(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop, **FORMS[-1])
    page = (await catalog.get(None, f"/deals/{deal_id}")).json()
    assert (page["usable_now"], page["stores"][0]["usable_now"]) == (None, None)


async def test_a_page_that_is_known_is_not_sent_again_until_something_on_it_changes(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    path = f"/deals/{deal_id}"

    async def tag_after_it_was(known: str) -> str:
        changed = await catalog.get(None, path, **{"If-None-Match": known})
        assert changed.status_code == 200
        tag: str = changed.headers["etag"]
        assert tag.startswith('W/"')
        same = await catalog.get(None, path, **{"If-None-Match": f'"other", {tag}'})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
        return tag

    tag = await tag_after_it_was('W/"nothing"')
    await catalog.put(shop.owner, f"{path}/stock", {"total_quota": 250})
    tag = await tag_after_it_was(tag)
    left = AvailabilityChanged(occurred_at=datetime.now(UTC), version=1, deal_id=deal_id, available=40, sold=60)
    await consumers.keep_availability(left, catalog.db)
    tag = await tag_after_it_was(tag)
    async with catalog.db.transaction() as tx:
        await tx.execute("update stores set closed_reason = 'x' where store_id = $1", shop.store_id)
    tag = await tag_after_it_was(tag)
    await edit_in_review(catalog, shop, deal_id, price_fen=9900)
    assert (await catalog.get(None, path, **{"If-None-Match": tag})).status_code == 304, "a draft is nobody's business"
    await catalog.put(OPERATOR, f"{path}/review", {"approve": True})
    await tag_after_it_was(tag)


async def test_a_merchant_pages_through_its_own_deals_by_state(catalog: Catalog) -> None:
    shop, other = await ready_shop(catalog), await ready_shop(catalog)
    await deal_on_sale(catalog, other)
    made = {
        "DRAFT": new_id(),
        "IN_REVIEW": await deal_in_review(catalog, shop),
        "ONLINE": await deal_on_sale(catalog, shop),
    }
    await catalog.put(shop.owner, f"/deals/{made['DRAFT']}", draft(shop.merchant_id, [shop.store_id]))
    path = f"/merchants/{shop.merchant_id}/deals"
    first = (await catalog.get(shop.owner, f"{path}?limit=2")).json()
    second = (await catalog.get(shop.owner, f"{path}?limit=2&cursor={first['next_cursor']}")).json()
    listed = [item["deal_id"] for item in (*first["items"], *second["items"])]
    assert listed == sorted(map(str, made.values()), reverse=True)
    assert (len(first["items"]), second["next_cursor"]) == (2, None)
    for state, deal_id in made.items():
        (item,) = (await catalog.get(OPERATOR, f"{path}?state={state}")).json()["items"]
        assert (item["deal_id"], item["state"]) == (str(deal_id), state)
    assert (item["form"], item["kind"], item["available"], item["online"]) == ("SET", "VOUCHER", 100, True)


async def test_the_list_is_for_the_merchants_staff_and_operators(catalog: Catalog) -> None:
    shop, other = await ready_shop(catalog), await ready_shop(catalog)
    path = f"/merchants/{shop.merchant_id}/deals"
    assert (await catalog.get(other.owner, path)).status_code == 403
    assert (await catalog.get(None, path)).status_code == 401
    assert (await catalog.get(OPERATOR, path)).json() == {"items": [], "next_cursor": None}
    for query, code in (
        ("cursor=x", "cursor_invalid"),
        ("state=SOLD", "malformed_input"),
        ("limit=51", "malformed_input"),
    ):
        answer = await catalog.get(shop.owner, f"{path}?{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_the_list_and_the_rules_agree_on_every_state(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    body = draft(shop.merchant_id, [shop.store_id])
    await catalog.put(shop.owner, f"/deals/{new_id()}", body)
    await deal_in_review(catalog, shop)
    rejected = await deal_in_review(catalog, shop)
    await catalog.put(OPERATOR, f"/deals/{rejected}/review", {"approve": False, "reason": "x"})
    approved = await deal_in_review(catalog, shop)
    await catalog.put(OPERATOR, f"/deals/{approved}/review", {"approve": True})
    offline, ended, edited = [await deal_on_sale(catalog, shop) for _ in range(3)]
    await catalog.put(shop.owner, f"/deals/{offline}/online", {"online": False})
    await edit_in_review(catalog, shop, edited, price_fen=9900)
    ending = datetime.now(UTC) + timedelta(minutes=10)
    await edit_in_review(catalog, shop, ended, sale_until=ending.isoformat())
    await catalog.put(OPERATOR, f"/deals/{ended}/review", {"approve": True})
    await deal_on_sale(catalog, shop)
    async with catalog.db.transaction() as tx:
        tx.now = ending
        rows = await store.merchant_deals(tx, shop.merchant_id, None, None, 50)
        known = {row.deal_id: await store.deal(tx, row.deal_id) for row in rows}
        states = {row.deal_id: row.state for row in rows}
        assert states == {deal_id: deal_state(deal, tx.now) for deal_id, deal in known.items() if deal is not None}
    assert set(states.values()) == set(DealState)
