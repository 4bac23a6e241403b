"""Inviting people to work at a merchant, and taking the place."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from services.catalog import use_cases
from services.catalog.domain.staff import Offer
from services.console.environment import seal_keys
from shared.contracts.catalog import StaffRole
from shared.database import Transaction
from shared.errors import DomainError
from shared.ids import new_id
from shared.sealed import Seals
from tests.integration.catalog.inviting import accept, invite, somebody, token_of_link
from tests.integration.catalog.shop import (
    Catalog,
    put_staff,
    ready_shop,
)
from tests.support.environment import Environment


async def test_an_invited_person_reads_the_offer_takes_the_place_and_everybody_is_told(catalog: Catalog) -> None:
    shop, person = await ready_shop(catalog), somebody()
    token = await token_of_link(catalog, shop, role="MANAGER", store_ids=[str(shop.store_id)], note="小李")
    offer = (await catalog.get(person, f"/invitations/{token}")).json()
    offered = (offer["merchant_name"], offer["role"], offer["store_names"], offer["state"])
    assert offered == ("老码头火锅", "MANAGER", ["解放碑店"], "OPEN")
    accepted = await accept(catalog, token, person)
    assert accepted.status_code == 200, accepted.text
    place = accepted.json()
    assert (place["subject"], place["role"], place["active"]) == (person, "MANAGER", True)
    (work,) = (await catalog.get(person, "/me/merchants")).json()["items"]
    assert (work["merchant_id"], work["role"]) == (str(shop.merchant_id), "MANAGER")
    ((topic, body),) = await catalog.said(UUID(place["staff_id"]))
    assert (topic, body["subject"], body["store_ids"]) == (
        "catalog.staff_changed.v1",
        person,
        [str(shop.store_id)],
    )


async def test_the_token_is_long_fit_for_a_link_and_the_same_for_the_same_invitation(catalog: Catalog) -> None:
    shop, invitation_id = await ready_shop(catalog), new_id()
    first = await invite(catalog, shop, invitation_id)
    again = await invite(catalog, shop, invitation_id)
    other = await invite(catalog, shop)
    assert first.json() == again.json()
    assert re.fullmatch(r"[0-9A-Za-z_-]{27}", first.json()["token"])
    assert first.json()["token"] != other.json()["token"]
    taken = await invite(catalog, shop, invitation_id, role="FINANCE")
    assert (taken.status_code, taken.json()["code"]) == (409, "id_taken")


async def test_the_token_is_nowhere_in_the_database_and_not_in_the_list(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    token = await token_of_link(catalog, shop)
    async with catalog.db.transaction(read_only=True) as tx:
        rows = await tx.fetch(
            "select i::text as text from staff_invitations i where merchant_id = $1", shop.merchant_id
        )
    assert all(token not in row["text"] for row in rows)
    listed = await catalog.get(shop.owner, f"/merchants/{shop.merchant_id}/invitations")
    assert len(listed.json()["items"]) == 1
    assert token not in listed.text


async def test_one_person_accepts_once_and_may_ask_again(catalog: Catalog) -> None:
    shop, person = await ready_shop(catalog), somebody()
    token = await token_of_link(catalog, shop)
    first, again = await accept(catalog, token, person), await accept(catalog, token, person)
    assert first.json() == again.json()
    assert len(await catalog.said(UUID(first.json()["staff_id"]))) == 1
    other = await accept(catalog, token, somebody())
    assert (other.status_code, other.json()["code"]) == (409, "invitation_used")
    assert (await catalog.get(somebody(), f"/invitations/{token}")).json()["state"] == "ACCEPTED"


async def test_of_two_people_who_accept_at_once_one_gets_the_place(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    for _ in range(5):
        token = await token_of_link(catalog, shop)
        answers = await asyncio.gather(*(accept(catalog, token, somebody()) for _ in range(3)))
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409]


async def test_a_withdrawn_link_gives_no_place_and_a_used_one_cannot_be_withdrawn(catalog: Catalog) -> None:
    shop, invitation_id = await ready_shop(catalog), new_id()
    token = (await invite(catalog, shop, invitation_id)).json()["token"]
    path = f"/merchants/{shop.merchant_id}/invitations/{invitation_id}/revocation"
    for _ in range(2):
        assert (await catalog.put(shop.owner, path, {})).json()["state"] == "REVOKED"
    refused = await accept(catalog, token, somebody())
    assert (refused.status_code, refused.json()["code"]) == (409, "invitation_revoked")
    used_id = new_id()
    used = (await invite(catalog, shop, used_id)).json()["token"]
    await accept(catalog, used, somebody())
    late = await catalog.put(shop.owner, f"/merchants/{shop.merchant_id}/invitations/{used_id}/revocation", {})
    assert (late.status_code, late.json()["code"]) == (409, "invitation_used")


async def test_a_link_is_good_for_seven_days(catalog: Catalog, environment: Environment) -> None:
    shop = await ready_shop(catalog)
    seals = Seals(seal_keys(environment.local.keys))
    token = await token_of_link(catalog, shop)
    async with catalog.db.transaction() as tx:
        tx.now += timedelta(days=7)
        assert await _why_refused(tx, token, seals) == "invitation_expired"
    async with catalog.db.transaction() as tx:
        tx.now += timedelta(days=7, minutes=-1)
        assert await _why_refused(tx, token, seals) is None


async def _why_refused(tx: Transaction, token: str, seals: Seals) -> str | None:
    try:
        await use_cases.accept_invitation(tx, token, somebody(), seals)
    except DomainError as error:
        return error.code
    return None


async def test_somebody_who_left_comes_back_to_their_own_place(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    staff_id, clerk = await put_staff(catalog, shop, "CLERK")
    left = {"subject": clerk, "role": "CLERK", "active": False}
    await catalog.put(shop.owner, f"/merchants/{shop.merchant_id}/staff/{staff_id}", left)
    place = (await accept(catalog, await token_of_link(catalog, shop, role="FINANCE"), clerk)).json()
    assert (place["staff_id"], place["role"], place["active"]) == (str(staff_id), "FINANCE", True)
    assert [body["version"] for _, body in await catalog.said(staff_id)] == [1, 2, 3]


async def test_at_most_a_hundred_links_are_open_at_once(catalog: Catalog, environment: Environment) -> None:
    shop = await ready_shop(catalog)
    seals = Seals(seal_keys(environment.local.keys))
    offer = Offer(shop.merchant_id, StaffRole.CLERK, (), "")
    first = new_id()
    async with catalog.db.transaction() as tx:
        for invitation_id in (first, *(new_id() for _ in range(98))):
            await use_cases.invite(tx, invitation_id, shop.owner, offer, seals)
    answers = await asyncio.gather(*(invite(catalog, shop) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    refused = next(answer.json() for answer in answers if answer.status_code == 409)
    assert (refused["code"], refused["limit"]) == ("too_many_invitations", 100)
    again = await invite(catalog, shop, first)
    assert again.status_code == 201, "what is there already is no new one"
    await catalog.put(shop.owner, f"/merchants/{shop.merchant_id}/invitations/{first}/revocation", {})
    assert (await invite(catalog, shop)).status_code == 201


async def test_invitations_and_acceptances_of_one_merchant_take_turns(
    catalog: Catalog, environment: Environment
) -> None:
    """Else two at once could each count one below the limit."""
    shop = await ready_shop(catalog)
    seals = Seals(seal_keys(environment.local.keys))
    first, second = [await token_of_link(catalog, shop) for _ in range(2)]
    offer = Offer(shop.merchant_id, StaffRole.CLERK, (), "")
    async with catalog.db.transaction() as tx:
        await use_cases.invite(tx, new_id(), shop.owner, offer, seals)
        with pytest.raises(asyncpg.LockNotAvailableError):
            await _without_patience(catalog, lambda tx: use_cases.invite(tx, new_id(), shop.owner, offer, seals))
    async with catalog.db.transaction() as tx:
        await use_cases.accept_invitation(tx, first, somebody(), seals)
        with pytest.raises(asyncpg.LockNotAvailableError):
            await _without_patience(catalog, lambda tx: use_cases.accept_invitation(tx, second, somebody(), seals))


async def _without_patience(catalog: Catalog, act: Callable[[Transaction], Awaitable[object]]) -> None:
    async with catalog.db.transaction() as tx:
        await tx.execute("set local lock_timeout = '100ms'")
        await act(tx)


async def test_the_list_goes_page_by_page_newest_first(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    made = [(await invite(catalog, shop)).json()["invitation_id"] for _ in range(5)]
    seen: list[str] = []
    path: str | None = f"/merchants/{shop.merchant_id}/invitations?limit=2"
    while path:
        page = (await catalog.get(shop.owner, path)).json()
        seen += [one["invitation_id"] for one in page["items"]]
        cursor = page["next_cursor"]
        path = cursor and f"/merchants/{shop.merchant_id}/invitations?limit=2&cursor={cursor}"
    assert seen == made[::-1]
    bad = await catalog.get(shop.owner, f"/merchants/{shop.merchant_id}/invitations?cursor=nonsense")
    assert (bad.status_code, bad.json()["code"]) == (422, "cursor_invalid")
