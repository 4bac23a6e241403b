"""Merchants register their stores in the pages' form, before the running catalog."""

from typing import Any
from uuid import UUID

import pytest

from tests.integration.catalog.pages import Desk, Form, desk_of, form_in
from tests.integration.catalog.shop import OPERATOR, Catalog, put_staff, ready_shop, verified_merchant

PLACE: dict[str, Any] = {
    "name": "国贸店",
    "city": "海口",
    "phone": "0898-66000001",
    "address": "美兰区国贸路 56 号",
    "latitude": "20.031",
    "longitude": "１１０.331",
    "hours.0.weekdays": ["1", "2", "3", "4", "5"],
    "hours.0.opens": "10:30",
    "hours.0.closes": "2:00",
    "licence_evidence": "lease-2024.pdf",
}


async def blank_form(desk: Desk, merchant_id: UUID) -> Form:
    listed = await desk.browser.get(f"/m/stores?merchant={merchant_id}")
    assert f'href="/m/stores/new?merchant={merchant_id}"' in listed.text
    return await desk.open(f"/m/stores/new?merchant={merchant_id}")


def store_of(form: Form) -> UUID:
    """The store whose id was minted with the form."""
    return UUID(form.action.removeprefix("/m/stores/").partition("/")[0])


async def listed(catalog: Catalog, merchant_id: UUID, owner: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await catalog.get(owner, f"/merchants/{merchant_id}/stores")).json()["items"]
    return items


async def test_a_store_is_registered_once_however_often_the_form_is_sent(catalog: Catalog) -> None:
    merchant_id, owner = await verified_merchant(catalog)
    async with desk_of(catalog, owner) as desk:
        blank = await blank_form(desk, merchant_id)
        for _ in range(2):
            done = await desk.send(blank, **PLACE)
            assert (done.status_code, done.headers.get("location")) == (303, f"/m/stores?merchant={merchant_id}"), (
                done.text
            )
        assert "国贸店" in (await desk.browser.get(f"/m/stores?merchant={merchant_id}")).text
    (store,) = await listed(catalog, merchant_id, owner)
    assert (store["store_id"], store["state"]) == (str(store_of(blank)), "CLAIMED")
    assert (store["name"], store["city"], store["address"]) == ("国贸店", "海口", "美兰区国贸路 56 号")
    assert (store["latitude"], store["longitude"], store["phone"]) == (20.031, 110.331, "0898-66000001")
    assert store["hours"] == [{"weekdays": [1, 2, 3, 4, 5], "opens": "10:30", "closes": "02:00"}]
    decided = await catalog.put(OPERATOR, f"/stores/{store['store_id']}/verification", {"approve": True})
    assert decided.json()["open"] is True


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"phone": "call me"}, "phone"),
        ({"latitude": "110.3", "longitude": "20.0"}, "latitude"),
        ({"latitude": "north"}, "latitude"),
        ({"longitude": ""}, "longitude"),
        ({"longitude": "nan"}, "longitude"),
        ({"hours.0.opens": "25:00"}, "hours.0.opens"),
        ({"hours.0.weekdays": None}, "hours.0.weekdays"),
        ({"licence_evidence": ""}, "licence_evidence"),
    ],
)
async def test_what_is_wrong_with_a_store_is_told_at_its_field_and_the_rest_stays(
    catalog: Catalog, changes: dict[str, Any], field: str
) -> None:
    merchant_id, owner = await verified_merchant(catalog)
    typed = {**PLACE, **changes}
    async with desk_of(catalog, owner) as desk:
        blank = await blank_form(desk, merchant_id)
        answer = await desk.send(blank, **typed)
    assert answer.status_code == 422
    again = form_in(answer.text)
    assert again.wrong.get(field, "").strip(), again.wrong
    assert again.action == blank.action
    kept = {name: text if isinstance(text, list) else [text] for name, text in typed.items() if text}
    assert {name: again.sent[name] for name in kept} == kept
    assert await listed(catalog, merchant_id, owner) == []


async def test_the_same_form_with_another_place_is_refused_and_stays_filled(catalog: Catalog) -> None:
    merchant_id, owner = await verified_merchant(catalog)
    async with desk_of(catalog, owner) as desk:
        blank = await blank_form(desk, merchant_id)
        await desk.send(blank, **PLACE)
        answer = await desk.send(blank, **{**PLACE, "name": "海甸店"})
    assert answer.status_code == 409
    assert "该编号已用于其他内容" in answer.text
    assert form_in(answer.text).sent["name"] == ["海甸店"]


async def test_a_clerk_registers_no_store(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    _, clerk = await put_staff(catalog, shop, "CLERK")
    async with desk_of(catalog, shop.owner) as desk:
        blank = await blank_form(desk, shop.merchant_id)
    async with desk_of(catalog, clerk) as desk:
        assert (await desk.browser.get(f"/m/stores/new?merchant={shop.merchant_id}")).status_code == 403
        assert (await desk.send(blank, **PLACE)).status_code == 403
        assert "/m/stores/new" not in (await desk.browser.get(f"/m/stores?merchant={shop.merchant_id}")).text
    assert len(await listed(catalog, shop.merchant_id, shop.owner)) == 1
