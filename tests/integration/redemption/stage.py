"""A shop with staff, orders paid into it, and a till: redemption's handlers and HTTP on a real database."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI

from services.redemption import consumers
from services.redemption.domain.codes import Codes
from services.redemption.world import RedemptionWorld
from shared.clock import Clock
from shared.contracts import Event
from shared.contracts.catalog import CodeSource, DealForm, DealKind, Rail, StaffChanged, StaffRole, StoreChanged
from shared.contracts.checkout import (
    OrderPaid,
    RefundAbandoned,
    RefundCause,
    RefundedUnit,
    RefundRequested,
    RefundSucceeded,
    Unit,
    UseValue,
)
from shared.contracts.use_rules import UseRules
from shared.database import Database
from shared.ids import new_id
from shared.messaging.timers import TimerLoop

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Shop:
    """A merchant with one open store and one clerk in it."""

    merchant_id: UUID = field(default_factory=new_id)
    store_id: UUID = field(default_factory=new_id)
    clerk: str = field(default_factory=lambda: f"clerk-{uuid4().hex[:8]}")
    staff_id: UUID = field(default_factory=new_id)
    name: str = "蜀香老火锅·春熙路店"


@dataclass(slots=True)
class Stage:
    """What a test does to redemption, and how it looks at the outcome."""

    db: Database
    http: httpx.AsyncClient
    world: RedemptionWorld
    clock: Clock
    app: FastAPI

    @property
    def codes(self) -> Codes:
        return self.world.codes

    def now(self) -> datetime:
        return self.clock.now()

    async def open_shop(self, shop: Shop | None = None) -> Shop:
        """A shop as catalog's events tell of it."""
        shop = shop or Shop()
        await self.keep_store(shop)
        await self.keep_staff(shop)
        return shop

    async def keep_store(self, shop: Shop, *, version: int = 1, is_open: bool = True) -> None:
        event = StoreChanged(
            occurred_at=self.now(), version=version, store_id=shop.store_id, merchant_id=shop.merchant_id,
            name=shop.name, city="成都", address="春熙路 1 号", latitude=30.65, longitude=104.08, phone="02812345678",
            open=is_open,
        )  # fmt: skip
        await consumers.keep_store(event, self.db)

    async def keep_staff(
        self,
        shop: Shop,
        *,
        version: int = 1,
        role: StaffRole = StaffRole.CLERK,
        active: bool = True,
        stores: tuple[UUID, ...] | None = None,
    ) -> None:
        event = StaffChanged(
            occurred_at=self.now(), version=version, staff_id=shop.staff_id, subject=shop.clerk,
            merchant_id=shop.merchant_id, role=role, store_ids=(shop.store_id,) if stores is None else stores,
            active=active,
        )  # fmt: skip
        await consumers.keep_staff(event, self.db)

    async def operator(self) -> str:
        """Somebody who works for the platform."""
        subject = f"operator-{uuid4().hex[:8]}"
        event = StaffChanged(
            occurred_at=self.now(), staff_id=new_id(), subject=subject, merchant_id=None, role=StaffRole.OPERATOR,
            active=True,
        )  # fmt: skip
        await consumers.keep_staff(event, self.db)
        return subject

    def order(
        self, shop: Shop, units: int = 1, *, uses: int = 1, rules: UseRules | None = None, kind: DealKind | None = None,
        also: tuple[Shop, ...] = (), form: DealForm | None = None, code_source: CodeSource | None = None,
        deal_id: UUID | None = None, phone_lookup: str | None = None,
    ) -> OrderPaid:  # fmt: skip
        """A paid order that may have arrived or not, for the shop's store and those of its sisters."""
        price = 12_800
        return OrderPaid(
            occurred_at=self.now(), order_id=new_id(), order_no="20261122000001", buyer=f"buyer-{uuid4().hex[:8]}",
            merchant_id=shop.merchant_id, deal_id=deal_id or new_id(), deal_version=1, kind=kind or DealKind.VOUCHER,
            title="双人火锅套餐",
            units=tuple(
                Unit(unit_id=new_id(), original_price_fen=26_800, uses=(UseValue(paid_fen=price // uses),) * uses)
                for _ in range(units)
            ),
            paid_fen=price * units, paid_at=self.now(), rules=rules or UseRules(valid_days=30),
            store_ids=tuple(one.store_id for one in (shop, *also)), form=form,
            code_source=code_source, phone_lookup=phone_lookup, rail=Rail.ZHIFUTONG,
            sub_merchant_id="2088", out_trade_no=uuid4().hex, trade_no="2026112222001",
        )  # fmt: skip

    async def pay(
        self, shop: Shop, units: int = 1, *, uses: int = 1, rules: UseRules | None = None, also: tuple[Shop, ...] = (),
        form: DealForm | None = None, code_source: CodeSource | None = None, deal_id: UUID | None = None,
        phone_lookup: str | None = None,
    ) -> OrderPaid:  # fmt: skip
        """An order whose certificates are issued."""
        order = self.order(
            shop,
            units,
            uses=uses,
            rules=rules,
            also=also,
            form=form,
            code_source=code_source,
            deal_id=deal_id,
            phone_lookup=phone_lookup,
        )
        await consumers.issue_certificates(order, self.db, self.world)
        return order

    async def certificates(self, order: OrderPaid) -> list[dict[str, Any]]:
        """What the buyer sees."""
        answer = await self.http.get(f"/orders/{order.order_id}/certificates", headers=as_(order.buyer))
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def states(self, order: OrderPaid) -> list[str]:
        """The states of an order's certificates, in the order in which they were bought."""
        async with self.db.transaction() as tx:
            rows = await tx.fetch(
                "select state from certificates where order_id = $1 order by position", order.order_id
            )
        return [row["state"] for row in rows]

    async def code(self, order: OrderPaid, position: int = 0) -> str:
        """The 12 digits of a certificate, whatever its state."""
        async with self.db.transaction() as tx:
            sealed = await tx.value(
                "select sealed_code from certificates where order_id = $1 and position = $2", order.order_id, position
            )
        return self.codes.open(sealed)

    async def prepare(self, shop: Shop, **shown: str) -> httpx.Response:
        """`code=` typed or `scanned=` at the shop's till."""
        body = {"store_id": str(shop.store_id), **shown}
        return await self.http.post("/preparations", json=body, headers=as_(shop.clerk))

    async def token(self, shop: Shop, order: OrderPaid) -> str:
        """A token for verify, from the code of the order's first certificate."""
        answer = await self.prepare(shop, code=await self.code(order))
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["token"]
        assert token, answer.text
        return token

    async def verify(
        self,
        shop: Shop,
        token: str,
        unit_ids: list[UUID],
        redemption_id: UUID | None = None,
        device_id: str = "till-1",
    ) -> httpx.Response:
        """PUT the redemption, with a new id unless one is given."""
        body = {
            "store_id": str(shop.store_id),
            "token": token,
            "unit_ids": [str(unit_id) for unit_id in unit_ids],
            "device_id": device_id,
        }
        return await self.http.put(f"/redemptions/{redemption_id or new_id()}", json=body, headers=as_(shop.clerk))

    async def redeem(self, shop: Shop, order: OrderPaid) -> httpx.Response:
        """Prepare and verify every certificate of the order."""
        return await self.verify(shop, await self.token(shop, order), units_of(order))

    async def reverse(
        self, shop: Shop, redemption_id: object, reversal_id: UUID | None = None, *use_ids: object,
        by: str | None = None, device_id: str = "till-1", reason: str = "扫错了",
    ) -> httpx.Response:  # fmt: skip
        """PUT the reversal of these uses (all, if none are named), with a new id unless one is given."""
        body = {"use_ids": [str(use_id) for use_id in use_ids] or None, "device_id": device_id, "reason": reason}
        path = f"/redemptions/{redemption_id}/reversals/{reversal_id or new_id()}"
        return await self.http.put(path, json=body, headers=as_(by or shop.clerk))

    async def said(self, event: type[E], aggregate_id: object) -> list[E]:
        """The events of this kind that redemption has said about something, oldest first."""
        async with self.db.transaction() as tx:
            rows = await tx.fetch(
                "select payload from history where topic = $1 and aggregate_id = $2 order by event_id",
                event.topic,
                str(aggregate_id),
            )
        return [event.model_validate_json(row["payload"]) for row in rows]

    async def refusals(self, clerk: str) -> list[str]:
        """The codes of what this person was refused, oldest first."""
        async with self.db.transaction() as tx:
            rows = await tx.fetch("select code from refusals where operator = $1 order by refusal_id", clerk)
        return [row["code"] for row in rows]

    def from_address(self, address: str) -> httpx.AsyncClient:
        """The same service, called from somewhere else."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app, client=(address, 50_000)), base_url="http://redemption.test"
        )

    async def pass_time(self, by: timedelta) -> None:
        """Move business time on and let the timers act."""
        self.clock.move_to_offset((self.now() + by - Clock().now()).total_seconds())
        await self.act()

    async def act_outside(self) -> None:
        """Let the timers act that call the outside world and are due."""
        loop = TimerLoop(consumers.timers, self.db, self.world)
        while await loop._outside_once():
            pass

    async def act(self) -> None:
        """Let the timers act that are due."""
        loop = TimerLoop(consumers.timers, self.db, None)
        while await loop._inside_once():
            pass


def as_(subject: str) -> dict[str, str]:
    """The header of a signed-in person."""
    return {"Authorization": f"Bearer {subject}"}


def units_of(order: OrderPaid) -> list[UUID]:
    return [unit.unit_id for unit in order.units]


def refund_request(order: OrderPaid, unit_ids: list[UUID] | None = None) -> RefundRequested:
    """The buyer asks for money back for these units (all, if none are named)."""
    return RefundRequested(
        occurred_at=order.paid_at,
        refund_id=new_id(),
        order_id=order.order_id,
        kind=order.kind,
        unit_ids=tuple(unit_ids or units_of(order)),
        cause=RefundCause.BUYER,
    )


def again(event: E) -> E:
    """The same content as a new message."""
    return event.model_copy(update={"event_id": new_id()})


def refund_succeeded(request: RefundRequested, *, external: bool = False) -> RefundSucceeded:
    return RefundSucceeded(
        occurred_at=request.occurred_at,
        refund_id=request.refund_id,
        order_id=request.order_id,
        kind=request.kind,
        units=tuple(RefundedUnit(unit_id=unit_id, amount_fen=12_800) for unit_id in request.unit_ids),
        amount_fen=12_800 * len(request.unit_ids),
        cause=request.cause,
        external=external,
    )


def refund_abandoned(request: RefundRequested) -> RefundAbandoned:
    return RefundAbandoned(
        occurred_at=request.occurred_at,
        refund_id=request.refund_id,
        order_id=request.order_id,
        kind=request.kind,
        unit_ids=request.unit_ids,
    )


def other_store(shop: Shop) -> Shop:
    """Another store of the same merchant, with a clerk of its own."""
    return replace(
        shop, store_id=new_id(), staff_id=new_id(), clerk=f"clerk-{uuid4().hex[:8]}", name="蜀香老火锅·太古里店"
    )
