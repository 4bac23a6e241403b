"""How a 达达 order moves on, and the callbacks that tell the shop."""

import json
import sqlite3
import uuid
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from services.sandbox.domain import dada as rules
from services.sandbox.domain.dada import DadaOrder
from services.sandbox.domain.times import Instant, to_ms
from services.sandbox.gateways import Answer
from services.sandbox.store import dada, outgoing
from services.sandbox.store.outgoing import Delivery
from services.sandbox.use_cases.sender import Letter

CHANNEL = "dada"
_TIME_OF = {2: "accept", 3: "fetch", 4: "finish", 5: "cancel"}


@dataclass(frozen=True, slots=True)
class DadaChannel:
    intervals_s: tuple[float, ...]

    def compose(self, delivery: Delivery, _at: Instant) -> Letter:
        """JSON with a checksum that needs no secret; update_time was fixed when it happened."""
        facts = json.loads(delivery.body)
        checksum = rules.callback_checksum(facts["client_id"], facts["order_id"], facts["update_time"])
        facts["signature"] = checksum[::-1] if delivery.flaw else checksum
        return Letter(json.dumps(facts, ensure_ascii=False).encode(), "application/json; charset=utf-8")

    def is_acknowledged(self, answer: Answer) -> bool:
        return answer.status == 200


def move(
    tx: sqlite3.Connection,
    order: DadaOrder,
    status: int,
    at: Instant,
    *,
    step: timedelta | None = None,
    cancel_from: int = 0,
    reason: str = "",
    repeat_reason: int = 0,
) -> DadaOrder:
    """Bring an order to `status` and call the shop back."""
    times = {**order.times, **({_TIME_OF[status]: to_ms(at.now)} if status in _TIME_OF else {})}
    goes_on = step is not None and status in rules.WALK
    walk_at_ms = to_ms(at.real + step) if step is not None and goes_on else None
    rider = order.rider + 1 if repeat_reason or (status == 2 and order.rider == 0) else order.rider
    order = replace(order, status=status, times=times, walk_at_ms=walk_at_ms, rider=rider)
    dada.save_order(tx, order)
    tell(tx, order, status, at, cancel_from=cancel_from, reason=reason, repeat_reason=repeat_reason)
    return order


def tell(
    tx: sqlite3.Connection,
    order: DadaOrder,
    status: int,
    at: Instant,
    *,
    cancel_from: int = 0,
    reason: str = "",
    repeat_reason: int = 0,
) -> None:
    """Enqueue a callback that says `status`, whatever the order's own is."""
    facts: dict[str, Any] = {
        "client_id": order.client_id,
        "order_id": order.origin_id,
        "order_status": status,
        "cancel_reason": reason,
        "cancel_from": cancel_from,
        "update_time": int(at.now.timestamp()),
    }
    if order.rider and status in (2, 3, 4, 9, 10, 100):
        name, phone = rules.RIDERS[(order.rider - 1) % len(rules.RIDERS)]
        facts |= {"dm_id": 660_000 + order.rider, "dm_name": name, "dm_mobile": phone}
    if order.finish_code:
        facts["finish_code"] = order.finish_code
    if repeat_reason:
        facts["repeat_reason_type"] = repeat_reason
    outgoing.enqueue(
        tx,
        id=uuid.uuid4().hex,
        channel=CHANNEL,
        url=str(order.terms["callback"]),
        body=json.dumps(facts, ensure_ascii=False),
        ref=order.origin_id,
        due_at=at.real,
        created_at=at.real,
    )


def walk(tx: sqlite3.Connection, at: Instant, step: timedelta) -> None:
    """Move every order on whose automatic step is due."""
    for order in dada.walking(tx, at.real):
        move(tx, order, rules.WALK[order.status], at, step=step)
