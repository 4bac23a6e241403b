"""Who sees what was redeemed."""

import pytest

from tests.integration.redemption.stage import Stage, as_


async def test_the_stores_staff_see_its_redemptions_page_by_page(stage: Stage) -> None:
    shop = await stage.open_shop()
    ids = [(await stage.redeem(shop, await stage.pay(shop))).json()["redemption_id"] for _ in range(4)]
    seen: list[str] = []
    cursor = None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        answer = await stage.http.get(f"/stores/{shop.store_id}/redemptions", params=query, headers=as_(shop.clerk))
        items = answer.json()["items"]
        assert len(items) == 2, "no page is empty, not even after a full last one"
        seen += [item["redemption_id"] for item in items]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            break
    assert seen == ids[::-1]


async def test_a_stranger_sees_no_redemption(stage: Stage) -> None:
    shop, stranger = await stage.open_shop(), await stage.open_shop()
    done = (await stage.redeem(shop, await stage.pay(shop))).json()
    single = await stage.http.get(f"/redemptions/{done['redemption_id']}", headers=as_(stranger.clerk))
    page = await stage.http.get(f"/stores/{shop.store_id}/redemptions", headers=as_(stranger.clerk))
    assert (single.status_code, page.status_code) == (404, 403)
    unsigned = await stage.http.get(f"/stores/{shop.store_id}/redemptions")
    assert unsigned.status_code == 401


@pytest.mark.parametrize("cursor", ["x", "bm8", "MjAyNi0xMS0yMnx4"])
async def test_a_cursor_of_ones_own_making_is_refused(stage: Stage, cursor: str) -> None:
    shop = await stage.open_shop()
    answer = await stage.http.get(
        f"/stores/{shop.store_id}/redemptions", params={"cursor": cursor}, headers=as_(shop.clerk)
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "cursor_invalid")
