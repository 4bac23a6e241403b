"""An account without money or without a known key gets no new orders, whichever call said so; nor one that fails."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from services.dispatch.gateways.carriers import Carriers
from services.dispatch.gateways.dada import Dada
from services.dispatch.gateways.guard import Guarded
from services.dispatch.settings import DispatchSettings
from services.dispatch.use_cases import dispatching
from shared.contracts.catalog import DeliveryMode
from shared.contracts.checkout import OrderPaid
from shared.database import Row
from tests.integration.dispatch.lanes import SILENCE, restrict
from tests.integration.dispatch.shipments import SHIPMENT
from tests.integration.dispatch.stage import Stage, as_, refund_request

INSTANT = DeliveryMode.INSTANT
CODES = {
    ("dada", "FUNDS"): "90007",
    ("dada", "AUTH"): "90001",
    ("ishansong", "FUNDS"): "80007",
    ("ishansong", "AUTH"): "80001",
}
COLUMN = {"FUNDS": "balance_short_since", "AUTH": "disabled_since"}


async def _accounts(stage: Stage) -> dict[str, Row]:
    async with stage.db.transaction() as tx:
        return {row["provider"]: row for row in await tx.fetch("select * from carrier_accounts")}


async def _refuse(stage: Stage, provider: str, operation: str, reason: str, times: int = 1) -> None:
    code = CODES[provider, reason]
    await stage.faults(provider, {"operation": operation, "fault": "business_error", "code": code, "times": times})


async def _newest_decision(stage: Stage, order: OrderPaid, who: str) -> dict[str, Any]:
    answer = await stage.http.get(f"/parcels/{await stage.parcel_id(order)}/decisions", headers=as_(who))
    found: dict[str, Any] = answer.json()["items"][-1]
    return found


def _refused(decision: dict[str, Any], provider: str) -> list[str]:
    return next(one["refused"] for one in decision["candidates"] if one["provider"] == provider)


@pytest.mark.parametrize(("reason", "said"), [("FUNDS", "balance_short"), ("AUTH", "account_disabled")])
@pytest.mark.parametrize(("provider", "operation"), [("dada", "queryDeliverFee"), ("ishansong", "orderCalculate")])
async def test_what_a_quote_says_of_the_account_counts_for_every_parcel(
    stage: Stage, provider: str, operation: str, reason: str, said: str
) -> None:
    other = "ishansong" if provider == "dada" else "dada"
    shop = await stage.open_shop(provider, other)
    await _refuse(stage, provider, operation, reason)
    order = await stage.accepted(shop, INSTANT)
    assert [one["provider"] for one in await stage.attempts(order)] == [other]
    assert _refused(await _newest_decision(stage, order, shop.clerk), provider) == [said]
    assert (await _accounts(stage))[provider][COLUMN[reason]] is not None
    assert ("balance_short" in await stage.happened(order)) is (reason == "FUNDS")
    later = await stage.accepted(shop, INSTANT)
    assert [one["provider"] for one in await stage.attempts(later)] == [other], "the fault was there once only"
    assert _refused(await _newest_decision(stage, later, shop.clerk), provider) == [said]


@pytest.mark.parametrize("reason", ["FUNDS", "AUTH"])
async def test_what_a_query_says_of_the_account_counts_and_its_order_is_followed_all_the_same(
    stage: Stage, reason: str
) -> None:
    shop = await stage.open_shop("dada", "ishansong")
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    await _refuse(stage, "dada", "status/query", reason)
    await stage.pass_time(timedelta(seconds=61))
    assert (await _accounts(stage))["dada"][COLUMN[reason]] is not None
    later = await stage.accepted(shop, INSTANT)
    assert [one["provider"] for one in await stage.attempts(later)] == ["ishansong"]
    await stage.rider(order, "accept", "fetch", "finish")
    await stage.until(order, "DELIVERED")


async def test_what_a_question_after_an_unknown_outcome_says_of_the_account_counts(stage: Stage) -> None:
    shop = await stage.open_shop("dada", "ishansong")
    await stage.faults(
        "dada",
        {"operation": "addAfterQuery", "fault": "http_500", "times": 1},
        {"operation": "status/query", "fault": "business_error", "code": CODES["dada", "AUTH"], "times": 1},
    )
    await stage.accepted(shop, INSTANT)
    await stage.pass_time(timedelta(seconds=3))
    assert (await _accounts(stage))["dada"]["disabled_since"] is not None


async def test_what_a_tip_or_a_cancellation_says_of_the_account_counts(stage: Stage) -> None:
    shop = await stage.open_shop("dada", "ishansong")
    order = await stage.accepted(shop, INSTANT)
    (attempt,) = await stage.attempts(order)
    await _refuse(stage, "dada", "addTip", "FUNDS")
    answer = await stage.put(order, f"attempts/{attempt['attempt_id']}/tip", shop.clerk, {"tip_fen": 200})
    assert answer.json()["code"] == "tips_not_taken"
    assert (await _accounts(stage))["dada"]["balance_short_since"] is not None
    await _refuse(stage, "dada", "formalCancel", "AUTH")
    await stage.put(order, f"attempts/{attempt['attempt_id']}/switch", shop.clerk)
    await stage.act()
    assert (await _accounts(stage))["dada"]["disabled_since"] is not None
    await stage.until_attempt(order, "SEARCHING", 2)


async def test_an_account_whose_calls_fail_is_refused_by_name_and_looked_at_again(
    stage: Stage, served: FastAPI
) -> None:
    restrict(stage, served, "dada")
    working = next(one for one in stage.world.carriers.all if one.provider == "dada")
    assert isinstance(working, Guarded)
    nobody = Dada(base_url="http://127.0.0.1:9", timeout_s=0.5).open(stage.http)
    broken = Guarded(nobody, threshold=1, open_for=timedelta(hours=1), calls_per_s=100)
    own = next(one for one in stage.world.carriers.all if one.provider == "self")
    stage.world = replace(stage.world, carriers=Carriers((own, broken)))
    served.state.world = stage.world
    shop = await stage.open_shop("dada")
    await stage.accepted(shop, INSTANT)
    assert await broken.holds_back(), "its own quote opened the breaker"
    order = await stage.accepted(shop, INSTANT)
    assert await stage.attempts(order) == []
    decision = await _newest_decision(stage, order, shop.clerk)
    assert (decision["chosen"], _refused(decision, "dada")) == (None, ["breaker_open"])
    async with stage.db.transaction() as tx:
        search = await dispatching.prepare(tx, stage.world, await stage.parcel_id(order))
    assert search is None, "whoever is held back is not even asked for a price"
    assert (await stage.parcel(order))["dispatch_state"] == "PLANNED", "nobody is asked to decide for a minute's sake"
    for _ in range(3):
        await stage.pass_time(timedelta(seconds=21))
    async with stage.db.transaction() as tx:
        kept = await tx.value("select count(*) from decisions where parcel_id = $1", await stage.parcel_id(order))
    assert kept == 1, "looking again in vain is no news"
    stage.world = replace(stage.world, carriers=Carriers((own, working)))
    served.state.world = stage.world
    await stage.pass_time(timedelta(seconds=21))
    assert [one["provider"] for one in await stage.attempts(order)] == ["dada"]


async def test_orders_under_way_are_followed_and_called_off_past_an_open_breaker(
    stage: Stage, served: FastAPI, dispatch_settings: DispatchSettings
) -> None:
    dada = Guarded(
        dispatch_settings.account(Dada).open(stage.http), threshold=2, open_for=timedelta(hours=1), calls_per_s=100
    )
    own = next(one for one in stage.world.carriers.all if one.provider == "self")
    stage.world = replace(stage.world, carriers=Carriers((own, dada)))
    served.state.world = stage.world
    shop = await stage.open_shop("dada")
    followed, stopped = [await stage.accepted(shop, INSTANT) for _ in range(2)]
    for order in (followed, stopped):
        await stage.until_attempt(order, "SEARCHING")
    await stage.faults("dada", {"operation": "queryDeliverFee", "fault": "http_500", "times": 2}, SILENCE)
    for _ in range(2):
        await dada.quote(SHIPMENT, "f" * 32, "http://127.0.0.1:9")
    assert await dada.holds_back()
    await stage.rider(followed, "accept", "fetch")
    await stage.pass_time(timedelta(seconds=61))
    assert await stage.state(followed) == "HANDED_OVER", "asked about, although no new order would go out"
    await stage.hear(refund_request(stopped))
    await stage.until(stopped, "REFUNDING")
    assert (await stage.attempts(stopped))[0]["state"] == "CANCELLED"
    assert await dada.holds_back(), "and all that neither closed nor used the breaker"
