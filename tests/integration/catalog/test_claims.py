"""Competing for a store: who gets it, who is told why not, and who may ask again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.catalog.domain import claims as limits
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


async def test_claimants_see_their_own_claims_and_strangers_none(catalog: Catalog) -> None:
    store_id, first = await registered_store(catalog)
    second = await competitor(catalog, store_id)
    assert list(await claims(catalog, second.owner, store_id)) == [str(second.claim_id)]
    assert len(await claims(catalog, OPERATOR, store_id)) == 2
    assert (await catalog.get("stranger", f"/stores/{store_id}/claims")).status_code == 403
    assert (await catalog.get(first.owner, f"/stores/{new_id()}/claims")).status_code == 404
    page = (await catalog.get(OPERATOR, f"/stores/{store_id}/claims?limit=1")).json()
    rest = (await catalog.get(OPERATOR, f"/stores/{store_id}/claims?limit=1&cursor={page['next_cursor']}")).json()
    assert [one["claim_id"] for one in page["items"] + rest["items"]] == [str(second.claim_id), str(first.claim_id)]
    assert rest["next_cursor"] is None


async def test_the_operators_queue_shows_competing_claims_and_appeals_beside_each_other(catalog: Catalog) -> None:
    store_id, holder = await held_store(catalog)
    other = await competitor(catalog, store_id)
    await decide(catalog, other, REJECT)
    await catalog.put(other.owner, f"/claims/{other.claim_id}/appeal", APPEAL)
    async with catalog.db.transaction() as tx:
        # The queue shows the oldest fifty; other tests leave theirs behind.
        await tx.execute("update store_claims set waiting_since = '2020-01-01' where claim_id = $1", other.claim_id)
    item = (await catalog.get(OPERATOR, "/operator/queue")).json()["stores"][0]
    assert (item["claim_id"], item["store_id"], item["name"]) == (str(other.claim_id), str(store_id), "解放碑店")
    assert (item["state"], item["appeal"], item["version"]) == ("APPEALED", APPEAL, 3)
    assert (item["merchant_id"], item["merchant_name"]) == (str(other.merchant_id), "老码头火锅")
    assert [(one["claim_id"], one["state"]) for one in item["competing"]] == [(str(holder.claim_id), "APPROVED")]
    assert (await decide(catalog, other, REJECT, **{"If-Match": '"3"'})).status_code == 200


async def test_a_merchant_sees_its_stores_page_by_page_each_with_its_claim(catalog: Catalog) -> None:
    store_id, first = await registered_store(catalog)
    second_id = new_id()
    await catalog.put(first.owner, f"/stores/{second_id}", store_claim(first.merchant_id))
    await decide(catalog, first, REJECT)
    path = f"/merchants/{first.merchant_id}/stores?limit=1"
    page = (await catalog.get(first.owner, path)).json()
    rest = (await catalog.get(OPERATOR, f"{path}&cursor={page['next_cursor']}")).json()
    seen = [(one["store_id"], one["state"], one["reason"]) for one in page["items"] + rest["items"]]
    assert seen == [(str(store_id), "REJECTED", "证据不足"), (str(second_id), "CLAIMED", None)]
    assert rest["next_cursor"] is None
    assert (await catalog.get("stranger", path)).status_code == 403


Refused = Callable[[Catalog, UUID, Claimant], Awaitable[Any]]


async def _claims_twice(catalog: Catalog, store_id: UUID, one: Claimant) -> Any:
    return await compete(catalog, store_id, Claimant(one.merchant_id, one.owner, new_id()))


async def _uses_anothers_claim_id(catalog: Catalog, store_id: UUID, one: Claimant) -> Any:
    return await compete(catalog, store_id, one, evidence="other-scan")


async def _claims_nothing(catalog: Catalog, _: UUID, one: Claimant) -> Any:
    return await compete(catalog, new_id(), Claimant(one.merchant_id, one.owner, new_id()))


async def _claims_for_a_stranger(catalog: Catalog, store_id: UUID, one: Claimant) -> Any:
    return await compete(catalog, store_id, Claimant(one.merchant_id, "stranger", new_id()))


async def _suspend(catalog: Catalog, merchant_id: UUID) -> None:
    answer = await catalog.put(OPERATOR, f"/merchants/{merchant_id}/suspension", {"suspended": True, "reason": "x"})
    assert answer.status_code == 200, answer.text


async def _claims_for_a_suspended_merchant(catalog: Catalog, store_id: UUID, one: Claimant) -> Any:
    merchant_id, owner = await verified_merchant(catalog)
    await _suspend(catalog, merchant_id)
    return await compete(catalog, store_id, Claimant(merchant_id, owner, new_id()))


async def _awards_to_a_suspended_merchant(catalog: Catalog, _: UUID, one: Claimant) -> Any:
    await _suspend(catalog, one.merchant_id)
    return await approve(catalog, one)


async def _rejects_without_a_reason(catalog: Catalog, _: UUID, one: Claimant) -> Any:
    return await decide(catalog, one, {"approve": False})


async def _approves_what_was_rejected(catalog: Catalog, _: UUID, one: Claimant) -> Any:
    await decide(catalog, one, REJECT)
    return await approve(catalog, one)


async def _decides_as_a_claimant(catalog: Catalog, _: UUID, one: Claimant) -> Any:
    return await catalog.put(one.owner, f"/claims/{one.claim_id}/decision", {"approve": True})


async def _decides_nothing(catalog: Catalog, _: UUID, one: Claimant) -> Any:
    return await catalog.put(OPERATOR, f"/claims/{new_id()}/decision", {"approve": True})


async def _appeals_while_waiting(catalog: Catalog, _: UUID, one: Claimant) -> Any:
    return await catalog.put(one.owner, f"/claims/{one.claim_id}/appeal", APPEAL)


async def _appeals_without_words(catalog: Catalog, _: UUID, one: Claimant) -> Any:
    return await catalog.put(one.owner, f"/claims/{one.claim_id}/appeal", {**APPEAL, "text": "  "})


async def _appeals_for_another(catalog: Catalog, _: UUID, one: Claimant) -> Any:
    await decide(catalog, one, REJECT)
    return await catalog.put("stranger", f"/claims/{one.claim_id}/appeal", APPEAL)


async def _appeals_beside_a_new_claim(catalog: Catalog, store_id: UUID, one: Claimant) -> Any:
    await decide(catalog, one, REJECT)
    await compete(catalog, store_id, Claimant(one.merchant_id, one.owner, new_id()))
    return await catalog.put(one.owner, f"/claims/{one.claim_id}/appeal", APPEAL)


@pytest.mark.parametrize(
    ("happens", "status", "code"),
    [
        (_claims_twice, 409, "claim_exists"),
        (_uses_anothers_claim_id, 409, "id_taken"),
        (_claims_nothing, 404, "not_found"),
        (_claims_for_a_stranger, 403, "forbidden"),
        (_claims_for_a_suspended_merchant, 409, "merchant_not_verified"),
        (_awards_to_a_suspended_merchant, 409, "merchant_not_verified"),
        (_rejects_without_a_reason, 422, "reason_needed"),
        (_approves_what_was_rejected, 409, "already_decided"),
        (_decides_as_a_claimant, 403, "forbidden"),
        (_decides_nothing, 404, "not_found"),
        (_appeals_while_waiting, 409, "claim_not_appealable"),
        (_appeals_without_words, 422, "malformed_input"),
        (_appeals_for_another, 403, "forbidden"),
        (_appeals_beside_a_new_claim, 409, "claim_exists"),
    ],
)
async def test_a_claim_that_cannot_be_is_refused_with_its_reason(
    catalog: Catalog, happens: Refused, status: int, code: str
) -> None:
    store_id, _ = await registered_store(catalog)
    second = await competitor(catalog, store_id)
    answer = await happens(catalog, store_id, second)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


async def test_only_so_many_claims_wait_on_a_store_and_of_a_merchant(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WAITING_PER_STORE", 2)
    store_id, first = await registered_store(catalog)
    rivals = [Claimant(*await verified_merchant(catalog), new_id()) for _ in range(4)]
    answers = await asyncio.gather(*(compete(catalog, store_id, rival) for rival in rivals))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert {one.json()["code"] for one in answers if one.status_code == 409} == {"too_many_claims_on_store"}
    monkeypatch.setattr(limits, "WAITING_PER_MERCHANT", 3)
    body = store_claim(first.merchant_id)
    registered = await asyncio.gather(
        *(catalog.put(first.owner, f"/stores/{new_id()}", body) for _ in range(5)),
    )
    assert sorted(answer.status_code for answer in registered) == [201, 201, 409, 409, 409]
    assert {one.json()["code"] for one in registered if one.status_code == 409} == {"too_many_open_claims"}


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("update store_claims set state = 'APPROVED', reason = null where claim_id = $1", asyncpg.CheckViolationError),
        ("update store_claims set state = 'RELEASED' where claim_id = $1", asyncpg.CheckViolationError),
        (
            """insert into store_claims (claim_id, store_id, merchant_id, version, licence_evidence, state, claimed_at,
                   waiting_since, decided_at)
               select gen_random_uuid(), store_id, registered_for, 1, 'x', 'APPROVED', now(), now(), now()
               from stores where store_id = (select store_id from store_claims where claim_id = $1)""",
            asyncpg.UniqueViolationError,
        ),
        (
            """insert into store_claims (claim_id, store_id, merchant_id, version, licence_evidence, state, claimed_at,
                   waiting_since)
               select gen_random_uuid(), c.store_id, h.merchant_id, 1, 'x', 'CLAIMED', now(), now()
               from store_claims c join store_claims h on h.store_id = c.store_id and h.state = 'APPROVED'
               where c.claim_id = $1""",
            asyncpg.UniqueViolationError,
        ),
        (
            """update stores set merchant_id = registered_for, last_held_by = null
               where store_id = (select store_id from store_claims where claim_id = $1)""",
            asyncpg.CheckViolationError,
        ),
    ],
    ids=["a_lost_claim_wins", "a_lost_claim_is_released", "two_hold", "one_asks_twice", "held_by_nobody_known"],
)
async def test_the_database_refuses_what_a_mistaken_statement_would_do(
    catalog: Catalog, statement: str, error: type[Exception]
) -> None:
    store_id, holder = await held_store(catalog)
    other = await competitor(catalog, store_id)
    await approve(catalog, other)
    with pytest.raises(error):
        async with catalog.db.transaction() as tx:
            await tx.execute(statement, holder.claim_id)


async def test_the_database_takes_no_second_appeal(catalog: Catalog) -> None:
    _, first = await registered_store(catalog)
    await decide(catalog, first, REJECT)
    await catalog.put(first.owner, f"/claims/{first.claim_id}/appeal", APPEAL)
    await decide(catalog, first, REJECT)
    with pytest.raises(asyncpg.CheckViolationError, match="second appeal"):
        async with catalog.db.transaction() as tx:
            await tx.execute("update store_claims set state = 'APPEALED' where claim_id = $1", first.claim_id)
