"""Competing for a store: who gets it, who is told why not, and who may ask again."""

import asyncio

from shared.ids import derived_id, new_id
from tests.integration.catalog.claimants import (
    APPEAL,
    REJECT,
    Claimant,
    approve,
    claims,
    compete,
    competitor,
    decide,
    held_store,
    registered_store,
    said,
)
from tests.integration.catalog.shop import OPERATOR, Catalog, store_claim, verified_merchant, won_and_lost


async def test_a_place_is_registered_with_a_claim_whose_id_follows_from_store_and_merchant(catalog: Catalog) -> None:
    store_id, first = await registered_store(catalog)
    (claim,) = (await claims(catalog, first.owner, store_id)).values()
    assert (claim["claim_id"], claim["state"], claim["version"]) == (str(first.claim_id), "CLAIMED", 1)
    assert (await catalog.get(None, f"/stores/{store_id}")).status_code == 404


async def test_of_several_claimants_one_gets_the_store_and_the_others_are_told_why_not(catalog: Catalog) -> None:
    store_id, first = await registered_store(catalog)
    second, third = await competitor(catalog, store_id), await competitor(catalog, store_id)
    assert (await approve(catalog, second)).json()["state"] == "APPROVED"
    seen = await claims(catalog, OPERATOR, store_id)
    states = [seen[str(one.claim_id)]["state"] for one in (first, second, third)]
    assert states == ["REJECTED", "APPROVED", "REJECTED"]
    assert "another claimant" in seen[str(first.claim_id)]["reason"]
    assert (await catalog.get(None, f"/stores/{store_id}")).json()["merchant"]["merchant_id"] == str(second.merchant_id)
    assert await said(catalog, store_id) == [
        (None, False, str(first.merchant_id), 1),
        (None, True, str(second.merchant_id), 2),
    ]


async def test_a_store_that_is_awarded_to_another_is_lost_to_its_holder(catalog: Catalog) -> None:
    store_id, holder = await held_store(catalog)
    other = await competitor(catalog, store_id)
    assert (await approve(catalog, other)).json()["state"] == "APPROVED"
    assert (await claims(catalog, OPERATOR, store_id))[str(holder.claim_id)]["state"] == "LOST"
    assert (await said(catalog, store_id))[-2:] == [
        ("TRANSFERRED", None, str(holder.merchant_id), 3),
        (None, True, str(other.merchant_id), 3),
    ]


async def test_the_loser_appeals_once_and_may_get_the_store_back(catalog: Catalog) -> None:
    store_id, holder = await held_store(catalog)
    other = await competitor(catalog, store_id)
    await approve(catalog, other)
    path = f"/claims/{holder.claim_id}/appeal"
    appealed = (await catalog.put(holder.owner, path, APPEAL)).json()
    assert (appealed["state"], appealed["appeal"]) == ("APPEALED", APPEAL)
    assert (await catalog.put(holder.owner, path, APPEAL)).json() == appealed
    assert (await approve(catalog, holder)).json()["state"] == "APPROVED"
    assert (await claims(catalog, OPERATOR, store_id))[str(other.claim_id)]["state"] == "LOST"
    assert (await said(catalog, store_id))[-2:] == [
        ("TRANSFERRED", None, str(other.merchant_id), 4),
        (None, True, str(holder.merchant_id), 4),
    ]


async def test_an_appeal_that_is_refused_was_the_last(catalog: Catalog) -> None:
    _, first = await registered_store(catalog)
    await decide(catalog, first, REJECT)
    path = f"/claims/{first.claim_id}/appeal"
    assert (await catalog.put(first.owner, path, APPEAL)).status_code == 200
    assert (await decide(catalog, first, REJECT)).json()["state"] == "REJECTED"
    again = await catalog.put(first.owner, path, {**APPEAL, "text": "再看一次"})
    assert (again.status_code, again.json()["code"]) == (409, "appeal_used")


async def test_of_two_operators_who_award_a_store_to_two_claimants_at_once_exactly_one_wins(catalog: Catalog) -> None:
    for _ in range(15):
        store_id, first = await registered_store(catalog)
        second = await competitor(catalog, store_id)
        answers = await asyncio.gather(approve(catalog, first), approve(catalog, second))
        # Whoever read the claim before the other decided it sees another version of it.
        assert sorted(answer.json().get("code", "") for answer in answers) in (
            ["", "already_decided"],
            ["", "changed_meanwhile"],
        )
        states = sorted(one["state"] for one in (await claims(catalog, OPERATOR, store_id)).values())
        assert states == ["APPROVED", "REJECTED"]
        assert len(await said(catalog, store_id)) == 2


async def test_of_two_operators_who_take_a_held_store_for_two_claimants_at_once_one_wins_and_it_is_lost_once(
    catalog: Catalog,
) -> None:
    for _ in range(8):
        store_id, holder = await held_store(catalog)
        second, third = await competitor(catalog, store_id), await competitor(catalog, store_id)
        answers = await asyncio.gather(approve(catalog, second), approve(catalog, third))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        assert [closure for closure, *_ in await said(catalog, store_id)] == [None, None, "TRANSFERRED", None]
        assert (await claims(catalog, OPERATOR, store_id))[str(holder.claim_id)]["state"] == "LOST"


async def test_of_two_operators_who_refuse_a_claim_for_different_reasons_at_once_one_wins(catalog: Catalog) -> None:
    for _ in range(5):
        _, claimant = await registered_store(catalog)
        bodies = [{"approve": False, "reason": reason} for reason in ("执照不清", "地址不符")]
        answers = await asyncio.gather(*(decide(catalog, claimant, body) for body in bodies))
        won, lost = won_and_lost(bodies, answers)
        assert lost.json()["code"] == "already_decided"
        again = await decide(catalog, claimant, won)
        assert (again.status_code, again.json()["reason"], again.json()["version"]) == (200, won["reason"], 2)


async def test_a_claim_that_arrives_twice_at_once_is_one_claim(catalog: Catalog) -> None:
    store_id, _ = await registered_store(catalog)
    merchant_id, owner = await verified_merchant(catalog)
    claimant = Claimant(merchant_id, owner, new_id())
    answers = await asyncio.gather(*(compete(catalog, store_id, claimant) for _ in range(4)))
    assert {(answer.status_code, answer.json()["version"]) for answer in answers} == {(201, 1)}


async def test_deciding_quotes_the_version_that_was_read(catalog: Catalog) -> None:
    _, first = await registered_store(catalog)
    stale = await approve(catalog, first, **{"If-Match": '"7"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "changed_meanwhile")
    assert (await approve(catalog, first, **{"If-Match": '"1"'})).status_code == 200
    assert (await approve(catalog, first)).json()["version"] == 2


async def test_the_merchant_that_registered_a_place_may_do_so_anew_after_a_rejection(catalog: Catalog) -> None:
    store_id, first = await registered_store(catalog)
    await decide(catalog, first, REJECT)
    body = store_claim(first.merchant_id, name="解放碑二店", licence_evidence="licence-scan-2")
    again = (await catalog.put(first.owner, f"/stores/{store_id}", body)).json()
    assert (again["name"], again["state"], again["version"]) == ("解放碑二店", "CLAIMED", 2)
    assert again["claim_id"] == str(derived_id(first.claim_id, "again"))
    assert (await catalog.put(first.owner, f"/stores/{store_id}", body)).json() == again
    assert len(await claims(catalog, first.owner, store_id)) == 2


async def test_a_place_is_not_described_anew_while_another_asks_for_it(catalog: Catalog) -> None:
    store_id, first = await registered_store(catalog)
    await competitor(catalog, store_id)
    await decide(catalog, first, REJECT)
    answer = await catalog.put(first.owner, f"/stores/{store_id}", store_claim(first.merchant_id, name="别的店"))
    assert (answer.status_code, answer.json()["code"]) == (409, "id_taken")
