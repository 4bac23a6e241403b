"""What may not be done to a store."""

from typing import Any

import pytest

from shared.ids import new_id
from tests.integration.catalog.claimants import (
    CLOSED,
    REJECT,
    held_store,
    registered_store,
    said,
)
from tests.integration.catalog.shop import (
    OPERATOR,
    Catalog,
)


@pytest.mark.parametrize(
    ("who", "act", "body", "status", "code"),
    [
        ("owner", "closing", CLOSED, 403, "forbidden"),
        ("operator", "closing", {"closed": True}, 422, "reason_needed"),
        ("stranger", "release", {}, 403, "forbidden"),
        ("manager", "release", {}, 403, "forbidden"),
        ("stranger", "details", {"phone": "023-1111"}, 403, "forbidden"),
        ("clerk", "details", {"phone": "023-1111"}, 403, "forbidden"),
        ("manager", "details", {"name": "别的店"}, 403, "store_facts_fixed"),
        ("owner", "details", {"address": "别处"}, 403, "store_facts_fixed"),
        ("owner", "details", {"latitude": 29.0, "longitude": 106.0}, 403, "store_facts_fixed"),
        ("operator", "details", {"latitude": 29.0}, 422, "position_incomplete"),
        ("operator", "details", {"latitude": 106.577, "longitude": 29.5586}, 422, "malformed_input"),
        (
            "owner",
            "details",
            {"hours": [{"weekdays": [8], "opens": "1:00", "closes": "25:00"}]},
            422,
            "malformed_input",
        ),
        (
            "owner",
            "details",
            {"hours": [{"weekdays": [1], "opens": "10:00", "closes": "11:00"}] * 29},
            422,
            "malformed_input",
        ),
        ("owner", "verification", {"approve": True}, 403, "forbidden"),
        ("operator", "verification", REJECT, 409, "already_decided"),
    ],
)
async def test_what_may_not_be_done_to_a_store_is_refused_and_leaves_it_as_it_is(
    catalog: Catalog, who: str, act: str, body: dict[str, Any], status: int, code: str
) -> None:
    store_id, holder = await held_store(catalog)
    people = {"owner": holder.owner, "operator": OPERATOR, "stranger": "stranger"}
    for role in ("manager", "clerk"):
        people[role] = f"{role}-{new_id()}"
        place = {"subject": people[role], "role": role.upper()}
        await catalog.put(holder.owner, f"/merchants/{holder.merchant_id}/staff/{new_id()}", place)
    answer = await catalog.put(people[who], f"/stores/{store_id}/{act}", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert len(await said(catalog, store_id)) == 2


@pytest.mark.parametrize("act", ["release", "details", "closing", "verification"])
async def test_a_store_that_does_not_exist_is_not_found(catalog: Catalog, act: str) -> None:
    body = {"closed": True, "reason": "x", "approve": True}
    answer = await catalog.put(OPERATOR, f"/stores/{new_id()}/{act}", body)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_store_that_nobody_holds_is_not_given_back(catalog: Catalog) -> None:
    store_id, first = await registered_store(catalog)
    answer = await catalog.put(first.owner, f"/stores/{store_id}/release", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "store_not_held")
    details = await catalog.put(first.owner, f"/stores/{store_id}/details", {"phone": "023-1111"})
    assert details.status_code == 403
