"""What an operator reads out of the token that an order came with."""

from uuid import UUID

from shared.ids import new_id
from tests.integration.catalog.shop import OPERATOR, Catalog, Shop, deal_on_sale, ready_shop, video_of, video_with


async def test_every_placement_of_a_badge_resolves_to_what_it_stood_in(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    video_id = await video_with(catalog, shop, deal_id)
    badge = (await catalog.get(None, f"/videos/{video_id}")).json()["badge"]
    for placement in ("ABOVE_AUTHOR", "COMMENTS_TOP"):
        assert await _resolved(catalog, badge["tokens"][placement]) == {
            "kind": "VIDEO",
            "id": str(video_id),
            "placement": placement,
            "sharer": None,
            "merchant_id": str(shop.merchant_id),
        }


async def test_the_list_of_a_livestream_resolves_to_the_livestream(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    livestream_id = await _on_air(catalog, shop, await deal_on_sale(catalog, shop))
    (badge,) = (await catalog.get(None, f"/livestreams/{livestream_id}")).json()["badges"]
    assert await _resolved(catalog, badge["tokens"]["LIVE_LIST"]) == {
        "kind": "LIVESTREAM",
        "id": str(livestream_id),
        "placement": "LIVE_LIST",
        "sharer": None,
        "merchant_id": str(shop.merchant_id),
    }


async def test_a_shared_link_resolves_to_the_share_and_who_shared(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id, share_id, sharer = await deal_on_sale(catalog, shop), new_id(), f"viewer-{new_id()}"
    made = (await catalog.put(sharer, f"/shares/{share_id}", {"deal_id": str(deal_id)})).json()
    assert await _resolved(catalog, made["token"]) == {
        "kind": "SHARE",
        "id": str(share_id),
        "placement": "SHARED_LINK",
        "sharer": sharer,
        "merchant_id": str(shop.merchant_id),
    }


async def test_a_token_is_read_by_operators_only_and_a_wrong_one_by_nobody(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    video_id = await video_with(catalog, shop, await deal_on_sale(catalog, shop))
    token = (await catalog.get(None, f"/videos/{video_id}")).json()["badge"]["tokens"]["ABOVE_AUTHOR"]
    changed = ("B" if token[0] == "A" else "A") + token[1:]
    refused = [
        await catalog.get(OPERATOR, f"/attributions/{changed}"),
        await catalog.get(OPERATOR, "/attributions/nonsense"),
        await catalog.get(shop.owner, f"/attributions/{token}"),
        await catalog.get(None, f"/attributions/{token}"),
    ]
    assert [(one.status_code, one.json()["code"]) for one in refused] == [
        (404, "attribution_unknown"),
        (404, "attribution_unknown"),
        (403, "forbidden"),
        (401, "unauthenticated"),
    ]


async def test_a_token_of_what_is_not_there_is_unknown(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    video_id = await video_with(catalog, shop, await deal_on_sale(catalog, shop))
    token = (await catalog.get(None, f"/videos/{video_id}")).json()["badge"]["tokens"]["ABOVE_AUTHOR"]
    async with catalog.db.transaction() as tx:
        await tx.execute("delete from videos where video_id = $1", video_id)
    answer = await catalog.get(OPERATOR, f"/attributions/{token}")
    assert (answer.status_code, answer.json()["code"]) == (404, "attribution_unknown")


async def _resolved(catalog: Catalog, token: str) -> dict[str, str | None]:
    answer = await catalog.get(OPERATOR, f"/attributions/{token}")
    assert answer.status_code == 200, answer.text
    resolved: dict[str, str | None] = answer.json()
    return resolved


async def _on_air(catalog: Catalog, shop: Shop, deal_id: UUID) -> UUID:
    livestream_id = new_id()
    await catalog.put(shop.owner, f"/livestreams/{livestream_id}", {**video_of(shop.merchant_id), "state": "LIVE"})
    await catalog.put(shop.owner, f"/livestreams/{livestream_id}/deals", {"deal_ids": [str(deal_id)]})
    return livestream_id
