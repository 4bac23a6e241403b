"""Edits that quote the version which their editor saw: of two that saw the same, one is told to look again."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.catalog import use_cases
from shared.ids import new_id
from tests.integration.catalog.shop import (
    OPERATOR,
    Catalog,
    deal_in_review,
    deal_on_sale,
    licence,
    payout_account,
    put_staff,
    ready_shop,
    verified_merchant,
    video_of,
    video_with,
    waits_for_a_lock,
)


@dataclass(frozen=True, slots=True)
class Edit:
    """Something that was just shown in a version, and what may be put in its place."""

    subject: str
    path: str
    bodies: list[dict[str, Any]]
    version: int


async def _sale(catalog: Catalog) -> Edit:
    shop = await ready_shop(catalog)
    path = f"/deals/{await deal_on_sale(catalog, shop)}"
    version = (await catalog.get(shop.owner, f"{path}/draft")).json()["sale_version"]
    return Edit(shop.owner, f"{path}/online", [{"online": False}, {"online": True}], version)


async def _video(catalog: Catalog) -> Edit:
    shop = await ready_shop(catalog)
    path = f"/videos/{await video_with(catalog, shop, None)}"
    bodies = [{"deal_id": str(await deal_in_review(catalog, shop))} for _ in range(3)]
    return Edit(shop.owner, f"{path}/deal", bodies, _etag(await catalog.get(None, path)))


async def _livestream(catalog: Catalog) -> Edit:
    shop = await ready_shop(catalog)
    path = f"/livestreams/{new_id()}"
    await catalog.put(shop.owner, path, {**video_of(shop.merchant_id), "state": "LIVE"})
    bodies = [{"deal_ids": [str(await deal_in_review(catalog, shop))]} for _ in range(3)]
    return Edit(shop.owner, f"{path}/deals", bodies, _etag(await catalog.get(None, path)))


async def _place(catalog: Catalog) -> Edit:
    shop = await ready_shop(catalog)
    staff_id, subject = await put_staff(catalog, shop, "CLERK")
    path = f"/merchants/{shop.merchant_id}/staff"
    shown = {one["staff_id"]: one["version"] for one in (await catalog.get(shop.owner, path)).json()["items"]}
    bodies = [{"subject": subject, "role": role} for role in ("MANAGER", "FINANCE", "RIDER")]
    return Edit(shop.owner, f"{path}/{staff_id}", bodies, shown[str(staff_id)])


async def _support(catalog: Catalog) -> Edit:
    merchant_id, owner = await verified_merchant(catalog)
    path = f"/merchants/{merchant_id}"
    first, *bodies = (_enrolment(catalog, weight) for weight in range(1, 5))
    await catalog.put(OPERATOR, f"{path}/support", first)
    version = (await catalog.get(owner, path)).json()["support"]["version"]
    return Edit(OPERATOR, f"{path}/support", bodies, version)


async def _licence(catalog: Catalog) -> Edit:
    merchant_id, owner = await verified_merchant(catalog)
    version = (await catalog.get(owner, f"/merchants/{merchant_id}")).json()["version"]
    bodies = [licence(legal_person=name) for name in ("李雷", "韩梅", "王五")]
    return Edit(owner, f"/merchants/{merchant_id}/licence", bodies, version)


async def _account(catalog: Catalog) -> Edit:
    merchant_id, owner = await verified_merchant(catalog)
    path = f"/merchants/{merchant_id}/payout-account"
    first, *bodies = (payout_account(account=f"finance-{one}@laomatou.example") for one in range(4))
    return Edit(owner, path, bodies, _etag(await catalog.put(owner, path, first)))


def _enrolment(catalog: Catalog, weight: int) -> dict[str, Any]:
    now = catalog.db.clock.now()
    ends_at = now + timedelta(days=1)
    return {"weight": weight, "starts_at": now.isoformat(), "ends_at": ends_at.isoformat()}


def _etag(answer: httpx.Response) -> int:
    return int(answer.headers["etag"].strip('"'))


async def _put(catalog: Catalog, edit: Edit, body: dict[str, Any], version: int | str) -> httpx.Response:
    return await catalog.put(edit.subject, edit.path, body, **{"If-Match": f'"{version}"'})


Make = Callable[[Catalog], Awaitable[Edit]]
_SEVERAL = [_video, _livestream, _place, _support, _licence, _account]
each = pytest.mark.parametrize("make", [_sale, *_SEVERAL])
each_of_several = pytest.mark.parametrize("make", _SEVERAL)


@each
async def test_an_edit_of_what_is_no_longer_there_is_told_the_version_that_is(catalog: Catalog, make: Make) -> None:
    edit = await make(catalog)
    first = await _put(catalog, edit, edit.bodies[0], edit.version)
    assert (first.status_code, _etag(first) > edit.version) == (200, True)
    stale = await _put(catalog, edit, edit.bodies[1], edit.version)
    told = stale.json()
    assert (stale.status_code, told["code"], told["current"]) == (412, "changed_meanwhile", _etag(first))
    fresh = await _put(catalog, edit, edit.bodies[1], told["current"])
    assert (fresh.status_code, _etag(fresh) > _etag(first)) == (200, True)


@each
async def test_what_already_is_as_wanted_is_not_refused_and_keeps_its_version(catalog: Catalog, make: Make) -> None:
    edit = await make(catalog)
    first = await _put(catalog, edit, edit.bodies[0], edit.version)
    again = await _put(catalog, edit, edit.bodies[0], edit.version)
    assert (again.status_code, _etag(again)) == (200, _etag(first))


@each
async def test_a_version_that_cannot_be_read_was_not_seen(catalog: Catalog, make: Make) -> None:
    edit = await make(catalog)
    unread = await _put(catalog, edit, edit.bodies[0], "lately")
    assert (unread.status_code, unread.json()["code"]) == (412, "changed_meanwhile")
    whatever = await catalog.put(edit.subject, edit.path, edit.bodies[0], **{"If-Match": "*"})
    assert whatever.status_code == 200


@each_of_several
async def test_of_several_edits_at_once_of_the_same_version_one_wins(catalog: Catalog, make: Make) -> None:
    edit = await make(catalog)
    answers = await asyncio.gather(*(_put(catalog, edit, body, edit.version) for body in edit.bodies))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412]


async def test_whoever_saw_no_account_does_not_replace_one(catalog: Catalog) -> None:
    merchant_id, owner = await verified_merchant(catalog)
    edit = Edit(owner, f"/merchants/{merchant_id}/payout-account", [payout_account()], 0)
    assert (await _put(catalog, edit, edit.bodies[0], 1)).status_code == 412, "there was none to see"
    assert (await _put(catalog, edit, edit.bodies[0], 0)).status_code == 200
    another = payout_account(account="other@laomatou.example")
    stale = await _put(catalog, edit, another, 0)
    assert (stale.status_code, stale.json()["current"]) == (412, 1)


async def test_a_place_that_nobody_has_was_not_seen(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    path = f"/merchants/{shop.merchant_id}/staff/{new_id()}"
    answer = await catalog.put(shop.owner, path, {"subject": "friend", "role": "CLERK"}, **{"If-Match": '"1"'})
    assert (answer.status_code, answer.json()["code"]) == (412, "changed_meanwhile")
    assert len((await catalog.get(shop.owner, f"/merchants/{shop.merchant_id}/staff")).json()["items"]) == 1


async def test_support_that_was_ended_or_begun_anew_is_not_what_was_seen(catalog: Catalog) -> None:
    edit = await _support(catalog)
    sent = {"Authorization": f"Bearer {OPERATOR}", "If-Match": f'"{edit.version}"'}
    ended = await catalog.client.delete(edit.path, headers=sent)
    assert ended.status_code == 204
    gone = await _put(catalog, edit, edit.bodies[0], edit.version)
    assert (gone.status_code, gone.json()["code"], "current" in gone.json()) == (412, "changed_meanwhile", False)
    anew = await catalog.put(OPERATOR, edit.path, edit.bodies[0])
    stale = await _put(catalog, edit, edit.bodies[1], edit.version)
    assert (stale.status_code, stale.json()["current"]) == (412, _etag(anew))
    refused = await catalog.client.delete(edit.path, headers=sent)
    assert (refused.status_code, refused.json()["current"]) == (412, _etag(anew))


async def test_support_that_is_ended_while_it_is_edited_does_not_begin_anew(catalog: Catalog) -> None:
    edit = await _support(catalog)
    merchant_id = UUID(edit.path.split("/")[2])
    async with catalog.db.transaction() as tx:
        await use_cases.end_support(tx, merchant_id, OPERATOR, edit.version)
        editing = asyncio.create_task(_put(catalog, edit, edit.bodies[0], edit.version))
        await waits_for_a_lock(catalog, editing)
    answer = await editing
    assert (answer.status_code, answer.json()["code"]) == (412, "changed_meanwhile")
