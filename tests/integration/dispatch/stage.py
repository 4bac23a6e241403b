"""A merchant with goods, buyers at doors, and carriers: dispatch's handlers, HTTP and timers, played by hand."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx

from services.dispatch.consumers import timers
from services.dispatch.domain.eligibility import Contract
from services.dispatch.store import preferences as preference_store
from services.dispatch.use_cases import dispatching
from services.dispatch.world import OWNER, DispatchWorld
from shared.clock import Clock
from shared.contracts import Event
from shared.contracts.address import Address
from shared.contracts.catalog import (
    DealKind,
    DeliveryMode,
    MerchantChanged,
    MerchantState,
    Rail,
    StaffChanged,
    StaffRole,
    StoreChanged,
)
from shared.contracts.checkout import (
    DeliveryRequest,
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
from shared.database import Database, Row
from shared.ids import new_id
from shared.messaging.handlers import Handlers
from shared.messaging.timers import TimerLoop
from tests.support.waiting import eventually

E = TypeVar("E", bound=Event)

ADDRESS = Address(
    name="王小明",
    phone="+8613800138000",
    province="海南省",
    city="海口市",
    district="龙华区",
    street="滨海大道 2 号",
    latitude=20.03,
    longitude=110.33,
)


class TokensByName:
    """Stands in for the issuer: the token is the subject. That real tokens are verified is tested with the kernel."""

    async def subject(self, token: str) -> str:
        return token


@dataclass(frozen=True, slots=True)
class Shop:
    """A merchant with one open store, its owner, a clerk and a rider."""

    merchant_id: UUID = field(default_factory=new_id)
    store_id: UUID = field(default_factory=new_id)
    owner: str = field(default_factory=lambda: f"owner-{uuid4().hex[:8]}")
    clerk: str = field(default_factory=lambda: f"clerk-{uuid4().hex[:8]}")
    rider: str = field(default_factory=lambda: f"rider-{uuid4().hex[:8]}")


@dataclass(slots=True)
class Stage:
    """What a test does to dispatch, and how it looks at the outcome."""

    db: Database
    http: httpx.AsyncClient
    sandbox: httpx.AsyncClient
    world: DispatchWorld
    handlers: Handlers
    clock: Clock

    def now(self) -> datetime:
        return self.clock.now()

    async def hear(self, *events: Event) -> None:
        """Handle messages as if they came from the broker, each in the handler that its contract names."""
        for event in events:
            for queue in event.readers:
                if queue.startswith("dispatch."):
                    await self.handlers.by_queue[queue].run(event, self.db, self.world)

    async def open_shop(self, *order: str, **preferences: Any) -> Shop:
        """A shop as catalog's events tell of it. Its parcels go to these carriers in order; `any`: to the best."""
        shop = Shop()
        carriers = () if order == ("any",) else order or ("dada", "kuaidi100")
        contract = Contract(order=carriers, **preferences)
        async with self.db.transaction() as tx:
            await preference_store.keep(tx, shop.merchant_id, contract)
        await self.hear(
            MerchantChanged(
                occurred_at=self.now(), merchant_id=shop.merchant_id, name="鲜果铺", phone="089812345678",
                state=MerchantState.VERIFIED,
            ),
            store_changed(shop, self.now()),
            *(
                staff_changed(shop, subject, role, self.now())
                for subject, role in (
                    (shop.owner, StaffRole.OWNER), (shop.clerk, StaffRole.CLERK), (shop.rider, StaffRole.RIDER),
                )
            ),
        )  # fmt: skip
        return shop

    def order(self, shop: Shop, mode: DeliveryMode, units: int = 2) -> OrderPaid:
        """A paid order of goods that may have arrived or not."""
        address = self.world.seals.seal(OWNER, ADDRESS.model_dump_json())
        return OrderPaid(
            occurred_at=self.now(), order_id=new_id(), order_no=f"2026{uuid4().hex[:10]}",
            buyer=f"buyer-{uuid4().hex[:8]}", merchant_id=shop.merchant_id, deal_id=new_id(), deal_version=1,
            kind=DealKind.GOODS, title="当季水果礼盒",
            units=tuple(
                Unit(unit_id=new_id(), original_price_fen=9_900, uses=(UseValue(paid_fen=7_000, delivery_fen=200),))
                for _ in range(units)
            ),
            paid_fen=7_000 * units, paid_at=self.now(), rules=UseRules(), store_ids=(shop.store_id,),
            rail=Rail.ZHIFUTONG, sub_merchant_id="2088", out_trade_no=uuid4().hex, trade_no="2026112222001",
            delivery=DeliveryRequest(
                mode=mode, fee_fen=400, weight_g=2_000, category="fruit", sealed_address=address
            ),
        )  # fmt: skip

    async def paid(self, shop: Shop, mode: DeliveryMode, units: int = 2) -> OrderPaid:
        """An order whose parcel is open."""
        order = self.order(shop, mode, units)
        await self.hear(order)
        return order

    async def accepted(self, shop: Shop, mode: DeliveryMode) -> OrderPaid:
        """An order that the merchant took on, its carrier called."""
        order = await self.paid(shop, mode)
        answer = await self.put(order, "acceptance", shop.clerk)
        assert answer.status_code == 200, answer.text
        await self.act()
        return order

    async def parcel_id(self, order: OrderPaid) -> UUID:
        return UUID(str((await self.parcel(order))["parcel_id"]))

    async def parcel(self, order: OrderPaid) -> Row:
        """The row."""
        async with self.db.transaction() as tx:
            row = await tx.row("select * from parcels where order_id = $1", order.order_id)
        assert row is not None, "the order has no parcel"
        return row

    async def state(self, order: OrderPaid) -> str:
        return str((await self.parcel(order))["state"])

    async def attempts(self, order: OrderPaid) -> list[Row]:
        """The rows, oldest first."""
        async with self.db.transaction() as tx:
            return await tx.fetch(
                "select a.* from attempts a join parcels using (parcel_id) where order_id = $1 order by number",
                order.order_id,
            )

    async def put(self, order: OrderPaid, what: str, who: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """PUT one of a parcel's verbs."""
        parcel_id = await self.parcel_id(order)
        return await self.http.put(f"/parcels/{parcel_id}/{what}", json=body or {}, headers=as_(who))

    async def shown(self, order: OrderPaid, who: str) -> dict[str, Any]:
        """What this person sees of the order's parcel."""
        answer = await self.http.get(f"/orders/{order.order_id}/parcel", headers=as_(who))
        assert answer.status_code == 200, answer.text
        seen: dict[str, Any] = answer.json()
        return seen

    async def dispatch(self, order: OrderPaid) -> None:
        """Choose a carrier and open its attempt, without sending the order."""
        async with self.db.transaction() as tx:
            search = await dispatching.prepare(tx, self.world, await self.parcel_id(order))
        assert search is not None, "the parcel needs a carrier"
        quotes = await search.quotes(self.world.policy.quote_within)
        async with self.db.transaction() as tx:
            await dispatching.decide(tx, self.world, search, quotes)

    async def act(self) -> None:
        """Let every timer act that is due, until none is."""
        loop = TimerLoop(timers, self.db, self.world)
        while await loop._inside_once() + await loop._outside_once():
            pass

    async def pass_time(self, by: timedelta) -> None:
        """Move business time on and let the timers act."""
        self.clock.move_to_offset((self.now() + by - Clock().now()).total_seconds())
        await self.act()

    async def until(self, order: OrderPaid, state: str) -> None:
        """Let time's messages act until the parcel is in this state: webhooks come when the sandbox sends them."""

        async def reached() -> bool:
            await self.act()
            return await self.state(order) == state

        await eventually(reached, what=f"the parcel is {state}")

    async def until_attempt(self, order: OrderPaid, state: str, number: int = 1) -> Row:
        """Likewise for one of its attempts."""

        async def reached() -> Row | None:
            await self.act()
            tried = await self.attempts(order)
            found = tried[number - 1] if len(tried) >= number else None
            return found if found and found["state"] == state else None

        return await eventually(reached, what=f"attempt {number} is {state}")

    async def rider(self, order: OrderPaid, *actions: str, number: int = 1) -> None:
        """达达's rider does something."""
        key = (await self.attempts(order))[number - 1]["attempt_id"].hex
        for action in actions:
            answer = await self.sandbox.post(f"/_sim/dada/orders/{key}/{action}")
            assert answer.status_code == 200, answer.text

    async def courier(self, order: OrderPaid, *actions: str, number: int = 1) -> None:
        """快递100's courier does something."""
        key = (await self.attempts(order))[number - 1]["attempt_id"].hex
        for action in actions:
            answer = await self.sandbox.post(f"/_sim/kuaidi100/orders/{key}/{action}")
            assert answer.status_code == 200, answer.text

    async def known_to_dada(self, order: OrderPaid) -> list[int]:
        """达达's own status of every attempt of this order that it ever got."""
        found = []
        for attempt in await self.attempts(order):
            answer = await self.sandbox.get(f"/_sim/dada/orders/{attempt['attempt_id'].hex}")
            if answer.status_code == 200:
                found.append(answer.json()["statusCode"])
        return found

    async def faults(self, provider: str, *faults: dict[str, Any]) -> None:
        """Script what goes wrong at a carrier."""
        answer = await self.sandbox.put(f"/_sim/faults/{provider}", json=list(faults))
        assert answer.status_code == 200, answer.text

    async def said(self, event: type[E], aggregate_id: object) -> list[E]:
        """The events of this kind that dispatch has said about something, oldest first."""
        async with self.db.transaction() as tx:
            rows = await tx.fetch(
                "select payload from history where topic = $1 and aggregate_id = $2 order by event_id",
                event.topic,
                str(aggregate_id),
            )
        return [event.model_validate_json(row["payload"]) for row in rows]

    async def said_of(self, event: type[E], order: OrderPaid) -> list[E]:
        """Likewise, about an order's parcel."""
        return await self.said(event, await self.parcel_id(order))

    async def happened(self, order: OrderPaid) -> list[str]:
        """The parcel's timeline."""
        async with self.db.transaction() as tx:
            rows = await tx.fetch(
                "select what from happenings join parcels using (parcel_id) where order_id = $1 order by happening_id",
                order.order_id,
            )
        return [row["what"] for row in rows]


def as_(subject: str) -> dict[str, str]:
    """The header of a signed-in person."""
    return {"Authorization": f"Bearer {subject}"}


def store_changed(shop: Shop, now: datetime) -> StoreChanged:
    return StoreChanged(
        occurred_at=now, store_id=shop.store_id, merchant_id=shop.merchant_id, name="鲜果铺·龙昆店", city="海口市",
        address="龙昆南路 8 号", latitude=20.0231, longitude=110.3485, phone="089812345678", open=True,
    )  # fmt: skip


def staff_changed(
    shop: Shop, subject: str, role: StaffRole, now: datetime, *, version: int = 1, active: bool = True,
    staff_id: UUID | None = None, store_ids: tuple[UUID, ...] = (),
) -> StaffChanged:  # fmt: skip
    return StaffChanged(
        occurred_at=now, version=version, staff_id=staff_id or new_id(), subject=subject,
        merchant_id=None if role is StaffRole.OPERATOR else shop.merchant_id, role=role, store_ids=store_ids,
        active=active,
    )  # fmt: skip


def units_of(order: OrderPaid) -> tuple[UUID, ...]:
    return tuple(unit.unit_id for unit in order.units)


def again(event: E) -> E:
    """The same content as a new message."""
    return event.model_copy(update={"event_id": new_id()})


def refund_request(order: OrderPaid, unit_ids: tuple[UUID, ...] | None = None) -> RefundRequested:
    """The buyer asks for money back for these units (all, if none are named)."""
    return RefundRequested(
        occurred_at=order.paid_at,
        refund_id=new_id(),
        order_id=order.order_id,
        kind=order.kind,
        unit_ids=unit_ids or units_of(order),
        cause=RefundCause.BUYER,
    )


def refund_succeeded(request: RefundRequested, *, external: bool = False) -> RefundSucceeded:
    return RefundSucceeded(
        occurred_at=request.occurred_at,
        refund_id=request.refund_id,
        order_id=request.order_id,
        kind=request.kind,
        units=tuple(RefundedUnit(unit_id=unit_id, amount_fen=7_000) for unit_id in request.unit_ids),
        amount_fen=7_000 * len(request.unit_ids),
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
