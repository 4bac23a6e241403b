"""Who becomes a merchant."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from services.catalog import use_cases
from shared.clock import business_day
from shared.ids import new_id
from tests.integration.catalog.shop import (
    OPERATOR,
    Catalog,
    application,
    applied_merchant,
    step_of,
    verified_merchant,
    won_and_lost,
)


async def test_the_applicant_becomes_the_owner_and_everybody_is_told(catalog: Catalog) -> None:
    merchant_id, owner = await applied_merchant(catalog)
    workplaces = (await catalog.get(owner, "/me/merchants")).json()["items"]
    assert [(place["merchant_id"], place["role"]) for place in workplaces] == [(str(merchant_id), "OWNER")]
    ((topic, body),) = await catalog.said(merchant_id)
    assert topic == "catalog.merchant_changed.v1"
    assert (body["state"], body["version"]) == ("APPLIED", 1)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"account_kind": "ORDINARY"}, "account_not_enterprise"),
        ({"account_kind": "ENTERPRISE_TRIAL"}, "account_trial"),
        (
            {"licence_expires_on": str(business_day(datetime.now(UTC)) + timedelta(days=15))},
            "licence_expires_soon",
        ),
    ],
)
async def test_accounts_that_may_not_sell_are_refused_and_leave_nothing(
    catalog: Catalog, change: dict[str, str], code: str
) -> None:
    merchant_id = new_id()
    answer = await catalog.put("somebody", f"/merchants/{merchant_id}", application(**change))
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert (await catalog.get(OPERATOR, f"/merchants/{merchant_id}")).status_code == 404
    assert await catalog.said(merchant_id) == []


async def test_applying_again_with_the_same_id_and_body_gives_the_first_result(catalog: Catalog) -> None:
    merchant_id, owner = await applied_merchant(catalog)
    again = await catalog.put(owner, f"/merchants/{merchant_id}", application())
    assert (again.status_code, again.json()["version"]) == (201, 1)
    assert len(await catalog.said(merchant_id)) == 1


async def test_an_id_with_another_body_or_another_person_is_taken(catalog: Catalog) -> None:
    merchant_id, owner = await applied_merchant(catalog)
    other_body = await catalog.put(owner, f"/merchants/{merchant_id}", application(name="别的店"))
    other_person = await catalog.put("stranger", f"/merchants/{merchant_id}", application())
    assert (other_body.json()["code"], other_person.json()["code"]) == ("id_taken", "id_taken")


async def test_only_an_operator_verifies(catalog: Catalog) -> None:
    merchant_id, owner = await applied_merchant(catalog)
    answer = await catalog.put(owner, f"/merchants/{merchant_id}/verification", {"approve": True})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_the_second_of_two_different_decisions_is_told_about_the_first(catalog: Catalog) -> None:
    merchant_id, _ = await verified_merchant(catalog)
    path = f"/merchants/{merchant_id}/verification"
    same = await catalog.put(OPERATOR, path, {"approve": True})
    other = await catalog.put(OPERATOR, path, {"approve": False, "reason": "照片模糊"})
    assert same.status_code == 200
    assert (other.status_code, other.json()["code"], other.json()["state"]) == (409, "already_decided", "VERIFIED")
    assert [body["state"] for _, body in await catalog.said(merchant_id)] == ["APPLIED", "VERIFIED"]


async def test_of_two_rejections_at_once_for_different_reasons_the_merchant_reads_the_one_that_won(
    catalog: Catalog,
) -> None:
    for _ in range(5):
        merchant_id, owner = await applied_merchant(catalog)
        path = f"/merchants/{merchant_id}/verification"
        bodies = [{"approve": False, "reason": reason} for reason in ("照片模糊", "号码不符")]
        answers = await asyncio.gather(*(catalog.put(OPERATOR, path, body) for body in bodies))
        won, lost = won_and_lost(bodies, answers)
        assert lost.json()["code"] == "already_decided"
        assert (await catalog.put(OPERATOR, path, won)).json()["version"] == 2
        step = await step_of(catalog, merchant_id, owner, "ENTERPRISE_VERIFICATION")
        assert step["reason_zh"] == won["reason"]


async def test_a_rejection_needs_a_reason_which_the_checklist_shows_and_a_new_application_answers(
    catalog: Catalog,
) -> None:
    merchant_id, owner = await applied_merchant(catalog)
    path = f"/merchants/{merchant_id}/verification"
    assert (await catalog.put(OPERATOR, path, {"approve": False})).json()["code"] == "reason_needed"
    rejected = (await catalog.put(OPERATOR, path, {"approve": False, "reason": "照片模糊"})).json()
    assert rejected["checklist"][1] == {
        "step": "ENTERPRISE_VERIFICATION", "state": "REFUSED", "reason_zh": "照片模糊", "reason_en": "照片模糊",
    }  # fmt: skip
    again = (await catalog.put(owner, f"/merchants/{merchant_id}", application(phone="023-63009999"))).json()
    assert (again["state"], again["phone"], again["version"]) == ("APPLIED", "023-63009999", 3)


async def test_a_decision_about_another_version_than_the_one_read_is_refused(catalog: Catalog) -> None:
    merchant_id, _ = await applied_merchant(catalog)
    path = f"/merchants/{merchant_id}/verification"
    stale = await catalog.put(OPERATOR, path, {"approve": True}, **{"If-Match": '"7"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "changed_meanwhile")
    assert (await catalog.put(OPERATOR, path, {"approve": True}, **{"If-Match": '"1"'})).status_code == 200


async def test_a_stranger_sees_no_merchant(catalog: Catalog) -> None:
    merchant_id, _ = await applied_merchant(catalog)
    assert (await catalog.get("stranger", f"/merchants/{merchant_id}")).status_code == 403
    assert (await catalog.get("invalid", f"/merchants/{merchant_id}")).status_code == 401


async def test_text_that_no_database_can_take_is_malformed_input(catalog: Catalog) -> None:
    for name in ("a\x00b", "", "x" * 61, "\ud800"):
        body = application()
        body["name"] = name
        answer = await catalog.client.put(
            f"/merchants/{new_id()}",
            content=json.dumps(body).encode(),
            headers={"Authorization": "Bearer somebody", "Content-Type": "application/json"},
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "malformed_input"), repr(name)


async def test_there_is_exactly_one_first_operator_however_many_processes_start(catalog: Catalog) -> None:
    async with catalog.db.transaction() as tx:
        await use_cases.seed_first_operator(tx, "a-second-first-operator")
        await use_cases.seed_first_operator(tx, OPERATOR)
        subjects = await tx.fetch("select subject from staff where role = 'OPERATOR'")
    assert "a-second-first-operator" not in {row["subject"] for row in subjects}
