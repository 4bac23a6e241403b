"""Which carrier gets a parcel, what happens when none comes, and what its merchant can do then."""

from datetime import timedelta
from typing import Any

import pytest

from services.dispatch.store import scorecards
from shared.contracts.catalog import DeliveryMode, StaffRole
from shared.contracts.checkout import OrderPaid
from shared.contracts.dispatch import ParcelFailed, ParcelFailure
from tests.integration.dispatch.stage import Shop, Stage, as_, refund_request, staff_changed

INSTANT, SELF = DeliveryMode.INSTANT, DeliveryMode.SELF
PATIENCE = timedelta(minutes=7, seconds=31)


async def _decisions(stage: Stage, order: OrderPaid, who: str) -> list[dict[str, Any]]:
    answer = await stage.http.get(f"/parcels/{await stage.parcel_id(order)}/decisions", headers=as_(who))
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def _switch(stage: Stage, order: OrderPaid, who: str, number: int = 1, **body: Any) -> Any:
    attempt_id = (await stage.attempts(order))[number - 1]["attempt_id"]
    return await stage.put(order, f"attempts/{attempt_id}/switch", who, body)


async def _providers(stage: Stage, order: OrderPaid) -> list[str]:
    return [attempt["provider"] for attempt in await stage.attempts(order)]


async def test_the_cheapest_offer_is_taken_and_everybody_else_is_told_why_not(stage: Stage) -> None:
    shop = await stage.open_shop("any")
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    (decision,) = await _decisions(stage, order, shop.clerk)
    assert (decision["policy"], decision["why"]) == ("score", "lowest_expected_cost")
    told = {one["provider"]: one for one in decision["candidates"]}
    assert told["self"]["refused"] == ["other_mode"]
    assert told["kuaidi100"]["refused"] == ["other_mode"]
    ranked = [one for one in decision["candidates"] if one["rank"]]
    assert {one["provider"] for one in ranked} == {"dada", "ishansong"}
    assert all(one["quoted"] and one["total_fen"] >= one["fee_fen"] > 0 for one in ranked)
    assert decision["chosen"] == ranked[0]["provider"] == min(ranked, key=lambda one: one["total_fen"])["provider"]
    (attempt,) = await stage.attempts(order)
    assert attempt["quote_fee_fen"] == ranked[0]["fee_fen"]
    refused = await stage.http.get(f"/parcels/{await stage.parcel_id(order)}/decisions", headers=as_(order.buyer))
    assert (refused.status_code, refused.json()["code"]) == (403, "not_your_parcel")


async def test_the_merchants_order_beats_the_price(stage: Stage) -> None:
    for order_of in (("dada", "ishansong"), ("ishansong", "dada")):
        shop = await stage.open_shop(*order_of)
        order = await stage.accepted(shop, INSTANT)
        (decision,) = await _decisions(stage, order, shop.clerk)
        assert (decision["chosen"], decision["policy"]) == (order_of[0], "merchants_order")


@pytest.mark.parametrize("fault", ["http_500", "slow", "html_body", "drop_before_commit"])
async def test_a_carrier_that_names_no_price_in_time_is_no_burden_to_the_others(stage: Stage, fault: str) -> None:
    shop = await stage.open_shop("any")
    await stage.faults("ishansong", {"operation": "orderCalculate", "fault": fault, "times": 9, "seconds": 3})
    order = await stage.accepted(shop, INSTANT)
    (decision,) = await _decisions(stage, order, shop.clerk)
    assert decision["chosen"] == "dada"
    told = {one["provider"]: one["refused"] for one in decision["candidates"]}
    assert told["ishansong"] == ["quote_failed"]


async def test_a_price_above_the_merchants_cap_is_not_taken(stage: Stage) -> None:
    shop = await stage.open_shop("dada", most_fee_fen=1)
    order = await stage.accepted(shop, INSTANT)
    assert await stage.attempts(order) == []
    (decision,) = await _decisions(stage, order, shop.clerk)
    assert (decision["chosen"], decision["why"]) == (None, "nobody_may")
    assert (await stage.parcel(order))["dispatch_state"] == "MANUAL"


async def test_an_account_without_money_is_left_out_until_it_is_topped_up(stage: Stage) -> None:
    shop = await stage.open_shop("ishansong", "dada")
    async with stage.db.transaction() as tx:
        await tx.execute(
            "insert into carrier_accounts (provider, account, balance_short_since) values ('ishansong', $1, $2)",
            next(one.account for one in stage.world.carriers.all if one.provider == "ishansong"), stage.now(),
        )  # fmt: skip
    order = await stage.accepted(shop, INSTANT)
    assert await _providers(stage, order) == ["dada"]
    alerts = await stage.http.get(
        "/board/alerts", params={"merchant_id": str(shop.merchant_id)}, headers=as_(shop.clerk)
    )
    (alert,) = alerts.json()["items"]
    assert (alert["provider"], alert["disabled_since"]) == ("ishansong", None)
    operator = f"operator-{order.order_id.hex[:8]}"
    await stage.hear(staff_changed(Shop(), operator, StaffRole.OPERATOR, stage.now()))
    path = f"/admin/carrier-accounts/ishansong/{alert['account']}"
    assert (await stage.http.delete(path, headers=as_(shop.owner))).status_code == 403
    assert (await stage.http.delete(path, headers=as_(operator))).status_code == 204
    assert await _providers(stage, await stage.accepted(shop, INSTANT)) == ["ishansong"]


async def test_an_order_refused_for_want_of_money_goes_to_the_next_and_shuts_the_account(stage: Stage) -> None:
    shop = await stage.open_shop("ishansong", "dada")
    short = {"operation": "orderPlace", "fault": "business_error", "code": "80007", "times": 1}
    await stage.faults("ishansong", short)
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING", 2)
    assert await _providers(stage, order) == ["ishansong", "dada"]
    assert "balance_short" in await stage.happened(order)
    assert await _providers(stage, await stage.accepted(shop, INSTANT)) == ["dada"]


async def test_an_offer_that_went_stale_is_asked_for_once_more(stage: Stage) -> None:
    shop = await stage.open_shop("dada")
    await stage.faults("dada", {"operation": "addAfterQuery", "fault": "business_error", "code": "2062", "times": 1})
    order = await stage.accepted(shop, INSTANT)
    second = await stage.until_attempt(order, "SEARCHING", 2)
    assert second["quote_token"] != (await stage.attempts(order))[0]["quote_token"]
    assert (await stage.attempts(order))[0]["refusal_code"] == "quote_stale:2062"


async def test_an_offer_that_ended_before_it_was_used_is_asked_for_again(stage: Stage) -> None:
    shop = await stage.open_shop("dada")
    order = await stage.paid(shop, INSTANT)
    await stage.put(order, "acceptance", shop.clerk)
    await stage.dispatch(order)
    async with stage.db.transaction() as tx:
        await tx.execute(
            "update attempts set quote_expires_at = now() - interval '1 second' where attempt_id = $1",
            (await stage.attempts(order))[0]["attempt_id"],
        )
    await stage.until_attempt(order, "SEARCHING", 2)
    (first, _) = await stage.attempts(order)
    assert (first["state"], first["submissions"]) == ("REJECTED", 0)


async def test_without_a_rider_a_tip_is_tried_once_and_then_the_next_carrier(stage: Stage) -> None:
    shop = await stage.open_shop("dada", "ishansong")
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    await stage.pass_time(PATIENCE)
    (attempt,) = await stage.attempts(order)
    assert (attempt["state"], attempt["tip_fen"]) == ("SEARCHING", 200)
    await stage.pass_time(PATIENCE)
    await stage.until_attempt(order, "SEARCHING", 2)
    first, second = await stage.attempts(order)
    assert (first["state"], first["cancelled_by"], first["penalty_borne_by"]) == ("CANCELLED", "US", "PLATFORM")
    assert second["provider"] == "ishansong"
    happened = await stage.happened(order)
    assert happened.index("tipped") < happened.index("no_rider") < happened.index("carrier_cancelled")
    async with stage.db.transaction() as tx:
        (line,) = await scorecards.lines(tx, "dada", first["zone"], None, 10)
    assert (line.hour, line.no_rider, line.delivered) == (first["hour"], 1, 0)


async def test_a_merchant_who_gives_no_tips_gives_none(stage: Stage) -> None:
    shop = await stage.open_shop("dada", "ishansong", tip_fen=0)
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    await stage.pass_time(PATIENCE)
    await stage.until_attempt(order, "SEARCHING", 2)
    assert (await stage.attempts(order))[0]["tip_fen"] == 0


async def test_the_next_carrier_is_called_only_when_the_first_is_certainly_gone(stage: Stage) -> None:
    shop = await stage.open_shop("dada", "ishansong", tip_fen=0)
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    await stage.faults("dada", {"operation": "formalCancel", "fault": "http_500", "times": 3})
    await stage.pass_time(PATIENCE)
    assert await _providers(stage, order) == ["dada"]
    for _ in range(3):
        await stage.pass_time(timedelta(seconds=16))
    await stage.until_attempt(order, "SEARCHING", 2)


async def test_a_rider_who_comes_while_the_order_is_being_taken_back_keeps_it(stage: Stage) -> None:
    shop = await stage.open_shop("dada", "ishansong", tip_fen=0)
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    await stage.faults("dada", {"operation": "formalCancel", "fault": "http_500", "times": 1})
    await stage.pass_time(PATIENCE)
    await stage.rider(order, "accept")
    attempt = await stage.until_attempt(order, "ASSIGNED")
    await stage.pass_time(timedelta(seconds=16))
    assert (await stage.attempts(order))[0]["cancel_reason"] is None, attempt
    await stage.rider(order, "fetch", "finish")
    await stage.until(order, "DELIVERED")
    assert await _providers(stage, order) == ["dada"]


async def test_after_half_an_hour_a_person_decides_and_may_keep_waiting(stage: Stage) -> None:
    shop = await stage.open_shop("dada")
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    await stage.pass_time(timedelta(minutes=31))
    await stage.until_attempt(order, "CANCELLED")
    await stage.act()
    shown = await stage.shown(order, shop.clerk)
    assert shown["dispatch_state"] == "MANUAL"
    assert shown["actions"] == ["KEEP_WAITING", "DELIVER_OURSELVES", "REFUSE"]
    for _ in range(2):
        assert (await stage.put(order, "search", shop.clerk)).status_code == 200
    await stage.until_attempt(order, "SEARCHING", 2)
    assert (await stage.happened(order)).count("searched_again") == 1


async def test_after_three_carriers_the_merchant_may_give_the_money_back(stage: Stage) -> None:
    shop = await stage.open_shop("dada")
    order = await stage.accepted(shop, INSTANT)
    for number in (1, 2, 3):
        await stage.until_attempt(order, "SEARCHING", number)
        await stage.rider(order, "cancel", number=number)
        await stage.until_attempt(order, "CANCELLED", number)
    await stage.act()
    (*_, last) = await _decisions(stage, order, shop.clerk)
    assert next(one for one in last["candidates"] if one["provider"] == "dada")["refused"] == ["tries_used_up"]
    assert (await stage.put(order, "refusal", shop.clerk, {"reason": "没有骑手"})).json()["state"] == "FAILED"
    (failed,) = await stage.said_of(ParcelFailed, order)
    assert failed.failure is ParcelFailure.REFUSED_BY_MERCHANT


async def test_goods_whose_carrier_gave_up_on_the_way_are_the_merchants_to_decide(stage: Stage) -> None:
    shop = await stage.open_shop("ishansong")
    order = await stage.accepted(shop, INSTANT)
    key = (await stage.until_attempt(order, "SEARCHING"))["attempt_id"].hex
    for action in ("accept", "fetch", "cancel"):
        assert (await stage.sandbox.post(f"/_sim/ishansong/orders/{key}/{action}")).status_code == 200
    await stage.until_attempt(order, "CANCELLED")
    shown = await stage.shown(order, shop.clerk)
    assert (shown["state"], shown["dispatch_state"]) == ("HANDED_OVER", "MANUAL")
    assert shown["actions"] == ["DELIVER_OURSELVES", "CONFIRM_RETURN"]
    assert len(await stage.attempts(order)) == 1, "no second carrier is sent for goods that are not there"
    for _ in range(2):
        assert (await stage.put(order, "return", shop.clerk)).json()["state"] == "RETURNED"
    (failed,) = await stage.said_of(ParcelFailed, order)
    assert failed.failure is ParcelFailure.RETURNED


async def test_a_switch_after_a_rider_came_needs_a_yes_to_the_fee(stage: Stage) -> None:
    shop = await stage.open_shop("dada", "ishansong")
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    await stage.rider(order, "accept")
    await stage.until_attempt(order, "ASSIGNED")
    terms = await stage.http.get(f"/parcels/{await stage.parcel_id(order)}/cancel-terms", headers=as_(shop.clerk))
    assert (terms.json()["fee_fen"], terms.json()["needs_confirmation"]) == (None, True)
    refused = await _switch(stage, order, shop.clerk)
    assert (refused.status_code, refused.json()["code"]) == (409, "cancel_fee_unconfirmed")
    assert (await stage.attempts(order))[0]["cancel_reason"] is None
    unwilling = await stage.put(order, "refusal", shop.clerk, {"reason": "售罄"})
    assert (unwilling.status_code, unwilling.json()["code"]) == (409, "cancel_fee_unconfirmed")
    for _ in range(2):
        assert (await _switch(stage, order, shop.clerk, accept_unknown_fee=True)).status_code == 200
    await stage.until_attempt(order, "SEARCHING", 2)
    first, second = await stage.attempts(order)
    assert (first["state"], first["penalty_borne_by"], second["provider"]) == ("CANCELLED", "MERCHANT", "ishansong")


async def test_a_switch_to_the_merchants_own_rider_waits_for_the_carrier_to_be_gone(stage: Stage) -> None:
    shop = await stage.open_shop("dada")
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    assert (await stage.put(order, "self-delivery", shop.clerk)).json()["code"] == "carrier_involved"
    assert (await _switch(stage, order, shop.clerk, to="SELF")).status_code == 200
    own = await stage.until_attempt(order, "ASSIGNED", 2)
    assert (own["carried_as"], (await stage.attempts(order))[0]["state"]) == ("SELF", "CANCELLED")
    (*_, last) = await _decisions(stage, order, shop.clerk)
    assert last["policy"] == "merchants_choice"


async def test_a_tip_is_given_once(stage: Stage) -> None:
    shop = await stage.open_shop("dada")
    order = await stage.accepted(shop, INSTANT)
    attempt_id = (await stage.until_attempt(order, "SEARCHING"))["attempt_id"]
    for _ in range(2):
        tipped = await stage.put(order, f"attempts/{attempt_id}/tip", shop.clerk, {"tip_fen": 500})
        assert tipped.json()["attempts"][0]["tip_fen"] == 500, tipped.text
    other = await stage.put(order, f"attempts/{attempt_id}/tip", shop.clerk, {"tip_fen": 600})
    assert (other.status_code, other.json()["code"]) == (409, "tipped_already")
    shown = (await stage.sandbox.get(f"/_sim/dada/orders/{attempt_id.hex}")).json()
    assert shown["tips"] == 5


async def test_a_tip_without_an_answer_is_not_given_twice(stage: Stage) -> None:
    shop = await stage.open_shop("dada")
    order = await stage.accepted(shop, INSTANT)
    attempt_id = (await stage.until_attempt(order, "SEARCHING"))["attempt_id"]
    await stage.faults("dada", {"operation": "addTip", "fault": "http_500", "times": 1})
    for _ in range(2):
        tipped = await stage.put(order, f"attempts/{attempt_id}/tip", shop.clerk, {"tip_fen": 500})
        assert tipped.json()["attempts"][0]["tip_unconfirmed_fen"] == 500
    assert (await stage.sandbox.get(f"/_sim/dada/orders/{attempt_id.hex}")).json()["tips"] == 0


async def test_preferences_are_the_owners_to_set(stage: Stage) -> None:
    shop = await stage.open_shop("dada")
    path = f"/merchants/{shop.merchant_id}/delivery-preferences"
    body = {"carrier_order": ["ishansong"], "own_riders": True, "most_fee_fen": 1500, "tip_fen": 300}
    refused = await stage.http.put(path, json=body, headers=as_(shop.clerk))
    assert (refused.status_code, refused.json()["code"]) == (403, "not_staff_of_merchant")
    unknown = await stage.http.put(path, json={"carrier_order": ["pigeons"]}, headers=as_(shop.owner))
    assert (unknown.status_code, unknown.json()["code"]) == (404, "carrier_not_found")
    versions = [(await stage.http.put(path, json=body, headers=as_(shop.owner))).json()["version"] for _ in range(2)]
    assert versions == [2, 2]
    seen = (await stage.http.get(path, headers=as_(shop.clerk))).json()
    assert (seen["carrier_order"], seen["most_fee_fen"], seen["own_riders"]) == (["ishansong"], 1500, True)


async def test_the_buyer_sees_one_search_however_many_carriers_are_tried(stage: Stage) -> None:
    shop = await stage.open_shop("dada", "ishansong")
    order = await stage.accepted(shop, INSTANT)

    async def tracking() -> dict[str, Any]:
        answer = await stage.http.get(f"/orders/{order.order_id}/tracking", headers=as_(order.buyer))
        found: dict[str, Any] = answer.json()
        return found

    await stage.until_attempt(order, "SEARCHING")
    before = await tracking()
    assert (before["phase"], before["carrier"], before["rider"]) == ("FINDING_RIDER", None, None)
    await stage.rider(order, "cancel")
    await stage.until_attempt(order, "SEARCHING", 2)
    assert await tracking() == before, "one carrier after another looks the same"


async def test_the_buyer_reads_that_a_rider_is_looked_for_again_and_not_whose_it_was(stage: Stage) -> None:
    shop = await stage.open_shop("dada", "ishansong")
    order = await stage.accepted(shop, INSTANT)

    async def tracking() -> dict[str, Any]:
        answer = await stage.http.get(f"/orders/{order.order_id}/tracking", headers=as_(order.buyer))
        found: dict[str, Any] = answer.json()
        return found

    await stage.until_attempt(order, "SEARCHING")
    await stage.rider(order, "accept")
    await stage.until_attempt(order, "ASSIGNED")
    assert (await tracking())["rider"]["masked_phone"] == "138****0001"
    await stage.rider(order, "cancel")
    await stage.until_attempt(order, "SEARCHING", 2)
    again = await tracking()
    assert (again["phase"], again["carrier"], again["rider"]) == ("FINDING_RIDER", None, None)
    story = [line["what"] for line in again["timeline"]]
    assert story == ["placed", "accepted", "carrier_confirmed", "rider_assigned", "carrier_confirmed"]


async def test_where_the_rider_is_is_forgotten_when_the_goods_have_arrived(stage: Stage) -> None:
    shop = await stage.open_shop("dada")
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    await stage.rider(order, "accept", "fetch")
    await stage.until(order, "HANDED_OVER")
    await stage.pass_time(timedelta(seconds=61))
    seen = (await stage.http.get(f"/orders/{order.order_id}/tracking", headers=as_(order.buyer))).json()
    assert (seen["phase"], seen["position"]["latitude"]) == ("ON_THE_WAY", 20.0231)
    await stage.rider(order, "finish")
    await stage.until(order, "DELIVERED")
    (attempt,) = await stage.attempts(order)
    assert (attempt["sealed_position"], attempt["position_at"]) == (None, None)


async def test_a_refund_during_the_search_leaves_no_carrier_behind(stage: Stage) -> None:
    shop = await stage.open_shop("dada", "ishansong", tip_fen=0)
    order = await stage.accepted(shop, INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    await stage.faults("dada", {"operation": "formalCancel", "fault": "http_500", "times": 1})
    await stage.pass_time(PATIENCE)
    await stage.hear(refund_request(order))
    await stage.pass_time(timedelta(seconds=16))
    await stage.until(order, "REFUNDING")
    assert await _providers(stage, order) == ["dada"]
