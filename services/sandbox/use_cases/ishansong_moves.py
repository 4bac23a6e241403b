"""How a 闪送 order moves on, and the callbacks that tell the shop, at the one address that its console keeps."""

import json
import sqlite3
import uuid
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from services.sandbox.domain import ishansong as rules
from services.sandbox.domain.ishansong import IshansongOrder
from services.sandbox.domain.times import Instant, to_ms
from services.sandbox.gateways import Answer
from services.sandbox.store import ishansong, outgoing
from services.sandbox.store.outgoing import Delivery
from services.sandbox.use_cases.sender import Letter

CHANNEL = "ishansong"


@dataclass(frozen=True, slots=True)
class IshansongChannel:
    intervals_s: tuple[float, ...]

    def compose(self, delivery: Delivery, _at: Instant) -> Letter:
        """JSON without any signature; a flawed one has lost the order's number."""
        facts = json.loads(delivery.body)
        if delivery.flaw:
            facts["issOrderNo"] = ""
        return Letter(json.dumps(facts, ensure_ascii=False).encode(), "application/json; charset=utf-8")

    def is_acknowledged(self, answer: Answer) -> bool:
        try:
            said = json.loads(answer.body)
        except ValueError:
            return False
        return answer.status == 200 and isinstance(said, dict) and said.get("status") == 200


def move(
    tx: sqlite3.Connection,
    order: IshansongOrder,
    status: int,
    callback_url: str,
    at: Instant,
    *,
    step: timedelta | None = None,
) -> IshansongOrder:
    """Bring an order to `status` and call the shop back."""
    goes_on = step is not None and status in rules.WALK
    order = replace(
        order,
        status=status,
        log=(*order.log, (status, to_ms(at.now))),
        rider=order.rider + 1 if status == rules.ASSIGNED else order.rider,
        walk_at_ms=to_ms(at.real + step) if step is not None and goes_on else None,
    )
    ishansong.save_order(tx, order)
    tell(tx, order, status, callback_url, at)
    return order


def tell(tx: sqlite3.Connection, order: IshansongOrder, status: int, callback_url: str, at: Instant) -> None:
    """Enqueue a callback that says `status`, whatever the order's own is; nothing without an address."""
    if not callback_url:
        return
    facts: dict[str, Any] = {"issOrderNo": order.number, "orderNo": order.third_no, "status": status}
    if courier := courier_of(order):
        facts["courier"] = courier
    if order.abort:
        facts["abortType"] = order.abort["abortType"]
    outgoing.enqueue(
        tx,
        id=uuid.uuid4().hex,
        channel=CHANNEL,
        url=callback_url,
        body=json.dumps(facts, ensure_ascii=False),
        ref=order.number,
        due_at=at.real,
        created_at=at.real,
    )


def courier_of(order: IshansongOrder) -> dict[str, str] | None:
    """Name, phone and place (BD-09) of the rider who has the order; they stand where the goods come from."""
    if not order.rider or order.status not in (rules.ASSIGNED, rules.ON_THE_WAY, rules.DONE):
        return None
    name, phone = rules.RIDERS[(order.rider - 1) % len(rules.RIDERS)]
    sender = order.terms["sender"]
    return {
        "name": name,
        "mobile": phone,
        "latitude": str(sender["fromLatitude"]),
        "longitude": str(sender["fromLongitude"]),
    }


def walk(tx: sqlite3.Connection, callback_url: str, at: Instant, step: timedelta) -> None:
    """Move every order on whose automatic step is due."""
    for order in ishansong.walking(tx, at.real):
        move(tx, order, rules.WALK[order.status], callback_url, at, step=step)
