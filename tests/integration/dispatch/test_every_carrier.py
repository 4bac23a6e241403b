"""What must hold whoever carries the parcel: one rider at most, nothing believed unproven, nothing left behind."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.dispatch.gateways.carriers import Carriers
from services.dispatch.gateways.kuaidi100 import Kuaidi100
from services.dispatch.settings import DispatchSettings
from shared.contracts.catalog import DeliveryMode
from shared.contracts.dispatch import ParcelDelivered, ParcelHandedOver
from tests.integration.dispatch.lanes import BY_NAME, LANES, SILENCE, Lane, act, forge, restrict, riders
from tests.integration.dispatch.stage import Stage
from tests.support.waiting import eventually

EVERY = pytest.mark.parametrize("lane", LANES, ids=lambda lane: lane.provider)
ALL = ("dada", "ishansong", "kuaidi100")
WEAK = pytest.mark.parametrize("lane", [BY_NAME["dada"], BY_NAME["ishansong"]], ids=lambda lane: lane.provider)


def _fault(operation: str, fault: str, **more: Any) -> dict[str, Any]:
    return {"operation": operation, "fault": fault, "seconds": 3, **more}


@EVERY
async def test_a_parcel_is_carried_to_its_door(stage: Stage, served: FastAPI, lane: Lane) -> None:
    restrict(stage, served, lane.provider)
    order = await stage.accepted(await stage.open_shop(*ALL), lane.mode)
    attempt = await stage.until_attempt(order, "SEARCHING")
    assert (attempt["provider"], attempt["account"]) == (lane.provider, "platform")
    await act(stage, lane, order, *lane.to_the_road)
    await stage.until(order, "HANDED_OVER")
    await act(stage, lane, order, *lane.to_the_door)
    await stage.until(order, "DELIVERED")
    assert len(await stage.said_of(ParcelHandedOver, order)) == 1
    assert len(await stage.said_of(ParcelDelivered, order)) == 1


@EVERY
@pytest.mark.parametrize(
    "fault",
    [
        "commit_then_timeout",
        "commit_then_http_500",
        "commit_then_html_body",
        "commit_then_gbk_body",
        "commit_then_unknown_code",
        "drop_before_commit",
        "http_500",
        "throttle",
    ],
)
async def test_whatever_becomes_of_the_order_one_rider_comes(
    stage: Stage, served: FastAPI, lane: Lane, fault: str
) -> None:
    restrict(stage, served, lane.provider)
    await stage.faults(lane.provider, _fault(lane.place, fault), SILENCE)
    order = await stage.accepted(await stage.open_shop(*ALL), lane.mode)
    for _ in range(6):
        assert await riders(stage, order) <= 1
        if (await stage.attempts(order))[-1]["state"] == "SEARCHING":
            break
        await stage.pass_time(timedelta(seconds=31))
    assert [attempt["state"] for attempt in await stage.attempts(order)][-1] == "SEARCHING"
    assert await riders(stage, order) == 1
    if fault.startswith("commit"):
        assert len(await stage.attempts(order)) == 1, "what arrived is adopted"
    await stage.faults(lane.provider)
    await act(stage, lane, order, *lane.to_the_road, *lane.to_the_door, number=len(await stage.attempts(order)))
    await stage.until(order, "DELIVERED")


@EVERY
async def test_a_cancellation_that_loses_to_the_pickup_brings_no_second_rider(
    stage: Stage, served: FastAPI, lane: Lane
) -> None:
    restrict(stage, served, lane.provider)
    shop = await stage.open_shop(*ALL)
    order = await stage.accepted(shop, lane.mode)
    await stage.until_attempt(order, "SEARCHING")
    await stage.faults(lane.provider, _fault(lane.cancel, "cancel_lost_to_pickup"))
    await stage.put(order, "refusal", shop.clerk, {"reason": "卖完了"})
    await stage.until(order, "HANDED_OVER")
    assert await riders(stage, order) == 1
    assert len(await stage.attempts(order)) == 1


@WEAK
@pytest.mark.parametrize("ending", ["delivered", "cancelled"])
async def test_an_end_that_nobody_proved_is_asked_about_and_not_believed(
    stage: Stage, served: FastAPI, lane: Lane, ending: str
) -> None:
    restrict(stage, served, lane.provider)
    order = await stage.accepted(await stage.open_shop(*ALL), lane.mode)
    await stage.until_attempt(order, "SEARCHING")
    status = {"dada": {"delivered": 4, "cancelled": 5}, "ishansong": {"delivered": 50, "cancelled": 60}}
    answer = await forge(stage, lane, order, status[lane.provider][ending])
    assert answer.status_code == 200
    await stage.act()
    assert await stage.state(order) == "ACCEPTED"
    assert [attempt["state"] for attempt in await stage.attempts(order)] == ["SEARCHING"]


@WEAK
async def test_what_nobody_proved_waits_while_the_carrier_cannot_be_asked(
    stage: Stage, served: FastAPI, lane: Lane
) -> None:
    restrict(stage, served, lane.provider)
    order = await stage.accepted(await stage.open_shop(*ALL), lane.mode)
    await stage.until_attempt(order, "SEARCHING")
    asking = {"dada": "status/query", "ishansong": "orderInfo"}[lane.provider]
    await stage.faults(lane.provider, _fault(asking, "http_500"), SILENCE)
    await act(stage, lane, order, *lane.to_the_road)
    await forge(stage, lane, order, {"dada": 3, "ishansong": 40}[lane.provider])
    await stage.act()
    assert await stage.state(order) == "ACCEPTED"
    await stage.pass_time(timedelta(seconds=3))
    assert await stage.state(order) == "HANDED_OVER"


async def test_an_account_without_money_gets_no_more_orders_and_the_next_carrier_comes(
    stage: Stage, served: FastAPI
) -> None:
    restrict(stage, served, "dada", "ishansong")
    await stage.faults("dada", _fault("addAfterQuery", "balance_short"))
    shop = await stage.open_shop(*ALL)
    first = await stage.accepted(shop, DeliveryMode.INSTANT)
    try:
        attempts = await stage.attempts(first)
        assert [attempt["provider"] for attempt in attempts] == ["dada", "ishansong"]
        assert attempts[0]["refusal_code"] == "funds:90007"
        second = await stage.accepted(shop, DeliveryMode.INSTANT)
        assert [attempt["provider"] for attempt in await stage.attempts(second)] == ["ishansong"]
        assert await riders(stage, first) == 1
    finally:
        async with stage.db.transaction() as tx:
            await tx.execute("delete from carrier_accounts")


async def test_an_order_that_the_courier_could_not_place_is_placed_anew(stage: Stage, served: FastAPI) -> None:
    lane = BY_NAME["kuaidi100"]
    restrict(stage, served, lane.provider)
    order = await stage.accepted(await stage.open_shop(*ALL), lane.mode)
    await stage.until_attempt(order, "SEARCHING")
    await act(stage, lane, order, "fail")
    again = await stage.until_attempt(order, "SEARCHING", 2)
    assert [attempt["state"] for attempt in await stage.attempts(order)] == ["REJECTED", "SEARCHING"]
    assert again["attempt_id"] != (await stage.attempts(order))[0]["attempt_id"], "a new key: the old one is spent"
    assert await riders(stage, order) == 1


async def test_the_number_under_which_a_runner_will_know_the_order_is_kept_before_it_is_sent(
    stage: Stage, served: FastAPI
) -> None:
    restrict(stage, served, "ishansong")
    await stage.faults("ishansong", _fault("orderPlace", "commit_then_timeout"), SILENCE)
    order = await stage.accepted(await stage.open_shop(*ALL), DeliveryMode.INSTANT)
    (attempt,) = await stage.attempts(order)
    assert (attempt["state"], attempt["provider_id"]) == ("UNKNOWN", None)
    shown = await stage.sandbox.get(f"/_sim/ishansong/orders/{attempt['attempt_id'].hex}")
    assert attempt["quote_token"] == shown.json()["orderNo"]


async def test_a_callback_at_an_accounts_address_moves_nobody_elses_order(stage: Stage, served: FastAPI) -> None:
    restrict(stage, served, "dada", "ishansong")
    await stage.faults("ishansong", _fault("orderCalculate", "http_500", times=9))
    order = await stage.accepted(await stage.open_shop(*ALL), DeliveryMode.INSTANT)
    (attempt,) = await stage.attempts(order)
    assert attempt["provider"] == "dada"
    answer = await forge(stage, BY_NAME["ishansong"], order, 50)
    assert answer.status_code == 200, "nobody learns which numbers exist"
    await stage.act()

    async def only_its_own() -> bool:
        async with stage.db.transaction() as tx:
            found = await tx.fetch(
                "select provider from webhooks where attempt_id = $1 group by provider", attempt["attempt_id"]
            )
        return [row["provider"] for row in found] in ([], ["dada"])

    await eventually(only_its_own)
    assert await stage.state(order) == "ACCEPTED"


@pytest.mark.parametrize("told", ["by a callback", "when asked"])
async def test_a_waybill_that_comes_late_has_its_track_pushed(
    stage: Stage, served: FastAPI, dispatch_settings: DispatchSettings, told: str
) -> None:
    lane = BY_NAME["kuaidi100"]
    yunda = dispatch_settings.account(Kuaidi100).model_copy(update={"company": "yunda"})
    async with httpx.AsyncClient(trust_env=False) as http:
        stage.world = replace(stage.world, carriers=Carriers((yunda.open(http),)))
        served.state.world = stage.world
        order = await stage.accepted(await stage.open_shop(*ALL), lane.mode)
        assert (await stage.until_attempt(order, "SEARCHING"))["waybill"] is None
        silence = [SILENCE] if told == "when asked" else []
        await stage.faults("kuaidi100", _fault("poll", "http_500"), *silence)
        await act(stage, lane, order, "accept")
        if silence:
            await stage.pass_time(timedelta(hours=2, minutes=1))
        assert (await stage.until_attempt(order, "ASSIGNED"))["waybill"]
        await stage.pass_time(timedelta(seconds=3))
        left = [one["operation"] for one in (await stage.sandbox.get("/_sim/faults/kuaidi100")).json()]
        assert "poll" not in left, "asked, and asked again"
        async with stage.db.transaction() as tx:
            assert await tx.value("select count(*) from timers where kind = 'subscribe_track'") == 0
        await stage.sandbox.delete("/_sim/faults/kuaidi100")
        await act(stage, lane, order, "pickup", "sign")
        await stage.until(order, "DELIVERED")
