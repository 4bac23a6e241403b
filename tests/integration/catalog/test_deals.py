"""A deal from the draft to the sale."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from shared.ids import new_id
from tests.integration.catalog.shop import (
    OPERATOR,
    Catalog,
    deal_in_review,
    deal_on_sale,
    draft,
    open_store,
    opened_merchant,
    payout_account,
    ready_shop,
    store_claim,
)

DELIVERY: dict[str, Any] = {"modes": ["SELF", "COURIER"], "fee_fen": 600, "weight_g": 1500, "category": "fruit"}
GOODS: dict[str, Any] = {"form": "GOODS", "category": "OTHER", "catering": None, "delivery": DELIVERY}


async def test_a_deal_is_published_once_approved_and_sells_once_online(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    said = [(topic, body["version"], body.get("online")) for topic, body in await catalog.said(deal_id)]
    assert said == [
        ("catalog.deal_version_published.v1", 1, None),
        ("catalog.deal_changed.v1", 1, False),
        ("catalog.deal_changed.v1", 2, True),
    ]
    page = (await catalog.get(None, f"/deals/{deal_id}")).json()
    assert (page["state"], page["deal_version"], page["available"], page["sold"]) == ("ON_SALE", 1, 100, 0)
    assert page["merchant"] == {
        "merchant_id": str(shop.merchant_id),
        "name": "老码头火锅",
        "phone": "023-63001234",
    }
    assert [store["name"] for store in page["stores"]] == ["解放碑店"]


async def test_goods_carry_their_delivery_terms(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop, **GOODS)
    page = (await catalog.get(None, f"/deals/{deal_id}")).json()
    assert page["delivery"] == {**DELIVERY, "hot_food": False, "mode_fees": [], "free_from_fen": None}
    _, published = (await catalog.said(deal_id))[0]
    assert published["delivery"]["fee_fen"] == 600


async def test_an_edit_is_reviewed_while_the_old_version_sells(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    edit = draft(shop.merchant_id, [shop.store_id], price_fen=9900)
    edited = (await catalog.put(shop.owner, f"/deals/{deal_id}", edit)).json()
    assert (edited["state"], edited["online"], edited["deal_version"]) == ("DRAFT", True, 1)
    await catalog.put(shop.owner, f"/deals/{deal_id}/submission", {})
    before = (await catalog.get(None, f"/deals/{deal_id}")).json()
    assert (before["price_fen"], before["deal_version"], before["state"]) == (12800, 1, "ON_SALE")
    approved = (await catalog.put(OPERATOR, f"/deals/{deal_id}/review", {"approve": True})).json()
    assert (approved["state"], approved["deal_version"]) == ("ONLINE", 2)
    after = (await catalog.get(None, f"/deals/{deal_id}")).json()
    assert (after["price_fen"], after["deal_version"], after["total_quota"]) == (9900, 2, 100)
    published, changed = (await catalog.said(deal_id))[-2:]
    assert (published[1]["deal_version"], published[1]["price_fen"]) == (2, 9900)
    assert (changed[1]["deal_version"], changed[1]["online"], changed[1]["total_quota"]) == (2, True, 100)


async def test_a_published_version_never_changes(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    for change in (
        "update deal_versions set price_fen = 1",
        "delete from deal_versions",
    ):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            async with catalog.db.transaction() as tx:
                await tx.execute(f"{change} where deal_id = $1", deal_id)


async def test_a_deal_in_review_cannot_be_edited(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_in_review(catalog, shop)
    edit = draft(shop.merchant_id, [shop.store_id], price_fen=9900)
    answer = await catalog.put(shop.owner, f"/deals/{deal_id}", edit)
    assert (answer.status_code, answer.json()["code"]) == (409, "deal_in_review")


async def test_of_two_edits_of_the_same_revision_one_wins(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = new_id()
    path = f"/deals/{deal_id}"
    first = await catalog.put(shop.owner, path, draft(shop.merchant_id, [shop.store_id]))
    seen = {"If-Match": first.headers["etag"]}
    answers = await asyncio.gather(
        *(
            catalog.put(shop.owner, path, draft(shop.merchant_id, [shop.store_id], price_fen=price), **seen)
            for price in (9900, 8800, 7700)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201, 412, 412]
    kept = (await catalog.get(shop.owner, f"{path}/draft")).json()
    assert kept["revision"] == 2


async def test_of_two_operators_who_review_differently_at_once_one_wins(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    for _ in range(5):
        deal_id = await deal_in_review(catalog, shop)
        answers = await asyncio.gather(
            catalog.put(OPERATOR, f"/deals/{deal_id}/review", {"approve": True}),
            catalog.put(OPERATOR, f"/deals/{deal_id}/review", {"approve": False, "reason": "图片不符"}),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        loser = next(answer for answer in answers if answer.status_code == 409)
        assert loser.json()["code"] == "already_decided"


async def test_what_is_not_in_review_is_not_decided(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = new_id()
    await catalog.put(shop.owner, f"/deals/{deal_id}", draft(shop.merchant_id, [shop.store_id]))
    for body in ({"approve": True}, {"approve": False, "reason": "图片不符"}):
        answer = await catalog.put(OPERATOR, f"/deals/{deal_id}/review", body)
        assert (answer.status_code, answer.json()["code"]) == (409, "deal_not_in_review")


async def test_approving_twice_publishes_one_version(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_in_review(catalog, shop)
    answers = await asyncio.gather(
        *(catalog.put(OPERATOR, f"/deals/{deal_id}/review", {"approve": True}) for _ in range(4))
    )
    assert {(answer.status_code, answer.json()["deal_version"]) for answer in answers} == {(200, 1)}
    assert len(await catalog.said(deal_id)) == 2


async def test_a_rejected_deal_says_why_and_may_be_edited_and_submitted_again(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_in_review(catalog, shop)
    rejected = await catalog.put(OPERATOR, f"/deals/{deal_id}/review", {"approve": False, "reason": "图片不符"})
    assert (rejected.json()["state"], rejected.json()["reason"]) == ("REJECTED", "图片不符")
    assert (await catalog.get(None, f"/deals/{deal_id}")).status_code == 404
    await catalog.put(shop.owner, f"/deals/{deal_id}", draft(shop.merchant_id, [shop.store_id], cover="teahouse"))
    again = await catalog.put(shop.owner, f"/deals/{deal_id}/submission", {})
    assert again.json()["state"] == "IN_REVIEW"


async def test_a_deal_needs_a_verified_account_and_verified_stores(catalog: Catalog) -> None:
    merchant_id, owner = await opened_merchant(catalog)
    body = payout_account(account="new@laomatou.example")
    await catalog.put(owner, f"/merchants/{merchant_id}/payout-account", body)
    store_id = await open_store(catalog, merchant_id, owner)
    deal_id = new_id()
    await catalog.put(owner, f"/deals/{deal_id}", draft(merchant_id, [store_id]))
    answer = await catalog.put(owner, f"/deals/{deal_id}/submission", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "payout_account_not_verified")

    shop = await ready_shop(catalog)
    claimed = new_id()
    await catalog.put(shop.owner, f"/stores/{claimed}", store_claim(shop.merchant_id, name="观音桥店"))
    await catalog.put(shop.owner, f"/deals/{new_id()}", draft(shop.merchant_id, [claimed]))
    deal_id = new_id()
    await catalog.put(shop.owner, f"/deals/{deal_id}", draft(shop.merchant_id, [shop.store_id, claimed]))
    answer = await catalog.put(shop.owner, f"/deals/{deal_id}/submission", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "store_not_verified")


async def test_a_deal_without_an_approved_version_does_not_go_online(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_in_review(catalog, shop)
    answer = await catalog.put(shop.owner, f"/deals/{deal_id}/online", {"online": True})
    assert (answer.status_code, answer.json()["code"]) == (409, "deal_not_published")


async def test_taking_a_deal_off_and_on_is_said_each_time_and_repeating_is_not(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    for online in (False, False, True, True):
        answer = await catalog.put(shop.owner, f"/deals/{deal_id}/online", {"online": online})
        assert answer.json()["online"] is online
    said = [body["online"] for topic, body in await catalog.said(deal_id) if topic == "catalog.deal_changed.v1"]
    assert said == [False, True, False, True]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"price_fen": 26801}, 422, "price_above_original"),
        ({"sale_until": datetime(2020, 1, 1, tzinfo=UTC).isoformat()}, 422, "sale_window_empty"),
        ({**GOODS, "delivery": None}, 422, "delivery_terms_needed"),
        ({"catering": None}, 422, "template_needed"),
        ({"catering": {"party_min": 0, "party_max": 2}}, 422, "malformed_input"),
        ({"form": None, "kind": "VOUCHER"}, 422, "malformed_input"),
        ({"category": None}, 422, "malformed_input"),
        ({"delivery": DELIVERY}, 422, "delivery_terms_not_allowed"),
        ({"store_ids": [str(new_id())]}, 409, "store_not_of_merchant"),
        ({"price_fen": 128.5}, 422, "malformed_input"),
        ({"price_fen": 0}, 422, "malformed_input"),
        ({"price_fen": 10**18}, 422, "malformed_input"),
        ({"title": "a\x00"}, 422, "malformed_input"),
        ({"store_ids": []}, 422, "malformed_input"),
        ({**GOODS, "delivery": {**DELIVERY, "category": "\x00"}}, 422, "malformed_input"),
        ({"sale_from": "2026-01-01T00:00:00"}, 422, "malformed_input"),
    ],
)
async def test_a_draft_that_could_never_sell_is_refused(
    catalog: Catalog, change: dict[str, Any], status: int, code: str
) -> None:
    shop = await ready_shop(catalog)
    deal_id = new_id()
    answer = await catalog.put(shop.owner, f"/deals/{deal_id}", {**draft(shop.merchant_id, [shop.store_id]), **change})
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert (await catalog.get(shop.owner, f"/deals/{deal_id}/draft")).status_code == 404


async def test_a_deal_id_belongs_to_its_merchant_and_form(catalog: Catalog) -> None:
    shop, other = await ready_shop(catalog), await ready_shop(catalog)
    deal_id = new_id()
    await catalog.put(shop.owner, f"/deals/{deal_id}", draft(shop.merchant_id, [shop.store_id]))
    merchant = await catalog.put(other.owner, f"/deals/{deal_id}", draft(other.merchant_id, [other.store_id]))
    form = await catalog.put(shop.owner, f"/deals/{deal_id}", draft(shop.merchant_id, [shop.store_id], **GOODS))
    assert (merchant.json()["code"], form.json()["code"]) == ("id_taken", "id_taken")


async def test_what_waits_stands_in_the_operators_queue_and_nobody_elses(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_in_review(catalog, shop)
    assert (await catalog.get(shop.owner, "/operator/queue")).status_code == 403
    async with catalog.db.transaction() as tx:
        # The queue shows the oldest fifty; other tests leave theirs behind.
        await tx.execute("update deals set submitted_at = $2 where deal_id = $1", deal_id, tx.now - timedelta(days=99))
    waiting = (await catalog.get(OPERATOR, "/operator/queue")).json()
    assert waiting["deals"][0]["deal_id"] == str(deal_id)
    await catalog.put(OPERATOR, f"/deals/{deal_id}/review", {"approve": True})
    waiting = (await catalog.get(OPERATOR, "/operator/queue")).json()
    assert str(deal_id) not in [deal["deal_id"] for deal in waiting["deals"]]
