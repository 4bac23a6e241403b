"""Random histories through the real handlers, tables and timers: whatever happens in whatever order, no fen is lost."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from services.settlement import consumers
from services.settlement.domain.uses import RefundDoesNotFit
from shared.contracts.catalog import DealKind, MerchantState, PayoutAccountState
from shared.contracts.checkout import OrderPaid, RefundSucceeded
from shared.errors import NotYet
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
    version: int = 1

    async def step(self) -> None:
        acts: list[Callable[[], Awaitable[None]]] = [
            self.buy, self.tell_order, self.use, self.use, self.finalise, self.finalise, self.receive, self.refund,
            self.repeat_refund, self.next_day, self.run, self.run, self.send, self.send, self.retry,
            self.change_merchant, self.change_account,
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
            await consumers.record_use(self.stage.used(order, unit), self.stage.db)

    async def finalise(self) -> None:
        order = self.order()
        if order.kind is DealKind.VOUCHER:
            used = self.stage.used(order, self.chance.randrange(len(order.units)))
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
            for unit in range(len(order.units)):
                if order.kind is DealKind.VOUCHER:
                    await self.stage.use(order, unit)
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
