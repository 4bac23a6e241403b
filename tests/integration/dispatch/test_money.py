"""What the auditor reads of dispatch."""

from shared.contracts.catalog import DeliveryMode, StaffRole
from shared.ids import new_id
from tests.integration.dispatch.stage import Shop, Stage, as_, refund_request, staff_changed, units_of


async def _operator(stage: Stage) -> str:
    subject = f"operator-{new_id().hex[:8]}"
    await stage.hear(staff_changed(Shop(), subject, StaffRole.OPERATOR, stage.now()))
    return subject


async def test_only_operators_read_the_money(stage: Stage) -> None:
    shop = await stage.open_shop()
    for path in ("/admin/money", "/admin/money/orders"):
        assert (await stage.http.get(path, headers=as_(shop.owner))).status_code == 403


async def test_an_order_whose_outcome_is_unknown_is_in_flight_and_nothing_is_a_misfit(stage: Stage) -> None:
    shop = await stage.open_shop()
    await stage.faults("dada", {"operation": "addAfterQuery", "fault": "http_500", "times": 1})
    order = await stage.accepted(shop, DeliveryMode.INSTANT)
    await stage.hear(refund_request(order))
    money = (await stage.http.get("/admin/money", headers=as_(await _operator(stage)))).json()
    in_flight = {(one["what"], one["id"]) for one in money["in_flight"]}
    (attempt,) = await stage.attempts(order)
    assert ("delivery_attempt_unknown", str(attempt["attempt_id"])) in in_flight
    assert money["terms"]["refund_fences_waiting"] >= 1
    assert money["misfits"] == []
    assert money["service"] == "dispatch"
    assert money["terms"]["parcels_accepted"] >= 1


async def test_orders_are_listed_by_id_with_their_parcels_states(stage: Stage) -> None:
    shop = await stage.open_shop()
    orders = [await stage.paid(shop, DeliveryMode.SELF) for _ in range(3)]
    operator = await _operator(stage)
    seen: dict[str, dict[str, object]] = {}
    after: str | None = None
    while True:
        query = {"limit": "2", **({"after": after} if after else {})}
        page = (await stage.http.get("/admin/money/orders", params=query, headers=as_(operator))).json()["items"]
        if not page:
            break
        seen |= {item["order_id"]: item for item in page}
        after = page[-1]["order_id"]
    for order in orders:
        item = seen[str(order.order_id)]
        assert item["parcel_state"] == "PLACED"
        assert item["unit_ids"] == [str(unit_id) for unit_id in units_of(order)]


async def test_parcels_are_found_by_their_orders_with_whether_they_were_ever_received(stage: Stage) -> None:
    shop = await stage.open_shop()
    orders = [await stage.paid(shop, DeliveryMode.SELF) for _ in range(2)]
    body = {"order_ids": [str(order.order_id) for order in orders] + [str(new_id())]}
    operator = await _operator(stage)

    async def received() -> dict[str, bool]:
        answer = await stage.http.post("/admin/money/parcels", json=body, headers=as_(operator))
        assert answer.status_code == 200, answer.text
        return {order_id: parcel["received"] for order_id, parcel in answer.json().items()}

    assert await received() == {str(order.order_id): False for order in orders}
    async with stage.db.transaction() as tx:
        await tx.execute("update parcels set received_at = now() where order_id = $1", orders[0].order_id)
    assert await received() == {str(orders[0].order_id): True, str(orders[1].order_id): False}
    refused = await stage.http.post("/admin/money/parcels", json=body, headers=as_(shop.owner))
    assert refused.status_code == 403
