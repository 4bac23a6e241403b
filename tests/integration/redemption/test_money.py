"""The audit's view of redemption."""

from typing import Any

from services.redemption import consumers
from tests.integration.redemption.stage import Stage, as_, refund_request, units_of


async def money(stage: Stage, operator: str) -> dict[str, Any]:
    answer = await stage.http.get("/admin/money", headers=as_(operator))
    assert answer.status_code == 200, answer.text
    view: dict[str, Any] = answer.json()
    return view


async def test_the_terms_follow_a_certificate_from_unused_to_used(stage: Stage) -> None:
    operator, shop = await stage.operator(), await stage.open_shop()
    before = (await money(stage, operator))["terms"]
    order = await stage.pay(shop, units=2)
    paid = (await money(stage, operator))["terms"]
    token = await stage.token(shop, order)
    assert (await stage.verify(shop, token, units_of(order)[:1])).status_code == 201
    after = (await money(stage, operator))["terms"]
    assert paid["unused_fen"] - before["unused_fen"] == 2 * 12_800
    assert paid["certificates_valid"] - before.get("certificates_valid", 0) == 2
    assert after["unused_fen"] - before["unused_fen"] == 12_800
    assert after["used_fen"] - before["used_fen"] == 12_800


async def test_a_refund_ahead_of_its_order_is_in_flight(stage: Stage) -> None:
    operator = await stage.operator()
    request = refund_request(stage.order(await stage.open_shop()))
    await consumers.fence_refund(request, stage.db)
    assert {"refund_ahead_of_order"} <= {
        entry["what"] for entry in (await money(stage, operator))["in_flight"] if entry["id"] == str(request.refund_id)
    }


async def test_a_contradiction_is_a_misfit(stage: Stage) -> None:
    operator, shop = await stage.operator(), await stage.open_shop()
    order = await stage.pay(shop)
    done = (await stage.redeem(shop, order)).json()

    async def misfits() -> set[str]:
        found = (await money(stage, operator))["misfits"]
        ids = {str(units_of(order)[0]), done["uses"][0]["use_id"]}
        return {misfit["what"] for misfit in found if misfit["id"] in ids}

    assert await misfits() == set()
    async with stage.db.transaction() as tx:
        await tx.execute("delete from timers where key = $1", done["redemption_id"])
    assert await misfits() == {"use_without_timer"}
    async with stage.db.transaction() as tx:
        await tx.execute("delete from uses where unit_id = $1", units_of(order)[0])
    assert await misfits() == {"uses_do_not_add_up"}
    async with stage.db.transaction() as tx:
        # Put right again, because the environment is shared with tests that look at the whole.
        await tx.execute(
            """insert into uses (use_id, unit_id, use_no, redemption_id, paid_fen, state)
               values (gen_random_uuid(), $1, 1, $2, 12800, 'FINAL')""",
            units_of(order)[0],
            done["redemption_id"],
        )


async def test_the_audit_walks_all_orders_by_id(stage: Stage) -> None:
    operator, shop = await stage.operator(), await stage.open_shop()
    orders = [await stage.pay(shop, units=2) for _ in range(5)]
    assert (await stage.redeem(shop, orders[0])).status_code == 201
    found: dict[str, Any] = {}
    after = None
    while True:
        query = {"limit": 2, **({"after": after} if after else {})}
        page = (await stage.http.get("/admin/money/orders", params=query, headers=as_(operator))).json()
        found |= {item["order_id"]: item for item in page["items"]}
        after = page["next_cursor"]
        if after is None:
            break
    assert list(found) == sorted(found)
    used = {"state": "USED", "uses": 1}
    assert found[str(orders[0].order_id)]["units"] == {str(unit_id): used for unit_id in units_of(orders[0])}
    assert {str(order.order_id) for order in orders} <= set(found)


async def test_only_operators_see_the_money(stage: Stage) -> None:
    shop = await stage.open_shop()
    for path in ("/admin/money", "/admin/money/orders"):
        assert (await stage.http.get(path, headers=as_(shop.clerk))).status_code == 403
        assert (await stage.http.get(path)).status_code == 401
