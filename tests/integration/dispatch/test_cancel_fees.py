"""What a cancelled order cost: asked for until it is known, or a person has to find out. Unknown is not zero."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from services.dispatch.use_cases import sweeping
from shared.contracts.catalog import DeliveryMode, StaffRole
from shared.contracts.checkout import OrderPaid
from shared.database import Row
from shared.ids import new_id
from tests.integration.dispatch.lanes import SILENCE, restrict
from tests.integration.dispatch.stage import Shop, Stage, as_, staff_changed

INSTANT = DeliveryMode.INSTANT


async def _operator(stage: Stage) -> str:
    subject = f"operator-{new_id().hex[:8]}"
    await stage.hear(staff_changed(Shop(), subject, StaffRole.OPERATOR, stage.now()))
    return subject


async def _sim(stage: Stage, attempt: Row, action: str, **query: Any) -> None:
    path = f"/_sim/ishansong/orders/{attempt['attempt_id'].hex}/{action}"
    answer = await stage.sandbox.post(path, params=query)
    assert answer.status_code == 200, answer.text


async def _cancelled(
    stage: Stage, served: FastAPI, abort_type: int = 3, deduct_fen: int | None = None
) -> tuple[Shop, OrderPaid, Row]:
    """An order that somebody at the carrier gave up after a rider had taken it; what that costs is said or not."""
    restrict(stage, served, "ishansong")
    shop = await stage.open_shop("ishansong")
    order = await stage.accepted(shop, INSTANT)
    attempt = await stage.until_attempt(order, "SEARCHING")
    await _sim(stage, attempt, "accept")
    await stage.until_attempt(order, "ASSIGNED")
    told = {} if deduct_fen is None else {"deduct_fen": deduct_fen}
    await _sim(stage, attempt, "cancel", abort_type=abort_type, abort_reason="车坏了 13800138000", **told)
    return shop, order, await stage.until_attempt(order, "CANCELLED")


async def _fee(stage: Stage, order: OrderPaid) -> Row:
    return (await stage.attempts(order))[0]


async def _penalties(stage: Stage) -> int:
    async with stage.db.transaction() as tx:
        return int(await tx.value("select coalesce(sum(penalty_fen), 0) from scorecard where provider = 'ishansong'"))


@pytest.mark.parametrize(
    ("abort_type", "doing", "bearer"),
    [(1, "MERCHANT", "MERCHANT"), (2, "MERCHANT", "MERCHANT"), (3, "RIDER", "PLATFORM"), (9, "SYSTEM", "PLATFORM")],
)
async def test_who_gave_up_bears_the_fee_and_the_merchant_reads_why(
    stage: Stage, served: FastAPI, abort_type: int, doing: str, bearer: str
) -> None:
    shop, order, _ = await _cancelled(stage, served, abort_type, 200)
    (shown, *_) = (await stage.shown(order, shop.clerk))["attempts"]
    assert (shown["cancelled_by"], shown["penalty_borne_by"]) == (doing, bearer)
    assert (shown["cancel_fee_fen"], shown["fee_state"]) == (200, "CONFIRMED")
    assert shown["cancel_words"] == "车坏了 ***"
    assert "车坏了" not in str(await stage.shown(order, order.buyer))


async def test_a_fee_that_is_not_told_is_asked_for_until_it_is(stage: Stage, served: FastAPI) -> None:
    _, order, attempt = await _cancelled(stage, served)
    assert (attempt["cancel_fee_fen"], attempt["fee_state"]) == (None, "PENDING")
    before = await _penalties(stage)
    await stage.pass_time(timedelta(minutes=1, seconds=1))
    assert ((await _fee(stage, order))["fee_asked"], (await _fee(stage, order))["fee_state"]) == (1, "PENDING")
    await _sim(stage, attempt, "bill", deduct_fen=300)
    await stage.pass_time(timedelta(minutes=5, seconds=1))
    known = await _fee(stage, order)
    assert (known["cancel_fee_fen"], known["fee_state"], known["fee_given_up_at"]) == (300, "CONFIRMED", None)
    assert await _penalties(stage) == before + 300
    for _ in range(3):
        await stage.pass_time(timedelta(days=1))
    assert (await _fee(stage, order))["fee_asked"] == 1, "nobody asks about what is known"
    assert await _penalties(stage) == before + 300


async def test_a_fee_that_is_never_told_is_a_persons_to_find(stage: Stage, served: FastAPI) -> None:
    shop, order, attempt = await _cancelled(stage, served)
    operator = await _operator(stage)
    for _ in range(12):
        await stage.pass_time(timedelta(hours=12))
    given_up = await _fee(stage, order)
    assert given_up["fee_asked"] == 6, "asking has an end"
    assert (given_up["cancel_fee_fen"], given_up["fee_state"]) == (None, "PENDING"), "and unknown stays unknown"
    assert "cancel_fee_unknown" in await stage.happened(order)
    assert "取消费" not in str((await stage.shown(order, order.buyer))["timeline"])
    listed = await _listed(stage, operator)
    assert listed[str(attempt["attempt_id"])]["penalty_borne_by"] == "PLATFORM"
    money = (await stage.http.get("/admin/money", headers=as_(operator))).json()
    assert money["terms"]["cancel_fees_unknown"] >= 1
    path = f"/admin/attempts/{attempt['attempt_id']}/cancel-fee"
    assert (await stage.http.put(path, json={"fee_fen": 200}, headers=as_(shop.owner))).status_code == 403
    for _ in range(2):
        assert (await stage.http.put(path, json={"fee_fen": 200}, headers=as_(operator))).status_code == 204
    other = await stage.http.put(path, json={"fee_fen": 300}, headers=as_(operator))
    assert (other.status_code, other.json()["code"]) == (409, "cancel_fee_known")
    settled = await _fee(stage, order)
    assert (settled["cancel_fee_fen"], settled["fee_state"]) == (200, "CONFIRMED")
    assert str(attempt["attempt_id"]) not in await _listed(stage, operator)


async def _listed(stage: Stage, operator: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    cursor: str | None = None
    while True:
        params = {"limit": "1", **({"cursor": cursor} if cursor else {})}
        answer = await stage.http.get("/admin/cancel-fees", params=params, headers=as_(operator))
        assert answer.status_code == 200, answer.text
        found |= {one["attempt_id"]: one for one in answer.json()["items"]}
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found


async def test_a_carrier_that_cannot_be_asked_uses_up_the_questions_too(stage: Stage, served: FastAPI) -> None:
    _, order, _ = await _cancelled(stage, served)
    await stage.faults("ishansong", {"operation": "orderInfo", "fault": "http_500", "times": 1000})
    for _ in range(12):
        await stage.pass_time(timedelta(hours=12))
    assert (await _fee(stage, order))["fee_given_up_at"] is not None
    await stage.faults("ishansong")


async def test_a_fee_is_asked_for_although_its_timer_was_lost(stage: Stage, served: FastAPI) -> None:
    _, order, attempt = await _cancelled(stage, served)
    async with stage.db.transaction() as tx:
        await tx.execute("delete from timers where key = $1", str(attempt["attempt_id"]))
        await tx.execute("alter table attempts disable trigger attempt_touched")
        await tx.execute(
            "update attempts set changed_at = now() - interval '10 minutes' where attempt_id = $1",
            attempt["attempt_id"],
        )
        await tx.execute("alter table attempts enable trigger attempt_touched")
        await sweeping.sweep_up(tx)
    await _sim(stage, attempt, "bill", deduct_fen=100)
    await stage.act()
    assert (await _fee(stage, order))["cancel_fee_fen"] == 100


async def test_what_was_not_cancelled_has_no_fee_to_settle(stage: Stage) -> None:
    operator = await _operator(stage)
    order = await stage.accepted(await stage.open_shop("dada"), INSTANT)
    (attempt,) = await stage.attempts(order)
    for attempt_id, code in ((attempt["attempt_id"], "attempt_not_cancelled"), (new_id(), "attempt_not_found")):
        path = f"/admin/attempts/{attempt_id}/cancel-fee"
        answer = await stage.http.put(path, json={"fee_fen": 1}, headers=as_(operator))
        assert answer.json()["code"] == code


async def _a_rider_came(stage: Stage, served: FastAPI, **preferences: Any) -> tuple[Shop, OrderPaid, Row]:
    """Two minutes ago, so that 闪送 takes two yuan for leaving."""
    restrict(stage, served, "ishansong")
    shop = await stage.open_shop("ishansong", **preferences)
    order = await stage.accepted(shop, INSTANT)
    attempt = await stage.until_attempt(order, "SEARCHING")
    await _sim(stage, attempt, "accept", ago_s=120)
    return shop, order, await stage.until_attempt(order, "ASSIGNED")


@pytest.mark.parametrize("verb", ["switch", "refusal"])
async def test_leaving_costs_no_more_than_the_merchant_agreed_to(stage: Stage, served: FastAPI, verb: str) -> None:
    shop, order, attempt = await _a_rider_came(stage, served)
    terms = await stage.http.get(f"/parcels/{await stage.parcel_id(order)}/cancel-terms", headers=as_(shop.clerk))
    assert (terms.json()["fee_fen"], terms.json()["needs_confirmation"]) == (200, True)
    path = f"attempts/{attempt['attempt_id']}/switch" if verb == "switch" else "refusal"
    body: dict[str, Any] = {} if verb == "switch" else {"reason": "售罄"}
    for consent in ({}, {"most_fee_fen": 199}, {"accept_unknown_fee": True}):
        refused = await stage.put(order, path, shop.clerk, body | consent)
        assert (refused.status_code, refused.json()["code"]) == (409, "cancel_fee_unconfirmed")
        assert refused.json()["fee_fen"] == 200
        assert (await _fee(stage, order))["cancel_reason"] is None, "nothing was done"
    assert (await stage.put(order, path, shop.clerk, body | {"most_fee_fen": 200})).status_code == 200
    left = await stage.until_attempt(order, "CANCELLED")
    assert (left["cancel_fee_fen"], left["fee_state"], left["penalty_borne_by"]) == (200, "CONFIRMED", "MERCHANT")


async def test_a_fee_within_the_merchants_own_limit_needs_no_further_yes(stage: Stage, served: FastAPI) -> None:
    shop, order, attempt = await _a_rider_came(stage, served, confirm_above_fen=200)
    answer = await stage.put(order, f"attempts/{attempt['attempt_id']}/switch", shop.clerk)
    assert answer.status_code == 200, answer.text
    await stage.until_attempt(order, "CANCELLED")


async def test_an_order_is_not_called_off_once_the_rider_has_the_goods(stage: Stage, served: FastAPI) -> None:
    """闪送 would take it, keep the whole fee and bring the goods back; it is asked for no such thing."""
    shop, order, attempt = await _a_rider_came(stage, served)
    await stage.faults("ishansong", SILENCE)
    await _sim(stage, attempt, "fetch")
    body = {"most_fee_fen": 100_000}
    assert (await stage.put(order, f"attempts/{attempt['attempt_id']}/switch", shop.clerk, body)).status_code == 200
    await stage.act()
    await stage.until(order, "HANDED_OVER")
    assert (await _fee(stage, order))["state"] == "IN_TRANSIT"
