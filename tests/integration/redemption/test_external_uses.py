"""Uses at the merchant's own till: reported under its signature, decided like every other use."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.redemption import consumers
from shared.clock import business_day
from shared.contracts.catalog import DealForm
from shared.contracts.checkout import OrderPaid
from shared.contracts.redemption import CertificateUsed, UseFinal
from shared.contracts.use_rules import UseRules
from shared.ids import new_id
from tests.integration.redemption.stage import Stage, as_, other_store, refund_request, units_of
from tests.integration.redemption.third_party import SECRET, Deal, codes, deal_of, name_issuer


@pytest.fixture
async def deal(stage: Stage) -> Deal:
    """A deal whose merchant signs."""
    deal = await deal_of(stage)
    assert (await name_issuer(deal)).status_code == 200
    return deal


async def sold(deal: Deal, uses: int = 1, rules: UseRules | None = None) -> tuple[OrderPaid, str]:
    """An order of one unit, and its code."""
    (text,) = codes(1)
    assert (await deal.fill([text])).status_code == 201
    order = await deal.stage.pay(
        deal.shop, uses=uses, rules=rules, form=DealForm.THIRD_PARTY_CODE, deal_id=deal.deal_id
    )
    assert await deal.stage.states(order) == ["VALID"]
    return order, text


async def report(deal: Deal, code: str, report_id: UUID | None = None, **more: Any) -> httpx.Response:
    """What the merchant's till sends."""
    content = {
        "code": code,
        "store_id": str(deal.shop.store_id),
        "used_at": deal.stage.now().isoformat(),
    } | {name: value for name, value in more.items() if name not in ("secret", "age")}
    signing = {name: value for name, value in more.items() if name in ("secret", "age")}
    return await deal.signed_put(f"external-uses/{report_id or new_id()}", content, **signing)


async def test_a_reported_use_is_a_use_like_any_other(stage: Stage, deal: Deal) -> None:
    order, code = await sold(deal)
    answer = await report(deal, code.lower())
    assert answer.status_code == 201, answer.text
    done = answer.json()
    assert (done["operator"], done["store_id"], done["title"]) == ("external", str(deal.shop.store_id), order.title)
    assert await stage.states(order) == ["USED"]
    (use,) = done["uses"]
    (event,) = await stage.said(CertificateUsed, use["use_id"])
    assert (event.unit_id, event.store_id) == (units_of(order)[0], deal.shop.store_id)
    await stage.pass_time(timedelta(hours=1))
    assert len(await stage.said(UseFinal, use["use_id"])) == 1
    assert (await deal.state())["used"] == 1
    listed = await stage.http.get(f"/stores/{deal.shop.store_id}/redemptions", headers=as_(deal.shop.clerk))
    assert [one["operator"] for one in listed.json()["items"]] == ["external"]


async def test_the_same_report_gives_the_first_answer_whatever_it_was(stage: Stage, deal: Deal) -> None:
    order, code = await sold(deal)
    moment, report_id, refused_id = stage.now().isoformat(), new_id(), new_id()
    refused = await report(deal, "no such code", refused_id, used_at=moment)
    answers = await asyncio.gather(*(report(deal, code, report_id, used_at=moment) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert await uses_of(stage, order) == 1
    # Even when it would be answered otherwise by now.
    await deal.fill(["no such code"])
    assert await stage.states(await deal.sell()) == ["VALID"]
    again = await report(deal, "no such code", refused_id, used_at=moment)
    assert (again.status_code, again.json()["code"]) == (refused.status_code, "code_unknown")
    other = await report(deal, codes(1)[0], report_id, used_at=moment)
    assert (other.status_code, other.json()["code"]) == (409, "id_taken")


async def uses_of(stage: Stage, order: OrderPaid) -> int:
    async with stage.db.transaction() as tx:
        count: int = await tx.value("select count(*) from uses where unit_id = any($1)", units_of(order))
    return count


async def used(deal: Deal) -> str:
    _, code = await sold(deal)
    assert (await report(deal, code)).status_code == 201
    return code


async def refunding(deal: Deal) -> str:
    order, code = await sold(deal)
    await consumers.fence_refund(refund_request(order), deal.stage.db)
    return code


async def expired(deal: Deal) -> str:
    _, code = await sold(deal, rules=UseRules(valid_days=1))
    await deal.stage.pass_time(timedelta(days=3))
    return code


async def early(deal: Deal) -> str:
    rules = UseRules(use_from=deal.stage.now() + timedelta(days=1), valid_days=30)
    return (await sold(deal, rules=rules))[1]


async def blackout(deal: Deal) -> str:
    rules = UseRules(valid_days=30, blackout_dates=(business_day(deal.stage.now()),))
    return (await sold(deal, rules=rules))[1]


async def closed(deal: Deal) -> str:
    _, code = await sold(deal)
    await deal.stage.keep_store(deal.shop, version=2, is_open=False)
    return code


async def still_free(deal: Deal) -> str:
    (text,) = codes(1)
    await deal.fill([text])
    return text


async def of_ours(deal: Deal) -> str:
    return await deal.stage.code(await deal.stage.pay(deal.shop))


Situation = Callable[[Deal], Awaitable[str]]
REFUSALS: list[tuple[Situation, int, str]] = [
    (used, 409, "certificate_used"),
    (refunding, 409, "certificate_refunding"),
    (expired, 409, "expired"),
    (early, 409, "not_yet_valid"),
    (blackout, 409, "blackout_date"),
    (closed, 409, "store_closed"),
    (still_free, 404, "code_unknown"),
    (of_ours, 404, "code_unknown"),
]


@pytest.mark.parametrize(("situation", "status", "code"), REFUSALS, ids=[one[0].__name__ for one in REFUSALS])
async def test_what_cannot_be_used_is_refused_with_its_reason_and_stays_what_it_is(
    stage: Stage, deal: Deal, situation: Situation, status: int, code: str
) -> None:
    shown, report_id = await situation(deal), new_id()
    before = await all_uses(stage)
    moment = stage.now().isoformat()
    answers = [await report(deal, shown, report_id, used_at=moment) for _ in range(2)]
    assert [(one.status_code, one.json()["code"]) for one in answers] == [(status, code)] * 2
    assert answers[0].json()["title"] == answers[1].json()["title"]
    assert await all_uses(stage) == before


async def all_uses(stage: Stage) -> int:
    async with stage.db.transaction() as tx:
        count: int = await tx.value("select count(*) from uses")
    return count


async def test_a_store_for_which_it_was_not_sold_or_of_another_merchant_is_refused(stage: Stage, deal: Deal) -> None:
    order, code = await sold(deal)
    sister = await stage.open_shop(other_store(deal.shop))
    stranger = await stage.open_shop()
    refusals = [(sister, "other_store"), (stranger, "store_unknown")]
    for shop, reason in refusals:
        answer = await report(deal, code, store_id=str(shop.store_id))
        assert (answer.status_code, answer.json()["code"]) == (409, reason)
    assert await stage.states(order) == ["VALID"]


@pytest.mark.parametrize("code", ["a\x00b", "-", " "])
async def test_what_can_be_no_code_is_unknown_like_any_other(deal: Deal, code: str) -> None:
    answer = await report(deal, code)
    assert (answer.status_code, answer.json()["code"]) == (404, "code_unknown")


async def test_a_code_of_another_merchant_is_unknown(stage: Stage, deal: Deal) -> None:
    other = await deal_of(stage)
    await name_issuer(other)
    order, code = await sold(deal)
    answer = await report(other, code)
    assert (answer.status_code, answer.json()["code"]) == (404, "code_unknown")
    assert await stage.states(order) == ["VALID"]


async def test_a_signature_that_is_wrong_or_old_uses_nothing(stage: Stage, deal: Deal) -> None:
    order, code = await sold(deal)
    for signing in ({"secret": SECRET[::-1]}, {"age": timedelta(minutes=6)}):
        answer = await report(deal, code, **signing)
        assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
    assert await stage.states(order) == ["VALID"]


async def test_a_use_that_is_yet_to_come_is_refused(stage: Stage, deal: Deal) -> None:
    order, code = await sold(deal)
    answer = await report(deal, code, used_at=(stage.now() + timedelta(minutes=6)).isoformat())
    assert (answer.status_code, answer.json()["code"]) == (422, "used_in_the_future")
    assert await stage.states(order) == ["VALID"]


async def test_the_merchants_till_and_ours_at_once_use_a_code_once(stage: Stage, deal: Deal) -> None:
    order, code = await sold(deal)
    token = (await stage.prepare(deal.shop, code=code)).json()["token"]
    outcomes = await asyncio.gather(
        *(report(deal, code) for _ in range(4)),
        *(stage.verify(deal.shop, token, units_of(order)) for _ in range(4)),
    )
    assert sorted(one.status_code for one in outcomes) == [201] + [409] * 7
    assert await uses_of(stage, order) == 1


async def test_a_subject_that_is_called_external_is_nobody(stage: Stage, deal: Deal) -> None:
    order, code = await sold(deal)
    body = {"store_id": str(deal.shop.store_id), "code": code}
    answer = await stage.http.post("/preparations", json=body, headers=as_("external"))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_staff_of_store")
    assert await stage.states(order) == ["VALID"]
