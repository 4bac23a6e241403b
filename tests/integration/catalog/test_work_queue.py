"""The operator's queue, page by page."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from shared.ids import derived_id, new_id
from shared.paging import cursor_of
from tests.integration.catalog.shop import (
    OPERATOR,
    Catalog,
    applied_merchant,
    deal_in_review,
    payout_account,
    ready_shop,
    store_claim,
    verified_merchant,
)


async def _applications(catalog: Catalog) -> list[UUID]:
    return [(await applied_merchant(catalog))[0] for _ in range(3)]


async def _accounts(catalog: Catalog) -> list[UUID]:
    made = []
    for at in range(3):
        merchant_id, owner = await verified_merchant(catalog)
        body = payout_account(account=f"{at}@laomatou.example")
        await catalog.put(owner, f"/merchants/{merchant_id}/payout-account", body)
        made.append(merchant_id)
    return made


async def _claims(catalog: Catalog) -> list[UUID]:
    merchant_id, owner = await applied_merchant(catalog)
    stores = [new_id() for _ in range(3)]
    for store_id in stores:
        await catalog.put(owner, f"/stores/{store_id}", store_claim(merchant_id))
    return [derived_id(store_id, str(merchant_id)) for store_id in stores]


async def _deals(catalog: Catalog) -> list[UUID]:
    shop = await ready_shop(catalog)
    return [await deal_in_review(catalog, shop) for _ in range(3)]


_KINDS = [
    ("merchants", "merchant_id", _applications),
    # Whoever applies owes the fee.
    ("fees", "merchant_id", _applications),
    ("payout_accounts", "merchant_id", _accounts),
    ("stores", "claim_id", _claims),
    ("deals", "deal_id", _deals),
]


async def _walk(catalog: Catalog, kind: str, key: str, limit: int) -> list[str]:
    """The ids of everything of one kind that waits; no other kind is shown beside it."""
    found: list[str] = []
    page: dict[str, Any] = {"next_cursors": {kind: ""}}
    while page["next_cursors"][kind] is not None:
        cursor = page["next_cursors"][kind] and f"&cursor={page['next_cursors'][kind]}"
        answer = await catalog.get(OPERATOR, f"/operator/queue?kind={kind}&limit={limit}{cursor}")
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page[kind]) <= limit
        assert {other for other, _, _ in _KINDS if page[other] or page["next_cursors"][other]} <= {kind}
        found += [one[key] for one in page[kind]]
    return found


@pytest.mark.parametrize(("kind", "key", "make"), _KINDS, ids=[kind for kind, _, _ in _KINDS])
async def test_each_kind_is_seen_whole_page_by_page_the_oldest_first(
    catalog: Catalog, kind: str, key: str, make: Callable[[Catalog], Awaitable[list[UUID]]]
) -> None:
    made = [str(one) for one in await make(catalog)]
    found = await _walk(catalog, kind, key, 2)
    assert len(set(found)) == len(found)
    assert [one for one in found if one in made] == made
    assert await _walk(catalog, kind, key, 50) == found


async def test_what_waits_equally_long_is_neither_repeated_nor_left_out(catalog: Catalog) -> None:
    made = await _deals(catalog)
    async with catalog.db.transaction() as tx:
        await tx.execute("update deals set submitted_at = $2 where deal_id = any($1)", made, tx.now)
    found = await _walk(catalog, "deals", "deal_id", 1)
    assert [one for one in found if UUID(one) in made] == sorted(str(one) for one in made)


async def test_what_is_decided_between_two_pages_moves_nothing_past_the_cursor(catalog: Catalog) -> None:
    made = await _deals(catalog)
    everything = await _walk(catalog, "deals", "deal_id", 50)
    before = everything.index(str(made[1]))
    cursor, seen = "", 0
    while seen < before:
        page = (await catalog.get(OPERATOR, f"/operator/queue?kind=deals&limit=1{cursor}")).json()
        cursor, seen = f"&cursor={page['next_cursors']['deals']}", seen + 1
    await catalog.put(OPERATOR, f"/deals/{made[0]}/review", {"approve": True})
    page = (await catalog.get(OPERATOR, f"/operator/queue?kind=deals&limit=1{cursor}")).json()
    assert [one["deal_id"] for one in page["deals"]] == [str(made[1])]


async def test_without_a_kind_every_kind_is_shown_and_says_where_it_goes_on(catalog: Catalog) -> None:
    await _deals(catalog)
    heads = (await catalog.get(OPERATOR, "/operator/queue?limit=1")).json()
    assert (len(heads["deals"]), heads["next_cursors"]["deals"] is not None) == (1, True)
    assert set(heads["next_cursors"]) == {kind for kind, _, _ in _KINDS}
    cursor = heads["next_cursors"]["deals"]
    rest = (await catalog.get(OPERATOR, f"/operator/queue?kind=deals&cursor={cursor}")).json()["deals"]
    everything = await _walk(catalog, "deals", "deal_id", 50)
    assert [one["deal_id"] for one in heads["deals"] + rest] == everything[: 1 + len(rest)]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        pytest.param(f"cursor={cursor_of('2026-01-01T00:00:00+00:00', new_id())}", "cursor_invalid", id="no kind"),
        pytest.param(f"kind=deals&cursor={cursor_of(3, new_id())}", "cursor_invalid", id="another list's cursor"),
        pytest.param("kind=lunches", "malformed_input", id="unknown kind"),
        pytest.param("limit=51", "malformed_input", id="too many"),
    ],
)
async def test_what_cannot_be_a_page_of_the_queue_is_refused(catalog: Catalog, asked: str, code: str) -> None:
    answer = await catalog.get(OPERATOR, f"/operator/queue?{asked}")
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_the_queue_is_for_operators_only(catalog: Catalog) -> None:
    for asked in ("", "?kind=deals"):
        assert (await catalog.get("stranger", f"/operator/queue{asked}")).status_code == 403
