"""One correlation id ties together everything that one request causes, over services, messages and timers."""

import httpx
import pytest

from services.console import lifecycles
from services.console.environment import FIRST_OPERATOR
from shared.http import outgoing
from shared.ids import new_id
from shared.observability import correlated
from tests.journeys import scenario
from tests.journeys.conftest import Running

pytestmark = pytest.mark.timeout(120)


async def test_a_refund_is_one_story_from_the_buyers_request_to_the_ledger(running: Running) -> None:
    world = running.world
    town = await scenario.open_town(world)
    bought = await lifecycles.place(world, town.voucher, scenario.somebody(), 1)
    await lifecycles.pay(world, bought)
    await lifecycles.certificates(world, bought)
    refund_id, trace = new_id(), f"phone-{new_id().hex[:8]}"
    answer = await world.http.put(
        f"{world.urls['checkout']}/refunds/{refund_id}",
        json={"order_id": str(bought.order_id), "unit_ids": bought.unit_ids, "reason": "计划有变"},
        headers={"authorization": f"Bearer {await world.token(bought.buyer)}", "x-correlation-id": trace},
    )
    assert answer.headers["x-correlation-id"] == trace
    await lifecycles.refund(world, bought, bought.unit_ids, refund_id=refund_id)

    operator = world.person(FIRST_OPERATOR)
    told = {}
    for service in ("checkout", "redemption"):
        for said in await operator.get(service, f"/admin/history?aggregate_id={refund_id}"):
            told[said["topic"]] = said["correlation_id"]
    # The request, the answer to its message, and what the timer did at Alipay because of that.
    wanted = ("checkout.refund_requested.v1", "redemption.refund_fenced.v1", "checkout.refund_succeeded.v1")
    assert told == dict.fromkeys(wanted, trace)


async def test_calls_to_the_outside_world_carry_it_too() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["x-correlation-id"])
        return httpx.Response(200)

    async with outgoing(transport=httpx.MockTransport(answer)) as http:
        with correlated("till-7"):
            await http.get("http://carrier/")
    assert seen == ["till-7"]
