"""Merchants write deals in the pages' forms, before the running catalog."""

from typing import Any
from uuid import UUID

import pytest

from shared.ids import new_id
from tests.integration.catalog.pages import Desk, Form, desk_of, form_in
from tests.integration.catalog.shop import (
    CASH_VOUCHER,
    OPERATOR,
    Catalog,
    Shop,
    deal_on_sale,
    draft,
    put_staff,
    ready_shop,
)
from tests.integration.catalog.test_deal_pages import FORMS

COMMON: dict[str, Any] = {
    "title": "双人套餐",
    "description": "第一行\r\n第二行",
    "price_fen": "128",
    "original_price_fen": "２６８.５",
    "total_quota": "100",
    "per_buyer_limit": "2",
}
ITEM: dict[str, Any] = {
    "items.1.name": "锅底",
    "items.1.quantity": "1",
    "items.1.price_fen": "68",
    "items.1.portion": "1 锅",
}
PARTY: dict[str, Any] = {"catering.party_min": "2", "catering.party_max": "4", "catering.dine_in_only": "yes"}
RULES: dict[str, Any] = {
    "rules.blackout_weekdays": ["6", "7"],
    "rules.blackout_dates": "2026-12-01 ~ 2026-12-03\r\n\r\n2026-12-24",
    "rules.usable_hours.0.weekdays": ["1", "2"],
    "rules.usable_hours.0.opens": "9：30",
    "rules.usable_hours.0.closes": "02:00",
    "booking.needed": "yes",
    "booking.hours_ahead": "4",
    "booking.hint": "请致电",
}
ROOM: dict[str, Any] = {
    "category": "HOTEL",
    "hotel.room_type": "大床房",
    "hotel.nights": "1",
    "hotel.guests": "2",
    "hotel.check_in_from": "14:00",
    "hotel.check_out_until": "12:00",
    "hotel.surcharges.0.from_date": "2027-02-06",
    "hotel.surcharges.0.until_date": "2027-02-12",
    "hotel.surcharges.0.amount_fen": "300",
}
JOURNEY: dict[str, Any] = {
    "category": "TOURISM",
    "tourism.party_min": "1",
    "tourism.party_max": "8",
    "tourism.days": "2",
    "tourism.itinerary": "到达\r\n返程",
    "tourism.cancellation": "出发前 3 天可退",
}
DELIVERY: dict[str, Any] = {
    "delivery.modes": ["SELF", "COURIER"],
    "delivery.fee_fen": "6",
    "delivery.free_from_fen": "99",
    "delivery.mode_fees.COURIER": "9.5",
    "delivery.weight_g": "1500",
    "delivery.category": "水果",
}
# What is typed into the form of each kind, and what catalog then knows of it.
WRITTEN: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "SET",
        {**ITEM, **PARTY, **RULES},
        {
            "original_price_fen": 26850,
            "description": "第一行\n第二行",
            "items": [{"name": "锅底", "quantity": 1, "price_fen": 6800, "portion": "1 锅"}],
            "catering": {"party_min": 2, "party_max": 4, "dine_in_only": True},
            "booking": {"needed": True, "hours_ahead": 4, "hint": "请致电"},
        },
    ),
    (
        "CASH_VOUCHER",
        {"cash.face_value_fen": "100", "cash.threshold_fen": "200", "rules.max_count": "2", "price_fen": "88"},
        {"original_price_fen": 10000, "cash": {"face_value_fen": 10000, "threshold_fen": 20000}, "items": []},
    ),
    ("TIMES_CARD", {**ITEM, **PARTY, "uses_per_unit": "5"}, {"uses_per_unit": 5}),
    ("THIRD_PARTY_CODE", {**ITEM, **PARTY, "code_source": "POOL"}, {"code_source": "POOL"}),
    (
        "GOODS",
        {**ITEM, **DELIVERY},
        {
            "category": "OTHER",
            "delivery": {
                "modes": ["SELF", "COURIER"],
                "fee_fen": 600,
                "weight_g": 1500,
                "category": "水果",
                "hot_food": False,
                "mode_fees": [{"mode": "COURIER", "fee_fen": 950}],
                "free_from_fen": 9900,
            },
        },
    ),
    ("SET", {**ITEM, **ROOM}, {"category": "HOTEL"}),
    ("SET", {**ITEM, **JOURNEY}, {"category": "TOURISM"}),
]
EVERYTHING: dict[str, Any] = {
    "cover": "https://pictures.example/hotpot.jpg",
    "rules": {
        "use_from": "2026-12-01T00:00:00+08:00",
        "use_until": "2027-12-01T00:00:00+08:00",
        "valid_days": 365,
        "blackout_dates": ["2027-02-05", "2027-02-06", "2027-02-07", "2027-05-01"],
        "blackout_weekdays": [6, 7],
        "usable_hours": [{"weekdays": [1, 2, 3], "opens": "10:00", "closes": "24:00"}],
        "blackout_hours": [{"weekdays": [4], "opens": "11:00", "closes": "13:00"}],
        "max_count": 4,
    },
    "refund_policy": "ON_EXPIRY",
    "booking": {"needed": True, "hours_ahead": 3, "hint": "先打电话"},
    "sale_from": "2026-11-20T10:00:30+08:00",
    "sale_until": "2027-01-20T10:00:00+08:00",
}
CASH_WITH_PARTY = {**CASH_VOUCHER, "catering": {"party_min": 1, "party_max": 6}}


async def new_form(desk: Desk, shop: Shop, form: str = "SET") -> Form:
    return await desk.open(f"/m/deals/new?merchant={shop.merchant_id}&form={form}")


def deal_of(form: Form) -> UUID:
    """The deal whose id was minted with the form."""
    return UUID(form.action.removeprefix("/m/deals/").partition("?")[0])


async def known(catalog: Catalog, shop: Shop, deal_id: UUID) -> dict[str, Any]:
    answer = await catalog.get(shop.owner, f"/deals/{deal_id}/draft")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize(
    ("form", "typed", "said"), WRITTEN, ids=[f"{form}-{typed.get('category', '')}" for form, typed, _ in WRITTEN]
)
async def test_each_kind_of_deal_is_written_and_sent_for_review(
    catalog: Catalog, form: str, typed: dict[str, Any], said: dict[str, Any]
) -> None:
    shop = await ready_shop(catalog)
    async with desk_of(catalog, shop.owner) as desk:
        blank = await new_form(desk, shop, form)
        done = await desk.send(blank, "submit", **{**COMMON, **typed})
    deal_id = deal_of(blank)
    assert (done.status_code, done.headers.get("location")) == (
        303,
        f"/m/deals?merchant={shop.merchant_id}#deal-{deal_id}",
    ), done.text
    draft_now = await known(catalog, shop, deal_id)
    assert (draft_now["state"], draft_now["form"], draft_now["title"]) == ("IN_REVIEW", form, "双人套餐")
    assert draft_now["store_ids"] == [str(shop.store_id)], "the only store is chosen already"
    assert {name: draft_now[name] for name in said} == said


async def test_days_and_hours_of_use_are_written_as_people_type_them(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    async with desk_of(catalog, shop.owner) as desk:
        blank = await new_form(desk, shop)
        assert (await desk.send(blank, **{**COMMON, **ITEM, **PARTY, **RULES})).status_code == 303
    rules = (await known(catalog, shop, deal_of(blank)))["rules"]
    assert rules["blackout_dates"] == ["2026-12-01", "2026-12-02", "2026-12-03", "2026-12-24"]
    assert (rules["blackout_weekdays"], rules["valid_days"]) == ([6, 7], 90)
    assert rules["usable_hours"] == [{"weekdays": [1, 2], "opens": "09:30", "closes": "02:00"}]


@pytest.mark.parametrize(
    "changes", [*FORMS, EVERYTHING, CASH_WITH_PARTY, {"form": "SET", "category": "OTHER", "catering": None}]
)
async def test_an_edit_that_changes_nothing_loses_nothing_of_what_was_written_by_other_means(
    catalog: Catalog, changes: dict[str, Any]
) -> None:
    shop, deal_id = await ready_shop(catalog), new_id()
    said = {"sale_from": "2026-11-20T10:00:00+08:00", "sale_until": "2027-01-20T10:00:00.250+08:00", **changes}
    answer = await catalog.put(shop.owner, f"/deals/{deal_id}", draft(shop.merchant_id, [shop.store_id], **said))
    assert answer.status_code == 201, answer.text
    before = await known(catalog, shop, deal_id)
    async with desk_of(catalog, shop.owner) as desk:
        done = await desk.send(await desk.open(f"/m/deals/{deal_id}/edit?merchant={shop.merchant_id}"))
    assert done.status_code == 303, done.text
    assert await known(catalog, shop, deal_id) == before


# What is typed, with which status the page comes again, and the field at which it says why.
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("SET", {"title": " "}, "title"),
    ("SET", {"price_fen": "12x"}, "price_fen"),
    ("SET", {"price_fen": "0"}, "price_fen"),
    ("SET", {"price_fen": "300"}, "price_fen"),
    ("SET", {"total_quota": "many"}, "total_quota"),
    ("SET", {"total_quota": "1000001"}, "total_quota"),
    ("SET", {"cover": None, "cover_url": None}, "cover"),
    ("SET", {"cover_url": "http://x.example/a.jpg"}, "cover"),
    ("SET", {"sale_until": "2026-01-01T00:00"}, "sale_until"),
    ("SET", {"sale_until": "soon"}, "sale_until"),
    ("SET", {"store_ids": None}, "store_ids"),
    ("SET", {"store_ids": "0192f000-0000-7000-8000-000000000000"}, "store_ids"),
    ("SET", dict.fromkeys(ITEM), "items"),
    ("SET", {"items.1.portion": ""}, "items.0.portion"),
    ("SET", {"items.1.quantity": "0"}, "items.0.quantity"),
    ("SET", {"catering.party_min": "5"}, "catering.party_max"),
    ("SET", {"catering.party_max": ""}, "catering.party_max"),
    ("SET", {"rules.blackout_dates": "tomorrow"}, "rules.blackout_dates"),
    ("SET", {"rules.blackout_dates": "2039-01-01"}, "rules.blackout_dates"),
    ("SET", {"rules.use_until": "2026-01-01T00:00"}, "rules.use_until"),
    ("SET", {"rules.usable_hours.0.opens": "10:00"}, "rules.usable_hours.0.weekdays"),
    ("SET", {"booking.hours_ahead": "4"}, "booking.hours_ahead"),
    ("SET", {**JOURNEY, "tourism.itinerary": "到达"}, "tourism.itinerary"),
    ("SET", {**JOURNEY, "tourism.itinerary": "到达\r\n" + "远" * 201}, "tourism.itinerary"),
    ("SET", {**ROOM, "hotel.surcharges.0.until_date": "2027-01-01"}, "hotel.surcharges"),
    ("CASH_VOUCHER", {"cash.face_value_fen": "100", "rules.max_count": ""}, "rules.max_count"),
    ("CASH_VOUCHER", {"cash.face_value_fen": "200", "cash.threshold_fen": "1", "rules.max_count": "1"},
     "cash.threshold_fen"),
    ("TIMES_CARD", {"uses_per_unit": "1"}, "uses_per_unit"),
    ("THIRD_PARTY_CODE", {}, "code_source"),
    ("GOODS", {**DELIVERY, "delivery.hot_food": "yes"}, "delivery.hot_food"),
    ("GOODS", {**DELIVERY, "delivery.modes": "SELF"}, "delivery.mode_fees"),
    ("GOODS", {**DELIVERY, "delivery.fee_fen": "-1"}, "delivery.fee_fen"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "changes", "field"), REFUSED, ids=lambda one: one if isinstance(one, str) else "")
async def test_what_is_wrong_is_told_at_its_field_and_everything_that_was_typed_stays(
    catalog: Catalog, kind: str, changes: dict[str, Any], field: str
) -> None:
    shop = await ready_shop(catalog)
    typed = {**COMMON, **ITEM, **PARTY, "description": "留着", **changes}
    async with desk_of(catalog, shop.owner) as desk:
        blank = await new_form(desk, shop, kind)
        answer = await desk.send(blank, "submit", **typed)
    assert answer.status_code in {409, 422}, answer.text
    again = form_in(answer.text)
    assert field in again.wrong, again.wrong
    assert again.wrong[field].strip()
    assert again.action == blank.action
    kept = {name.replace("items.1.", "items.0."): text for name, text in typed.items() if text}
    shown = {name: text for name, text in kept.items() if name in again.sent}
    assert {name: again.sent[name] for name in shown} == {
        name: text if isinstance(text, list) else [text] for name, text in shown.items()
    }
    assert {"title", "description"} <= set(again.sent)
    assert (await catalog.get(shop.owner, f"/deals/{deal_of(blank)}/draft")).status_code == 404


async def test_a_form_that_is_sent_twice_is_one_deal(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    async with desk_of(catalog, shop.owner) as desk:
        blank = await new_form(desk, shop)
        for _ in range(2):
            assert (await desk.send(blank, "submit", **COMMON, **ITEM, **PARTY)).status_code == 303
    listed = (await catalog.get(shop.owner, f"/merchants/{shop.merchant_id}/deals")).json()["items"]
    assert [(one["deal_id"], one["state"]) for one in listed] == [(str(deal_of(blank)), "IN_REVIEW")]


async def test_an_edit_of_what_has_changed_meanwhile_is_told_and_writes_nothing(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    _, manager = await put_staff(catalog, shop, "MANAGER")
    async with desk_of(catalog, shop.owner) as desk, desk_of(catalog, manager) as colleague:
        blank = await new_form(desk, shop)
        assert (await desk.send(blank, **COMMON, **ITEM, **PARTY)).status_code == 303
        path = f"/m/deals/{deal_of(blank)}/edit?merchant={shop.merchant_id}"
        mine, theirs = await desk.open(path), await colleague.open(path)
        assert (await colleague.send(theirs, price_fen="120")).status_code == 303
        for stale in (mine, blank):
            answer = await desk.send(stale, **{**COMMON, **ITEM, **PARTY, "price_fen": "99.90"})
            assert answer.status_code == 412
            assert f'href="{path}"' in answer.text, "what it is now can be looked at beside"
            assert "内容已更新" in answer.text
            assert form_in(answer.text).sent["price_fen"] == ["99.90"]
        again = await desk.send(await desk.open(path), price_fen="99.90")
        assert again.status_code == 303
    assert (await known(catalog, shop, deal_of(blank)))["price_fen"] == 9990


async def test_what_is_saved_but_not_sent_for_review_says_so_and_can_be_sent_again(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    async with catalog.db.transaction() as tx:
        await tx.execute("update stores set closed_reason = 'x' where store_id = $1", shop.store_id)
    async with desk_of(catalog, shop.owner) as desk:
        blank = await new_form(desk, shop)
        answer = await desk.send(blank, "submit", **COMMON, **ITEM, **PARTY)
        assert answer.status_code == 409
        assert "草稿已保存，但没有提交审核" in answer.text
        again = form_in(answer.text)
        assert "store_ids" in again.wrong
        async with catalog.db.transaction() as tx:
            await tx.execute("update stores set closed_reason = null where store_id = $1", shop.store_id)
        done = await desk.send(again, "submit", title="改过的标题")
        assert done.status_code == 303, form_in(done.text).wrong
    draft_now = await known(catalog, shop, deal_of(blank))
    assert (draft_now["state"], draft_now["title"]) == ("IN_REVIEW", "改过的标题")


async def test_a_draft_of_the_list_is_sent_for_review_on_the_revision_that_was_seen(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    async with desk_of(catalog, shop.owner) as desk:
        blank = await new_form(desk, shop)
        await desk.send(blank, **COMMON, **ITEM, **PARTY)
        listed = await desk.open(f"/m/deals?merchant={shop.merchant_id}")
        assert listed.action.startswith(f"/m/deals/{deal_of(blank)}/submission")
        stale = Form(listed.action, {**listed.sent, "seen": ["99"]})
        assert (await desk.send(stale)).status_code == 412
        assert (await desk.send(listed)).status_code == 303
    assert (await known(catalog, shop, deal_of(blank)))["state"] == "IN_REVIEW"


async def test_an_edit_of_a_published_deal_leaves_its_stock_and_stores_alone(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    async with desk_of(catalog, shop.owner) as desk:
        form = await desk.open(f"/m/deals/{deal_id}/edit?merchant={shop.merchant_id}")
        await catalog.put(shop.owner, f"/deals/{deal_id}/stock", {"total_quota": 250})
        assert (await desk.send(form, "submit", price_fen="118")).status_code == 303
    draft_now = await known(catalog, shop, deal_id)
    assert (draft_now["price_fen"], draft_now["total_quota"], draft_now["state"]) == (11800, 250, "IN_REVIEW")


async def test_neither_a_clerk_nor_a_stranger_writes_deals(catalog: Catalog) -> None:
    shop, other = await ready_shop(catalog), await ready_shop(catalog)
    _, clerk = await put_staff(catalog, shop, "CLERK")
    async with desk_of(catalog, shop.owner) as desk:
        blank = await new_form(desk, shop)
    for subject in (clerk, other.owner, OPERATOR):
        async with desk_of(catalog, subject) as desk:
            looked = await desk.browser.get(f"/m/deals/new?merchant={shop.merchant_id}&form=SET")
            assert looked.status_code == 403
            assert (await desk.send(blank, **COMMON, **ITEM, **PARTY)).status_code == 403
    async with desk_of(catalog, clerk) as desk:
        assert "/m/deals/new" not in (await desk.browser.get(f"/m/deals?merchant={shop.merchant_id}")).text
    assert (await catalog.get(shop.owner, f"/deals/{deal_of(blank)}/draft")).status_code == 404


async def test_a_form_from_elsewhere_writes_nothing(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    async with desk_of(catalog, shop.owner) as desk:
        blank = await new_form(desk, shop)
        assert (await desk.send(blank, **COMMON, **ITEM, **PARTY, csrf="forged")).status_code == 403
    assert (await catalog.get(shop.owner, f"/deals/{deal_of(blank)}/draft")).status_code == 404


async def test_another_category_and_more_rows_are_asked_without_losing_what_was_typed(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    async with desk_of(catalog, shop.owner) as desk:
        blank = await new_form(desk, shop)
        as_room = form_in((await desk.send(blank, "category.HOTEL", **COMMON, **ITEM)).text)
        assert (as_room.sent["category"], as_room.sent["title"]) == (["HOTEL"], ["双人套餐"])
        assert "hotel.room_type" in as_room.sent
        assert "catering.party_min" not in as_room.sent
        wider = form_in((await desk.send(as_room, "more.items")).text)
        assert (wider.sent["items.0.name"], wider.sent["items.3.name"]) == (["锅底"], [""])
        assert wider.action == blank.action
