"""What is said of a store: by whoever registers it, by its holder, by the platform."""

import asyncio

import pytest

from shared.ids import new_id
from tests.integration.catalog.claimants import (
    held_store,
    said,
)
from tests.integration.catalog.shop import (
    OPERATOR,
    Catalog,
    open_store,
    store_claim,
    verified_merchant,
)


async def test_the_holder_changes_phone_and_hours_and_the_platform_everything(catalog: Catalog) -> None:
    store_id, holder = await held_store(catalog)
    hours = [{"weekdays": [6, 7], "opens": "18:00", "closes": "02:00"}]
    path = f"/stores/{store_id}/details"
    answer = await catalog.put(holder.owner, path, {"phone": "023-1111", "hours": hours}, **{"If-Match": '"2"'})
    assert (answer.json()["phone"], answer.json()["hours"], answer.headers["etag"]) == ("023-1111", hours, '"3"')
    again = await catalog.put(holder.owner, path, {"phone": "023-1111", "hours": hours}, **{"If-Match": '"2"'})
    assert again.json()["version"] == 3
    moved = {"name": "解放碑新店", "latitude": 29.6, "longitude": 106.6}
    assert (await catalog.put(OPERATOR, path, moved)).json()["name"] == "解放碑新店"
    _, event = (await catalog.said(store_id))[-1]
    assert (event["name"], event["latitude"], event["phone"], event["hours"]) == ("解放碑新店", 29.6, "023-1111", hours)
    assert [version for *_, version in await said(catalog, store_id)] == [1, 2, 3, 4]


async def test_of_two_who_change_the_same_version_at_once_one_wins(catalog: Catalog) -> None:
    store_id, holder = await held_store(catalog)
    path = f"/stores/{store_id}/details"
    answers = await asyncio.gather(
        *(catalog.put(holder.owner, path, {"phone": f"023-{at}000"}, **{"If-Match": '"2"'}) for at in range(1, 5))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]


async def test_registering_is_repeatable_even_after_the_details_changed(catalog: Catalog) -> None:
    merchant_id, owner = await verified_merchant(catalog)
    store_id = await open_store(catalog, merchant_id, owner)
    await catalog.put(owner, f"/stores/{store_id}/details", {"phone": "023-1111"})
    again = await catalog.put(owner, f"/stores/{store_id}", store_claim(merchant_id))
    assert (again.status_code, again.json()["version"], again.json()["phone"]) == (201, 3, "023-1111")
    other = await catalog.put(owner, f"/stores/{store_id}", store_claim(merchant_id, name="别的店"))
    assert (other.status_code, other.json()["code"]) == (409, "id_taken")


@pytest.mark.parametrize(
    "place",
    [
        {"latitude": 2.9},
        {"latitude": 54.1},
        {"longitude": 72.9},
        {"longitude": 136.1},
        {"latitude": 106.577, "longitude": 29.5586},
    ],
)
async def test_a_place_outside_of_china_is_a_mistake(catalog: Catalog, place: dict[str, float]) -> None:
    merchant_id, owner = await verified_merchant(catalog)
    answer = await catalog.put(owner, f"/stores/{new_id()}", store_claim(merchant_id, **place))
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed_input")
