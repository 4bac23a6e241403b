"""A store that closes, is given back or changes hands: what is said, and that its deals stop at once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from services.catalog import use_cases
from services.catalog.use_cases import stores as stores_module
from shared.ids import new_id
from tests.integration.catalog.claimants import (
    REJECT,
    Claimant,
    approve,
    claims,
    compete,
    competitor,
    eventually_said,
    held_store,
    registered_store,
    said,
)
from tests.integration.catalog.shop import (
    OPERATOR,
    Catalog,
    Shop,
    deal_in_review,
    deal_on_sale,
    draft,
    open_store,
    ready_shop,
    store_claim,
    verified_merchant,
    won_and_lost,
)

CLOSED = {"closed": True, "reason": "卫生检查不合格"}
OPENED = {"closed": False}


async def _close(catalog: Catalog, store_id: UUID, body: dict[str, Any] = CLOSED) -> Any:
    return await catalog.put(OPERATOR, f"/stores/{store_id}/closing", body)


async def test_closing_and_opening_again_are_said_once_each_with_one_version(catalog: Catalog) -> None:
    store_id, holder = await held_store(catalog)
    for _ in range(2):
        closed = (await _close(catalog, store_id)).json()
        assert (closed["open"], closed["closed_reason"], closed["version"]) == (False, "卫生检查不合格", 3)
    for _ in range(2):
        opened = (await _close(catalog, store_id, OPENED)).json()
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
        answers = await asyncio.gather(*(_close(catalog, store_id) for _ in range(3)))
        assert {(answer.status_code, answer.json()["version"]) for answer in answers} == {(200, 3)}
        assert [closure for closure, *_ in await said(catalog, store_id)].count("CLOSED") == 1


async def test_of_two_operators_who_close_a_store_for_different_reasons_at_once_one_wins(catalog: Catalog) -> None:
    for _ in range(5):
        store_id, _ = await held_store(catalog)
        bodies = [{"closed": True, "reason": reason} for reason in ("卫生检查不合格", "证照过期")]
        answers = await asyncio.gather(*(_close(catalog, store_id, body) for body in bodies))
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
    await _close(catalog, store_id)
    await approve(catalog, other)
    assert (await said(catalog, store_id))[-1] == (None, False, str(other.merchant_id), 4)
    assert (await _close(catalog, store_id, OPENED)).json()["open"] is True


async def _gives_back(catalog: Catalog, shop: Shop, store_id: UUID) -> None:
    assert (await catalog.put(shop.owner, f"/stores/{store_id}/release", {})).status_code == 200


async def _closes(catalog: Catalog, _: Shop, store_id: UUID) -> None:
    assert (await _close(catalog, store_id)).status_code == 200


async def _is_lost(catalog: Catalog, _: Shop, store_id: UUID) -> None:
    assert (await approve(catalog, await competitor(catalog, store_id))).status_code == 200


Ends = Callable[[Catalog, Shop, UUID], Awaitable[None]]


@pytest.mark.parametrize("ends", [_gives_back, _closes, _is_lost])
async def test_deals_of_a_store_that_is_lost_sell_in_the_others_and_nowhere_when_none_is_left(
    catalog: Catalog, ends: Ends
) -> None:
    shop = await ready_shop(catalog)
    second = await open_store(catalog, shop.merchant_id, shop.owner)
    here, both, draft_only = await deal_on_sale(catalog, shop), new_id(), await deal_in_review(catalog, shop)
    await catalog.put(shop.owner, f"/deals/{both}", draft(shop.merchant_id, [shop.store_id, second]))
    await catalog.put(shop.owner, f"/deals/{both}/submission", {})
    await catalog.put(OPERATOR, f"/deals/{both}/review", {"approve": True})
    await catalog.put(shop.owner, f"/deals/{both}/online", {"online": True})
    await ends(catalog, shop, shop.store_id)
    await eventually_said(catalog, here, online=False, store_ids=[])
    await eventually_said(catalog, both, online=True, store_ids=[str(second)])
    assert await catalog.said(draft_only) == []
    assert (await catalog.get(None, f"/deals/{here}")).json()["state"] == "OFFLINE"
    assert (await catalog.get(None, f"/deals/{both}")).json()["state"] == "ON_SALE"
    if ends is _closes:
        await _close(catalog, shop.store_id, OPENED)
        await eventually_said(catalog, here, online=True, store_ids=[str(shop.store_id)])


async def test_more_deals_than_one_transaction_takes_are_all_said(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores_module, "DEALS_AT_ONCE", 2)
    shop = await ready_shop(catalog)
    second = await open_store(catalog, shop.merchant_id, shop.owner)
    deals = [await deal_on_sale(catalog, shop) for _ in range(5)]
    other = await deal_on_sale(catalog, Shop(shop.merchant_id, shop.owner, second))
    await asyncio.gather(_close(catalog, shop.store_id), _close(catalog, second))
    for deal_id in (*deals, other):
        changed = await eventually_said(catalog, deal_id, online=False, store_ids=[])
        assert changed["version"] == 3


async def _waits_for_a_lock(catalog: Catalog, task: "asyncio.Task[Any]") -> None:
    """Until a request stands before a row that this test holds."""
    async with asyncio.timeout(20):
        while not task.done():
            async with catalog.db.transaction(read_only=True) as tx:
                if await tx.value(
                    """select exists (select from pg_stat_activity where wait_event_type = 'Lock'
                       and application_name = 'groupbuy-catalog' and datname = current_database())"""
                ):
                    return
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("publishes", ["review", "online"])
async def test_a_deal_that_goes_on_sale_while_its_store_closes_never_ends_up_selling_there(
    catalog: Catalog, publishes: str
) -> None:
    """Whoever comes first, the last word about the deal is that its store is closed."""
    for _ in range(10):
        shop = await ready_shop(catalog)
        deal_id = await deal_in_review(catalog, shop)
        review = (OPERATOR, f"/deals/{deal_id}/review", {"approve": True})
        sale = (shop.owner, f"/deals/{deal_id}/online", {"online": True})
        if publishes == "online":
            await catalog.put(*review)
        await asyncio.gather(_close(catalog, shop.store_id), catalog.put(*(review if publishes == "review" else sale)))
        if await catalog.said(deal_id):
            await eventually_said(catalog, deal_id, online=False, store_ids=[])
            await catalog.put(*sale)
            await eventually_said(catalog, deal_id, online=False, store_ids=[])


async def test_a_store_does_not_close_while_a_deal_in_it_is_published(catalog: Catalog) -> None:
    """The deal holds its stores: the closing waits, and what it sets off finds the deal."""
    shop = await ready_shop(catalog)
    deal_id = await deal_in_review(catalog, shop)
    async with catalog.db.transaction() as tx:
        await use_cases.review_deal(tx, deal_id, OPERATOR, approve=True, template=None, reason=None, revision=None)
        closing = asyncio.create_task(_close(catalog, shop.store_id))
        await _waits_for_a_lock(catalog, closing)
        assert not closing.done()
    assert (await closing).json()["open"] is False
    await eventually_said(catalog, deal_id, online=False, store_ids=[])


async def test_what_is_said_again_is_what_is_true_once_nobody_else_speaks_for_the_deal(catalog: Catalog) -> None:
    """A statement that waits for the deal must not tell of the stores as they were before it waited."""
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)

    async def say_again() -> None:
        async with catalog.db.transaction() as tx:
            await use_cases.announce_deals(tx, [deal_id])

    async with catalog.db.transaction() as tx:
        await tx.execute("select from deals where deal_id = $1 for no key update", deal_id)
        speaking = asyncio.create_task(say_again())
        await _waits_for_a_lock(catalog, speaking)
        await tx.execute(
            "update stores set closed_reason = 'x', version = version + 1 where store_id = $1", shop.store_id
        )
    await speaking
    await eventually_said(catalog, deal_id, online=False, store_ids=[])


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


Act = tuple[str, str, dict[str, Any]]


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
