"""One lane per carrier: a stage on which only that carrier (and whoever is named) can be given parcels."""

import json
from dataclasses import dataclass, replace
from typing import Any

import httpx
from fastapi import FastAPI

from services.dispatch.gateways.carriers import Carriers
from services.dispatch.gateways.dada_mapper import callback_checksum
from shared.contracts.catalog import DeliveryMode
from shared.contracts.checkout import OrderPaid
from tests.integration.dispatch.stage import Stage


@dataclass(frozen=True)
class Lane:
    """How one carrier's operations, controls and live statuses are called."""

    provider: str
    mode: DeliveryMode
    place: str
    cancel: str
    to_the_road: tuple[str, ...]
    to_the_door: tuple[str, ...]
    status: str
    live: frozenset[int]


LANES = (
    Lane("dada", DeliveryMode.INSTANT, "addAfterQuery", "formalCancel", ("accept", "fetch"), ("finish",), "statusCode",
         frozenset({1, 2, 3, 8, 100})),
    Lane("ishansong", DeliveryMode.INSTANT, "orderPlace", "abortOrder", ("accept", "fetch"), ("finish",), "orderStatus",
         frozenset({20, 30, 40})),
    Lane("kuaidi100", DeliveryMode.COURIER, "bOrder", "cancel", ("accept", "pickup"), ("transit", "sign"), "status",
         frozenset({0, 1, 10})),
)  # fmt: skip
BY_NAME = {lane.provider: lane for lane in LANES}
SILENCE = {"operation": "notify", "fault": "drop_before_commit", "times": 1000}


def restrict(stage: Stage, served: FastAPI, *providers: str) -> None:
    """Leave only these carriers, and the merchant's own riders."""
    kept = tuple(one for one in stage.world.carriers.all if one.provider in (*providers, "self"))
    stage.world = replace(stage.world, carriers=Carriers(kept))
    served.state.world = stage.world


async def act(stage: Stage, lane: Lane, order: OrderPaid, *actions: str, number: int = 1) -> None:
    """The carrier's people do something."""
    key = (await stage.attempts(order))[number - 1]["attempt_id"].hex
    for action in actions:
        answer = await stage.sandbox.post(f"/_sim/{lane.provider}/orders/{key}/{action}")
        assert answer.status_code == 200, answer.text


async def riders(stage: Stage, order: OrderPaid) -> int:
    """How many riders or couriers are on their way for this order, as their carriers themselves count."""
    coming = 0
    for attempt in await stage.attempts(order):
        lane = BY_NAME.get(attempt["provider"])
        if lane is None:
            continue
        answer = await stage.sandbox.get(f"/_sim/{lane.provider}/orders/{attempt['attempt_id'].hex}")
        if answer.status_code == 200 and answer.json()[lane.status] in lane.live:
            coming += answer.json()["placed"]
    return coming


async def forge(stage: Stage, lane: Lane, order: OrderPaid, status: int, **more: Any) -> httpx.Response:
    """What somebody sends who knows the address and the form, and is not the carrier."""
    (attempt, *_) = await stage.attempts(order)
    key = attempt["attempt_id"].hex
    if lane.provider == "dada":
        checksum = callback_checksum("3", key, "1900000000")
        facts = {"client_id": "3", "order_id": key, "update_time": 1_900_000_000, "signature": checksum}
        token, body = stage.world.webhook_token(attempt["attempt_id"]), {**facts, "order_status": status, **more}
    else:
        token = "ishansong-callback"
        body = {"issOrderNo": attempt["quote_token"], "orderNo": key, "status": status, **more}
    return await stage.http.post(f"/webhooks/{lane.provider}/{token}", content=json.dumps(body))
