"""Refunds that only the channel's book shows: found once, told once, and taken from whoever has the money."""

from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.settlement import consumers
from shared.contracts.checkout import OrderPaid, RefundCause, RefundSucceeded, Unit, UseValue
from shared.contracts.settlement import ExternalRefundFound
from shared.ids import new_id
from tests.integration.settlement.stage import Stage, as_

SHARED = Unit(
    unit_id=new_id(),
    original_price_fen=26_800,
    uses=(UseValue(paid_fen=12_800, commission_fen=300, creator_share_fen=500, agency_share_fen=200),),
)


async def find(stage: Stage, who: str, order: OrderPaid | str, number: str = "R-1", **facts: Any) -> httpx.Response:
    trade = order if isinstance(order, str) else order.out_trade_no
    body = {"amount_fen": 12_800, "refunded_at": "2026-11-22T08:00:00+00:00", **facts}
    return await stage.http.put(f"/admin/external-refunds/{trade}/{number}", json=body, headers=as_(who))


async def test_a_found_refund_is_told_once_with_the_order_that_the_trade_paid(stage: Stage) -> None:
    order, operator = await stage.pay(await stage.merchant()), await stage.operator()
    for _ in range(2):
        answer = await find(stage, operator, order)
        assert answer.status_code == 201, answer.text
    found = answer.json()
    (event,) = await stage.said(ExternalRefundFound, found["refund_id"])
    assert (event.order_id, event.out_trade_no, event.channel_refund_no) == (order.order_id, order.out_trade_no, "R-1")
    assert (event.amount_fen, event.refunded_at) == (12_800, datetime.fromisoformat("2026-11-22T08:00:00+00:00"))
    path = f"/admin/external-refunds/{order.out_trade_no}/R-1"
    assert await stage.get(path, operator) == found
    another = await find(stage, operator, order, "R-2", amount_fen=100)
    assert another.json()["refund_id"] != found["refund_id"]


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        ({"amount_fen": 12_801}, (409, "refund_exceeds_trade")),
        ({"amount_fen": 12_700}, (409, "id_taken")),
        ({"refunded_at": "2026-11-23T08:00:00+00:00"}, (409, "id_taken")),
        ({"amount_fen": 0}, (422, "malformed_input")),
        ({"refunded_at": "2026-11-22T08:00:00"}, (422, "malformed_input")),
        ({"number": "R 1"}, (422, "malformed_input")),
        ({"order": "unheardof"}, (404, "trade_unknown")),
        ({"who": "somebody"}, (403, "forbidden")),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_is_told(
    stage: Stage, facts: dict[str, Any], refusal: tuple[int, str]
) -> None:
    order, operator = await stage.pay(await stage.merchant()), await stage.operator()
    found = (await find(stage, operator, order)).json()
    wanted: dict[str, Any] = {"who": operator, "order": order, **facts}
    answer = await find(stage, **wanted)
    assert (answer.status_code, answer.json()["code"]) == refusal
    assert len(await stage.said(ExternalRefundFound, found["refund_id"])) == 1


async def test_one_that_was_never_found_is_not_there(stage: Stage) -> None:
    order, operator = await stage.pay(await stage.merchant()), await stage.operator()
    path = f"/admin/external-refunds/{order.out_trade_no}/R-1"
    answer = await stage.http.get(path, headers=as_(operator))
    assert (answer.status_code, answer.json()["code"]) == (404, "external_refund_unknown")
    assert (await stage.http.get(path, headers=as_("somebody"))).status_code == 403


def external(stage: Stage, order: OrderPaid) -> RefundSucceeded:
    return stage.refund(order).model_copy(update={"cause": RefundCause.EXTERNAL, "external": True})


RECEIVED_AND_BACK = {"CHANNEL_RECEIVED": 12_800, "CHANNEL_REFUNDED": -12_800}


@pytest.mark.parametrize(
    ("before", "postings"),
    [
        ("HELD", RECEIVED_AND_BACK),
        ("USED", RECEIVED_AND_BACK),
        ("FINAL", RECEIVED_AND_BACK),
        ("CLAIMED", RECEIVED_AND_BACK),
        (
            "PAID",
            {**RECEIVED_AND_BACK, "CHANNEL_PAID": -11_729, "CHANNEL_FEE": -71, "MERCHANT_RECEIVABLE": 11_800},
        ),
    ],
)
async def test_an_external_refund_takes_the_shares_back_and_the_rest_from_whoever_has_it(
    stage: Stage, before: str, postings: dict[str, int]
) -> None:
    merchant = await stage.merchant()
    unit = SHARED.model_copy(update={"unit_id": UUID(int=new_id().int)})
    order = await stage.pay(merchant, 12_800, units=(unit,))
    if before != "HELD":
        await stage.use(order, final=before != "USED")
    if before in ("CLAIMED", "PAID"):
        stage.next_day()
        await stage.run()
    if before == "PAID":
        await stage.send_all(merchant)
    assert await stage.states(order) == [before]
    event = external(stage, order)
    await consumers.record_refund(event, stage.db)
    await consumers.record_refund(event.model_copy(update={"event_id": new_id()}), stage.db)
    assert (await stage.states(order), await stage.postings(order)) == (["REFUNDED"], postings)
    assert await stage.misfits() == []
