"""Links that give no place, and people who may not invite."""

import pytest

from shared.ids import new_id
from tests.integration.catalog.inviting import accept, invite, somebody, token_of_link
from tests.integration.catalog.shop import (
    OPERATOR,
    Catalog,
    Shop,
    open_store,
    opened_merchant,
    put_staff,
    ready_shop,
    verified_merchant,
)


@pytest.mark.parametrize("token", ["x", "A" * 27, "..", "%00", "%F0%9F%94%A5", "' or 1=1 --"])
async def test_a_token_that_was_never_given_is_not_found(catalog: Catalog, token: str) -> None:
    shown = await catalog.get(somebody(), f"/invitations/{token}")
    accepted = await accept(catalog, token, somebody())
    assert (shown.status_code, accepted.status_code) == (404, 404)


async def test_a_link_is_read_only_by_somebody_signed_in(catalog: Catalog) -> None:
    token = await token_of_link(catalog, await ready_shop(catalog))
    assert (await catalog.get(None, f"/invitations/{token}")).status_code == 401
    assert (await catalog.get("invalid", f"/invitations/{token}")).status_code == 401


async def test_whoever_works_here_already_takes_no_second_place_and_leaves_the_link_to_others(
    catalog: Catalog,
) -> None:
    shop = await ready_shop(catalog)
    _, clerk = await put_staff(catalog, shop, "CLERK")
    token = await token_of_link(catalog, shop, role="OWNER")
    for subject in (clerk, shop.owner):
        refused = await accept(catalog, token, subject)
        assert (refused.status_code, refused.json()["code"]) == (409, "staff_exists")
    assert (await accept(catalog, token, somebody())).status_code == 200


async def test_an_owner_who_was_dismissed_does_not_come_back_through_a_link_of_their_own(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    staff_id, second = await put_staff(catalog, shop, "OWNER")
    token = (await invite(catalog, shop, by=second, role="OWNER")).json()["token"]
    dismissed = {"subject": second, "role": "OWNER", "active": False}
    await catalog.put(shop.owner, f"/merchants/{shop.merchant_id}/staff/{staff_id}", dismissed)
    refused = await accept(catalog, token, somebody())
    assert (refused.status_code, refused.json()["code"]) == (409, "invitation_revoked")


async def test_only_an_owner_invites_lists_and_withdraws(catalog: Catalog) -> None:
    shop, invitation_id = await ready_shop(catalog), new_id()
    await invite(catalog, shop, invitation_id)
    path = f"/merchants/{shop.merchant_id}/invitations"
    people = [(await put_staff(catalog, shop, role))[1] for role in ("MANAGER", "CLERK", "FINANCE", "RIDER")]
    for subject in (*people, "stranger", OPERATOR):
        for role in ("OWNER", "CLERK"):
            assert (await invite(catalog, shop, by=subject, role=role)).status_code == 403
        assert (await catalog.get(subject, path)).status_code == 403
        assert (await catalog.put(subject, f"{path}/{invitation_id}/revocation", {})).status_code == 403


async def test_no_link_makes_operators_or_lends_anothers_store(catalog: Catalog) -> None:
    shop, other = await ready_shop(catalog), await ready_shop(catalog)
    operator = await invite(catalog, shop, role="OPERATOR")
    foreign = await invite(catalog, shop, store_ids=[str(shop.store_id), str(other.store_id)])
    unknown = await invite(catalog, shop, store_ids=[str(new_id())])
    assert [(answer.status_code, answer.json()["code"]) for answer in (operator, foreign, unknown)] == [
        (422, "role_not_assignable"),
        (409, "store_not_of_merchant"),
        (409, "store_not_of_merchant"),
    ]


async def test_a_link_to_a_store_that_went_to_another_merchant_gives_nothing(catalog: Catalog) -> None:
    merchant_id, owner = await opened_merchant(catalog)
    other, _ = await verified_merchant(catalog)
    shop = Shop(merchant_id, owner, await open_store(catalog, merchant_id, owner))
    token, person = await token_of_link(catalog, shop, store_ids=[str(shop.store_id)]), somebody()
    async with catalog.db.transaction() as tx:
        await tx.execute(
            "update stores set merchant_id = $2, last_held_by = $2 where store_id = $1", shop.store_id, other
        )
    refused = await accept(catalog, token, person)
    assert (refused.status_code, refused.json()["code"]) == (409, "store_not_of_merchant")
    assert (await catalog.get(person, "/me/merchants")).json()["items"] == []


async def test_an_invitation_of_another_merchant_cannot_be_seen_or_withdrawn(catalog: Catalog) -> None:
    shop, other, invitation_id = await ready_shop(catalog), await ready_shop(catalog), new_id()
    token = (await invite(catalog, shop, invitation_id)).json()["token"]
    taken = await invite(catalog, other, invitation_id)
    assert (taken.status_code, taken.json()["code"]) == (409, "id_taken")
    path = f"/merchants/{other.merchant_id}/invitations/{invitation_id}/revocation"
    assert (await catalog.put(other.owner, path, {})).status_code == 404
    assert (await accept(catalog, token, somebody())).status_code == 200
