"""Random histories through the real handlers, tables and timers: whatever happens in whatever order, no fen is lost."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from services.settlement import consumers
from services.settlement.domain.uses import RefundDoesNotFit
from shared.contracts.catalog import DealKind, MerchantState, PayoutAccountState
from shared.contracts.checkout import DisputeClosed, OrderPaid, RefundSucceeded
from shared.contracts.redemption import CertificateUsed, UseDisputed, UseReversed
from shared.errors import NotYet
from shared.ids import derived_id, new_id
from tests.integration.settlement.stage import NOT_SENT, OK, REFUSED, UNKNOWN, Merchant, Stage, as_

STEPS = 200
# Few, so that one order meets many facts.
ORDERS = 5
SEEDS = range(1, 11)


@dataclass
class History:
    """One random life of one merchant. Orders may be told late, uses early, and everything more than once."""

    stage: Stage
    merchant: Merchant
    chance: random.Random
    operator: str
    orders: list[OrderPaid] = field(default_factory=list)
    refunds: list[RefundSucceeded] = field(default_factory=list)
    cycles: dict[UUID, int] = field(default_factory=dict)
    disputes: list[tuple[UUID, OrderPaid, UUID]] = field(default_factory=list)
    version: int = 1

    async def step(self) -> None:
        acts: list[Callable[[], Awaitable[None]]] = [
            self.buy, self.tell_order, self.use, self.use, self.finalise, self.finalise, self.receive, self.refund,
            self.repeat_refund, self.next_day, self.run, self.run, self.send, self.send, self.retry,
            self.change_merchant, self.change_account, self.reverse, self.dispute, self.dispute, self.close_dispute,
        ]  # fmt: skip
        try:
            await self.chance.choice(acts)()
        except (NotYet, RefundDoesNotFit):
            return

    async def buy(self) -> None:
        if len(self.orders) >= ORDERS:
            return
        amounts = [self.chance.choice((1, 83, 84, 1_000, 6_400, 12_800)) for _ in range(self.chance.randint(1, 3))]
        kind = self.chance.choice(list(DealKind))
        self.orders.append(self.stage.order(self.merchant, *amounts, kind=kind))

    def order(self) -> OrderPaid:
        if not self.orders:
            self.orders.append(self.stage.order(self.merchant))
        return self.chance.choice(self.orders)

    async def tell_order(self) -> None:
        await consumers.record_order(self.order(), self.stage.db)

    async def use(self) -> None:
        order = self.order()
        if order.kind is DealKind.VOUCHER:
            unit = self.chance.randrange(len(order.units))
            await consumers.record_use(self.used(order, unit), self.stage.db)

    async def finalise(self) -> None:
        order = self.order()
        if order.kind is DealKind.VOUCHER:
            used = self.used(order, self.chance.randrange(len(order.units)))
            await consumers.finalise_use(self.stage.final(used), self.stage.db)

    async def receive(self) -> None:
        order = self.order()
        if order.kind is DealKind.GOODS:
            await consumers.finalise_parcel(self.stage.received(order), self.stage.db)

    async def refund(self) -> None:
        order = self.order()
        refund = self.stage.refund(order, units=(self.chance.randrange(len(order.units)),))
        await consumers.record_refund(refund, self.stage.db)
        self.refunds.append(refund)

    async def repeat_refund(self) -> None:
        if self.refunds:
            await consumers.record_refund(self.chance.choice(self.refunds), self.stage.db)

    async def reverse(self) -> None:
        """A use is undone, whether or not it was heard of; by then it may be final, claimed, paid or refunded."""
        order = self.order()
        if order.kind is DealKind.VOUCHER:
            unit = self.chance.randrange(len(order.units))
            used = self.used(order, unit)
            event = UseReversed(
                occurred_at=self.stage.now(), use_id=used.use_id, unit_id=used.unit_id, use_no=1,
                order_id=used.order_id, merchant_id=used.merchant_id, store_id=used.store_id, used_at=used.used_at,
                reversed_at=self.stage.now(), cycle=used.cycle,
            )  # fmt: skip
            await consumers.record_reversed_use(event, self.stage.db)
            if (await self.stage.states(order))[unit] == "HELD":
                self.cycles[used.unit_id] = used.cycle + 1

    def used(self, order: OrderPaid, unit: int) -> CertificateUsed:
        """The use that a unit is at: another one, of a later cycle, once it was reversed."""
        event = self.stage.used(order, unit)
        cycle = self.cycles.get(event.unit_id, 0)
        return event.model_copy(update={"cycle": cycle, "use_id": derived_id(event.use_id, str(cycle))})

    async def dispute(self) -> None:
        order = self.order()
        refund_id, unit = new_id(), self.chance.choice(order.units)
        self.disputes.append((refund_id, order, unit.unit_id))
        await self.tell_dispute(refund_id, order, unit.unit_id)

    async def tell_dispute(self, refund_id: UUID, order: OrderPaid, unit_id: UUID) -> None:
        event = UseDisputed(
            occurred_at=self.stage.now(), refund_id=refund_id, order_id=order.order_id, merchant_id=order.merchant_id,
            unit_ids=(unit_id,),
        )  # fmt: skip
        await consumers.hold_disputed(event, self.stage.db)

    async def close_dispute(self, which: int | None = None) -> None:
        if not self.disputes:
            return
        refund_id, order, unit_id = self.disputes[self.chance.randrange(len(self.disputes)) if which is None else which]
        event = DisputeClosed(
            occurred_at=self.stage.now(), refund_id=refund_id, order_id=order.order_id,
            merchant_id=order.merchant_id, kind=order.kind, unit_ids=(unit_id,),
        )  # fmt: skip
        await consumers.close_dispute(event, self.stage.db)

    async def next_day(self) -> None:
        self.stage.next_day()

    async def run(self) -> None:
        await self.stage.run()

    async def send(self) -> None:
        self.stage.rail.script = [self.chance.choice((OK, UNKNOWN, UNKNOWN, NOT_SENT, REFUSED)) for _ in range(3)]
        await self.stage.send_all(self.merchant)
        self.stage.rail.script = []

    async def retry(self) -> None:
        for one in await self.stage.instructions(self.merchant):
            if one["state"] == "FAILED":
                address = f"/admin/instructions/{one['instruction_id']}/retry"
                await self.stage.http.put(address, headers=as_(self.operator))

    async def change_merchant(self, state: MerchantState | None = None) -> None:
        self.version += 1
        states = (*[MerchantState.VERIFIED] * 4, MerchantState.SUSPENDED, MerchantState.APPLIED, MerchantState.REJECTED)
        await self.stage.set_merchant(self.merchant, state or self.chance.choice(states), self.version)

    async def change_account(self, state: PayoutAccountState | None = None) -> None:
        self.version += 1
        await self.stage.set_account(self.merchant, state or self.chance.choice(list(PayoutAccountState)), self.version)

    async def heal(self) -> None:
        """Everything is told, nothing is frozen any more, and the channel answers."""
        await self.change_merchant(MerchantState.VERIFIED)
        await self.change_account(PayoutAccountState.VERIFIED)
        for order in self.orders:
            await consumers.record_order(order, self.stage.db)
        for which in range(len(self.disputes)):
            await self.close_dispute(which)
        for order in self.orders:
            for unit in range(len(order.units)):
                if order.kind is DealKind.VOUCHER:
                    await consumers.record_use(self.used(order, unit), self.stage.db)
                    await consumers.finalise_use(self.stage.final(self.used(order, unit)), self.stage.db)
            if order.kind is DealKind.GOODS:
                await consumers.finalise_parcel(self.stage.received(order), self.stage.db)
        await self.stage.settle(self.merchant)
        await self.retry()
        await self.stage.send_all(self.merchant)


@pytest.mark.parametrize("seed", SEEDS)
async def test_after_any_history_the_books_agree_and_everything_is_paid_once(stage: Stage, seed: int) -> None:
    history = History(stage, await stage.merchant(), random.Random(seed), await stage.operator())  # noqa: S311  (a seed to replay, not a secret)
    for number in range(STEPS):
        await history.step()
        if number % 10 == 9:
            assert await stage.misfits() == []
    await history.heal()
    assert await stage.misfits() == []
    left = {state for order in history.orders for state in await stage.states(order)}
    assert left <= {"PAID", "REFUNDED"}
    numbers = {one["instruction_id"].hex for one in await stage.instructions(history.merchant)}
    really_paid = sum(fen for number, fen in stage.rail.paid.items() if number in numbers)
    booked = [await stage.postings(order) for order in history.orders]
    assert really_paid == -sum(one.get("CHANNEL_PAID", 0) + one.get("CHANNEL_FEE", 0) for one in booked)
    assert really_paid == sum(
        one.get("CHANNEL_RECEIVED", 0) + one.get("CHANNEL_REFUNDED", 0) + one.get("MERCHANT_RECEIVABLE", 0)
        for one in booked
    )
