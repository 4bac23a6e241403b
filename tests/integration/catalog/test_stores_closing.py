"""A store that closes, opens again, or is given back: what is said, and once."""

import asyncio

from shared.ids import new_id
from tests.integration.catalog.claimants import (
    CLOSED,
    OPENED,
    Claimant,
    approve,
    claims,
    close_store,
    compete,
    competitor,
    held_store,
    said,
)
from tests.integration.catalog.shop import (
    OPERATOR,
    Catalog,
    won_and_lost,
)


async def test_closing_and_opening_again_are_said_once_each_with_one_version(catalog: Catalog) -> None:
    store_id, holder = await held_store(catalog)
    for _ in range(2):
        closed = (await close_store(catalog, store_id)).json()
        assert (closed["open"], closed["closed_reason"], closed["version"]) == (False, "卫生检查不合格", 3)
    for _ in range(2):
        opened = (await close_store(catalog, store_id, OPENED)).json()
        assert (opened["open"], opened["closed_reason"], opened["version"]) == (True, None, 4)
    merchant = str(holder.merchant_id)
    assert (await said(catalog, store_id))[2:] == [
        ("CLOSED", None, merchant, 3),
        (None, False, merchant, 3),
        (None, True, merchant, 4),
    ]


async def test_two_operators_who_close_a_store_at_once_say_it_once(catalog: Catalog) -> None:
    for _ in range(8):
        store_id, _ = await held_store(catalog)
        answers = await asyncio.gather(*(close_store(catalog, store_id) for _ in range(3)))
        assert {(answer.status_code, answer.json()["version"]) for answer in answers} == {(200, 3)}
        assert [closure for closure, *_ in await said(catalog, store_id)].count("CLOSED") == 1


async def test_of_two_operators_who_close_a_store_for_different_reasons_at_once_one_wins(catalog: Catalog) -> None:
    for _ in range(5):
        store_id, _ = await held_store(catalog)
        bodies = [{"closed": True, "reason": reason} for reason in ("卫生检查不合格", "证照过期")]
        answers = await asyncio.gather(*(close_store(catalog, store_id, body) for body in bodies))
        won, lost = won_and_lost(bodies, answers)
        assert (lost.json()["code"], lost.json()["reason"]) == ("already_closed", won["reason"])
        assert (await catalog.get(None, f"/stores/{store_id}")).json()["closed_reason"] == won["reason"]


async def test_an_operator_who_saw_the_store_before_another_acted_is_told(catalog: Catalog) -> None:
    store_id, holder = await held_store(catalog)
    await catalog.put(holder.owner, f"/stores/{store_id}/details", {"phone": "023-63009999"})
    path = f"/stores/{store_id}/closing"
    stale = await catalog.put(OPERATOR, path, CLOSED, **{"If-Match": '"2"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "changed_meanwhile")
    assert (await catalog.put(OPERATOR, path, CLOSED, **{"If-Match": '"3"'})).json()["open"] is False
    stale = await catalog.put(OPERATOR, path, OPENED, **{"If-Match": '"3"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "changed_meanwhile")


async def test_a_store_given_back_has_no_holder_and_says_so_once(catalog: Catalog) -> None:
    store_id, holder = await held_store(catalog)
    for _ in range(2):
        released = (await catalog.put(holder.owner, f"/stores/{store_id}/release", {})).json()
        assert (released["merchant_id"], released["open"], released["state"]) == (None, False, "RELEASED")
    merchant = str(holder.merchant_id)
    assert (await said(catalog, store_id))[2:] == [("RELEASED", None, merchant, 3), (None, False, merchant, 3)]
    page = (await catalog.get(None, f"/stores/{store_id}")).json()
    assert (page["merchant"], page["open"], page["deals"]) == (None, False, [])


async def test_whoever_gave_a_store_back_may_claim_it_again(catalog: Catalog) -> None:
    store_id, holder = await held_store(catalog)
    await catalog.put(holder.owner, f"/stores/{store_id}/release", {})
    again = Claimant(holder.merchant_id, holder.owner, new_id())
    assert (await compete(catalog, store_id, again)).status_code == 201
    await approve(catalog, again)
    assert (await said(catalog, store_id))[-1] == (None, True, str(holder.merchant_id), 4)
    assert len(await claims(catalog, OPERATOR, store_id)) == 2


async def test_a_closed_store_that_is_awarded_stays_closed(catalog: Catalog) -> None:
    store_id, _ = await held_store(catalog)
    other = await competitor(catalog, store_id)
    await close_store(catalog, store_id)
    await approve(catalog, other)
    assert (await said(catalog, store_id))[-1] == (None, False, str(other.merchant_id), 4)
    assert (await close_store(catalog, store_id, OPENED)).json()["open"] is True
