"""Merchants that the platform supports with traffic."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.catalog import use_cases
from services.catalog.domain.support import Support
from shared.database import Transaction
from shared.ids import new_id
from shared.messaging.timers import Due
from tests.integration.catalog.shop import OPERATOR, Catalog, verified_merchant


def _support(catalog: Catalog, begins_h: float, ends_h: float, weight: int = 5) -> dict[str, Any]:
    now = catalog.db.clock.now()
    return {
        "weight": weight,
        "starts_at": (now + timedelta(hours=begins_h)).isoformat(),
        "ends_at": (now + timedelta(hours=ends_h)).isoformat(),
    }


async def test_an_enrolment_is_shown_replaced_and_ended(catalog: Catalog) -> None:
    merchant_id, owner = await verified_merchant(catalog)
    path = f"/merchants/{merchant_id}/support"
    first = _support(catalog, 0, 24)
    shown = (await catalog.put(OPERATOR, path, first)).json()["support"]
    assert (shown["weight"], datetime.fromisoformat(shown["ends_at"])) == (5, datetime.fromisoformat(first["ends_at"]))
    assert (await catalog.put(OPERATOR, path, {**first, "weight": 9})).json()["support"]["weight"] == 9
    ended = await catalog.client.delete(path, headers={"Authorization": f"Bearer {OPERATOR}"})
    again = await catalog.client.delete(path, headers={"Authorization": f"Bearer {OPERATOR}"})
    assert (ended.status_code, again.status_code) == (204, 204)
    assert (await catalog.get(owner, f"/merchants/{merchant_id}")).json()["support"] is None


@pytest.mark.parametrize("weight", [0, 11, 1.5, "3"])
async def test_the_weight_is_a_whole_number_from_one_to_ten(catalog: Catalog, weight: object) -> None:
    merchant_id, _ = await verified_merchant(catalog)
    body = {**_support(catalog, 0, 24), "weight": weight}
    answer = await catalog.put(OPERATOR, f"/merchants/{merchant_id}/support", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed_input")


async def test_support_lasts_some_time_and_only_operators_give_it(catalog: Catalog) -> None:
    merchant_id, owner = await verified_merchant(catalog)
    path = f"/merchants/{merchant_id}/support"
    empty = await catalog.put(OPERATOR, path, _support(catalog, 1, 1))
    assert (empty.status_code, empty.json()["code"]) == (422, "support_window_empty")
    assert (await catalog.put(owner, path, _support(catalog, 0, 24))).status_code == 403
    assert (await catalog.client.delete(path, headers={"Authorization": f"Bearer {owner}"})).status_code == 403
    unknown = f"/merchants/{new_id()}/support"
    assert (await catalog.put(OPERATOR, unknown, _support(catalog, 0, 24))).status_code == 404


async def test_the_feed_is_told_at_once_at_the_beginning_at_the_end_and_when_support_is_taken(catalog: Catalog) -> None:
    merchant_id, _ = await verified_merchant(catalog)
    async with catalog.db.transaction() as tx:
        # In one transaction, so that the feed's own timer takes nothing away before it was seen.
        support = Support(5, tx.now + timedelta(hours=5), tx.now + timedelta(hours=24))
        await use_cases.support_merchant(tx, merchant_id, OPERATOR, support)
        for moment, boundary in (
            (tx.now, support.starts_at),
            (support.starts_at, support.ends_at),
            (support.ends_at, None),
        ):
            assert await _told(tx, merchant_id) == moment
            tx.now = moment
            await use_cases.rank_supported(tx, [Due(use_cases.SUPPORT_CHANGED, str(merchant_id), moment, {}, 0)])
            assert (await _timers(tx, merchant_id)).get(use_cases.SUPPORT_CHANGED) == boundary
        await use_cases.end_support(tx, merchant_id, OPERATOR)
        assert await _told(tx, merchant_id) == tx.now


async def test_the_same_enrolment_again_tells_nobody(catalog: Catalog) -> None:
    merchant_id, _ = await verified_merchant(catalog)
    async with catalog.db.transaction() as tx:
        support = Support(5, tx.now, tx.now + timedelta(hours=24))
        await use_cases.support_merchant(tx, merchant_id, OPERATOR, support)
        await _told(tx, merchant_id)
        await use_cases.support_merchant(tx, merchant_id, OPERATOR, support)
        assert await _timers(tx, merchant_id) == {}


async def _told(tx: Transaction, merchant_id: UUID) -> datetime:
    """When the ranking is due; the timer is taken."""
    found = await _timers(tx, merchant_id)
    await tx.execute("delete from timers where key = $1 and kind = $2", str(merchant_id), use_cases.SUPPORT_CHANGED)
    return found[use_cases.SUPPORT_CHANGED]


async def _timers(tx: Transaction, merchant_id: UUID) -> dict[str, datetime]:
    rows = await tx.fetch("select kind, due_at from timers where key = $1", str(merchant_id))
    return {row["kind"]: row["due_at"] for row in rows if row["kind"].startswith("support")}
