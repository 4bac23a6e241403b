"""What an operator sees of a draft, and what the merchant hears of a rejection."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.catalog import use_cases
from services.catalog.domain.deals import DraftState
from services.catalog.domain.refusals import SaleEnded
from shared.ids import new_id
from tests.integration.catalog.shop import (
    OPERATOR,
    Catalog,
    Shop,
    deal_in_review,
    deal_on_sale,
    draft,
    edit_in_review,
    open_store,
    ready_shop,
)

SECOND_OPERATOR = "second-operator-of-the-tests"


@pytest.fixture
async def two_operators(catalog: Catalog) -> AsyncIterator[tuple[str, str]]:
    """The first operator and, for as long as the test runs, a second one."""
    async with catalog.db.transaction() as tx:
        await tx.execute(
            """insert into staff (staff_id, subject, merchant_id, role, store_ids, active, version)
               values ($1, $2, null, 'OPERATOR', '{}', true, 1)""",
            new_id(),
            SECOND_OPERATOR,
        )
    yield OPERATOR, SECOND_OPERATOR
    async with catalog.db.transaction() as tx:
        await tx.execute("delete from staff where subject = $1", SECOND_OPERATOR)


async def _reject(catalog: Catalog, deal_id: UUID, operator: str = OPERATOR, **body: Any) -> Any:
    return await catalog.put(operator, f"/deals/{deal_id}/review", {"approve": False, **body})


async def test_the_operator_sees_the_draft_beside_what_sells_and_where_they_differ(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_in_review(catalog, shop)
    first = await catalog.get(OPERATOR, f"/deals/{deal_id}/review")
    assert (first.headers["etag"], first.json()["current"], first.json()["changed"]) == ('"1"', None, [])
    assert first.json()["proposed"]["price_fen"] == 12800
    await catalog.put(OPERATOR, f"/deals/{deal_id}/review", {"approve": True})

    second = await open_store(catalog, shop.merchant_id, shop.owner)
    catering = {"party_min": 1, "party_max": 2}
    await edit_in_review(catalog, shop, deal_id, price_fen=9900, catering=catering, total_quota=7)
    await catalog.put(shop.owner, f"/deals/{deal_id}/stores", {"store_ids": [str(second)]})
    sheet = (await catalog.get(OPERATOR, f"/deals/{deal_id}/review")).json()
    assert (sheet["state"], sheet["revision"], sheet["deal_version"]) == ("IN_REVIEW", 2, 1)
    assert sheet["changed"] == ["price_fen", "sale_from", "sale_until", "catering"]
    assert (sheet["current"]["price_fen"], sheet["proposed"]["price_fen"]) == (12800, 9900)
    assert sheet["current"]["store_ids"] == sheet["proposed"]["store_ids"] == [str(second)]


async def test_only_operators_see_a_review(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_in_review(catalog, shop)
    assert (await catalog.get(shop.owner, f"/deals/{deal_id}/review")).status_code == 403
    assert (await catalog.get(OPERATOR, f"/deals/{new_id()}/review")).status_code == 404


async def test_the_reasons_of_the_list_are_served_in_both_languages(catalog: Catalog) -> None:
    items = (await catalog.get(OPERATOR, "/operator/review-templates")).json()["items"]
    assert items[1] == {"template": "PICTURE_UNFIT", "zh": "图片不符合要求", "en": "The picture is unfit"}
    assert len(items) == 8


@pytest.mark.parametrize(
    ("body", "reason", "zh", "en"),
    [
        ({"reason": "太暗"}, "太暗", "太暗", "太暗"),
        ({"template": "PICTURE_UNFIT"}, None, "图片不符合要求", "The picture is unfit"),
        ({"template": "PICTURE_UNFIT", "reason": "太暗"}, "太暗", "图片不符合要求：太暗", "The picture is unfit: 太暗"),
    ],
)
async def test_the_merchant_reads_the_reason_in_both_languages(
    catalog: Catalog, body: dict[str, Any], reason: str | None, zh: str, en: str
) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_in_review(catalog, shop)
    assert (await _reject(catalog, deal_id, **body)).status_code == 200
    kept = (await catalog.get(shop.owner, f"/deals/{deal_id}/draft")).json()
    assert (kept["state"], kept["reason"], kept["reason_template"]) == ("REJECTED", reason, body.get("template"))
    assert (kept["reason_zh"], kept["reason_en"]) == (zh, en)
    assert await _listed_reasons(catalog, shop) == (reason, body.get("template"), zh, en)
    steps = (await catalog.get(shop.owner, f"/merchants/{shop.merchant_id}")).json()["checklist"]
    step = next(step for step in steps if step["step"] == "FIRST_DEAL")
    assert (step["state"], step["reason_zh"], step["reason_en"]) == ("REFUSED", zh, en)

    await catalog.put(shop.owner, f"/deals/{deal_id}/submission", {})
    kept = (await catalog.get(shop.owner, f"/deals/{deal_id}/draft")).json()
    assert (kept["state"], kept["reason_template"], kept["reason_zh"]) == ("IN_REVIEW", None, None)
    assert await _listed_reasons(catalog, shop) == (None, None, None, None)


async def _listed_reasons(catalog: Catalog, shop: Shop) -> tuple[str | None, ...]:
    (item,) = (await catalog.get(shop.owner, f"/merchants/{shop.merchant_id}/deals")).json()["items"]
    return tuple(item[name] for name in ("reason", "reason_template", "reason_zh", "reason_en"))


@pytest.mark.parametrize(
    ("body", "code"),
    [({}, "reason_needed"), ({"template": "OTHER"}, "reason_needed"), ({"template": "UGLY"}, "malformed_input")],
)
async def test_a_rejection_tells_the_merchant_something(catalog: Catalog, body: dict[str, Any], code: str) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_in_review(catalog, shop)
    answer = await _reject(catalog, deal_id, **body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert (await catalog.get(shop.owner, f"/deals/{deal_id}/draft")).json()["state"] == "IN_REVIEW"


async def test_repeating_a_rejection_is_the_same_and_another_reason_is_told_that_it_lost(
    catalog: Catalog, two_operators: tuple[str, str]
) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_in_review(catalog, shop)
    first, second = two_operators
    assert (await _reject(catalog, deal_id, first, template="INCOMPLETE")).status_code == 200
    assert (await _reject(catalog, deal_id, first, template="INCOMPLETE")).status_code == 200
    late = await _reject(catalog, deal_id, second, template="PRICE_MISLEADING")
    assert (late.status_code, late.json()["code"]) == (409, "already_decided")
    kept = (await catalog.get(shop.owner, f"/deals/{deal_id}/draft")).json()
    assert kept["reason_template"] == "INCOMPLETE"


async def test_of_two_operators_at_once_one_decides_and_the_other_is_told(
    catalog: Catalog, two_operators: tuple[str, str]
) -> None:
    shop = await ready_shop(catalog)
    first, second = two_operators
    for bodies in (
        ({"approve": True}, {"approve": False, "template": "INCOMPLETE"}),
        ({"approve": False, "template": "PICTURE_UNFIT"}, {"approve": False, "template": "INCOMPLETE"}),
    ):
        for _ in range(3):
            deal_id = await deal_in_review(catalog, shop)
            seen = {"If-Match": (await catalog.get(first, f"/deals/{deal_id}/review")).headers["etag"]}
            answers = await asyncio.gather(
                catalog.put(first, f"/deals/{deal_id}/review", bodies[0], **seen),
                catalog.put(second, f"/deals/{deal_id}/review", bodies[1], **seen),
            )
            assert sorted(answer.status_code for answer in answers) == [200, 409]
            loser = next(answer for answer in answers if answer.status_code == 409)
            assert loser.json()["code"] == "already_decided"


async def test_a_decision_about_another_revision_than_the_one_read_is_refused(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_in_review(catalog, shop)
    seen = {"If-Match": (await catalog.get(OPERATOR, f"/deals/{deal_id}/review")).headers["etag"]}
    await _reject(catalog, deal_id, template="INCOMPLETE")
    await edit_in_review(catalog, shop, deal_id, price_fen=100)
    for body in ({"approve": True}, {"approve": False, "template": "INCOMPLETE"}):
        answer = await catalog.put(OPERATOR, f"/deals/{deal_id}/review", body, **seen)
        assert (answer.status_code, answer.json()["code"]) == (412, "changed_meanwhile")
    assert (await catalog.get(shop.owner, f"/deals/{deal_id}/draft")).json()["state"] == "IN_REVIEW"


async def test_of_an_edit_and_an_approval_at_once_nothing_unread_is_published(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    for _ in range(5):
        deal_id = await deal_in_review(catalog, shop)
        edit, approval = await asyncio.gather(
            catalog.put(shop.owner, f"/deals/{deal_id}", draft(shop.merchant_id, [shop.store_id], price_fen=100)),
            catalog.put(OPERATOR, f"/deals/{deal_id}/review", {"approve": True}),
        )
        assert (edit.status_code, approval.status_code) in {(409, 200), (201, 200)}
        if edit.status_code == 409:
            assert edit.json()["code"] == "deal_in_review"
        page = (await catalog.get(None, f"/deals/{deal_id}")).json()
        assert (page["price_fen"], page["deal_version"]) == (12800, 1)


async def test_a_draft_that_is_older_than_a_rule_is_not_submitted(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = new_id()
    delivery = {"modes": ["COURIER"], "fee_fen": 0, "weight_g": 500, "category": "food"}
    goods: dict[str, Any] = {"form": "GOODS", "category": "OTHER", "catering": None, "delivery": delivery}
    await catalog.put(shop.owner, f"/deals/{deal_id}", draft(shop.merchant_id, [shop.store_id], **goods))
    async with catalog.db.transaction() as tx:
        await tx.execute(
            """update deals
               set draft = jsonb_set(draft - '{form,category,booking}'::text[], '{delivery,hot_food}', 'true')
               where deal_id = $1""",
            deal_id,
        )
    read = (await catalog.get(shop.owner, f"/deals/{deal_id}/draft")).json()
    assert (read["form"], read["kind"], read["category"]) == ("GOODS", "GOODS", "OTHER")
    answer = await catalog.put(shop.owner, f"/deals/{deal_id}/submission", {})
    assert (answer.status_code, answer.json()["code"]) == (422, "hot_food_not_by_courier")


async def test_a_version_from_before_there_were_forms_sells_on(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    async with catalog.db.transaction() as tx:
        await tx.execute("update deals set deal_version = 2, version = version + 1 where deal_id = $1", deal_id)
        await tx.execute(
            """insert into deal_versions select deal_id, 2,
                   content - '{form,category,booking,refund_policy,cash,uses_per_unit,code_source,catering}'::text[],
                   title, price_fen, original_price_fen, sale_from, sale_until, approved_by, published_at
               from deal_versions where deal_id = $1""",
            deal_id,
        )
    page = (await catalog.get(None, f"/deals/{deal_id}")).json()
    assert (page["state"], page["form"], page["kind"], page["category"]) == ("ON_SALE", "SET", "VOUCHER", "OTHER")


async def test_a_draft_whose_sale_is_over_is_not_submitted(catalog: Catalog) -> None:
    shop, deal_id = await ready_shop(catalog), new_id()
    now = datetime.now(UTC)
    over = {"sale_from": (now - timedelta(hours=2)).isoformat(), "sale_until": (now - timedelta(hours=1)).isoformat()}
    path = f"/deals/{deal_id}"
    saved = await catalog.put(shop.owner, path, draft(shop.merchant_id, [shop.store_id], **over))
    assert saved.status_code == 201, saved.text
    refused = await catalog.put(shop.owner, f"{path}/submission", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "sale_ended")
    assert (await catalog.get(shop.owner, f"{path}/draft")).json()["state"] == "DRAFT"
    await catalog.put(shop.owner, path, draft(shop.merchant_id, [shop.store_id]))
    assert (await catalog.put(shop.owner, f"{path}/submission", {})).json()["state"] == "IN_REVIEW"


async def test_a_draft_whose_sale_ended_while_it_waited_is_rejected_or_nothing(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    until = datetime.now(UTC) + timedelta(hours=1)
    deal_id = await deal_in_review(catalog, shop, sale_until=until.isoformat())
    async with catalog.db.transaction() as tx:
        tx.now = until
        with pytest.raises(SaleEnded):
            await use_cases.review_deal(tx, deal_id, OPERATOR, approve=True, template=None, reason=None, revision=None)
        rejected = await use_cases.review_deal(
            tx, deal_id, OPERATOR, approve=False, template=None, reason="售卖时间已过", revision=None
        )
    assert (rejected.draft_state, rejected.deal_version) == (DraftState.REJECTED, 0)
    assert await catalog.said(deal_id) == []
