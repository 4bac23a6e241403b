"""Claims, decisions and appeals that are refused, by catalog or at last by its database."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.catalog.domain import claims as limits
from shared.ids import new_id
from tests.integration.catalog.claimants import (
    APPEAL,
    REJECT,
    Claimant,
    approve,
    compete,
    competitor,
    decide,
    held_store,
    registered_store,
)
from tests.integration.catalog.shop import OPERATOR, Catalog, store_claim, verified_merchant

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
