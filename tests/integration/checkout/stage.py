"""Buyers, the channel and time: checkout's handlers and HTTP on a real database."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx

from services.checkout import consumers
from services.checkout.world import CheckoutWorld
from shared.clock import Clock
from shared.contracts import Event
from shared.contracts.catalog import DealKind
from shared.ids import new_id
from shared.messaging.timers import Due
from tests.integration.checkout.catalog_side import CatalogSide, Deal

E = TypeVar("E", bound=Event)

ADDRESS = {
    "name": "王小明",
    "phone": "138 0013 8000",
    "province": "四川省",
    "city": "成都市",
    "district": "锦江区",
    "street": "春熙路 1 号 2 单元",
    "latitude": 30.65,
    "longitude": 104.08,
}


@dataclass(slots=True)
class Stage(CatalogSide):
    """What a test does to checkout, and how it looks at the outcome."""

    http: httpx.AsyncClient
    sandbox: httpx.AsyncClient
    world: CheckoutWorld

    def later(self, **time: float) -> None:
        """Business time goes on for this service."""
        offset = self.clock.now() - Clock().now() + timedelta(**time)
        self.clock.move_to_offset(offset.total_seconds())

    # What buyers do.

    async def put(self, who: str, path: str, body: dict[str, Any]) -> httpx.Response:
        return await self.http.put(path, json=body, headers={"authorization": f"Bearer {who}"})

    async def get(self, who: str, path: str) -> httpx.Response:
        return await self.http.get(path, headers={"authorization": f"Bearer {who}"})

    async def place(self, deal: Deal, buyer: str, quantity: int = 1, order_id: UUID | None = None) -> httpx.Response:
        body: dict[str, Any] = {"deal_id": str(deal.deal_id), "deal_version": 1, "quantity": quantity}
        if deal.kind is DealKind.GOODS:
            body["delivery"] = {"mode": "COURIER", "address": ADDRESS}
        return await self.put(buyer, f"/orders/{order_id or new_id()}", body)

    async def placed(self, deal: Deal, buyer: str | None = None, quantity: int = 1) -> "Purchase":
        """An order that waits for its money."""
        buyer = buyer or a_buyer()
        answer = await self.place(deal, buyer, quantity)
        assert answer.status_code == 201, answer.text
        return Purchase(self, deal, buyer, UUID(answer.json()["order_id"]))

    async def paid(self, deal: Deal | None = None, buyer: str | None = None, quantity: int = 1) -> "Purchase":
        """An order whose money has arrived."""
        purchase = await self.placed(deal or await self.sell(), buyer, quantity)
        await purchase.pay()
        return purchase

    # What time does.

    async def act(self, kind: str, key: object) -> None:
        """Let one timer act as the loops would, provided it is set and due."""
        async with self.db.transaction() as tx:
            row = await tx.row("select * from timers where kind = $1 and key = $2", kind, str(key))
            assert row is not None, f"no timer {kind} {key}"
            assert row["due_at"] <= tx.now, f"{kind} is due only at {row['due_at']}"
            due = Due(row["kind"], row["key"], row["due_at"], row["payload"], row["attempts"])
            if kind in consumers.timers.inside:
                await tx.execute("delete from timers where kind = $1 and key = $2", kind, str(key))
                await consumers.timers.inside[kind](tx, [due])
                return
        await consumers.timers.outside[kind](due, self.db, self.world)

    async def act_when_due(self, kind: str, key: object) -> None:
        """Wait until a timer is due, and let it act."""
        due = await self.timer(kind, key)
        assert due is not None, f"no timer {kind} {key}"
        self.later(seconds=max(0.0, (due - self.now()).total_seconds()))
        await self.act(kind, key)

    async def timer(self, kind: str, key: object) -> datetime | None:
        """When this timer is due, if it is set."""
        async with self.db.transaction() as tx:
            due: datetime | None = await tx.value(
                "select due_at from timers where kind = $1 and key = $2", kind, str(key)
            )
        return due

    # What is there in the end.

    async def said(self, event: type[E], aggregate_id: object) -> list[E]:
        """The events of one kind that checkout has said about something."""
        async with self.db.transaction() as tx:
            rows = await tx.fetch(
                "select payload from history where topic = $1 and aggregate_id = $2 order by created_at",
                event.topic,
                str(aggregate_id),
            )
        return [event.model_validate_json(row["payload"]) for row in rows]

    async def stock(self, deal: Deal) -> tuple[int, int]:
        """Reserved and sold."""
        async with self.db.transaction() as tx:
            row = await tx.row("select reserved, sold from stock where deal_id = $1", deal.deal_id)
        assert row is not None
        return row["reserved"], row["sold"]

    async def value(self, question: str, *values: object) -> Any:
        async with self.db.transaction() as tx:
            return await tx.value(question, *values)

    async def misfits(self, *ids: object) -> list[dict[str, str]]:
        """What the audit says can never be right about these things."""
        answer = await self.get(await self.operator(), "/admin/money")
        assert answer.status_code == 200, answer.text
        wanted = {str(id) for id in ids}
        return [one for one in answer.json()["misfits"] if one["id"] in wanted]

    async def incident_of(self, order_id: UUID) -> dict[str, Any] | None:
        """What an operator is to decide about an order's payment."""
        items: list[dict[str, Any]] = (await self.get(await self.operator(), "/admin/incidents")).json()["items"]
        return next((one for one in items if one["order_id"] == str(order_id)), None)

    async def money_of(self, order_id: UUID) -> dict[str, Any]:
        """What the audit is told about an order."""
        path = f"/admin/money/orders?limit=1&after={UUID(int=order_id.int - 1)}"
        (found,) = (await self.get(await self.operator(), path)).json()["items"]
        assert found["order_id"] == str(order_id)
        money: dict[str, Any] = found
        return money

    async def book(self, out_trade_no: str) -> list[tuple[str, int]]:
        """What Alipay has booked for a trade: kind and fen."""
        answer = await self.sandbox.get("/_sim/alipay/book", params={"limit": 1000})
        entries = answer.json()["entries"]
        return [(one["kind"], one["amount_fen"]) for one in entries if one["out_trade_no"] == out_trade_no]

    async def faults(self, fault: str, *operations: str, **more: Any) -> None:
        """The sandbox's Alipay spoils the next call of each of these operations."""
        script = [{"operation": operation, "fault": fault, "times": 1, **more} for operation in operations]
        answer = await self.sandbox.put("/_sim/faults/alipay", json=script)
        assert answer.status_code < 300, answer.text

    async def no_faults(self) -> None:
        """The sandbox's Alipay behaves again."""
        assert (await self.sandbox.delete("/_sim/faults/alipay")).status_code < 300


@dataclass(slots=True)
class Purchase:
    """One order of one buyer."""

    stage: Stage
    deal: Deal
    buyer: str
    order_id: UUID
    attempt_id: UUID = field(default_factory=new_id)

    @property
    def out_trade_no(self) -> str:
        return self.attempt_id.hex

    async def view(self) -> dict[str, Any]:
        answer = await self.stage.get(self.buyer, f"/orders/{self.order_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def state(self) -> str:
        return str((await self.view())["state"])

    async def is_in(self, state: str) -> bool:
        return await self.state() == state

    async def unit_ids(self) -> list[UUID]:
        return [UUID(unit["unit_id"]) for unit in (await self.view())["units"]]

    async def unit_states(self) -> list[str]:
        return [unit["state"] for unit in (await self.view())["units"]]

    async def open_payment(self, attempt_id: UUID | None = None, channel: str = "ALIPAY_WAP") -> httpx.Response:
        path = f"/orders/{self.order_id}/payments/{attempt_id or self.attempt_id}"
        return await self.stage.put(self.buyer, path, {"channel": channel})

    async def pay_url(self, attempt_id: UUID | None = None) -> str:
        answer = await self.open_payment(attempt_id)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["pay_url"])

    async def at_cashier(self, pay_url: str, scenario: str, **more: Any) -> dict[str, Any]:
        """The buyer opens the link at the sandbox and finishes as the scenario says."""
        body = {"pay_url": pay_url, "scenario": scenario, **more}
        answer = await self.stage.sandbox.post("/_sim/alipay/pay", json=body)
        assert answer.status_code == 200, answer.text
        trade: dict[str, Any] = answer.json()
        return trade

    async def pay(self) -> None:
        """The buyer pays; the channel's answer to a query settles it."""
        await self.at_cashier(await self.pay_url(), "no_notify")
        self.stage.later(seconds=11)
        await self.stage.act("ask_channel", self.attempt_id)
        assert await self.state() == "PAID"

    async def request_refund(self, *unit_ids: UUID, refund_id: UUID | None = None) -> httpx.Response:
        units = unit_ids or tuple(await self.unit_ids())
        body = {"order_id": str(self.order_id), "unit_ids": [str(one) for one in units], "reason": "不想要了"}
        return await self.stage.put(self.buyer, f"/refunds/{refund_id or new_id()}", body)

    async def refunding(self, *unit_ids: UUID) -> UUID:
        """A refund that waits for its fence."""
        answer = await self.request_refund(*unit_ids)
        assert answer.status_code == 201, answer.text
        assert answer.json()["state"] == "FENCING"
        return UUID(answer.json()["refund_id"])

    async def refund_state(self, refund_id: UUID) -> str:
        answer = await self.stage.get(self.buyer, f"/refunds/{refund_id}")
        assert answer.status_code == 200, answer.text
        return str(answer.json()["state"])


def a_buyer() -> str:
    return f"buyer-{uuid4().hex[:10]}"


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal, which must also have a text."""
    body = json.loads(answer.text)
    assert body["title"]
    return answer.status_code, body["code"]
