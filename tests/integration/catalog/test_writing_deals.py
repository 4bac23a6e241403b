"""Merchants write deals in the pages' forms, before the running catalog."""

from typing import Any
from uuid import UUID

import pytest

from shared.ids import new_id
from tests.integration.catalog.pages import Desk, Form, desk_of, form_in
from tests.integration.catalog.shop import (
    OPERATOR,
    Catalog,
    Shop,
    deal_on_sale,
    draft,
    put_staff,
    ready_shop,
)
from tests.integration.catalog.test_deal_pages import FORMS
from tests.integration.catalog.typed_deals import (
    CASH_WITH_PARTY,
    COMMON,
    EVERYTHING,
    ITEM,
    PARTY,
    REFUSED,
    RULES,
    WRITTEN,
)


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
