"""Stores, and the people who work in them."""

import asyncio

from shared.ids import new_id
from tests.integration.catalog.shop import (
    OPERATOR,
    Catalog,
    applied_merchant,
    open_store,
    ready_shop,
    store_claim,
    verified_merchant,
)


async def test_a_claimed_store_opens_when_an_operator_verifies_it(catalog: Catalog) -> None:
    merchant_id, owner = await verified_merchant(catalog)
    store_id = await open_store(catalog, merchant_id, owner)
    said = [(topic, body["open"], body["version"]) for topic, body in await catalog.said(store_id)]
    assert said == [("catalog.store_changed.v1", False, 1), ("catalog.store_changed.v1", True, 2)]


async def test_only_the_merchants_own_people_claim_for_it(catalog: Catalog) -> None:
    merchant_id, _ = await applied_merchant(catalog)
    answer = await catalog.put("stranger", f"/stores/{new_id()}", store_claim(merchant_id))
    assert answer.status_code == 403


async def test_a_store_id_of_another_merchant_is_taken(catalog: Catalog) -> None:
    first, second = await ready_shop(catalog), await ready_shop(catalog)
    answer = await catalog.put(second.owner, f"/stores/{first.store_id}", store_claim(second.merchant_id))
    assert (answer.status_code, answer.json()["code"]) == (409, "id_taken")


async def test_a_rejected_claim_may_be_made_again(catalog: Catalog) -> None:
    merchant_id, owner = await applied_merchant(catalog)
    store_id = new_id()
    await catalog.put(owner, f"/stores/{store_id}", store_claim(merchant_id))
    body = {"approve": False, "reason": "证据不足"}
    rejected = (await catalog.put(OPERATOR, f"/stores/{store_id}/verification", body)).json()
    assert (rejected["state"], rejected["reason"], rejected["open"]) == ("REJECTED", "证据不足", False)
    claim = store_claim(merchant_id, licence_evidence="licence-scan-2")
    assert (await catalog.put(owner, f"/stores/{store_id}", claim)).json()["state"] == "CLAIMED"


async def test_of_two_operators_who_decide_differently_at_once_one_wins_and_the_other_is_told(
    catalog: Catalog,
) -> None:
    merchant_id, owner = await applied_merchant(catalog)
    for _ in range(5):
        store_id = new_id()
        await catalog.put(owner, f"/stores/{store_id}", store_claim(merchant_id))
        path = f"/stores/{store_id}/verification"
        answers = await asyncio.gather(
            catalog.put(OPERATOR, path, {"approve": True}),
            catalog.put(OPERATOR, path, {"approve": False, "reason": "证据不足"}),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        opened = sum(body["open"] for _, body in await catalog.said(store_id))
        winner = next(answer for answer in answers if answer.status_code == 200).json()
        assert (winner["open"], opened) == ((True, 1) if winner["state"] == "APPROVED" else (False, 0))


async def test_an_owner_gives_changes_and_takes_a_place_and_each_change_is_said_once(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    staff_id, clerk = new_id(), f"clerk-{new_id()}"
    path = f"/merchants/{shop.merchant_id}/staff/{staff_id}"
    place = {"subject": clerk, "role": "CLERK", "store_ids": [str(shop.store_id)], "active": True}
    await catalog.put(shop.owner, path, place)
    await catalog.put(shop.owner, path, place)
    (seen,) = (await catalog.get(clerk, "/me/merchants")).json()["items"]
    assert (seen["role"], seen["stores"]) == ("CLERK", [{"store_id": str(shop.store_id), "name": "解放碑店"}])
    await catalog.put(shop.owner, path, {**place, "active": False})
    assert (await catalog.get(clerk, "/me/merchants")).json()["items"] == []
    assert [(body["version"], body["active"]) for _, body in await catalog.said(staff_id)] == [(1, True), (2, False)]


async def test_a_clerk_gives_nobody_a_place(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    clerk = f"clerk-{new_id()}"
    await catalog.put(
        shop.owner, f"/merchants/{shop.merchant_id}/staff/{new_id()}", {"subject": clerk, "role": "CLERK"}
    )
    own = await catalog.put(
        clerk, f"/merchants/{shop.merchant_id}/staff/{new_id()}", {"subject": "friend", "role": "OWNER"}
    )
    assert own.status_code == 403


async def test_no_merchant_makes_operators_or_lends_anothers_store(catalog: Catalog) -> None:
    shop, other = await ready_shop(catalog), await ready_shop(catalog)
    path = f"/merchants/{shop.merchant_id}/staff/{new_id()}"
    operator = await catalog.put(shop.owner, path, {"subject": "friend", "role": "OPERATOR"})
    foreign = await catalog.put(
        shop.owner, path, {"subject": "friend", "role": "CLERK", "store_ids": [str(other.store_id)]}
    )
    twice = await catalog.put(shop.owner, path, {"subject": shop.owner, "role": "CLERK"})
    assert [answer.json()["code"] for answer in (operator, foreign, twice)] == [
        "role_not_assignable",
        "store_not_of_merchant",
        "staff_exists",
    ]


async def test_two_owners_who_dismiss_each_other_at_once_leave_one(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    second, second_id = f"owner-{new_id()}", new_id()
    path = f"/merchants/{shop.merchant_id}/staff"
    await catalog.put(shop.owner, f"{path}/{second_id}", {"subject": second, "role": "OWNER"})
    async with catalog.db.transaction(read_only=True) as tx:
        first_id = await tx.value("select staff_id from staff where subject = $1", shop.owner)
    answers = await asyncio.gather(
        catalog.put(shop.owner, f"{path}/{second_id}", {"subject": second, "role": "OWNER", "active": False}),
        catalog.put(second, f"{path}/{first_id}", {"subject": shop.owner, "role": "OWNER", "active": False}),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 403]


async def test_the_last_owner_stays(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    async with catalog.db.transaction(read_only=True) as tx:
        staff_id = await tx.value("select staff_id from staff where subject = $1", shop.owner)
    path = f"/merchants/{shop.merchant_id}/staff/{staff_id}"
    answer = await catalog.put(shop.owner, path, {"subject": shop.owner, "role": "CLERK"})
    assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")
    assert (await catalog.get(shop.owner, "/me/merchants")).json()["items"][0]["role"] == "OWNER"
