"""Who sees which claims: claimants, operators, and a merchant its own stores."""

from shared.ids import new_id
from tests.integration.catalog.claimants import (
    APPEAL,
    REJECT,
    claims,
    competitor,
    decide,
    held_store,
    registered_store,
)
from tests.integration.catalog.shop import OPERATOR, Catalog, store_claim


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
